"""What a correct port and a faulty one are told with and without one rule, on the smallest pair that needs it.

python -m benchmarks.rule_pairs [RULE ...]

Beside `benchmarks.rules`, which asks the corpus: here each pair is made for the rule, and differs in what the rule removes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
    import torch

import numpy as np
import paddle.nn.functional as PF
import torch.nn.functional as F

import parity
from parity.graph import build
from parity.graph.rules.every import REWRITES

IMAGES = np.random.default_rng(0).standard_normal((2, 6, 8, 8)).astype("float32")

_Between = Callable[[Any, Any], Any]
"""What a network computes between its first and its last convolution, of the network and 6 channels of 6 x 6."""


class Paddle(paddle.nn.Layer):
    def __init__(self, between: _Between):
        super().__init__()
        self.between = between
        self.conv, self.out = paddle.nn.Conv2D(6, 6, 3), paddle.nn.Conv2D(6, 4, 1)
        self.gain = self.create_parameter([6], default_initializer=paddle.nn.initializer.Normal(1.0, 0.1))

    def forward(self, x: Any) -> Any:
        return self.out(self.between(self, self.conv(x)))


class Torch(torch.nn.Module):
    def __init__(self, between: _Between):
        super().__init__()
        self.between = between
        self.conv, self.out = torch.nn.Conv2d(6, 6, 3), torch.nn.Conv2d(6, 4, 1)
        self.gain = torch.nn.Parameter(torch.ones(6))

    def forward(self, x: Any) -> Any:
        return self.out(self.between(self, self.conv(x)))


def _by_hand(m: Any, x: Any, eps: float = 1e-5) -> Any:
    x = x.permute(0, 2, 3, 1)
    x = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + eps)
    return (x * m.gain).permute(0, 3, 1, 2)


def _last(x: Any, axis: int) -> Any:
    return torch.softmax(x.permute(0, 2, 3, 1), axis).permute(0, 3, 1, 2)


def _twice(x: Any, constant: Any) -> Any:
    return x + constant - torch.exp(x) * constant


def _gate(x: Any, old: Any, share: Any) -> Any:
    return share * x + (1 - share) * old


def _kernel(m: Any, x: Any, rows: slice) -> Any:
    return F.conv2d(x, m.conv.weight[rows])


def _packed(y: Any) -> Any:
    return (y[:, :3] * PF.sigmoid(y[:, 3:])).tile([1, 2, 1, 1])


PAIRS: Mapping[str, tuple[_Between, _Between, _Between]] = {
    "turned_rows": (lambda m, x: PF.softmax(x, 1), lambda m, x: _last(x, -1), lambda m, x: _last(x, -2)),
    "normalized_axes": (
        lambda m, x: PF.layer_norm(x.transpose([0, 2, 3, 1]), [6], m.gain).transpose([0, 3, 1, 2]),
        _by_hand,
        lambda m, x: _by_hand(m, x, 1e-3),
    ),
    "redundant_relu": (
        lambda m, x: PF.max_pool2d(PF.relu(x), 2),
        lambda m, x: F.relu(F.max_pool2d(F.relu(x), 2)),
        lambda m, x: F.relu6(F.max_pool2d(F.relu(x), 2) * 9),
    ),
    "spatial_mean": (
        lambda m, x: x * PF.adaptive_avg_pool2d(x, 1),
        lambda m, x: x * x.mean((2, 3), keepdim=True),
        lambda m, x: x * x.mean(2, keepdim=True),
    ),
    "reduced_axes": (
        lambda m, x: x * x.mean([2, 3], keepdim=True),
        lambda m, x: x * x[:, :, None].mean((3, 4), keepdim=True)[:, :, 0],
        lambda m, x: x * x[:, :, None].mean((1, 4), keepdim=True)[:, :, 0],
    ),
    "ordered_axis": (
        lambda m, x: paddle.topk(x, 3, axis=2)[0],
        lambda m, x: torch.topk(x[..., None], 3, dim=2)[0][..., 0],
        lambda m, x: torch.topk(x[..., None], 3, dim=2, largest=False)[0][..., 0],
    ),
    "first_of_sorted": (
        lambda m, x: paddle.topk(x, 3, axis=2)[0],
        lambda m, x: torch.sort(x, 2, descending=True)[0][:, :, :3],
        lambda m, x: torch.sort(x, 2)[0][:, :, :3],
    ),
    "broadcast": (
        lambda m, x: x * m.gain.reshape([1, 6, 1, 1]).expand([2, 6, 6, 6]),
        lambda m, x: x * m.gain.reshape(1, 6, 1, 1),
        lambda m, x: x * m.gain,
    ),
    "constant_bound": (
        lambda m, x: paddle.maximum(x, paddle.full([1], 0.25)),
        lambda m, x: x.clamp(min=0.25),
        lambda m, x: x.clamp(min=0.5),
    ),
    "equal_constants": (
        lambda m, x: x + paddle.full([6, 1, 1], 0.25) - paddle.exp(x) * paddle.full([6, 1, 1], 0.25),
        lambda m, x: _twice(x, torch.full((6, 1, 1), 0.25)),
        lambda m, x: _twice(x, torch.full((6, 1, 1), 0.5)),
    ),
    "scaled_before_moved": (
        lambda m, x: (x * 0.5).transpose([0, 1, 3, 2]),
        lambda m, x: x.transpose(2, 3) * 0.5,
        lambda m, x: x.transpose(2, 3) * 0.4,
    ),
    "logistic": (
        lambda m, x: PF.sigmoid(50 * x),
        lambda m, x: 1 / (1 + torch.exp(-50 * x)),
        lambda m, x: 1 / (1 + torch.exp(-40 * x)),
    ),
    "blend": (
        lambda m, x: _gate(x, PF.relu(x), PF.sigmoid(x)),
        lambda m, x: torch.relu(x) + torch.sigmoid(x) * (x - torch.relu(x)),
        lambda m, x: x + torch.sigmoid(x) * (torch.relu(x) - x),
    ),
    "scale_and_shift": (
        lambda m, x: PF.layer_norm(x.transpose([0, 2, 3, 1]), [6], m.gain).transpose([0, 3, 1, 2]),
        lambda m, x: (F.layer_norm(x.permute(0, 2, 3, 1), (6,)) * m.gain).permute(0, 3, 1, 2),
        lambda m, x: F.layer_norm(x.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2),
    ),
    "mean_of_sum": (
        lambda m, x: x - x.mean([2, 3], keepdim=True),
        lambda m, x: x - x.sum((2, 3), keepdim=True) / 36,
        lambda m, x: x - x.sum((2, 3), keepdim=True) / 35,
    ),
    "log_of_softmax": (
        lambda m, x: PF.log_softmax(x, 1),
        lambda m, x: torch.log(torch.softmax(x, 1)),
        lambda m, x: torch.log(torch.softmax(x, -1)),
    ),
    "pad_rank": (
        lambda m, x: PF.pad(x, [1, 1, 2, 2], mode="reflect"),
        lambda m, x: F.pad(x, [1, 1, 2, 2], mode="reflect"),
        lambda m, x: F.pad(x, [2, 2, 1, 1], mode="reflect"),
    ),
    "pad_before_conv": (
        lambda m, x: PF.conv2d(PF.pad(x, [1, 1, 1, 1]), m.conv.weight),
        lambda m, x: F.conv2d(x, m.conv.weight, padding=1),
        lambda m, x: F.conv2d(x, m.conv.weight, padding=2),
    ),
    "packed": (
        lambda m, x: _packed(PF.conv2d(x, m.conv.weight)),
        lambda m, x: (_kernel(m, x, slice(3)) * _kernel(m, x, slice(3, 6)).sigmoid()).repeat(1, 2, 1, 1),
        lambda m, x: (_kernel(m, x, slice(3, 6)) * _kernel(m, x, slice(3)).sigmoid()).repeat(1, 2, 1, 1),
    ),
}
"""Rule -> between in Paddle, in a correct port, in a faulty one."""


def told(theirs: _Between, ours: _Between) -> str:
    """The verdict, the findings and how many notes there are."""
    expected, actual = Paddle(theirs).eval(), Torch(ours).eval()
    own = dict(actual.named_parameters())
    with torch.no_grad():
        for name, weight in expected.state_dict().items():
            own[name].copy_(torch.tensor(weight.numpy()))
    report = parity.check(expected, actual, inputs=IMAGES, further=False)
    causes = "; ".join(finding.cause[:70] for finding in report.findings)
    return f"{report.verdict.name}, {len(report.notes)} notes {causes}"


def main() -> int:
    for rule, (theirs, correct, faulty) in PAIRS.items():
        if sys.argv[1:] and rule not in sys.argv[1:]:
            continue
        for port, ours in (("correct", correct), ("faulty", faulty)):
            build.REWRITES = REWRITES
            with_it = told(theirs, ours)
            build.REWRITES = tuple(other for other in REWRITES if other.__name__ != rule)
            without = told(theirs, ours)
            print(f"{rule}, {port} port\n    with it: {with_it}\n    without: {without}", flush=True)
    build.REWRITES = REWRITES
    return 0


if __name__ == "__main__":
    sys.exit(main())
