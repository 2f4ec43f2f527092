"""The third network of `make matrix`, in torch."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.mix = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.rnn = nn.GRU(8, 6, batch_first=True)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = nn.functional.gelu(self.norm(self.stem(x)))
        x = x.flatten(2).transpose(1, 2)
        y = self.mix(x)
        x = x + self.attention(y, y, y)[0]
        x, _ = self.rnn(x)
        return self.head(torch.mean(x, dim=1))
