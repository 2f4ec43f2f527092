"""Shifted windows: roll, window partition, relative position bias, a mask; patch merging; scaled branches."""

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn


def relative_index(size):
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij")).reshape(2, -1)
    offset = grid[:, :, None] - grid[:, None, :] + size - 1
    return offset[0] * (2 * size - 1) + offset[1]


def shift_mask(side, size, shift):
    regions = np.zeros((side, side))
    cuts = (slice(0, -size), slice(-size, -shift), slice(-shift, None))
    for i, rows in enumerate(cuts):
        for j, columns in enumerate(cuts):
            regions[rows, columns] = 3 * i + j
    count = side // size
    windows = regions.reshape(count, size, count, size).transpose(0, 2, 1, 3).reshape(-1, size * size)
    return np.where(windows[:, None, :] == windows[:, :, None], 0.0, -100.0)


class WindowAttention(nn.Layer):
    def __init__(self, dim, heads, size):
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.table = self.create_parameter([(2 * size - 1) ** 2, heads])
        self.register_buffer("index", paddle.to_tensor(relative_index(size).reshape(-1)), persistable=False)
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, mask=None):
        b, n, c = x.shape
        qkv = self.qkv(x).reshape([b, n, 3, self.heads, c // self.heads]).transpose([2, 0, 3, 1, 4])
        q, k, v = qkv[0] * self.scale, qkv[1], qkv[2]
        attn = paddle.matmul(q, k, transpose_y=True)
        bias = paddle.index_select(self.table, self.index, axis=0).reshape([n, n, -1]).transpose([2, 0, 1])
        attn = attn + bias.unsqueeze(0)
        if mask is not None:
            count = mask.shape[0]
            attn = attn.reshape([b // count, count, self.heads, n, n]) + mask.unsqueeze(1).unsqueeze(0)
            attn = attn.reshape([-1, self.heads, n, n])
        attn = F.softmax(attn, axis=-1)
        y = paddle.matmul(attn, v).transpose([0, 2, 1, 3]).reshape([b, n, c])
        return self.proj(y)


class SwinBlock(nn.Layer):
    def __init__(self, dim, side, size, shift):
        super().__init__()
        self.side, self.size, self.shift = side, size, shift
        self.norm1 = nn.LayerNorm(dim)
        self.attn = WindowAttention(dim, 2, size)
        self.norm2 = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, dim * 2)
        self.fc2 = nn.Linear(dim * 2, dim)
        self.gamma = self.create_parameter([dim])
        mask = paddle.to_tensor(shift_mask(side, size, shift).astype("float32")) if shift else None
        self.register_buffer("mask", mask, persistable=False)

    def forward(self, x):
        b, _, c = x.shape
        side, size = self.side, self.size
        y = self.norm1(x).reshape([b, side, side, c])
        if self.shift:
            y = paddle.roll(y, shifts=[-self.shift, -self.shift], axis=[1, 2])
        count = side // size
        y = y.reshape([b, count, size, count, size, c]).transpose([0, 1, 3, 2, 4, 5])
        y = self.attn(y.reshape([-1, size * size, c]), self.mask)
        y = y.reshape([b, count, count, size, size, c]).transpose([0, 1, 3, 2, 4, 5])
        y = y.reshape([b, side, side, c])
        if self.shift:
            y = paddle.roll(y, shifts=[self.shift, self.shift], axis=[1, 2])
        x = x + y.reshape([b, side * side, c])
        return x + self.gamma * self.fc2(F.gelu(self.fc1(self.norm2(x))))


class PatchMerging(nn.Layer):
    def __init__(self, dim, side):
        super().__init__()
        self.side = side
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias_attr=False)

    def forward(self, x):
        b, _, c = x.shape
        x = x.reshape([b, self.side, self.side, c])
        x0 = x[:, 0::2, 0::2]
        x1 = x[:, 1::2, 0::2]
        x2 = x[:, 0::2, 1::2]
        x3 = x[:, 1::2, 1::2]
        x = paddle.concat([x0, x1, x2, x3], axis=-1).reshape([b, -1, 4 * c])
        return self.reduction(self.norm(x))


class Swin(nn.Layer):
    def __init__(self, dim=8):
        super().__init__()
        self.patch = nn.Conv2D(3, dim, 2, stride=2)
        self.block1 = SwinBlock(dim, 8, 4, 0)
        self.block2 = SwinBlock(dim, 8, 4, 2)
        self.merge = PatchMerging(dim, 8)
        self.block3 = SwinBlock(2 * dim, 4, 4, 0)
        self.norm = nn.LayerNorm(2 * dim)
        self.head = nn.Linear(2 * dim, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose([0, 2, 1])  # 64, 8
        x = self.block2(self.block1(x))
        x = self.block3(self.merge(x))  # 16, 16
        x = self.norm(x).transpose([0, 2, 1])
        x = F.adaptive_avg_pool1d(x, 1).flatten(1)
        return self.head(x)


def build():
    return Swin()
