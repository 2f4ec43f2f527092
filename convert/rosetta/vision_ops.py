"""Operators of detection. torchvision's are compiled and run beside a matching torch only: the proven twin is plain torch."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

BOXES = {
    "b": "= [[0., 0., 4., 4.], [1., 1., 5., 5.], [0., 0., 4., 3.], [6., 6., 9., 9.], [6., 6., 9., 8.]]",
    "s": "= [0.6, 0.9, 0.8, 0.3, 0.7]",
}
SUPPRESS = (
    "def nms(b, threshold, s):\n"
    "    area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])\n"
    "    low, high = torch.maximum(b[:, None, :2], b[:, :2]), torch.minimum(b[:, None, 2:], b[:, 2:])\n"
    "    shared = (high - low).clamp(min=0).prod(-1)\n"
    "    overlap = shared / (area[:, None] + area - shared)\n"
    "    kept = []\n"
    "    for i in s.argsort(descending=True):\n"
    "        if all(overlap[i, j] <= threshold for j in kept):\n"
    "            kept.append(int(i))\n"
    "    return torch.tensor(kept)\n"
)

ROWS: tuple[Row, ...] = (
    Row(
        Kind.FUNCTION,
        "vision.ops.nms",
        "",
        Exactness.NONE,
        arguments=(
            Argument("boxes", None),
            Argument("iou_threshold", None, paddle_default=0.3),
            Argument(
                "scores",
                None,
                note="without scores the order of the boxes counts; torchvision requires them, as second",
            ),
            Argument("category_idxs", None, note="torchvision: batched_nms"),
            Argument("categories", None),
            Argument("top_k", None),
        ),
        traps=(
            Trap(
                "the threshold is the second argument, the scores the third; torchvision has them the other way round",
                naive=SUPPRESS + "nms(b, s, 0.5)",
            ),
        ),
        examples=(
            Example(
                BOXES,
                "paddle.vision.ops.nms(b.detach(), 0.5, s.detach())",
                SUPPRESS + "nms(b.detach(), 0.5, s.detach())",
            ),
            Example(
                BOXES,
                "paddle.vision.ops.nms(b.detach(), 0.3)",
                SUPPRESS + "nms(b.detach(), 0.3, -torch.arange(5))",
            ),
        ),
        source=Source("vision/ops.py: nms", "torchvision/ops/boxes.py: nms"),
        remedy="torchvision.ops.nms(boxes, scores, iou_threshold) where it loads (not run here), or these lines",
        reason="keeps a box unless a better one overlaps it by more than the threshold",
    ),
    Row(
        Kind.FUNCTION,
        "vision.ops.roi_align",
        "",
        Exactness.NONE,
        examples=(
            Example(
                {"x": "float 1,2,6,6"},
                "b = paddle.to_tensor([[0.5, 0.5, 4.5, 4.5]], dtype=x.dtype)\n"
                "paddle.vision.ops.roi_align(x, b, paddle.to_tensor([1], dtype='int32'), 4, sampling_ratio=1)",
                "F.avg_pool2d(x, 2, 1)[..., :4, :4]",
            ),
        ),
        source=Source("vision/ops.py: roi_align", "torchvision/ops/roi_align.py: roi_align"),
        remedy="torchvision.ops.roi_align, whose boxes are a list with one tensor an image; like_paddle.roi_align is plain torch",
        reason="the mean of samples in each cell of a box",
    ),
    Row(
        Kind.FUNCTION,
        "vision.ops.deform_conv2d",
        "",
        Exactness.NONE,
        examples=(
            Example(
                {"x": "float 1,2,5,5", "w": "float 3,2,3,3"},
                "paddle.vision.ops.deform_conv2d(x, paddle.zeros([1, 18, 3, 3], x.dtype), w)",
                "F.conv2d(x, w)",
            ),
        ),
        source=Source("vision/ops.py: deform_conv2d", "torchvision/ops/deform_conv.py: deform_conv2d"),
        remedy="torchvision.ops.deform_conv2d, where the mask has another place; like_paddle.deform_conv2d is plain torch",
        reason="a convolution at shifted places; without shifts, a convolution",
    ),
    Row(
        Kind.LAYER,
        "vision.ops.ConvNormActivation",
        "",
        Exactness.ALGEBRA,
        examples=(
            Example(
                {"x": "float 2,3,5,5"},
                "paddle.vision.ops.ConvNormActivation(3, 4, 3, stride=2)",
                "nn.Sequential(nn.Conv2d(3, 4, 3, 2, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())",
            ),
        ),
        source=Source("vision/ops.py: ConvNormActivation", "torchvision/ops/misc.py: Conv2dNormActivation"),
        reason="a convolution, its normalization and an activation, one after the other: nn.Sequential of the "
        "three, or torchvision.ops.Conv2dNormActivation",
    ),
)
