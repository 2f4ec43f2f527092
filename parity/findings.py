"""What the check tells a person: one finding is one thing to change, with where, why and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity.graph import Node


@dataclass(frozen=True)
class Finding:
    """One difference between the models.

    layer: the torch module path (the Paddle one if it exists only there); operator: canonical name.
    where: "file.py:83" in the torch source, the line to edit if it is known; where_paddle likewise.
    cause: one sentence. fix: code or an instruction. evidence: numbers and attributes, never empty.
    """

    layer: str
    operator: str
    where: str
    cause: str
    fix: str
    evidence: Mapping[str, Any]
    layer_paddle: str = ""
    where_paddle: str = ""
    kind: str = "difference"
    order: float = 0.0

    def __str__(self) -> str:
        place = f"`{self.layer}`" if self.layer else "the model's own forward"
        at = f" ({self.where})" if self.where else ""
        return f"{self.operator} {place}{at}: {self.cause}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Note:
    """Something worth knowing that is no difference: written differently, a framework's own constant."""

    text: str
    layer: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


TORCH_NAME: Mapping[str, str] = {
    "conv": "Conv2d",
    "conv_transpose": "ConvTranspose2d",
    "linear": "Linear",
    "batch_norm": "BatchNorm2d",
    "layer_norm": "LayerNorm",
    "group_norm": "GroupNorm",
    "instance_norm": "InstanceNorm2d",
    "max_pool": "MaxPool2d",
    "avg_pool": "AvgPool2d",
    "adaptive_avg_pool": "AdaptiveAvgPool2d",
    "adaptive_max_pool": "AdaptiveMaxPool2d",
    "mean": "global average pooling (mean)",
    "amax": "global max pooling (amax)",
    "leaky_relu": "LeakyReLU",
    "prelu": "PReLU",
    "relu": "ReLU",
    "clip": "clip (ReLU6, Hardtanh)",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "dropout": "Dropout",
    "interpolate": "interpolate",
    "embedding": "Embedding",
    "concat": "concat",
    "permute": "permute/transpose",
    "getitem": "slice",
    "expand": "expand",
    "tile": "repeat",
    "affine": "scaling or shift by a number",
    "pow": "power",
}
"""How a canonical operator is called in a message."""

ARGUMENT: Mapping[str, str] = {
    "exclusive": "count_include_pad",
    "slope": "negative_slope",
    "axis": "dim",
    "axes": "dim",
    "p": "p",
    "mode": "mode",
    "training": "training",
    "perm": "dims",
}
"""Canonical attribute -> torch argument, where the names differ."""


COMPOSITES: Mapping[str, Mapping[str, str]] = {
    "LocalResponseNorm": {
        "shift": "k",
        "scale": "alpha",
        "pads": "size",
        "kernel_size": "size",
        "exponent": "beta",
        "padding": "size",
    },
    "MultiheadAttention": {"order": "num_heads or batch_first", "scale": "num_heads"},
}
"""Ready-made torch layer -> attribute of an operator inside it -> the layer's argument that decides it."""

TRAPS: Mapping[str, tuple[str, str]] = {
    "embedding": (
        "padding_idx: Paddle gives zeros for that index, torch gives the stored row",
        "weight[padding_idx] = 0 in torch, as Paddle computes it",
    ),
    "interpolate": (
        "align_mode: Paddle's align_mode=1 has no twin in torch",
        "use align_mode=0 in Paddle, or compute the sampling positions by hand",
    ),
}
"""Differences between equally configured operators that the frameworks are known for: cause and fix."""


def title(kind: str) -> str:
    """How a canonical kind is called in a message."""
    return TORCH_NAME.get(kind, kind)


def label(node: Node) -> str:
    """How an operator is called in a message; a move by what it is written as."""
    return title(str(node.attributes.get("op", node.kind)))


def torch_argument(kind: str, attribute: str, paddle: Any) -> str:
    """The torch argument that would make this attribute what Paddle has, as code."""
    if attribute == "exclusive":
        return f"count_include_pad={not paddle}"
    if attribute == "momentum" and kind == "batch_norm":
        return "momentum=None" if paddle is None else f"momentum={round(1.0 - paddle, 10):g}"
    if attribute == "approximate":
        return f"approximate={'tanh' if paddle else 'none'!r}"
    if attribute in ("padding", "output_padding") and _symmetric(paddle):
        sizes = tuple(p[0] if isinstance(p, tuple) else p for p in paddle)
        return f"{attribute}={sizes[0] if len(set(sizes)) == 1 else sizes}"
    if attribute == "padding":
        (top, bottom), (left, right) = paddle[-2], paddle[-1]
        return f"padding=0 after F.pad(x, ({left}, {right}, {top}, {bottom}))"
    if isinstance(paddle, tuple) and paddle and len(set(paddle)) == 1 and isinstance(paddle[0], int):
        return f"{ARGUMENT.get(attribute, attribute)}={paddle[0]}"
    return f"{ARGUMENT.get(attribute, attribute)}={paddle!r}"


def _symmetric(padding: Any) -> bool:
    return all(not isinstance(p, tuple) or p[0] == p[1] for p in padding)
