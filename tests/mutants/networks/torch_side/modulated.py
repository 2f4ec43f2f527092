"""The modulated network as another code base writes it: functions of weights, hard sigmoids by hand."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def modulated_conv2d(x, weight, styles):
    batch, (_, channels, height, width) = x.shape[0], weight.shape
    w = weight.unsqueeze(0) * styles.reshape(batch, 1, -1, 1, 1)
    w = w * (w.square().sum(dim=[2, 3, 4], keepdim=True) + 1e-8).rsqrt()
    x = F.conv2d(
        x.reshape(1, -1, *x.shape[2:]), w.reshape(-1, channels, height, width), padding=1, groups=batch
    )
    return x.reshape(batch, -1, *x.shape[2:])


class ModulatedConv2d(nn.Module):
    def __init__(self, channels, out, style):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(1, out, channels, 3, 3))
        self.modulation = nn.Linear(style, channels)
        self.gain = 1 / math.sqrt(channels * 9)

    def forward(self, x, style):
        return modulated_conv2d(x, self.weight[0] * self.gain, self.modulation(style))


class StandardizedConv2d(nn.Conv2d):
    def forward(self, x):
        variance, mean = torch.var_mean(self.weight, dim=[1, 2, 3], keepdim=True, unbiased=False)
        weight = (self.weight - mean) / (variance + 1e-5).sqrt()
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class Modulated(nn.Module):
    def __init__(self, style=6):
        super().__init__()
        self.stem = StandardizedConv2d(3, 6, 3, padding=1)
        self.conv1 = ModulatedConv2d(6, 6, style)
        self.conv2 = ModulatedConv2d(6, 4, style)
        self.rgb = nn.Conv2d(4, 3, 1)

    def forward(self, x, style):
        style = style * (style.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()
        x = F.leaky_relu(self.stem(x), 0.2)
        x = F.leaky_relu(self.conv1(x, style), 0.2).mul(math.sqrt(2))
        x = self.conv2(x, style)
        x = x * torch.clamp(x * 0.2 + 0.5, 0.0, 1.0)
        return self.rgb(x)


def build():
    return Modulated()
