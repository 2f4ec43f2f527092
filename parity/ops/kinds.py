"""The canonical operators: their tensor slots and what is true of each in either framework.

An operator that is not listed keeps the framework's own name as its kind: it is still aligned by
dataflow and compared by value, only its attributes are not audited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """What the comparison needs to know of one canonical operator.

    slots: names of the tensor arguments; a trailing "*" marks a list of tensors.
    commutative: the order of `x` and `y` carries no meaning.
    weights: slots that hold parameters of a layer (they anchor the alignment). optional: data that a call may go without.
    """

    slots: tuple[str, ...] = ("x",)
    commutative: bool = False
    weights: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    ignored: frozenset[str] = field(default_factory=frozenset)


_WB = ("weight", "bias")

RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})
"""Layers that run over time in one call."""

DEEPEST = 16
"""Layers of a recurrent one that have slots of their own."""

_RECURRENT = tuple(
    f"{role}_l{number}{suffix}"
    for number in range(DEEPEST)
    for suffix in ("", "_reverse")
    for role in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
)

KINDS: Mapping[str, Kind] = {
    **{
        name: Kind(("x", "h_0", "c_0", *_RECURRENT), weights=_RECURRENT, optional=("h_0", "c_0"))
        for name in RECURRENT
    },
    "conv": Kind(("x", *_WB), weights=_WB),
    "conv_transpose": Kind(("x", *_WB), weights=_WB),
    "linear": Kind(("x", *_WB), weights=_WB),
    "embedding": Kind(("x", "weight"), weights=("weight",)),
    "batch_norm": Kind(("x", *_WB, "mean", "variance"), weights=(*_WB, "mean", "variance")),
    "layer_norm": Kind(("x", *_WB), weights=_WB),
    "rms_norm": Kind(("x", *_WB), weights=_WB),
    "group_norm": Kind(("x", *_WB), weights=_WB),
    "instance_norm": Kind(("x", *_WB, "mean", "variance"), weights=_WB),
    "prelu": Kind(("x", "weight"), weights=("weight",)),
    "matmul": Kind(("x", "y")),
    "add": Kind(("x", "y"), commutative=True),
    "mul": Kind(("x", "y"), commutative=True),
    "maximum": Kind(("x", "y"), commutative=True),
    "minimum": Kind(("x", "y"), commutative=True),
    "sub": Kind(("x", "y")),
    "div": Kind(("x", "y")),
    "blend": Kind(("x", "y", "share")),
    "concat": Kind(("x*",)),
    "stack": Kind(("x*",)),
    **{name: Kind(("x", "y")) for name in ("gt", "ge", "lt", "le")},
    "where": Kind(("condition", "x", "y")),
    "setitem": Kind(("x", "y")),
    "grid_sample": Kind(("x", "grid")),
    "cross_entropy": Kind(("x", "label", "weight")),
    "attention": Kind(("x", "key", "value", "mask")),
    "getitem": Kind(),
}

SECOND: Mapping[str, str] = {
    "sort": "sort.indices",
    "topk": "topk.indices",
    "kthvalue": "kthvalue.indices",
    "amax": "argmax",
    "amin": "argmin",
}
"""What the second result of a call is by itself: either framework may have a call for it alone."""

TARGET = "target"
"""The argument that a call writes over without a look at what was there: none of its inputs."""

IDENTITY_KINDS = frozenset({"identity", "reshape"})
"""Kinds whose output holds the input's numbers: nothing is stored for them."""

DATAFLOW_KINDS = frozenset({"move", "concat", "pad"})
"""Kinds that only move numbers around: a difference there is a difference of wiring, not of arithmetic."""


ACTIVATIONS = frozenset(
    {
        "relu",
        "clip",
        "leaky_relu",
        "elu",
        "celu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "hardsigmoid",
        "hardswish",
        "sigmoid",
        "tanh",
        "exp",
        "sqrt",
        "abs",
        "log",
        "softsign",
        "pow",
    }
)
"""Functions of one number. Two different ones are two functions, even where they agree on some inputs."""


def kind_of(name: str) -> Kind:
    """The entry of `name`; a one-slot default for operators that are not listed."""
    return KINDS.get(name, Kind())
