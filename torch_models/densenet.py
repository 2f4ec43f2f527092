"""DenseNet-121, 169 and 201, with the option to recompute the wide concatenations in backward.

Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2016
(https://arxiv.org/abs/1608.06993); the option: Pleiss et al., Memory-Efficient Implementation of
DenseNets, 2017 (https://arxiv.org/abs/1707.06990).
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from torch_models.like_paddle import init_like_paddle


class DenseLayer(nn.Module):
    """`growth_rate` new channels from the concatenation of all earlier ones."""

    def __init__(self, in_channels, growth_rate, *, bn_size, dropout_rate, memory_efficient):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, bn_size * growth_rate, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, padding=1, bias=False)
        self.dropout_rate = dropout_rate
        self.memory_efficient = memory_efficient

    def bottleneck(self, *features):
        return self.conv1(self.relu1(self.norm1(torch.cat(features, dim=1))))

    def forward(self, features):
        if self.memory_efficient and self.training:
            # The concatenation is not kept but computed again in backward, which also updates the
            # running statistics of norm1 a second time.
            y = checkpoint(self.bottleneck, *features, use_reentrant=False)
        else:
            y = self.bottleneck(*features)
        # [N, bn_size * growth_rate, H, W]
        y = self.conv2(self.relu2(self.norm2(y)))  # [N, growth_rate, H, W]
        if self.dropout_rate > 0:
            y = F.dropout(y, p=self.dropout_rate, training=self.training)
        return y


class DenseBlock(nn.Module):
    """`num_layers` dense layers; returns its input and all their outputs, concatenated."""

    def __init__(self, num_layers, in_channels, growth_rate, **options):
        super().__init__()
        self.num_layers = num_layers
        for i in range(num_layers):
            layer = DenseLayer(in_channels + i * growth_rate, growth_rate, **options)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x):
        features = [x]
        for i in range(self.num_layers):
            layer = getattr(self, f"denselayer{i + 1}")
            features.append(layer(features))
        return torch.cat(features, dim=1)  # [N, in_channels + num_layers * growth_rate, H, W]


class Transition(nn.Module):
    """Fewer channels by a 1x1 convolution, half the height and width by average pooling."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)

    def forward(self, x):
        x = self.conv(self.relu(self.norm(x)))  # [N, out_channels, H, W]
        return self.pool(x)  # [N, out_channels, H / 2, W / 2]


class DenseNet(nn.Module):
    """[N, in_channels, H, W] -> [N, num_classes] logits; shapes below are DenseNet-121's for 224x224."""

    def __init__(
        self,
        depths,
        *,
        num_classes=1000,
        in_channels=3,
        stem_channels=64,
        growth_rate=32,
        bn_size=4,
        dropout_rate=0.0,
        memory_efficient=False,
    ):
        super().__init__()
        options = {"bn_size": bn_size, "dropout_rate": dropout_rate, "memory_efficient": memory_efficient}
        conv0 = nn.Conv2d(in_channels, stem_channels, kernel_size=7, stride=2, padding=3, bias=False)
        pool0 = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.features = nn.Sequential()
        self.features.add_module("conv0", conv0)  # [N, 64, 112, 112]
        self.features.add_module("norm0", nn.BatchNorm2d(stem_channels))
        self.features.add_module("relu0", nn.ReLU())
        self.features.add_module("pool0", pool0)  # [N, 64, 56, 56]
        channels = stem_channels
        # [N, 128, 28, 28], [N, 256, 14, 14], [N, 512, 7, 7] after the transitions, then [N, 1024, 7, 7].
        for i, depth in enumerate(depths):
            block = DenseBlock(depth, channels, growth_rate, **options)
            self.features.add_module(f"denseblock{i + 1}", block)
            channels += depth * growth_rate
            if i + 1 < len(depths):
                self.features.add_module(f"transition{i + 1}", Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        init_like_paddle(self)

    def forward(self, x):
        x = F.relu(self.features(x))  # [N, 1024, 7, 7]
        x = F.adaptive_avg_pool2d(x, 1)  # [N, 1024, 1, 1]
        x = torch.flatten(x, 1)  # [N, 1024]
        return self.classifier(x)  # [N, num_classes]


def densenet121(num_classes=1000, *, in_channels=3, memory_efficient=False):
    """DenseNet-121: four blocks of 6, 12, 24 and 16 layers."""
    return DenseNet(
        (6, 12, 24, 16), num_classes=num_classes, in_channels=in_channels, memory_efficient=memory_efficient
    )


def densenet169(num_classes=1000, *, in_channels=3, memory_efficient=False):
    """DenseNet-169: four blocks of 6, 12, 32 and 32 layers."""
    return DenseNet(
        (6, 12, 32, 32), num_classes=num_classes, in_channels=in_channels, memory_efficient=memory_efficient
    )


def densenet201(num_classes=1000, *, in_channels=3, memory_efficient=False):
    """DenseNet-201: four blocks of 6, 12, 48 and 32 layers."""
    return DenseNet(
        (6, 12, 48, 32), num_classes=num_classes, in_channels=in_channels, memory_efficient=memory_efficient
    )
