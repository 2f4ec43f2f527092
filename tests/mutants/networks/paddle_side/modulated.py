"""Convolutions whose weights the network computes: modulated by a style, and standardized."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class ModulatedConv2D(nn.Layer):
    def __init__(self, channels, out, style):
        super().__init__()
        self.scale = 1 / (channels * 9) ** 0.5
        self.weight = self.create_parameter([1, out, channels, 3, 3])
        self.modulation = nn.Linear(style, channels)

    def forward(self, x, style):
        batch, channels, height, width = x.shape
        style = self.modulation(style).reshape([batch, 1, channels, 1, 1])
        weight = self.scale * self.weight * style
        demodulation = paddle.rsqrt((weight * weight).sum([2, 3, 4]) + 1e-8)
        weight = weight * demodulation.reshape([batch, -1, 1, 1, 1])
        weight = weight.reshape([-1, channels, 3, 3])
        x = x.reshape([1, batch * channels, height, width])
        x = F.conv2d(x, weight, padding=1, groups=batch)
        return x.reshape([batch, -1, height, width])


class StandardizedConv2D(nn.Conv2D):
    def forward(self, x):
        mean = self.weight.mean(axis=[1, 2, 3], keepdim=True)
        variance = ((self.weight - mean) ** 2).mean(axis=[1, 2, 3], keepdim=True)
        weight = (self.weight - mean) / paddle.sqrt(variance + 1e-5)
        return F.conv2d(x, weight, self.bias, padding=self._padding)


class Modulated(nn.Layer):
    def __init__(self, style=6):
        super().__init__()
        self.stem = StandardizedConv2D(3, 6, 3, padding=1)
        self.conv1 = ModulatedConv2D(6, 6, style)
        self.conv2 = ModulatedConv2D(6, 4, style)
        self.rgb = nn.Conv2D(4, 3, 1)

    def gate(self, x):
        return x * F.hardsigmoid(x, slope=0.2, offset=0.5)

    def forward(self, x, style):
        style = style * paddle.rsqrt(paddle.mean(style * style, axis=1, keepdim=True) + 1e-8)
        x = F.leaky_relu(self.stem(x), 0.2)
        x = F.leaky_relu(self.conv1(x, style), 0.2) * (2**0.5)
        x = self.gate(self.conv2(x, style))
        return self.rgb(x)


def build():
    return Modulated()
