"""A small ResNet of bottlenecks, with the layer names of the tutorial that started the project."""

import torch
import torch.nn.functional as F
from torch import nn


class ConvBNLayer(nn.Module):
    def __init__(self, num_channels, num_filters, filter_size, *, stride=1, groups=1, act=None):
        super().__init__()
        self._conv = nn.Conv2d(
            num_channels,
            num_filters,
            filter_size,
            stride=stride,
            padding=(filter_size - 1) // 2,
            groups=groups,
            bias=False,
        )
        self._batch_norm = nn.BatchNorm2d(num_filters)
        self.act = act

    def forward(self, inputs):
        y = self._conv(inputs)
        y = self._batch_norm(y)
        if self.act == "relu":
            y = F.relu(y)
        return y


class BottleneckBlock(nn.Module):
    def __init__(self, num_channels, num_filters, stride, shortcut=True):
        super().__init__()
        self.conv0 = ConvBNLayer(num_channels, num_filters, 1, act="relu")
        self.conv1 = ConvBNLayer(num_filters, num_filters, 3, stride=stride, act="relu")
        self.conv2 = ConvBNLayer(num_filters, num_filters * 2, 1, act=None)
        if not shortcut:
            self.short = ConvBNLayer(num_channels, num_filters * 2, 1, stride=stride)
        self.shortcut = shortcut

    def forward(self, inputs):
        y = self.conv0(inputs)
        y = self.conv1(y)
        y = self.conv2(y)
        short = inputs if self.shortcut else self.short(inputs)
        y = torch.add(short, y)
        return F.relu(y)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = ConvBNLayer(3, 8, 7, stride=2, act="relu")
        self.pool2d_max = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.blocks = []
        channels = 8
        for stage, (filters, depth) in enumerate([(4, 2), (8, 2)]):
            for i in range(depth):
                block = BottleneckBlock(
                    channels, filters, stride=2 if i == 0 and stage else 1, shortcut=i > 0
                )
                self.add_module(f"bb_{stage}_{i}", block)
                self.blocks.append(block)
                channels = filters * 2
        self.pool2d_avg = nn.AdaptiveAvgPool2d(output_size=1)
        self.out = nn.Linear(16, 4)

    def forward(self, inputs):
        y = self.conv(inputs)  # 8, 10, 10
        y = self.pool2d_max(y)  # 8, 5, 5
        for block in self.blocks:
            y = block(y)  # 8, 5, 5 twice; 16, 3, 3 twice
        y = self.pool2d_avg(y)
        y = torch.reshape(y, [y.shape[0], -1])
        return self.out(y)


def build():
    return ResNet()
