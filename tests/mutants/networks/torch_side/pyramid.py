"""A feature pyramid whose heads are shared by its levels; a dictionary of outputs."""

import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Conv2d(6, 6, 3, padding=1)
        self.pred = nn.Conv2d(6, outputs, 3, padding=1)

    def forward(self, x):
        return self.pred(F.relu(self.conv(x)))


class Pyramid(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.c2 = nn.Conv2d(6, 6, 3, stride=2, padding=1)
        self.c3 = nn.Conv2d(6, 6, 3, stride=2, padding=1)
        self.lat2 = nn.Conv2d(6, 6, 1)
        self.lat3 = nn.Conv2d(6, 6, 1)
        self.cls = Head(3)
        self.reg = Head(4)

    def forward(self, x):
        c1 = F.relu(self.c1(x))  # 6, 10, 10
        c2 = F.relu(self.c2(c1))  # 6, 5, 5
        c3 = F.relu(self.c3(c2))  # 6, 3, 3
        p3 = self.lat3(c3)
        p2 = self.lat2(c2) + F.interpolate(p3, size=c2.shape[2:], mode="nearest")
        scores, boxes = [], []
        for level in (p2, p3):
            scores.append(self.cls(level).flatten(2))
            boxes.append(self.reg(level).flatten(2))
        scores = torch.cat(scores, dim=2)
        boxes = torch.cat(boxes, dim=2)
        return {"scores": torch.sigmoid(scores), "boxes": torch.exp(boxes * 0.1)}


def build():
    return Pyramid()
