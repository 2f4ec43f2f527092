"""A transformer encoder on each framework's own MultiheadAttention, post-norm, mean over tokens."""

import torch.nn.functional as F
from torch import nn


class EncoderLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.linear1 = nn.Linear(dim, dim)
        self.linear2 = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.norm1(x + self.self_attn(x, x, x, need_weights=False)[0])
        y = self.linear2(F.gelu(self.linear1(x)))
        return self.norm2(x + y)


class Encoder(nn.Module):
    def __init__(self, dim=12, heads=4):
        super().__init__()
        self.embed = nn.Linear(7, dim)
        self.layer1 = EncoderLayer(dim, heads)
        self.layer2 = EncoderLayer(dim, heads)
        self.cross = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.head = nn.Linear(dim, 3)

    def forward(self, x, memory):
        x = self.embed(x)  # 9, 12
        memory = self.embed(memory)  # 5, 12
        x = self.layer2(self.layer1(x))
        x = x + self.cross(x, memory, memory)[0]
        return self.head(x.mean(dim=1))


def build():
    return Encoder()
