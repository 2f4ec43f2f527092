"""Segmentation: dilated branches with image pooling, spatial attention, pixel shuffle, normalized embedding."""

import torch
import torch.nn.functional as F
from torch import nn


class ConvNorm(nn.Module):
    def __init__(self, cin, cout, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv2d(
            cin, cout, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=False
        )
        self.norm = nn.BatchNorm2d(cout, momentum=0.01, eps=1e-4)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.05)


class SpatialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 5, padding=2)

    def forward(self, x):
        average = torch.mean(x, dim=1, keepdim=True)
        peak = torch.amax(x, dim=1, keepdim=True)
        gate = torch.sigmoid(self.conv(torch.cat([average, peak], dim=1)))
        return x * gate


class ASPP(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.branches = nn.ModuleList(
            [ConvNorm(channels, 6, 1), *[ConvNorm(channels, 6, 3, dilation) for dilation in (2, 3)]]
        )
        self.image = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 6, 1), nn.ReLU())
        self.project = ConvNorm(24, 8, 1)
        self.drop = nn.Dropout2d(0.1)

    def forward(self, x):
        size = x.shape[2:]
        outputs = [branch(x) for branch in self.branches]
        pooled = self.image(x)
        outputs.append(F.interpolate(pooled, size=size, mode="bilinear", align_corners=False))
        return self.drop(self.project(torch.cat(outputs, dim=1)))


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad = nn.ZeroPad2d((0, 1, 0, 1))
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.stem_norm = nn.GroupNorm(4, 8)
        self.blur = nn.AvgPool2d(3, stride=1, padding=1)
        self.attention = SpatialAttention()
        self.aspp = ASPP(8)
        self.expand = nn.Conv2d(8, 16, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.classify = nn.Conv2d(4, 3, 1)
        self.embed = nn.Linear(8, 5, bias=False)
        self.temperature = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        x = F.mish(self.stem_norm(self.stem(self.pad(x))))  # 8, 10, 10
        x = self.attention(self.blur(x))
        x = self.aspp(x)
        maps = self.classify(self.shuffle(self.expand(x)))  # 3, 20, 20
        vector = self.embed(x.mean(dim=[2, 3]))
        vector = F.normalize(vector, dim=1) * torch.exp(self.temperature)
        return {
            "logits": F.log_softmax(maps, dim=1),
            "vector": vector,
            "area": F.softplus(maps).sum(dim=[2, 3]),
        }


def build():
    return Segmenter()
