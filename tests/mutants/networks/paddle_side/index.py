"""A temporal shift, a mask, non-local attention, cumulated maxima, picked entries and margins."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class NonLocal(nn.Layer):
    def __init__(self, c):
        super().__init__()
        self.theta = nn.Conv2D(c, c // 2, 1)
        self.phi = nn.Conv2D(c, c // 2, 1)
        self.g = nn.Conv2D(c, c // 2, 1)
        self.out = nn.Conv2D(c // 2, c, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        theta = self.theta(x).reshape([n, c // 2, h * w])
        phi = self.phi(x).reshape([n, c // 2, h * w])
        g = self.g(x).reshape([n, c // 2, h * w])
        attn = F.softmax(paddle.bmm(theta.transpose([0, 2, 1]), phi), axis=-1)
        y = paddle.bmm(attn, g.transpose([0, 2, 1])).transpose([0, 2, 1]).reshape([n, c // 2, h, w])
        return x + self.out(y)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2D(3, 8, 3, padding=1)
        self.shifted = nn.Conv2D(8, 8, 3, padding=1)
        self.nl = NonLocal(8)
        self.register_buffer(
            "sobel", paddle.to_tensor([[[[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]]])
        )
        self.fc = nn.Linear(8, 6)

    def forward(self, x, ids):
        gray = 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]
        edge = F.conv2d(gray, self.sobel, padding=1)
        mask = paddle.cast(paddle.abs(edge) > 1.0, "float32")
        y = self.stem(x) * mask
        y = F.relu(self.shifted(F.temporal_shift(y, 4, 0.25)))
        y = self.nl(y)
        if y.shape[2] > 4:
            y = F.max_pool2d(y, 2)
        y = y.flatten(2)
        y = paddle.where(y > 0, y, 0.3 * y)
        cum = paddle.cumsum(y, axis=2)
        feat = cum.max(axis=2) + y.mean(axis=2)
        feat = feat / paddle.norm(feat, axis=1, keepdim=True)
        logits = self.fc(feat)
        picked = paddle.take_along_axis(logits, ids.unsqueeze(1), axis=1)
        onehot = F.one_hot(ids, 6)
        margin = logits - 0.4 * onehot
        order = paddle.sort(logits, axis=1, descending=True)
        return margin, picked, F.pairwise_distance(feat[:2], feat[2:4]), order


def build():
    return Net()
