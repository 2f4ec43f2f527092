"""A one-stage detector with two scales; boxes are decoded as [batch, height, width, anchors, 4]."""

import paddle
import paddle.nn.functional as F
from paddle import nn

ANCHORS = (((3.0, 6.0), (6.0, 4.0), (5.0, 11.0)), ((1.0, 1.5), (1.5, 3.0), (3.0, 2.0)))


class ConvBNLayer(nn.Layer):
    def __init__(self, channels, out, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2D(channels, out, kernel, stride, (kernel - 1) // 2, bias_attr=False)
        self.norm = nn.BatchNorm2D(out)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), 0.1)


class Detector(nn.Layer):
    def __init__(self, classes=3):
        super().__init__()
        self.classes = classes
        self.stem = ConvBNLayer(3, 6, 3, 2)
        self.down = ConvBNLayer(6, 10, 3, 2)
        self.route = ConvBNLayer(10, 4, 1)
        self.tip = ConvBNLayer(10, 8, 3)
        self.head_coarse = nn.Conv2D(10, 3 * (5 + classes), 1)
        self.head_fine = nn.Conv2D(8, 3 * (5 + classes), 1)

    def decode(self, out, anchors, stride):
        batch, _, height, width = out.shape
        out = out.reshape([batch, 3, 5 + self.classes, height, width]).transpose([0, 3, 4, 1, 2])
        grid_y, grid_x = paddle.meshgrid(
            paddle.arange(height).astype("float32"), paddle.arange(width).astype("float32")
        )
        grid = paddle.stack([grid_x, grid_y], axis=-1).reshape([1, height, width, 1, 2])
        centre = (F.sigmoid(out[:, :, :, :, 0:2]) + grid) * stride
        size = paddle.exp(out[:, :, :, :, 2:4]) * paddle.to_tensor(anchors, dtype="float32").reshape(
            [1, 1, 1, 3, 2]
        )
        boxes = paddle.concat([centre - size / 2.0, centre + size / 2.0], axis=-1)
        scores = F.sigmoid(out[:, :, :, :, 5:]) * F.sigmoid(out[:, :, :, :, 4:5])
        count = height * width * 3
        return boxes.reshape([batch, count, 4]), scores.reshape([batch, count, self.classes])

    def forward(self, x):
        fine = self.stem(x)
        coarse = self.down(fine)
        up = F.interpolate(self.route(coarse), scale_factor=2)
        tip = self.tip(paddle.concat([up, fine], axis=1))
        boxes, scores = [], []
        for out, anchors, stride in zip(
            (self.head_coarse(coarse), self.head_fine(tip)), ANCHORS, (4, 2), strict=True
        ):
            box, score = self.decode(out, anchors, stride)
            boxes.append(box)
            scores.append(score)
        return {"boxes": paddle.concat(boxes, 1), "scores": paddle.concat(scores, 1)}


def build():
    return Detector()
