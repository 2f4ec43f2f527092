"""What the Rosetta table knows of parity's operators: torch's argument for an attribute, the trap behind a difference,
the constants that Paddle keeps in float32. Every sentence that a finding takes from here is proven by its row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from convert.rosetta.rows import Argument, Exactness, Kind, Row, Trap
from convert.rosetta.table import TABLE
from parity.limits import FLOAT32_PLACE

ROWS: Mapping[str, str] = {
    "conv": "nn.Conv2D",
    "conv_transpose": "nn.Conv2DTranspose",
    "linear": "nn.Linear",
    "embedding": "nn.Embedding",
    "batch_norm": "nn.BatchNorm2D",
    "layer_norm": "nn.LayerNorm",
    "group_norm": "nn.GroupNorm",
    "instance_norm": "nn.InstanceNorm2D",
    "max_pool": "nn.MaxPool2D",
    "avg_pool": "nn.AvgPool2D",
    "adaptive_avg_pool": "nn.AdaptiveAvgPool2D",
    "adaptive_max_pool": "nn.AdaptiveMaxPool2D",
    "prelu": "nn.PReLU",
    "relu": "nn.ReLU",
    "leaky_relu": "nn.LeakyReLU",
    "elu": "nn.ELU",
    "celu": "nn.CELU",
    "selu": "nn.SELU",
    "gelu": "nn.GELU",
    "silu": "nn.Silu",
    "mish": "nn.Mish",
    "softplus": "nn.Softplus",
    "hardsigmoid": "nn.functional.hardsigmoid",
    "hardswish": "nn.Hardswish",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "softmax": "nn.Softmax",
    "log_softmax": "nn.LogSoftmax",
    "dropout": "nn.Dropout",
    "interpolate": "nn.functional.interpolate",
    "grid_sample": "nn.functional.grid_sample",
    "pad": "nn.functional.pad",
    "pixel_shuffle": "nn.PixelShuffle",
    "channel_shuffle": "nn.ChannelShuffle",
    "lstm": "nn.LSTM",
    "gru": "nn.GRU",
    "rnn_tanh": "nn.SimpleRNN",
    "rnn_relu": "nn.SimpleRNN",
    "concat": "concat",
    "pow": "pow",
    "sort": "sort",
    "sort.indices": "argsort",
    "topk": "topk",
    "topk.indices": "topk",
    "kthvalue": "kthvalue",
    "kthvalue.indices": "kthvalue",
    "argmax": "argmax",
    "argmin": "argmin",
}
"""Canonical operator -> Paddle's name of the row that describes it."""

ARGUMENTS: Mapping[str, str] = {
    "eps": "epsilon",
    "slope": "negative_slope",
    "axes": "axis",
    "channels": "axis",
    "divisor": "divisor_override",
    "pads": "pad",
    "output_size": "size",
    "factor": "upscale_factor",
    "groups": "num_groups",
    "exponent": "y",
    "bidirectional": "direction",
}
"""Canonical attribute -> Paddle's argument, where the names differ; a row's own argument of that name comes first."""

IN_TORCH: Mapping[str, str] = {"axis": "dim", "axes": "dim"}
"""Canonical attribute -> torch's argument, for operators without a row."""

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


WITH_A_CONSTANT = frozenset({"interpolate", "hardsigmoid", "selu"})
"""Operators that carry a constant of Paddle's even in float64, which the recorder cannot take out."""


def float32(value: float) -> float:
    """The float64 number that Paddle's float32 attribute of this value is."""
    return float(np.float32(value))


ROUNDED: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {"f32": float32, "1 - f32": lambda value: 1.0 - float32(1.0 - value)}
)
"""`Argument.convert` -> the torch value as Paddle computes with it."""


@cache
def _by_name() -> Mapping[str, Row]:
    return {row.paddle: row for row in TABLE}


def row_of(kind: str) -> Row | None:
    """The table's row of a canonical operator."""
    return _by_name()[ROWS[kind]] if kind in ROWS else None


def argument_of(kind: str, attribute: str) -> Argument | None:
    """The row's argument behind a canonical attribute."""
    row = row_of(kind)
    if row is None:
        return None
    known = {argument.paddle or argument.torch: argument for argument in row.arguments}
    return known.get(attribute) or known.get(ARGUMENTS.get(attribute, ""))


def trap_of(kind: str, attribute: str) -> Trap | None:
    """What is known to go wrong with this argument."""
    row, argument = row_of(kind), argument_of(kind, attribute)
    if row is None or argument is None:
        return None
    return next((trap for trap in row.traps if trap.argument and trap.argument == argument.paddle), None)


def constant_of(kind: str, shape: tuple[int, ...] = ()) -> tuple[str, float]:
    """Why the twins differ in float64 although they are the same, and by how much at most (relative).

    shape: of the input; a place in a longer row is a larger number, and its float32 rounding moves it further.
    """
    row = row_of(kind) if kind in WITH_A_CONSTANT else None
    if row is None:
        return "", 0.0
    return row.reason, max(
        row.within, FLOAT32_PLACE * sum(shape[2:])
    ) if kind == "interpolate" else row.within


@cache
def float32_arguments(kind: str) -> Mapping[str, Callable[[float], float]]:
    """Canonical attribute -> what Paddle computes with, for the arguments that it keeps in float32 even in float64."""
    row = row_of(kind)
    if row is None or row.exactness is not Exactness.F32:
        return {}
    found = {a.paddle: ROUNDED[a.convert] for a in row.arguments if a.convert in ROUNDED}
    canonical = {paddle: attribute for attribute, paddle in ARGUMENTS.items()}
    return {canonical.get(name or "", name or ""): change for name, change in found.items()}


@cache
def float32_settings(optimizer: str) -> tuple[str, ...]:
    """The torch settings of Paddle's optimizer of this class that Paddle keeps in float32."""
    row = _by_name().get(f"optimizer.{optimizer}")
    if row is None or row.kind is not Kind.OPTIMIZER:
        return ()
    return tuple(a.torch for a in row.arguments if a.convert == "f32" and a.torch is not None)


def update_rule(optimizer: str) -> str:
    """What the table says of the update formula of Paddle's optimizer of this class; "" if nothing."""
    row = _by_name().get(f"optimizer.{optimizer}")
    return row.reason if row is not None and row.kind is Kind.OPTIMIZER else ""


def clip_epsilon() -> float:
    """What torch adds to the gradients' norm before it divides by it; Paddle adds nothing."""
    return _by_name()["nn.ClipGradByGlobalNorm"].within


def as_torch_argument(kind: str, attribute: str, paddle: Any) -> str:
    """The torch argument that would make this attribute what Paddle has, as code."""
    argument = argument_of(kind, attribute)
    name = argument.torch if argument is not None and argument.torch else IN_TORCH.get(attribute, attribute)
    if attribute in ("padding", "output_padding"):
        if not _symmetric(paddle):
            # F.pad begins with the last dimension. A pool looks for no maximum in its padding.
            sides = ", ".join(f"{before}, {behind}" for before, behind in reversed(paddle))
            value = ', value=float("-inf")' if kind == "max_pool" else ""
            return f"padding=0 after F.pad(x, ({sides}){value})"
        paddle = tuple(p[0] if isinstance(p, tuple) else p for p in paddle)
    if attribute == "pads":
        paddle = flat_pads(paddle)
        return f"{name}={paddle!r}"
    return f"{name}={_torch_value(argument, paddle)!r}"


def flat_pads(pads: Any) -> tuple[int, ...]:
    """Pads by dimension as F.pad takes them: from the last dimension on, as far as something is padded."""
    first = next((i for i, (before, behind) in enumerate(pads) if before or behind), len(pads) - 1)
    return tuple(size for pair in reversed(pads[first:]) for size in pair)


def fix_of(kind: str, attribute: str, paddle: Any, call: str) -> str:
    """What to write in torch so that this attribute of `call` is what Paddle has."""
    argument, trap = argument_of(kind, attribute), trap_of(kind, attribute)
    if argument is None or argument.torch is not None:
        return f"{call}(..., {as_torch_argument(kind, attribute, paddle)})"
    if trap is not None:
        return mapped(kind, trap)
    return f"torch has no {attribute} here: {argument.note or f'compute what Paddle does with {paddle!r} by hand'}"


def mapped(kind: str, trap: Trap) -> str:
    """What the trap's proof shows to be right: the text itself, or where to read it if it is long."""
    row = row_of(kind)
    assert row is not None
    text = row.case_of(trap).torch
    return f"as in `{text}`" if "\n" not in text else f"as `paddle2torch guide {row.paddle}` shows"


def trap_told(kind: str, attributes: Iterable[str]) -> tuple[str, str] | None:
    """Cause and fix where two operators that are configured alike differ: an argument that torch ignores or lacks."""
    for attribute in attributes:
        trap = trap_of(kind, attribute)
        if trap is not None:
            return f"{attribute}: {trap.text}", mapped(kind, trap)
    return None


def _torch_value(argument: Argument | None, paddle: Any) -> Any:
    """Paddle's canonical value as torch's argument wants it."""
    if argument is not None:
        if isinstance(paddle, (bool, str, int)) and paddle in argument.values:
            return argument.values[paddle]
        if argument.convert == "not":
            return not paddle
        if argument.convert == "1 - f32":
            return None if paddle is None else _short(1.0 - paddle)
    if isinstance(paddle, tuple) and paddle and isinstance(paddle[0], int) and len(set(paddle)) == 1:
        return paddle[0]
    return paddle


def _short(value: float) -> float:
    """0.1 rather than 0.09999999999999998."""
    return float(f"{value:.10g}")


def _symmetric(padding: Any) -> bool:
    return all(not isinstance(p, tuple) or p[0] == p[1] for p in padding)
