"""Fourier transforms in the shared vocabulary: Paddle has three kernels, torch a function for each number of axes.

kind: "fft", or "rfft" and "irfft" where only half of the frequencies is made or taken. axes: the halved one last. inverse:
the sign of the exponent; norm: which direction is divided ("backward", "forward", "ortho" for both by the root). size: of the
result along the axes, where torch cuts or pads first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.ops.signature import Attributes, Call, Signature, axis


def _attributes(call: Call, along: list[int], *, half: bool, inverse: bool) -> Attributes:
    ordered = (*sorted(along[:-1]), along[-1]) if half else tuple(sorted(along))
    return {"axes": ordered, "norm": call.attributes.get("norm") or "backward", "inverse": inverse}


def _of_paddle(kind: str) -> Callable[[Call], Attributes]:
    def canonical(call: Call) -> Attributes:
        a = call.attributes
        along = [axis(at, call.rank) for at in a["axes"]]
        half = kind == "c2r" or bool(a.get("onesided", False))
        return _attributes(call, along, half=half, inverse=not a["forward"])

    return canonical


PADDLE = {
    "fft_c2c": Signature("fft", "x axes norm forward", _of_paddle("c2c")),
    "fft_r2c": Signature(
        lambda call: "rfft" if call.attributes["onesided"] else "fft",
        "x axes norm forward onesided",
        _of_paddle("r2c"),
    ),
    "fft_c2r": Signature("irfft", "x axes norm forward last_dim_size", _of_paddle("c2r")),
}


def _of_torch(kind: str, most: int, *, inverse: bool) -> Callable[[Call], Attributes]:
    """most: how many of the last axes are meant where none is given; 0 for all, or as many as sizes are given."""

    def canonical(call: Call) -> Attributes:
        a = call.attributes
        sizes: Any = a.get("size", a.get("n", a.get("s")))
        sizes = None if sizes is None else list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
        given: Any = a.get("axis")
        if given is None:
            count = most or (call.rank if sizes is None else len(sizes))
            given = range(call.rank - count, call.rank)
        along = [axis(at, call.rank) for at in (given if not isinstance(given, int) else [given])]
        found = _attributes(call, along, half=kind != "fft", inverse=inverse)
        plain = [call.shapes["x"][at] for at in along]
        if kind == "irfft":
            plain[-1] = call.output[along[-1]]
        if sizes is not None and [p if s == -1 else s for p, s in zip(plain, sizes, strict=False)] != plain:
            found["size"] = tuple(sizes)
        return found

    return canonical


TORCH = {
    f"fft_{name}{suffix}": Signature(kind, "x size axis norm", _of_torch(kind, most, inverse=inverse))
    for name, kind, inverse in (
        ("fft", "fft", False),
        ("ifft", "fft", True),
        ("rfft", "rfft", False),
        ("irfft", "irfft", True),
        ("hfft", "irfft", False),
        ("ihfft", "rfft", True),
    )
    for suffix, most in (("", 1), ("2", 2), ("n", 0))
}
