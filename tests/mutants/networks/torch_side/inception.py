"""Two Inception blocks with branches of equal shape, several pools, one of them an average."""

import torch
import torch.nn.functional as F
from torch import nn


class Inception(nn.Module):
    def __init__(self, c0):
        super().__init__()
        self.p1_1 = nn.Conv2d(c0, 4, 1)
        self.p2_1 = nn.Conv2d(c0, 4, 1)
        self.p2_2 = nn.Conv2d(4, 4, 3, padding=1)
        self.p3_1 = nn.Conv2d(c0, 4, 1)
        self.p3_2 = nn.Conv2d(4, 4, 5, padding=2)
        self.p4_1 = nn.MaxPool2d(3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(c0, 4, 1)
        self.p5_1 = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.p5_2 = nn.Conv2d(c0, 4, 1)

    def forward(self, x):
        p1 = F.relu(self.p1_1(x))
        p2 = F.relu(self.p2_1(x))
        p2 = F.relu(self.p2_2(p2))
        p3 = F.relu(self.p3_1(x))
        p3 = F.relu(self.p3_2(p3))
        p4 = F.relu(self.p4_2(self.p4_1(x)))
        p5 = F.relu(self.p5_2(self.p5_1(x)))
        return torch.cat([p1, p2, p3, p4, p5], dim=1)


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 7, padding=3)
        self.pool1 = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.block1 = Inception(6)
        self.pool2 = nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True)
        self.block2 = Inception(20)
        self.pool3 = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(20, 3)

    def forward(self, x):
        x = self.pool1(F.relu(self.conv1(x)))  # 6, 10, 10
        x = F.relu(self.conv2(x))
        x = self.pool2(self.block1(x))  # 20, 5, 5
        x = self.pool3(self.block2(x))
        x = torch.reshape(x, [x.shape[0], -1])
        return self.fc(x)


def build():
    return GoogLeNet()
