"""DenseNet of fully connected layers, for tables instead of images.

The idea of Huang et al.: Densely Connected Convolutional Networks, 2016
(https://arxiv.org/abs/1608.06993), with Linear layers for convolutions: 330 columns, one number out.
"""

import torch
from torch import nn

from torch_models.like_paddle import init_like_paddle


class LinearDenseLayer(nn.Module):
    """`growth_rate` new features from all earlier ones."""

    def __init__(self, in_features, growth_rate):
        super().__init__()
        self.norm = nn.BatchNorm1d(in_features)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(in_features, growth_rate)

    def forward(self, x):
        return self.linear(self.relu(self.norm(x)))  # [N, growth_rate]


class LinearDenseBlock(nn.Module):
    """`num_layers` dense layers; returns its input and all their outputs, concatenated."""

    def __init__(self, num_layers, in_features, growth_rate):
        super().__init__()
        layers = [LinearDenseLayer(in_features + i * growth_rate, growth_rate) for i in range(num_layers)]
        self.net = nn.Sequential(*layers)

    def forward(self, x):
        for layer in self.net:
            x = torch.cat([x, layer(x)], dim=1)
        return x  # [N, in_features + num_layers * growth_rate]


class LinearTransition(nn.Module):
    """Fewer features."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.norm = nn.BatchNorm1d(in_features)
        self.relu = nn.ReLU()
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x):
        x = self.linear(self.relu(self.norm(x)))
        return self.relu(x)  # [N, out_features]


class LinearDenseNet(nn.Module):
    """[N, in_channels] -> [N, num_classes]; `in_channels` counts the table's columns."""

    def __init__(self, num_classes=1, in_channels=330, growth_rate=128, depths=(2, 2, 2, 2)):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(in_channels, 512), nn.ReLU(), nn.Linear(512, 1024), nn.ReLU())
        self.body = nn.Sequential()
        features = 1024
        # [N, 1280], [N, 640], [N, 896], [N, 448], [N, 704], [N, 352], [N, 608]
        for i, depth in enumerate(depths):
            block = LinearDenseBlock(depth, features, growth_rate)
            self.body.add_module(f"denseblock{i + 1}", block)
            features += depth * growth_rate
            if i + 1 < len(depths):
                self.body.add_module(f"transition{i + 1}", LinearTransition(features, features // 2))
                features //= 2
        self.norm = nn.BatchNorm1d(features)
        self.relu = nn.ReLU()
        self.output = nn.Linear(features, num_classes)
        init_like_paddle(self)

    def forward(self, x):
        x = self.stem(x)  # [N, 1024]
        x = self.body(x)  # [N, 608]
        x = self.relu(self.norm(x))  # [N, 608]
        return self.output(x)  # [N, num_classes]


def densenet_linear(num_classes=1, *, in_channels=330):
    """The tabular DenseNet: 330 columns, one predicted number."""
    return LinearDenseNet(num_classes=num_classes, in_channels=in_channels)
