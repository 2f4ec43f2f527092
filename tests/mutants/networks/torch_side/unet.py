"""A U-Net with three ways up: transposed convolution, bilinear and nearest; skips, one crop."""

import torch
import torch.nn.functional as F
from torch import nn


class DoubleConv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(cout)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = DoubleConv(3, 4)
        self.down2 = DoubleConv(4, 6)
        self.down3 = DoubleConv(6, 6)
        self.bottom = DoubleConv(6, 6)
        self.pool = nn.MaxPool2d(2)
        self.up3 = nn.ConvTranspose2d(6, 6, 3, stride=2, padding=1, output_padding=1)
        self.fuse3 = DoubleConv(12, 6)
        self.fuse2 = DoubleConv(12, 4)
        self.lateral = nn.Conv2d(4, 4, 1)
        self.fuse1 = DoubleConv(8, 4)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        d1 = self.down1(x)  # 4, 20, 20
        d2 = self.down2(self.pool(d1))  # 6, 10, 10
        d3 = self.down3(self.pool(d2))  # 6, 5, 5
        y = self.bottom(self.pool(d3))  # 6, 2, 2
        y = self.up3(y)  # 6, 4, 4
        d3 = d3[:, :, :4, :4]
        y = self.fuse3(torch.cat([d3, y], dim=1))  # 6, 4, 4
        y = F.interpolate(y, size=[10, 10], mode="bilinear", align_corners=True)
        y = self.fuse2(torch.cat([d2, y], dim=1))  # 4, 10, 10
        y = F.interpolate(y, scale_factor=2, mode="nearest")
        y = self.fuse1(torch.cat([self.lateral(d1), y], dim=1))  # 4, 20, 20
        return torch.sigmoid(self.head(y))


def build():
    return UNet()
