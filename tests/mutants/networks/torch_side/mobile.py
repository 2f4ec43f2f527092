"""MobileNetV3-like: depthwise convolutions, squeeze-and-excitation, hardswish and hardsigmoid, ReLU6."""

import torch
import torch.nn.functional as F
from torch import nn


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, 6, 1)
        self.expand = nn.Conv2d(6, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x):
        s = self.avgpool(x)
        s = F.relu(self.reduce(s))
        s = self.gate(self.expand(s))
        return x * s


class InvertedResidual(nn.Module):
    def __init__(self, cin, hidden, cout, kernel, stride, *, act):
        super().__init__()
        self.residual = stride == 1 and cin == cout
        self.expand = nn.Sequential(
            nn.Conv2d(cin, hidden, 1, bias=False), nn.BatchNorm2d(hidden, eps=1e-3), act()
        )
        self.depthwise = nn.Sequential(
            nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden, eps=1e-3),
            act(),
        )
        self.se = SqueezeExcite(hidden)
        self.project = nn.Sequential(nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout, eps=1e-3))

    def forward(self, x):
        y = self.expand(x)
        y = self.depthwise(y)
        y = self.se(y)
        y = self.project(y)
        if self.residual:
            y = x + y
        return y


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(8, eps=1e-3)
        self.stem_act = nn.Hardswish()
        self.block1 = InvertedResidual(8, 16, 8, 3, 1, act=nn.ReLU6)
        self.block2 = InvertedResidual(8, 16, 12, 5, 2, act=nn.Hardswish)
        self.block3 = InvertedResidual(12, 24, 12, 3, 1, act=nn.Hardswish)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Linear(12, 20)
        self.act = nn.Hardswish()
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(20, 4)

    def forward(self, x):
        x = self.stem_act(self.stem_bn(self.stem(x)))  # 8, 10, 10
        x = self.block1(x)
        x = self.block2(x)  # 12, 5, 5
        x = self.block3(x)
        x = torch.flatten(self.pool(x), 1)
        x = self.dropout(self.act(self.hidden(x)))
        return self.classifier(x)


def build():
    return Mobile()
