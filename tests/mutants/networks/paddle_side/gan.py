"""An image generator: reflection padding, InstanceNorm, a transposed convolution, outputs in a dictionary."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class Generator(nn.Layer):
    def __init__(self):
        super().__init__()
        self.pad = nn.Pad2D(3, mode="reflect")
        self.c1 = nn.Conv2D(3, 6, 7)
        self.n1 = nn.InstanceNorm2D(6)
        self.c2 = nn.Conv2D(6, 8, 3, 2, 1)
        self.n2 = nn.InstanceNorm2D(8)
        self.r1 = nn.Conv2D(8, 8, 3, padding=1, padding_mode="reflect")
        self.n3 = nn.InstanceNorm2D(8)
        self.u = nn.Conv2DTranspose(8, 6, 3, 2, 1, output_padding=1)
        self.n4 = nn.InstanceNorm2D(6)
        self.out = nn.Conv2D(6, 3, 7)

    def forward(self, x):
        x = F.relu(self.n1(self.c1(self.pad(x))))
        x = F.relu(self.n2(self.c2(x)))
        x = x + self.n3(self.r1(x))
        x = F.leaky_relu(self.n4(self.u(x)), 0.2)
        return {"image": paddle.tanh(self.out(self.pad(x))), "features": x}


def build():
    return Generator()
