"""Group and instance normalization, leaky activations, padded average pools, dilation and groups."""

import torch
import torch.nn.functional as F
from torch import nn


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.gn = nn.GroupNorm(2, 8)
        self.leaky = nn.LeakyReLU(0.1)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.inorm = nn.InstanceNorm2d(8, affine=True)
        self.prelu = nn.PReLU(8)
        self.pool1 = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1, groups=4)
        self.lrn = nn.LocalResponseNorm(5, alpha=0.05, beta=0.75, k=1.5)
        self.pool2 = nn.AvgPool2d(2, stride=2, padding=1)
        self.conv4 = nn.Conv2d(8, 8, (1, 3), padding=(0, 1))
        self.pool3 = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(32, 8)
        self.out = nn.Linear(8, 8)

    def forward(self, x):
        x = self.leaky(self.gn(self.conv1(x)))  # 8, 10, 10
        x = self.prelu(self.inorm(self.conv2(x)))
        x = self.pool1(x)  # 8, 5, 5
        x = F.elu(self.lrn(self.conv3(x)), alpha=0.5)
        x = self.pool2(x)  # 8, 3, 3
        x = F.silu(self.conv4(x))
        x = self.pool3(x)  # 8, 2, 2
        x = torch.flatten(x, 1)
        x = torch.tanh(self.fc(x))
        return F.softmax(self.out(x), dim=-1)


def build():
    return Norms()
