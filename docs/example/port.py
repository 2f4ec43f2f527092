"""A port of `net.py` with one mistake: torch's average counts the padding, Paddle's does not."""

import torch
from torch import nn


class Net(nn.Module):
    """[N, 3, 32, 32] -> [N, 10] logits."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.pool = nn.AvgPool2d(3, 2, padding=1)
        self.fc = nn.Linear(8 * 15 * 15, 10)

    def forward(self, x):
        x = self.pool(self.conv(x))  # [N, 8, 15, 15]
        return self.fc(torch.flatten(x, 1))
