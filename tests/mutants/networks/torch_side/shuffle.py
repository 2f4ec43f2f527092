"""ShuffleNetV2-like: channel split, depthwise convolutions, concatenation and channel shuffle."""

import torch
import torch.nn.functional as F
from torch import nn


def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    x = x.reshape(n, groups, c // groups, h, w)
    x = x.permute(0, 2, 1, 3, 4)
    return x.reshape(n, c, h, w)


class Unit(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(half, half, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.dw = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)

    def forward(self, x):
        keep, y = torch.chunk(x, 2, dim=1)
        y = F.relu(self.bn1(self.conv1(y)))
        y = self.bn2(self.dw(y))
        y = F.relu(self.bn3(self.conv3(y)))
        return channel_shuffle(torch.cat([keep, y], dim=1), 2)


class Shuffle(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.unit1 = Unit(8)
        self.unit2 = Unit(8)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.tail = nn.Conv2d(8, 12, 1)
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        x = F.silu(self.stem(x))  # 8, 10, 10
        x = self.unit1(x)
        x = self.pool(x)  # 8, 5, 5
        x = self.unit2(x)
        x = F.leaky_relu(self.tail(x), 0.2)
        x = F.adaptive_avg_pool2d(x, 1)
        return self.fc(x.squeeze((2, 3)))


def build():
    return Shuffle()
