"""A small ResNet of basic blocks in Sequential stages, with a mean for its pool."""

import paddle
from paddle import nn


class BasicBlock(nn.Layer):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2D(cin, cout, 3, stride=stride, padding=1, bias_attr=False)
        self.bn1 = nn.BatchNorm2D(cout)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2D(cout, cout, 3, padding=1, bias_attr=False)
        self.bn2 = nn.BatchNorm2D(cout)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(
                nn.Conv2D(cin, cout, 1, stride=stride, bias_attr=False), nn.BatchNorm2D(cout)
            )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out = out + identity
        return self.relu(out)


class Basic(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2D(3, 6, 3, padding=1, bias_attr=False), nn.BatchNorm2D(6), nn.ReLU()
        )
        self.layer1 = nn.Sequential(BasicBlock(6, 6), BasicBlock(6, 6))
        self.layer2 = nn.Sequential(BasicBlock(6, 12, 2), BasicBlock(12, 12))
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        x = self.stem(x)  # 6, 20, 20
        x = self.layer1(x)
        x = self.layer2(x)  # 12, 10, 10
        x = paddle.mean(x, axis=[2, 3])
        return self.fc(x)


def build():
    return Basic()
