"""Runs a row's examples and traps in both frameworks, measures them and judges what the row claims."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convert.rosetta.rows import Exactness, Example, Row
from parity.ops.table import float32
from parity.rosetta import inputs as makers
from parity.rosetta.evaluate import Outcome

SAME = 1e-12
"""Two float64 results this close (relative to the largest entry) differ by the order of additions only."""
SAME_IN_FLOAT32 = 2e-5
"""The same for float32."""
LOOSEST = 30
"""A bound (`Row.within`) may be this many times what is measured: the inputs of the proof are small."""
ALIKE, UNLIKE = 1e-4, 1e-9
"""Significance of the two-sample test: what must not be rejected, and what a naive port must be rejected at."""


@dataclass(frozen=True)
class Measurement:
    """How far apart one text was in one precision: max|difference| / max|reference|; inf where shapes differ."""

    precision: str
    forward: float
    backward: float | None
    """None where the example has no gradient."""
    bits: bool
    """Whether every bit was the same."""

    @property
    def worst(self) -> float:
        return max(self.forward, self.backward or 0.0)


@dataclass
class Proof:
    """What was measured for a row, and what of its claims failed."""

    row: str
    examples: list[list[Measurement]] = field(default_factory=list)
    traps: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.failures

    def to_json(self) -> dict[str, Any]:
        """For the documentation: plain numbers; inf (other shapes) as None."""
        return {
            "row": self.row,
            "examples": [[_finite(asdict(m)) for m in example] for example in self.examples],
            "traps": [_finite(trap) for trap in self.traps],
            "failures": self.failures,
        }


def _finite(numbers: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in numbers.items()}


def prove(row: Row) -> Proof:
    """Run everything that `row` claims. An example that raises is a failure that says so."""
    proof = Proof(row.paddle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for example in row.examples:
            proof.examples.append(_example(row, example, proof))
        if proof.failures:
            return proof
        _claim(row, proof)
        for number in range(len(row.traps)):
            _trap(row, number, proof)
    return proof


def _example(row: Row, example: Example, proof: Proof) -> list[Measurement]:
    measured = []
    for precision in _precisions(example):
        try:
            measurement = measure(example, example.torch, precision)
        except Exception as error:
            proof.failures.append(f"{example.paddle!r} / {example.torch!r}: {_told(error)}")
            continue
        measured.append(measurement)
        limit = _limit(row, example, precision)
        if measurement.worst > limit or (_in_bits(row, example) and not measurement.bits):
            proof.failures.append(
                f"{example.paddle!r} is not {example.torch!r} in {precision}: {measurement}, allowed {limit:.1e}"
            )
    return measured


def _in_bits(row: Row, example: Example) -> bool:
    """Whether every bit must agree: not where distributions, dtypes or shapes are compared."""
    return row.exactness is Exactness.BIT and example.compare == "values"


def _precisions(example: Example) -> tuple[str, ...]:
    """Images become float32 whatever the precision of the network."""
    images = any(text.startswith(("image", "pixels")) for text in example.inputs.values())
    return ("float32",) if images else ("float64", "float32")


def _limit(row: Row, example: Example, precision: str) -> float:
    if example.compare != "values":
        return 0.0
    if row.exactness is Exactness.BIT:
        return 0.0
    return max(row.within, SAME if precision == "float64" else SAME_IN_FLOAT32)


def _claim(row: Row, proof: Proof) -> None:
    """That no better level could be claimed."""
    worst = max(measured[0].worst for measured in proof.examples)
    if row.within:
        if worst <= SAME:
            proof.failures.append(f"`within` is not needed: {worst:.1e} in float64 is the same algebra")
        elif row.within > LOOSEST * worst:
            proof.failures.append(f"within={row.within} is too loose: {worst:.1e} is measured")
    if row.exactness is Exactness.NEAR and not row.within:
        proof.failures.append("NEAR needs `within`")
    if row.exactness is Exactness.F32:
        plain = max(measure(e, e.torch, _precisions(e)[0], rounded=False).worst for e in row.examples)
        if plain <= max(10 * worst, SAME / 100):
            proof.failures.append(f"F32 is claimed, but unrounded constants give {plain:.1e} too")
    if row.exactness is Exactness.DISTRIBUTION and any(m[0].bits for m in proof.examples):
        proof.failures.append("DISTRIBUTION is claimed, but the numbers are the same")


def _trap(row: Row, number: int, proof: Proof) -> None:
    trap = row.traps[number]
    example = row.case_of(trap)
    mapped = 0.0
    if trap.example is not None:
        failures = len(proof.failures)
        _example(row, example, proof)
        if len(proof.failures) > failures:
            return
    precision = _precisions(example)[0]
    mapped = measure(example, example.torch, precision).worst
    try:
        naive = measure(example, trap.naive, precision)
    except (NameError, SyntaxError) as error:
        proof.failures.append(f"trap {trap.text!r}: {trap.naive!r} cannot be read: {error}")
        return
    except Exception as error:
        proof.traps.append({"text": trap.text, "naive": None, "mapped": mapped, "raises": _told(error)})
        return
    proof.traps.append({"text": trap.text, "naive": naive.worst, "mapped": mapped, "raises": None})
    if naive.worst <= max(10 * SAME, 10 * mapped) or (_in_bits(row, example) and naive.bits):
        proof.failures.append(
            f"trap {trap.text!r}: the naive {trap.naive!r} differs by {naive.worst:.1e} only (mapped {mapped:.1e})"
        )


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def measure(example: Example, torch_text: str, precision: str, *, rounded: bool = True) -> Measurement:
    """How far `torch_text` is from the example's Paddle text in one precision."""
    from parity.rosetta import paddle_side, torch_side

    given = {name: makers.make(name, text) for name, text in example.inputs.items()}
    expected, state = paddle_side.evaluate(example.paddle, given, example, precision)
    f32 = float32 if rounded else float
    actual = torch_side.evaluate(torch_text, given, example, precision, state, f32=f32)
    if example.compare == "dtype":
        equal = expected.dtypes == actual.dtypes
        return Measurement(precision, 0.0 if equal else math.inf, None, equal)
    if example.compare == "shape":
        equal = [v.shape for v in expected.values] == [v.shape for v in actual.values]
        return Measurement(precision, 0.0 if equal else math.inf, None, equal)
    bits = len(expected.values) == len(actual.values) and all(
        np.array_equal(e, a, equal_nan=e.dtype.kind in "fc")
        for e, a in zip(expected.values, actual.values, strict=True)
    )
    if example.compare == "distribution":
        return Measurement(precision, _unlike(expected, actual), None, bits)
    pairs = list(_gradients(expected, actual, state))
    same = bits and all(np.array_equal(e, a) for e, a in pairs)
    backward = max((relative(e, a) for e, a in pairs), default=None)
    return Measurement(precision, _forward(expected, actual), backward, same)


def _forward(expected: Outcome, actual: Outcome) -> float:
    if len(expected.values) != len(actual.values):
        return math.inf
    return max(
        (relative(e, a) for e, a in zip(expected.values, actual.values, strict=True)), default=math.inf
    )


def _gradients(
    expected: Outcome, actual: Outcome, state: dict[str, NDArray[Any]]
) -> Iterable[tuple[NDArray[Any], NDArray[Any]]]:
    """Pairs of gradients; a gradient that one side lacks is compared as zeros."""
    from parity.rosetta import torch_side

    theirs = dict(expected.gradients)
    for mode in ("eval", "train"):
        prefix = f"{mode}:state:"
        mine = {n.removeprefix(prefix): theirs.pop(n) for n in list(theirs) if n.startswith(prefix)}
        if mine:
            turned = torch_side.in_torch_layout(mine, state, actual.module)
            theirs |= {prefix + n: turned[n] for n in turned if prefix + n in actual.gradients}
    for name in sorted({*theirs, *actual.gradients}):
        e, a = theirs.get(name), actual.gradients.get(name)
        yield (
            np.zeros_like(a) if e is None else e,
            np.zeros_like(e) if a is None else a,
        )


def relative(expected: NDArray[Any], actual: NDArray[Any]) -> float:
    """max|difference| / max|expected| (absolute where all of `expected` is 0); inf where shape or NaN differ."""
    if expected.shape != actual.shape:
        return math.inf
    if expected.dtype.kind in "USO" or actual.dtype.kind in "USO":
        return 0.0 if np.array_equal(expected, actual) else math.inf
    kind = "complex128" if "c" in (expected.dtype.kind, actual.dtype.kind) else "float64"
    e, a = expected.astype(kind), actual.astype(kind)
    finite = np.isfinite(e)
    if not np.array_equal(e[~finite], a[~finite], equal_nan=True) or not np.isfinite(a[finite]).all():
        return math.inf
    if not finite.any():
        return 0.0
    scale = float(np.abs(e[finite]).max()) or 1.0
    return float(np.abs(e[finite] - a[finite]).max()) / scale


def _unlike(expected: Outcome, actual: Outcome) -> float:
    """0 if a two-sample Kolmogorov-Smirnov test cannot tell the numbers apart, inf if it surely can."""
    worst = 0.0
    if len(expected.values) != len(actual.values):
        return math.inf
    for e, a in zip(expected.values, actual.values, strict=True):
        if e.size < 1000 or a.size < 1000:
            raise ValueError("a distribution needs at least 1000 numbers")
        x, y = np.sort(e.ravel().astype("float64")), np.sort(a.ravel().astype("float64"))
        grid = np.concatenate([x, y])
        distance = np.abs(
            np.searchsorted(x, grid, "right") / x.size - np.searchsorted(y, grid, "right") / y.size
        ).max()
        size = x.size * y.size / (x.size + y.size)
        level = 2 * math.exp(-2 * size * float(distance) ** 2)
        worst = max(worst, math.inf if level < UNLIKE else 0.0 if level > ALIKE else 1.0)
    return worst
