"""What to do about a model that raised because of how it was called: what its error means, and what to type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from parity.trace.values import Array

_SHAPES = "--shape ids:2,16:int64 mask:2,16:bool"

Inputs = Mapping[str, Array]


def _kinds(inputs: Inputs) -> str:
    return "".join(array.dtype.kind for array in inputs.values())


def _whole(inputs: Inputs) -> str:
    return ", ".join(sorted({a.dtype.name for a in inputs.values() if a.dtype.kind in "iu"}))


HINTS: tuple[tuple[re.Pattern[str], Callable[[Inputs], bool], Callable[[Inputs], str]], ...] = (
    (
        re.compile(r"missing \d+ required (positional|keyword-only) argument"),
        lambda _: True,
        lambda _: (
            f"it takes several inputs: give each with its name, {_SHAPES}, an .npz with these names, or in Python "
            "a dictionary of arrays"
        ),
    ),
    (
        re.compile(
            r"takes (from )?\d+ .*positional arguments? .*but \d+ (was|were) given|unexpected keyword argument"
        ),
        lambda _: True,
        lambda inputs: (
            f"it was given {len(inputs)} input{'s' if len(inputs) > 1 else ''}: {', '.join(inputs)}"
        ),
    ),
    (
        re.compile(r"only support int32 and int64|scalar types: Long, Int"),
        lambda inputs: "f" in _kinds(inputs),
        lambda _: f"it takes whole numbers: {_SHAPES.partition(' mask')[0]}, or an array of int64",
    ),
    (
        re.compile(r"index out of range|expected >= 0 and < \d+"),
        lambda inputs: bool(_whole(inputs)),
        lambda inputs: (
            f"the numbers go up to {max(int(a.max()) for a in inputs.values() if a.dtype.kind in 'iu')}: "
            "--shape ids:2,16:int64:100 makes up numbers below 100"
        ),
    ),
    (
        re.compile(r"u?int(8|32|64)\b|\b(Byte|Long|unsigned char|long int)\b"),
        lambda inputs: bool(_whole(inputs)),
        lambda inputs: (
            f"the input holds whole numbers ({_whole(inputs)}) where it takes float32: give an image as your "
            "preprocessing hands it on, such as (x / 255).astype('float32')"
        ),
    ),
)
"""What the error says, whether the inputs can be meant, and what to do."""


def input_hint(error: BaseException, inputs: Inputs, model: str) -> str:
    """What to do about inputs that do not fit the model, by its class, after a semicolon; "" for errors inside of it."""
    said = str(error)
    if "forward()" in said and not said.startswith((f"{model}.forward()", "forward()")):
        return ""
    return next(
        (f"; {tell(inputs)}" for told, meant, tell in HINTS if told.search(said) and meant(inputs)), ""
    )
