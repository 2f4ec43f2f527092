"""ShuffleNetV2-like: channel split, depthwise convolutions, concatenation and channel shuffle."""

import paddle
import paddle.nn.functional as F
from paddle import nn


def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    x = x.reshape([n, groups, c // groups, h, w])
    x = x.transpose([0, 2, 1, 3, 4])
    return x.reshape([n, c, h, w])


class Unit(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2D(half, half, 1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(half)
        self.dw = nn.Conv2D(half, half, 3, padding=1, groups=half, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(half)
        self.conv3 = nn.Conv2D(half, half, 1, bias_attr=False)
        self.bn3 = nn.BatchNorm2D(half)

    def forward(self, x):
        keep, y = paddle.split(x, 2, axis=1)
        y = F.relu(self.bn1(self.conv1(y)))
        y = self.bn2(self.dw(y))
        y = F.relu(self.bn3(self.conv3(y)))
        return channel_shuffle(paddle.concat([keep, y], axis=1), 2)


class Shuffle(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, stride=2, padding=1)
        self.unit1 = Unit(8)
        self.unit2 = Unit(8)
        self.pool = nn.MaxPool2D(3, stride=2, padding=1)
        self.tail = nn.Conv2D(8, 12, 1)
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        x = F.swish(self.stem(x))  # 8, 10, 10
        x = self.unit1(x)
        x = self.pool(x)  # 8, 5, 5
        x = self.unit2(x)
        x = F.leaky_relu(self.tail(x), 0.2)
        x = F.adaptive_avg_pool2d(x, 1)
        return self.fc(x.squeeze([2, 3]))


def build():
    return Shuffle()
