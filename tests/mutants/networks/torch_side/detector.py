"""The detector as another code base writes it: boxes are decoded as [batch, anchors, height, width, 4]."""

import torch
from torch import nn

ANCHORS = [[[3.0, 6.0], [6.0, 4.0], [5.0, 11.0]], [[1.0, 1.5], [1.5, 3.0], [3.0, 2.0]]]


class ConvBNLayer(nn.Module):
    def __init__(self, channels, out, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.act = nn.LeakyReLU(0.1, inplace=True)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class Detector(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.outputs = classes + 5
        self.stem = ConvBNLayer(3, 6, 3, 2)
        self.down = ConvBNLayer(6, 10, 3, 2)
        self.route = ConvBNLayer(10, 4, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.tip = ConvBNLayer(10, 8, 3)
        self.head_coarse = nn.Conv2d(10, 3 * self.outputs, 1)
        self.head_fine = nn.Conv2d(8, 3 * self.outputs, 1)
        anchors = torch.tensor(ANCHORS).view(2, 1, 3, 1, 1, 2)
        self.register_buffer("anchors", anchors, persistent=False)
        self.strides = (4, 2)

    @staticmethod
    def grid(width, height, device):
        rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return torch.stack((x, y), 2).view(1, 1, height, width, 2).float()

    def forward(self, x):
        fine = self.stem(x)
        coarse = self.down(fine)
        tip = self.tip(torch.cat([self.up(self.route(coarse)), fine], 1))
        boxes, scores = [], []
        for i, out in enumerate((self.head_coarse(coarse), self.head_fine(tip))):
            batch, _, height, width = out.shape
            y = out.view(batch, 3, self.outputs, height, width).permute(0, 1, 3, 4, 2).contiguous()
            centre = (y[..., 0:2].sigmoid() + self.grid(width, height, x.device)) * self.strides[i]
            size = y[..., 2:4].exp() * self.anchors[i]
            confidence = y[..., 4:].sigmoid()
            box = torch.cat((centre - size / 2, centre + size / 2), -1)
            score = confidence[..., 1:] * confidence[..., :1]
            boxes.append(box.permute(0, 2, 3, 1, 4).reshape(batch, -1, 4))
            scores.append(score.permute(0, 2, 3, 1, 4).reshape(batch, -1, self.outputs - 5))
        return {"boxes": torch.cat(boxes, 1), "scores": torch.cat(scores, 1)}


def build():
    return Detector()
