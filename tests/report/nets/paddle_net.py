"""The Paddle side: convolution, BatchNorm, ReLU, pool, linear."""

import paddle
import paddle.nn.functional as F
from paddle import nn

HOSTILE = "<script>owned=1</script>"


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2D(8, epsilon=1e-5)
        self.pool = nn.MaxPool2D(3, 2)
        self.conv2 = nn.Conv2D(
            8,
            8,
            3,
            padding=1,
        )
        self.fc = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.pool(x)
        x = F.relu(self.conv2(x))
        return self.fc(paddle.flatten(x, 1))


class Hostile(nn.Layer):
    def __init__(self):
        super().__init__()
        self.add_sublayer(HOSTILE, nn.Linear(6, 6))
        self.add_sublayer("<img src=x onerror=owned=1>", nn.LeakyReLU(0.1))

    def forward(self, x):
        for layer in self.children():
            x = layer(x)
        return x


class Silent(nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        self.fc(x)  # and returns nothing: nothing can be compared
