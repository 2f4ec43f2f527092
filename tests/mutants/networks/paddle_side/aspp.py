"""Segmentation: dilated branches with image pooling, spatial attention, pixel shuffle, normalized embedding."""

import paddle
import paddle.nn.functional as F
from paddle import nn


class ConvNorm(nn.Layer):
    def __init__(self, cin, cout, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv2D(
            cin, cout, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias_attr=False
        )
        self.norm = nn.BatchNorm2D(cout, momentum=0.99, epsilon=1e-4)

    def forward(self, x):
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.05)


class SpatialAttention(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(2, 1, 5, padding=2)

    def forward(self, x):
        average = paddle.mean(x, axis=1, keepdim=True)
        peak = paddle.max(x, axis=1, keepdim=True)
        gate = F.sigmoid(self.conv(paddle.concat([average, peak], axis=1)))
        return x * gate


class ASPP(nn.Layer):
    def __init__(self, channels):
        super().__init__()
        self.branches = nn.LayerList(
            [ConvNorm(channels, 6, 1), *[ConvNorm(channels, 6, 3, dilation) for dilation in (2, 3)]]
        )
        self.image = nn.Sequential(nn.AdaptiveAvgPool2D(1), nn.Conv2D(channels, 6, 1), nn.ReLU())
        self.project = ConvNorm(24, 8, 1)
        self.drop = nn.Dropout2D(0.1)

    def forward(self, x):
        size = x.shape[2:]
        outputs = [branch(x) for branch in self.branches]
        pooled = self.image(x)
        outputs.append(F.interpolate(pooled, size=size, mode="bilinear", align_corners=False))
        return self.drop(self.project(paddle.concat(outputs, axis=1)))


class Segmenter(nn.Layer):
    def __init__(self):
        super().__init__()
        self.pad = nn.Pad2D([0, 1, 0, 1])
        self.stem = nn.Conv2D(3, 8, 3, stride=2)
        self.stem_norm = nn.GroupNorm(4, 8)
        self.blur = nn.AvgPool2D(3, stride=1, padding=1, exclusive=False)
        self.attention = SpatialAttention()
        self.aspp = ASPP(8)
        self.expand = nn.Conv2D(8, 16, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.classify = nn.Conv2D(4, 3, 1)
        self.embed = nn.Linear(8, 5, bias_attr=False)
        self.temperature = self.create_parameter([1])

    def forward(self, x):
        x = F.mish(self.stem_norm(self.stem(self.pad(x))))  # 8, 10, 10
        x = self.attention(self.blur(x))
        x = self.aspp(x)
        maps = self.classify(self.shuffle(self.expand(x)))  # 3, 20, 20
        vector = self.embed(x.mean(axis=[2, 3]))
        vector = F.normalize(vector, axis=1) * paddle.exp(self.temperature)
        return {
            "logits": F.log_softmax(maps, axis=1),
            "vector": vector,
            "area": F.softplus(maps).sum(axis=[2, 3]),
        }


def build():
    return Segmenter()
