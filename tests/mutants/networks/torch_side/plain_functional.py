"""`plain` with functional calls only; the layers hold nothing but parameters."""

import torch.nn.functional as F
from torch import nn


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3)
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 8, 3, bias=False)
        self.bn3 = nn.BatchNorm2d(8)
        self.fc1 = nn.Linear(200, 32)
        self.fc2 = nn.Linear(32, 32)
        self.fc3 = nn.Linear(32, 32)
        self.fc4 = nn.Linear(32, 10)

    def conv_norm(self, x, conv, norm):
        x = F.conv2d(x, conv.weight, conv.bias, stride=1, padding=1)
        return F.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, self.training, 0.1, 1e-5
        )

    def forward(self, x):
        x = F.relu(self.conv_norm(x, self.conv1, self.bn1))
        x = F.max_pool2d(x, 2)
        x = F.relu(self.conv_norm(x, self.conv2, self.bn2))
        x = F.relu(self.conv_norm(x, self.conv3, self.bn3))
        x = F.max_pool2d(x, 3, 2, 1)
        x = x.reshape(x.shape[0], -1)
        x = F.relu(F.linear(x, self.fc1.weight, self.fc1.bias))
        x = F.relu(F.linear(x, self.fc2.weight, self.fc2.bias))
        x = F.dropout(x, 0.4, self.training)
        x = F.relu(F.linear(x, self.fc3.weight, self.fc3.bias))
        return F.linear(x, self.fc4.weight, self.fc4.bias)


def build():
    return Plain()
