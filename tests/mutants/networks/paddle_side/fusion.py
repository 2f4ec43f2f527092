"""RepVGG branches, two resolutions that are fused (HRNet), a shared convolution, and capsules by einsum."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class Rep(nn.Layer):
    def __init__(self, c):
        super().__init__()
        self.k3 = nn.Conv2D(c, c, 3, padding=1, bias_attr=False)
        self.b3 = nn.BatchNorm2D(c)
        self.k1 = nn.Conv2D(c, c, 1, bias_attr=False)
        self.b1 = nn.BatchNorm2D(c)
        self.bid = nn.BatchNorm2D(c)

    def forward(self, x):
        return F.relu(self.b3(self.k3(x)) + self.b1(self.k1(x)) + self.bid(x))


class Fusion(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, padding=1)
        self.r = Rep(8)
        self.down = nn.Conv2D(8, 12, 3, 2, 1)
        self.lat = nn.Conv2D(12, 8, 1)
        self.low = Rep(12)
        self.w = self.create_parameter([4, 8, 6])
        self.head = nn.Conv2D(8, 4, 3, padding=1)

    def forward(self, x):
        high = self.r(F.relu(self.stem(x)))
        low = self.low(F.relu(self.down(high)))
        h2 = F.relu(high + F.interpolate(self.lat(low), scale_factor=2, mode="nearest"))
        l2 = F.relu(low + F.relu(self.down(high)))
        u = paddle.einsum("nchw,kcd->nkdhw", h2, self.w)
        n = (u * u).sum(2, keepdim=True)
        v = u * n / (1 + n) / paddle.sqrt(n + 1e-8)
        maps = [self.head(f) for f in (h2, F.max_pool2d(h2, 2))]
        return v.mean([3, 4]), *maps, l2


def build():
    return Fusion()
