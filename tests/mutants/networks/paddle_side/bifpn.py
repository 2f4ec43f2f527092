"""A feature pyramid that is fused top-down and bottom-up, with weights that a ReLU and their sum normalize."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class Separable(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.depth = nn.Conv2D(channels, channels, 3, padding=1, groups=channels, bias_attr=False)
        self.point = nn.Conv2D(channels, channels, 1)
        self.norm = nn.BatchNorm2D(channels, momentum=0.99, epsilon=1e-3)

    def forward(self, x):
        return self.norm(self.point(self.depth(x)))


class Fuse(nn.Layer):
    def __init__(self, channels, count, eps=1e-4):
        super().__init__()
        self.share = self.create_parameter([count])
        self.conv = Separable(channels)
        self.eps = eps

    def forward(self, *features):
        share = F.relu(self.share)
        share = share / (paddle.sum(share) + self.eps)
        x = sum(share[i] * feature for i, feature in enumerate(features))
        return self.conv(F.swish(x))


class BiFPN(nn.Layer):
    def __init__(self, channels=6):
        super().__init__()
        self.c3 = nn.Conv2D(3, channels, 3, stride=2, padding=1)
        self.c4 = nn.Conv2D(channels, channels, 3, stride=2, padding=1)
        self.c5 = nn.Conv2D(channels, channels, 3, stride=2, padding=1)
        self.down4 = Fuse(channels, 2)
        self.down3 = Fuse(channels, 2)
        self.up4 = Fuse(channels, 3)
        self.up5 = Fuse(channels, 2)

    def forward(self, x):
        p3 = self.c3(x)  # 6, 8, 8
        p4 = self.c4(F.swish(p3))  # 6, 4, 4
        p5 = self.c5(F.swish(p4))  # 6, 2, 2
        t4 = self.down4(p4, F.interpolate(p5, scale_factor=2, mode="nearest"))
        o3 = self.down3(p3, F.interpolate(t4, scale_factor=2, mode="nearest"))
        o4 = self.up4(p4, t4, F.max_pool2d(o3, 3, 2, 1))
        o5 = self.up5(p5, F.max_pool2d(o4, 3, 2, 1))
        return o3, o4, o5


def build():
    return BiFPN()
