"""`mha` with attention by hand, projections named as Paddle names them."""

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, query, key, value):
        q = self.split(self.q_proj(query))
        k = self.split(self.k_proj(key))
        v = self.split(self.v_proj(value))
        weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.self_attn = Attention(dim, heads)
        self.linear1 = nn.Linear(dim, dim)
        self.linear2 = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.norm1(x + self.self_attn(x, x, x))
        return self.norm2(x + self.linear2(F.gelu(self.linear1(x))))


class Encoder(nn.Module):
    def __init__(self, dim=12, heads=4):
        super().__init__()
        self.embed = nn.Linear(7, dim)
        self.layer1 = EncoderLayer(dim, heads)
        self.layer2 = EncoderLayer(dim, heads)
        self.cross = Attention(dim, heads)
        self.head = nn.Linear(dim, 3)

    def forward(self, x, memory):
        x, memory = self.embed(x), self.embed(memory)
        x = self.layer2(self.layer1(x))
        x = x + self.cross(x, memory, memory)
        return self.head(x.mean(1))


def build():
    return Encoder()
