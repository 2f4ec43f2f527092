"""A multilayer perceptron with BatchNorm1D and Dropout on rows of numbers."""

import torch
import torch.nn.functional as F
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 16)
        self.bn1 = nn.BatchNorm1d(16)
        self.drop1 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(16, 16)
        self.bn2 = nn.BatchNorm1d(16)
        self.drop2 = nn.Dropout(0.3)
        self.gate = nn.Linear(16, 16)
        self.fc3 = nn.Linear(16, 4)

    def forward(self, x):
        x = self.drop1(F.relu(self.bn1(self.fc1(x))))
        y = torch.tanh(self.bn2(self.fc2(x)))
        y = self.drop2(y)
        g = torch.sigmoid(self.gate(x))
        x = g * y + (1 - g) * x
        x = x * 0.1666667
        return self.fc3(x)


def build():
    return MLP()
