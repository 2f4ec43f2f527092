"""Operators of detection in plain torch, with Paddle's arguments: torchvision's are compiled and take others."""

import math

import torch
from torch import nn

from torch_models.like_paddle.as_called import Conv2D


def nms(boxes, iou_threshold=0.3, scores=None, category_idxs=None, categories=None, top_k=None):
    """The places of the boxes ([N, 4], x1, y1, x2, y2) that stay, best first; without scores, the order counts.

    `top_k` counts where there are categories only, as in Paddle.
    """
    if category_idxs is not None:
        kept = [torch.where(category_idxs == category)[0] for category in categories]
        kept = [places[nms(boxes[places], iou_threshold, scores[places])] for places in kept]
        kept = torch.cat(kept)
        return kept[scores[kept].argsort(descending=True)][:top_k]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = torch.arange(len(boxes)) if scores is None else scores.argsort(descending=True)
    kept = []
    for i in order.tolist():
        low = torch.maximum(boxes[i, :2], boxes[kept, :2])
        high = torch.minimum(boxes[i, 2:], boxes[kept, 2:])
        shared = (high - low).clamp(min=0).prod(-1)
        if not (shared / (area[i] + area[kept] - shared) > iou_threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.int64, device=boxes.device)


def _between(x, rows, columns):
    """The values of x [N, C, H, W] at these fractional places [N, P]: [N, C, P]; outside of the image there is 0."""
    height, width = x.shape[2:]
    found = 0
    for row in (rows.floor(), rows.floor() + 1):
        for column in (columns.floor(), columns.floor() + 1):
            share = (1 - (rows - row).abs()) * (1 - (columns - column).abs())
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
            place = place.long().unsqueeze(1).expand(-1, x.shape[1], -1)
            found = found + x.flatten(2).gather(2, place) * (share * inside).unsqueeze(1)
    return found


def roi_align(
    x, boxes, boxes_num, output_size, spatial_scale=1.0, sampling_ratio=-1, aligned=True, name=None
):
    """The mean of samples in each cell of each box: [boxes, C, *output_size]. `boxes_num`: how many boxes each image has."""
    high, wide = (output_size, output_size) if isinstance(output_size, int) else output_size
    owners = torch.repeat_interleave(torch.arange(len(boxes_num), device=x.device), boxes_num.long())
    found = []
    for owner, box in zip(owners.tolist(), boxes * spatial_scale - (0.5 if aligned else 0.0), strict=True):
        size = box[2:] - box[:2]
        size = size if aligned else size.clamp(min=1.0)
        axes = []
        for start, length, cells, limit in (
            (box[1], size[1], high, x.shape[2]),
            (box[0], size[0], wide, x.shape[3]),
        ):
            count = sampling_ratio if sampling_ratio > 0 else max(1, math.ceil(float(length) / cells))
            steps = (torch.arange(cells * count, device=x.device, dtype=x.dtype) + 0.5) / count
            places = start + steps * (length / cells)
            axes.append((places.clamp(0, limit - 1), (places >= -1) & (places <= limit), count))
        (rows, in_rows, tall), (columns, in_columns, broad) = axes
        grid = torch.meshgrid(rows, columns, indexing="ij")
        values = _between(x[owner : owner + 1], *(part.reshape(1, -1) for part in grid))[0]
        values = values.unflatten(1, (len(rows), len(columns))) * (in_rows[:, None] & in_columns)
        found.append(values.unflatten(2, (wide, broad)).unflatten(1, (high, tall)).mean((2, 4)))
    return torch.stack(found) if found else x.new_zeros(0, x.shape[1], high, wide)


class RoIAlign(nn.Module):
    """`paddle.vision.ops.RoIAlign`."""

    def __init__(self, output_size, spatial_scale=1.0):
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale

    def forward(self, x, boxes, boxes_num, aligned=True):
        return roi_align(x, boxes, boxes_num, self.output_size, self.spatial_scale, aligned=aligned)


def deform_conv2d(
    x,
    offset,
    weight,
    bias=None,
    stride=1,
    padding=0,
    dilation=1,
    deformable_groups=1,
    groups=1,
    mask=None,
    name=None,
):
    """A convolution that looks at places shifted by `offset` (rows, then columns), each times `mask`."""
    (sy, sx), (py, px), (dy, dx) = (
        (v, v) if isinstance(v, int) else tuple(v) for v in (stride, padding, dilation)
    )
    count, channels = x.shape[:2]
    ky, kx = weight.shape[2:]
    high, wide = offset.shape[2:]
    options = {"device": x.device, "dtype": x.dtype}
    rows = torch.arange(high, **options) * sy - py
    columns = torch.arange(wide, **options) * sx - px
    # [kernel, height, width], as the offsets lie
    rows = (torch.arange(ky, **options) * dy)[:, None, None, None] + rows[None, None, :, None]
    columns = (torch.arange(kx, **options) * dx)[None, :, None, None] + columns[None, None, None, :]
    shape = (ky, kx, high, wide)
    rows, columns = rows.expand(shape).reshape(-1, high, wide), columns.expand(shape).reshape(-1, high, wide)
    shifts = offset.reshape(count, deformable_groups, ky * kx, 2, high, wide)
    parts = []
    for group, part in enumerate(x.chunk(deformable_groups, 1)):
        places = (rows + shifts[:, group, :, 0], columns + shifts[:, group, :, 1])
        values = _between(part, *(place.flatten(1) for place in places))
        if mask is not None:
            values = values * mask.chunk(deformable_groups, 1)[group].flatten(1).unsqueeze(1)
        parts.append(values.unflatten(2, (ky * kx, high * wide)))
    seen = torch.cat(parts, 1).reshape(count, groups, channels // groups * ky * kx, high * wide)
    out = weight.reshape(1, groups, -1, seen.shape[2]) @ seen
    out = out.reshape(count, -1, high, wide)
    return out if bias is None else out + bias[:, None, None]


class DeformConv2D(nn.Module):
    """`paddle.vision.ops.DeformConv2D`: weight and bias are those of a convolution."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        deformable_groups=1,
        groups=1,
        weight_attr=None,
        bias_attr=None,
    ):
        super().__init__()
        like = Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            groups=groups,
            weight_attr=weight_attr,
            bias_attr=bias_attr,
        )
        self.weight, self.bias = like.weight, like.bias
        self.settings = (stride, padding, dilation, deformable_groups, groups)

    def forward(self, x, offset, mask=None):
        return deform_conv2d(x, offset, self.weight, self.bias, *self.settings, mask)
