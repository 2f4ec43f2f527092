"""ResNet, the form of the Paddle tutorial: stride on the 3x3 convolution, blocks named bb_<stage>_<i>.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015
(https://arxiv.org/abs/1512.03385).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle import init_like_paddle


class ConvBNLayer(nn.Module):
    """Convolution without bias, batch normalisation, then `act`: None, "relu" or "leaky"."""

    def __init__(self, num_channels, num_filters, filter_size, *, stride=1, groups=1, act=None):
        super().__init__()
        self._conv = nn.Conv2d(
            num_channels,
            num_filters,
            kernel_size=filter_size,
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
        if self.act == "leaky":
            y = F.leaky_relu(y, negative_slope=0.1)
        elif self.act == "relu":
            y = F.relu(y)
        return y


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (ResNet-18 and 34)."""

    expansion = 1

    def __init__(self, num_channels, num_filters, stride, shortcut=True):
        super().__init__()
        self.conv0 = ConvBNLayer(num_channels, num_filters, filter_size=3, stride=stride, act="relu")
        self.conv1 = ConvBNLayer(num_filters, num_filters, filter_size=3)
        if not shortcut:
            self.short = ConvBNLayer(num_channels, num_filters, filter_size=1, stride=stride)
        self.shortcut = shortcut

    def forward(self, inputs):
        y = self.conv0(inputs)
        conv1 = self.conv1(y)
        short = inputs if self.shortcut else self.short(inputs)
        y = torch.add(short, conv1)
        return F.relu(y)


class BottleneckBlock(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut (ResNet-50, 101 and 152)."""

    expansion = 4

    def __init__(self, num_channels, num_filters, stride, shortcut=True):
        super().__init__()
        self.conv0 = ConvBNLayer(num_channels, num_filters, filter_size=1, act="relu")
        self.conv1 = ConvBNLayer(num_filters, num_filters, filter_size=3, stride=stride, act="relu")
        self.conv2 = ConvBNLayer(num_filters, num_filters * 4, filter_size=1)
        if not shortcut:
            self.short = ConvBNLayer(num_channels, num_filters * 4, filter_size=1, stride=stride)
        self.shortcut = shortcut

    def forward(self, inputs):
        y = self.conv0(inputs)
        conv1 = self.conv1(y)
        conv2 = self.conv2(conv1)
        short = inputs if self.shortcut else self.short(inputs)
        y = torch.add(short, conv2)
        return F.relu(y)


# layers: (block, blocks in each of the four stages)
CONFIGURATIONS = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (BottleneckBlock, (3, 4, 6, 3)),
    101: (BottleneckBlock, (3, 4, 23, 3)),
    152: (BottleneckBlock, (3, 8, 36, 3)),
}


class ResNet(nn.Module):
    """[N, in_channels, H, W] -> [N, num_classes] logits; shapes below are ResNet-50's for 224x224."""

    def __init__(self, layers=50, num_classes=1, in_channels=3):
        super().__init__()
        if layers not in CONFIGURATIONS:
            raise ValueError(f"no ResNet has {layers} layers; choose from {sorted(CONFIGURATIONS)}")
        self.layers = layers
        block_class, depths = CONFIGURATIONS[layers]
        self.conv = ConvBNLayer(in_channels, 64, filter_size=7, stride=2, act="relu")
        self.pool2d_max = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

        self.block_names = []
        num_channels = 64
        for stage, (depth, num_filters) in enumerate(zip(depths, (64, 128, 256, 512), strict=True)):
            for i in range(depth):
                # A block that changes the channels or halves the size has a convolution as its shortcut.
                stride = 2 if i == 0 and stage != 0 else 1
                shortcut = stride == 1 and num_channels == num_filters * block_class.expansion
                block = block_class(num_channels, num_filters, stride, shortcut=shortcut)
                self.add_module(f"bb_{stage}_{i}", block)
                self.block_names.append(f"bb_{stage}_{i}")
                num_channels = num_filters * block_class.expansion

        self.pool2d_avg = nn.AdaptiveAvgPool2d(1)
        stdv = 1.0 / math.sqrt(num_channels)
        self.out = nn.Linear(num_channels, num_classes)
        init_like_paddle(self)
        nn.init.uniform_(self.out.weight, -stdv, stdv)

    @property
    def bottleneck_block_list(self):
        """The residual blocks in order, under the tutorial's name for them."""
        return [getattr(self, name) for name in self.block_names]

    def forward(self, inputs):
        y = self.conv(inputs)  # [N, 64, 112, 112]
        y = self.pool2d_max(y)  # [N, 64, 56, 56]
        for block in self.bottleneck_block_list:
            y = block(y)  # [N, 256, 56, 56], [N, 512, 28, 28], [N, 1024, 14, 14], [N, 2048, 7, 7]
        y = self.pool2d_avg(y)  # [N, 2048, 1, 1]
        y = torch.flatten(y, 1)  # [N, 2048]
        return self.out(y)  # [N, num_classes]


def resnet18(num_classes=1, *, in_channels=3):
    """ResNet-18 in the tutorial's style: one logit, RGB images."""
    return ResNet(layers=18, num_classes=num_classes, in_channels=in_channels)


def resnet34(num_classes=1, *, in_channels=3):
    """ResNet-34 in the tutorial's style: one logit, RGB images."""
    return ResNet(layers=34, num_classes=num_classes, in_channels=in_channels)


def resnet50(num_classes=1, *, in_channels=3):
    """ResNet-50 of the tutorial: one logit, RGB images."""
    return ResNet(layers=50, num_classes=num_classes, in_channels=in_channels)


def resnet101(num_classes=1, *, in_channels=3):
    """ResNet-101 of the tutorial: one logit, RGB images."""
    return ResNet(layers=101, num_classes=num_classes, in_channels=in_channels)


def resnet152(num_classes=1, *, in_channels=3):
    """ResNet-152 of the tutorial: one logit, RGB images."""
    return ResNet(layers=152, num_classes=num_classes, in_channels=in_channels)
