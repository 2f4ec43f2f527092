"""Network in Network: 1x1 convolutions instead of fully connected layers.

Lin, Chen, Yan: Network In Network, 2013 (https://arxiv.org/abs/1312.4400). The form is the textbook
one: AlexNet's sizes, one channel, ten classes; the last block's channels are the classes.
"""

import torch
from torch import nn

from torch_models.like_paddle import init_like_paddle


class NiNBlock(nn.Module):
    """A convolution followed by two 1x1 convolutions, each with a ReLU."""

    def __init__(self, in_channels, out_channels, kernel_size, *, stride=1, padding=0):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=padding)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=1)
        self.conv3 = nn.Conv2d(out_channels, out_channels, kernel_size=1)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return self.relu(self.conv3(x))


class NiN(nn.Module):
    """[N, in_channels, H, W] -> [N, num_classes] logits; shapes below are for 224x224."""

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__()
        self.block1 = NiNBlock(in_channels, 96, kernel_size=11, stride=4)
        self.block2 = NiNBlock(96, 256, kernel_size=5, padding=2)
        self.block3 = NiNBlock(256, 384, kernel_size=3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.block4 = NiNBlock(384, num_classes, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        init_like_paddle(self)

    def forward(self, x):
        x = self.block1(x)  # [N, 96, 54, 54]
        x = self.pool(x)  # [N, 96, 26, 26]
        x = self.block2(x)  # [N, 256, 26, 26]
        x = self.pool(x)  # [N, 256, 12, 12]
        x = self.block3(x)  # [N, 384, 12, 12]
        x = self.pool(x)  # [N, 384, 5, 5]
        x = self.dropout(x)  # [N, 384, 5, 5]
        x = self.block4(x)  # [N, num_classes, 5, 5]
        x = self.global_pool(x)  # [N, num_classes, 1, 1]
        return torch.flatten(x, 1)  # [N, num_classes]


def nin(num_classes=10, *, in_channels=1):
    """Network in Network for one channel and ten classes unless told otherwise."""
    return NiN(num_classes=num_classes, in_channels=in_channels)
