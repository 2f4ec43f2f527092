"""Padding layers."""

from __future__ import annotations

from convert.rosetta.layers.common import DATA_FORMAT, NAME
from convert.rosetta.rows import Argument, Exactness, Row, Trap
from convert.rosetta.writing import case, cases, layer, trap

_SHAPES = {1: "float 2,3,5", 2: "float 2,3,5,4", 3: "float 2,3,5,4,3"}
_MODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}
_FILES = ("common", "padding")
PADDING = Argument("padding", "padding", note="an int pads every side; [l, r, t, b, front, back] in both")
_REASON = "copies; the gradient adds what was copied"


def _amounts(n: int) -> tuple[int, ...]:
    return (1, 2, 3, 0, 1, 1)[: 2 * n]


def _pad(n: int) -> Row:
    sides = _amounts(n)
    return layer(
        (f"Pad{n}D", f"ConstantPad{n}d"),
        Exactness.ALGEBRA,
        "torch has one layer for each mode",
        cases(
            _SHAPES[n],
            (f"nn.Pad{n}D({list(sides)})", f"nn.ConstantPad{n}d({sides}, 0.0)"),
            (f"nn.Pad{n}D(1, value=0.3)", f"nn.ConstantPad{n}d(1, 0.3)"),
            *(
                (f"nn.Pad{n}D({list(sides)}, mode='{mode}')", f"nn.{torch}{n}d({sides})")
                for mode, torch in _MODES.items()
            ),
        ),
        files=_FILES,
        arguments=(
            PADDING,
            Argument("mode", None, paddle_default="constant", note="names another torch layer"),
            Argument("value", "value", paddle_default=0.0, note="torch has no default"),
            DATA_FORMAT,
            NAME,
        ),
        traps=(
            Trap("torch's constant padding has no default value", f"nn.ConstantPad{n}d({sides})"),
            trap(
                "in mode='reflect' the edge is not repeated; 'replicate' is another layer",
                f"nn.ReplicationPad{n}d(1)(x)",
                _SHAPES[n],
                (f"nn.Pad{n}D(1, mode='reflect')(x)", f"nn.ReflectionPad{n}d(1)(x)"),
            ),
        ),
    )


_CHANNELS_LAST = trap(
    "data_format='NHWC' has no twin",
    "nn.ZeroPad2d((1, 2, 3, 0))(x)",
    "float 2,5,4,3",
    ("nn.ZeroPad2D([1, 2, 3, 0], data_format='NHWC')(x)", "F.pad(x, (0, 0, 1, 2, 3, 0))"),
)


def _zero_pad(n: int) -> Row:
    sides = _amounts(n)
    return layer(
        (f"ZeroPad{n}D", f"ZeroPad{n}d"),
        Exactness.BIT,
        "copies between zeros",
        cases(
            _SHAPES[n],
            (f"nn.ZeroPad{n}D({list(sides)})", f"nn.ZeroPad{n}d({sides})"),
            (f"nn.ZeroPad{n}D(1)", f"nn.ZeroPad{n}d(1)"),
        ),
        files=_FILES,
        arguments=(PADDING, DATA_FORMAT, NAME),
        traps=(_CHANNELS_LAST,) if n == 2 else (),
    )


def _named(torch: str, n: int) -> Row:
    sides = _amounts(n)
    return layer(
        (f"{torch}{n}D", f"{torch}{n}d"),
        Exactness.ALGEBRA,
        _REASON,
        (case(_SHAPES[n], (f"nn.{torch}{n}D({list(sides)})", f"nn.{torch}{n}d({sides})")),),
        files=_FILES,
        arguments=(PADDING, DATA_FORMAT, NAME),
    )


def _constant(n: int) -> Row:
    return layer(
        (f"ConstantPad{n}D", f"ConstantPad{n}d"),
        Exactness.BIT,
        "copies between constants",
        (case(_SHAPES[n], (f"nn.ConstantPad{n}D(1, 0.3)", f"nn.ConstantPad{n}d(1, 0.3)")),),
        files=_FILES,
        arguments=(PADDING, Argument("value", "value"), DATA_FORMAT, NAME),
    )


ROWS = (
    *(_pad(n) for n in (1, 2, 3)),
    *(_zero_pad(n) for n in (1, 2, 3)),
    *(_constant(n) for n in (1, 2, 3)),
    *(_named(torch, n) for torch in _MODES.values() for n in (1, 2, 3)),
)
