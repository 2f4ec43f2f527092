"""The third network of `make matrix`, in Paddle: normalisation, attention and a recurrence, which versions write differently."""

import paddle
from paddle import nn


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2D(8)
        self.mix = nn.LayerNorm(8)
        self.attention = nn.MultiHeadAttention(8, 2)
        self.rnn = nn.GRU(8, 6)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        x = nn.functional.gelu(self.norm(self.stem(x)))
        x = x.flatten(2).transpose([0, 2, 1])
        x = x + self.attention(self.mix(x))
        x, _ = self.rnn(x)
        return self.head(paddle.mean(x, axis=1))
