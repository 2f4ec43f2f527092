"""`inception` with every branch a Sequential, as torchvision's later models have it."""

import torch
from torch import nn


def conv(cin, cout, kernel, **options):
    return nn.Conv2d(cin, cout, kernel, **options)


class Inception(nn.Module):
    def __init__(self, c0):
        super().__init__()
        self.branch5 = nn.Sequential(
            nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), conv(c0, 4, 1), nn.ReLU()
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(c0, 4, 1), nn.ReLU())
        self.branch3 = nn.Sequential(conv(c0, 4, 1), nn.ReLU(), conv(4, 4, 5, padding=2), nn.ReLU())
        self.branch2 = nn.Sequential(conv(c0, 4, 1), nn.ReLU(), conv(4, 4, 3, padding=1), nn.ReLU())
        self.branch1 = nn.Sequential(conv(c0, 4, 1), nn.ReLU())

    def forward(self, x):
        branches = [self.branch1, self.branch2, self.branch3, self.branch4, self.branch5]
        return torch.cat([branch(x) for branch in branches], 1)


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(
            conv(3, 6, 7, padding=3),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            conv(6, 6, 3, padding="same"),
            nn.ReLU(),
            Inception(6),
            nn.MaxPool2d(3, stride=2, ceil_mode=True),
            Inception(20),
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(20, 3))

    def forward(self, x):
        return self.head(self.backbone(x))


def build():
    return GoogLeNet()
