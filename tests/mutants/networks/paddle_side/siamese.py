"""Two images through one encoder; a tuple of distance, similarity and both embeddings."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class Encoder(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2D(6)
        self.conv2 = nn.Conv2D(6, 10, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2D(10)
        self.embed = nn.Linear(10, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))  # 6, 10, 10
        x = F.relu(self.bn2(self.conv2(x)))  # 10, 5, 5
        x = x.mean(axis=[2, 3])
        return self.embed(x)


class Siamese(nn.Layer):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.score = nn.Linear(20, 1)

    def forward(self, left, right):
        a = self.encoder(left)
        b = self.encoder(right)
        distance = paddle.abs(a - b)
        similarity = self.score(paddle.concat([distance, a * b], axis=1))
        return distance, F.sigmoid(similarity), a, b


def build():
    return Siamese()
