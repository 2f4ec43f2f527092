"""Two images through one encoder; a tuple of distance, similarity and both embeddings."""

import torch
import torch.nn.functional as F
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 10, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(10)
        self.embed = nn.Linear(10, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))  # 6, 10, 10
        x = F.relu(self.bn2(self.conv2(x)))  # 10, 5, 5
        x = x.mean(dim=[2, 3])
        return self.embed(x)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.score = nn.Linear(20, 1)

    def forward(self, left, right):
        a = self.encoder(left)
        b = self.encoder(right)
        distance = torch.abs(a - b)
        similarity = self.score(torch.cat([distance, a * b], dim=1))
        return distance, torch.sigmoid(similarity), a, b


def build():
    return Siamese()
