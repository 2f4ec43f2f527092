"""The torch side: a faithful port, one with three mistakes, and the other networks."""

import torch
import torch.nn.functional as F
from torch import nn

HOSTILE = "<script>owned=1</script>"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8, eps=1e-5)
        self.pool = nn.MaxPool2d(3, 2)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.pool(x)
        x = F.relu(self.conv2(x))
        return self.fc(torch.flatten(x, 1))


class Faulty(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8, eps=1e-3)
        self.pool = nn.MaxPool2d(3, 2)
        self.conv2 = nn.Conv2d(
            8,
            8,
            3,
            padding=1,
            padding_mode="circular",
        )
        self.fc = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.pool(x)
        x = self.conv2(x)  # the ReLU is missing
        return self.fc(torch.flatten(x, 1))


class Hostile(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module(HOSTILE, nn.Linear(6, 6))
        self.add_module("<img src=x onerror=owned=1>", nn.LeakyReLU(0.2))

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x


class Silent(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        self.fc(x)  # and returns nothing: nothing can be compared
