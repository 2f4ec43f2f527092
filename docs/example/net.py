"""The Paddle network of the README's first example."""

import paddle
from paddle import nn


class Net(nn.Layer):
    """[N, 3, 32, 32] -> [N, 10] logits."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 3)
        self.pool = nn.AvgPool2D(3, 2, padding=1)
        self.fc = nn.Linear(8 * 15 * 15, 10)

    def forward(self, x):
        x = self.pool(self.conv(x))  # [N, 8, 15, 15]
        return self.fc(paddle.flatten(x, 1))
