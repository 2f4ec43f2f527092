"""`plain` with its layers in ModuleLists, walked in a loop; the classifier is defined first."""

import torch.nn.functional as F
from torch import nn


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.linears = nn.ModuleList(
            [nn.Linear(200, 32), nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 10)]
        )
        self.dropout = nn.Dropout(0.4)
        self.norms = nn.ModuleList([nn.BatchNorm2d(8) for _ in range(3)])
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(3, 8, 3, padding=1),
                nn.Conv2d(8, 8, 3, padding=1),
                nn.Conv2d(8, 8, 3, padding=1, bias=False),
            ]
        )
        self.pools = nn.ModuleList([nn.MaxPool2d(2, 2), nn.Identity(), nn.MaxPool2d(3, 2, 1)])

    def forward(self, x):
        for conv, norm, pool in zip(self.convs, self.norms, self.pools, strict=True):
            x = pool(F.relu(norm(conv(x))))
        x = x.flatten(1)
        for i, linear in enumerate(self.linears):
            x = linear(x)
            if i < 3:
                x = x.relu()
            if i == 1:
                x = self.dropout(x)
        return x


def build():
    return Plain()
