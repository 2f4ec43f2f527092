"""ResNet that also returns an embedding: one channel, 3x3 stem without pooling, two outputs.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015
(https://arxiv.org/abs/1512.03385). The features are pooled to 4x1, so that the height keeps four places
(for spectrogram-like images), then projected to the embedding and from there to the classes.
"""

import torch
import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle import init_like_paddle


def projection(in_planes, out_planes, stride):
    """The shortcut of a block: empty when nothing changes, else a 1x1 convolution with BatchNorm."""
    if stride == 1 and in_planes == out_planes:
        return nn.Sequential()
    return nn.Sequential(
        nn.Conv2d(in_planes, out_planes, kernel_size=1, stride=stride, bias=False),
        nn.BatchNorm2d(out_planes),
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (18 and 34 layers)."""

    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = projection(in_planes, planes, stride)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return F.relu(out + self.shortcut(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut (50, 101 and 152 layers)."""

    expansion = 4

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * 4, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.shortcut = projection(in_planes, planes * 4, stride)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return F.relu(out + self.shortcut(x))


class EmbeddingResNet(nn.Module):
    """[N, in_channels, H, W] -> ([N, num_classes] logits, [N, embedding_size]).

    Shapes below are for 64x64 and `e`, the block's expansion (1 or 4).
    """

    def __init__(self, block, depths, *, num_classes=9, in_channels=1, embedding_size=256):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = self._make_layer(block, 64, 64, depths[0], stride=1)
        self.layer2 = self._make_layer(block, 64 * block.expansion, 128, depths[1], stride=2)
        self.layer3 = self._make_layer(block, 128 * block.expansion, 256, depths[2], stride=2)
        self.layer4 = self._make_layer(block, 256 * block.expansion, 512, depths[3], stride=2)
        self.avg_pool = nn.AdaptiveAvgPool2d((4, 1))
        self.fc = nn.Linear(512 * block.expansion * 4, embedding_size)
        self.linear = nn.Linear(embedding_size, num_classes)
        init_like_paddle(self)

    @staticmethod
    def _make_layer(block, in_planes, planes, depth, *, stride):
        blocks = [block(in_planes, planes, stride)]
        blocks += [block(planes * block.expansion, planes) for _ in range(depth - 1)]
        return nn.Sequential(*blocks)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))  # [N, 64, 64, 64]
        out = self.layer1(out)  # [N, 64e, 64, 64]
        out = self.layer2(out)  # [N, 128e, 32, 32]
        out = self.layer3(out)  # [N, 256e, 16, 16]
        out = self.layer4(out)  # [N, 512e, 8, 8]
        out = self.avg_pool(out)  # [N, 512e, 4, 1]
        out = torch.flatten(out, 1)  # [N, 2048e]
        embedding = self.fc(out)  # [N, embedding_size]
        return self.linear(embedding), embedding


def resnet18_embedding(num_classes=9, *, in_channels=1):
    """18 layers: BasicBlock, nine classes, an embedding of 256."""
    return EmbeddingResNet(BasicBlock, (2, 2, 2, 2), num_classes=num_classes, in_channels=in_channels)


def resnet34_embedding(num_classes=9, *, in_channels=1):
    """34 layers: BasicBlock, nine classes, an embedding of 256."""
    return EmbeddingResNet(BasicBlock, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels)


def resnet50_embedding(num_classes=9, *, in_channels=1):
    """50 layers: Bottleneck, nine classes, an embedding of 256."""
    return EmbeddingResNet(Bottleneck, (3, 4, 6, 3), num_classes=num_classes, in_channels=in_channels)


def resnet101_embedding(num_classes=9, *, in_channels=1):
    """101 layers: Bottleneck, nine classes, an embedding of 256."""
    return EmbeddingResNet(Bottleneck, (3, 4, 23, 3), num_classes=num_classes, in_channels=in_channels)


def resnet152_embedding(num_classes=9, *, in_channels=1):
    """152 layers: Bottleneck, nine classes, an embedding of 256."""
    return EmbeddingResNet(Bottleneck, (3, 8, 36, 3), num_classes=num_classes, in_channels=in_channels)
