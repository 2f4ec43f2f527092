"""An image generator: reflection padding, InstanceNorm, a transposed convolution, outputs in a dictionary."""

import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad = nn.ReflectionPad2d(3)
        self.c1 = nn.Conv2d(3, 6, 7)
        self.n1 = nn.InstanceNorm2d(6, affine=True)
        self.c2 = nn.Conv2d(6, 8, 3, 2, 1)
        self.n2 = nn.InstanceNorm2d(8, affine=True)
        self.r1 = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.n3 = nn.InstanceNorm2d(8, affine=True)
        self.u = nn.ConvTranspose2d(8, 6, 3, 2, 1, output_padding=1)
        self.n4 = nn.InstanceNorm2d(6, affine=True)
        self.out = nn.Conv2d(6, 3, 7)
        self.relu = nn.ReLU(True)
        self.lrelu = nn.LeakyReLU(0.2, True)

    def forward(self, x):
        x = self.relu(self.n1(self.c1(self.pad(x))))
        x = self.relu(self.n2(self.c2(x)))
        x = x + self.n3(self.r1(x))
        x = self.lrelu(self.n4(self.u(x)))
        return {"image": torch.tanh(self.out(self.pad(x))), "features": x}


def build():
    return Generator()
