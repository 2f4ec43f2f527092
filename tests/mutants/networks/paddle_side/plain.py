"""A plain classifier: same-shaped convolutions, same-shaped BatchNorms, square Linear layers."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class Plain(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2D(8)
        self.pool1 = nn.MaxPool2D(2, 2)
        self.conv2 = nn.Conv2D(8, 8, 3, padding=1)
        self.bn2 = nn.BatchNorm2D(8)
        self.conv3 = nn.Conv2D(8, 8, 3, padding=1, bias_attr=False)
        self.bn3 = nn.BatchNorm2D(8)
        self.relu3 = nn.ReLU()
        self.pool2 = nn.MaxPool2D(3, 2, 1)
        self.fc1 = nn.Linear(200, 32)
        self.fc2 = nn.Linear(32, 32)
        self.drop = nn.Dropout(0.4)
        self.fc3 = nn.Linear(32, 32)
        self.fc4 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))  # 8, 20, 20
        x = self.pool1(x)  # 8, 10, 10
        x = self.bn2(self.conv2(x))
        x = F.relu(x)
        x = self.relu3(self.bn3(self.conv3(x)))
        x = self.pool2(x)  # 8, 5, 5
        x = paddle.flatten(x, 1)  # 200
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.drop(x)
        x = F.relu(self.fc3(x))
        return self.fc4(x)


def build():
    return Plain()
