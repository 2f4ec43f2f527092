"""What a weight looks like that is not Paddle's: transposed, exchanged, rounded, never loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations

import numpy as np

from parity.align.weights import constant, digest, same_content
from parity.explain.hypotheses.hypothesis import Hypothesis, first_that_gives
from parity.limits import FLOAT32_STEPS, SLIGHTLY
from parity.results.finding import ONE_NUMBER, SUM_WITH, UNRELATED
from parity.trace.values import Array


@dataclass(frozen=True)
class Weight:
    """A torch parameter, and what it should hold: the transform of its Paddle twin.

    holders: content -> Paddle's parameter. turned: whether Paddle keeps it the other way round. packed: the rows of the whole
    layer in Paddle, of which this is a part. siblings: the same part of Paddle's other parameters of the layer, by name.
    """

    torch: str
    paddle: str
    expected: Array
    actual: Array
    holders: Mapping[str, str]
    turned: bool = False
    packed: Array | None = None
    siblings: Mapping[str, Array] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """Largest difference relative to the largest number; infinite for another shape."""
        if self.expected.shape != self.actual.shape or not self.expected.size:
            return float("inf")
        expected, actual = self.expected.astype(np.float64), self.actual.astype(np.float64)
        scale, gap = float(np.abs(expected).max()), float(np.abs(expected - actual).max())
        return gap / scale if scale else (0.0 if gap == 0 else float("inf"))


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a weight. holds: the name of another of Paddle's, or what was made of its own."""

    cause: str
    holds: str
    swapped: bool = False
    """Whether it is exactly another one of Paddle's."""
    first: str = ""
    """What is to be done before it is copied."""
    instead: str = ""
    """What is to be done where it need not be copied."""


def diagnose(weight: Weight) -> Diagnosis:
    """The first of QUESTIONS that has an answer."""
    return next(found for ask in QUESTIONS if (found := ask(weight)) is not None)


def _other_shape(w: Weight) -> Diagnosis | None:
    ours, theirs = list(w.actual.shape), list(w.expected.shape)
    if ours == theirs:
        return None
    cause = f"`{w.torch}` has shape {ours}; Paddle's `{w.paddle}` gives {theirs}"
    return Diagnosis(cause, "another shape", first=f"give the torch layer the shape {theirs}, then ")


def _transposed(w: Weight) -> Diagnosis | None:
    square = w.actual.ndim == 2 and w.expected.shape[0] == w.expected.shape[1]
    if not square or not same_content(w.expected.T, w.actual):
        return None
    if w.turned:
        cause = f"`{w.torch}` was loaded untransposed: Paddle's Linear keeps [in, out], torch's [out, in]"
    else:
        cause = f"`{w.torch}` is transposed against Paddle's `{w.paddle}`"
    return Diagnosis(cause, "transposed")


def _anothers(w: Weight) -> Diagnosis | None:
    other = w.holders.get(digest(w.actual))
    if other is None or other == w.paddle:
        return None
    what = _role(w.torch), _role(other)
    swapped = "swapped weights" if what[0] == what[1] else f"{what[0]} and {what[1]} are swapped"
    cause = f"{swapped}: `{w.torch}` holds Paddle's `{other}` instead of `{w.paddle}`"
    return Diagnosis(cause, other, swapped=True)


def _rounded(w: Weight) -> Diagnosis | None:
    if w.expected.dtype != np.float32:
        return None
    found = first_that_gives(w.actual, w.expected, ROUNDINGS, same_content)
    if found is None:
        return None
    cause = f"`{w.torch}` went through {found.cause}: it is Paddle's `{w.paddle}` rounded"
    return Diagnosis(cause, f"rounded to {found.cause}")


def _slightly(w: Weight) -> Diagnosis | None:
    if w.gap >= SLIGHTLY:
        return None
    cause = (
        f"`{w.torch}` differs slightly from Paddle's `{w.paddle}` (relative {w.gap:.1e}): it was perturbed, rounded or "
        "trained on"
    )
    return Diagnosis(cause, "slightly different")


def _rearranged(w: Weight) -> Diagnosis | None:
    if not np.array_equal(np.sort(w.expected, axis=None), np.sort(w.actual, axis=None)):
        return None
    found = first_that_gives(w.actual, w.expected, _rearrangements(w.expected), _laid_out_as)
    how = "with its elements in another order" if found is None else found.cause
    return Diagnosis(f"`{w.torch}` holds Paddle's `{w.paddle}` {how}", how)


def _other_rows(w: Weight) -> Diagnosis | None:
    """Of a part of a packed layer: rows that the other parts have in Paddle."""
    if w.packed is None or w.packed.ndim != w.actual.ndim or w.packed.shape[1:] != w.actual.shape[1:]:
        return None
    theirs = {row.tobytes() for row in np.ascontiguousarray(w.packed)}
    if constant(w.packed) or not all(row.tobytes() in theirs for row in np.ascontiguousarray(w.actual)):
        return None
    how = "with its rows in another order"
    return Diagnosis(f"`{w.torch}` holds Paddle's `{w.paddle}` {how} (query, key, value? heads?)", how)


def _rooted(w: Weight) -> Diagnosis | None:
    if w.expected.dtype.kind != "f" or (w.expected < 0).any():
        return None
    if not np.allclose(w.actual, np.sqrt(w.expected), rtol=FLOAT32_STEPS, atol=0):
        return None
    what = "the square root"
    return Diagnosis(f"`{w.torch}` is {what} of Paddle's `{w.paddle}`: a deviation for a variance?", what)


def _summed(w: Weight) -> Diagnosis | None:
    """Two biases of a layer in one: right where both are added, and nowhere else."""
    for name, sibling in w.siblings.items():
        if (
            np.allclose(w.actual, w.expected + sibling, rtol=FLOAT32_STEPS, atol=FLOAT32_STEPS)
            and sibling.any()
        ):
            cause = f"`{w.torch}` is the sum of Paddle's `{w.paddle}` and `{name}`, which this layer does not add up everywhere"
            return Diagnosis(cause, f"{SUM_WITH}{name}")
    return None


def _absolute(w: Weight) -> Diagnosis | None:
    """A sibling without its sign: a variance must not be negative, so that a mean in its place is made to be none."""
    for name, sibling in w.siblings.items():
        if (sibling < 0).any() and same_content(np.abs(sibling), w.actual):
            what = _role(w.torch), _role(name)
            cause = f"{what[0]} and {what[1]} are swapped: `{w.torch}` holds the absolute values of Paddle's `{name}` instead of `{w.paddle}`"
            return Diagnosis(cause, name, swapped=True)
    return None


def _never_loaded(w: Weight) -> Diagnosis | None:
    value = float(w.actual.flat[0]) if w.actual.size else 0.0
    if w.actual.size == 1 and value not in (0.0, 1.0):
        theirs = float(w.expected.flat[0])
        cause = f"`{w.torch}` is {value:g}, Paddle's `{w.paddle}` is {theirs:g}: it was probably never loaded"
        return Diagnosis(cause, f"{value:g}")
    if w.actual.size and constant(w.actual):
        cause = f"`{w.torch}` was never loaded: all its values are {value:g}"
        return Diagnosis(cause, f"{ONE_NUMBER}{value:g}")
    return None


def _scaled(w: Weight) -> Diagnosis | None:
    at = int(np.abs(w.expected).argmax())
    largest = float(w.expected.reshape(-1)[at])
    factor = float(w.actual.reshape(-1)[at]) / largest if largest else 0.0
    if not factor or not np.allclose(w.actual, w.expected * factor, rtol=FLOAT32_STEPS, atol=0):
        return None
    return Diagnosis(f"`{w.torch}` is {factor:.6g} times Paddle's `{w.paddle}`", f"times {factor:.6g}")


def _unrelated(w: Weight) -> Diagnosis:
    cause = f"`{w.torch}` is unrelated to Paddle's `{w.paddle}`: it was probably never loaded"
    return Diagnosis(cause, UNRELATED)


QUESTIONS: tuple[Callable[[Weight], Diagnosis | None], ...] = (
    _other_shape,
    _transposed,
    _anothers,
    _rounded,
    _slightly,
    _rearranged,
    _other_rows,
    _summed,
    _absolute,
    _never_loaded,
    _scaled,
    _rooted,
    _unrelated,
)


def _role(name: str) -> str:
    return {"running_mean": "mean", "_mean": "mean", "running_var": "variance", "_variance": "variance"}.get(
        name.rpartition(".")[2], name.rpartition(".")[2]
    )


def _through(array: Array, dtype: type[np.float16] | None) -> Array:
    """float32 rounded to float16, or to bfloat16 (None: numpy has none; round to nearest even by bits)."""
    if dtype is not None:
        with np.errstate(over="ignore"):
            return array.astype(dtype).astype(np.float32)
    bits = np.ascontiguousarray(array).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))) & np.uint64(0xFFFF0000)
    result: Array = rounded.astype(np.uint32).view(np.float32)
    return result


ROUNDINGS: tuple[Hypothesis[Array], ...] = (
    Hypothesis("float16", "", partial(_through, dtype=np.float16)),
    Hypothesis("bfloat16", "", partial(_through, dtype=None)),
)


def _rearrangements(expected: Array) -> Iterator[Hypothesis[Array]]:
    """Ways in which people lay out a weight otherwise; `cause` ends "holds Paddle's ... "."""
    for axis, size in enumerate(expected.shape):
        colours = axis == 1 and size == 3
        told = "with its input channels reversed (RGB for BGR?)" if colours else f"reversed along axis {axis}"
        yield Hypothesis(told, "", partial(np.flip, axis=axis))
    for axis, size in enumerate(expected.shape):
        if size % 2 == 0:
            told = f"with the two halves of axis {axis} exchanged"
            yield Hypothesis(told, "", partial(np.roll, shift=size // 2, axis=axis))
        for count, parts, what in ((3, "three", "query, key, value? gates?"), (4, "four", "gates?")):
            for order in permutations(range(count)) if size % count == 0 else ():
                told = f"with the {parts} parts of axis {axis} in the order {order} ({what})"
                yield Hypothesis(told, "", partial(_parts, axis=axis, order=order))
    for order in permutations(range(expected.ndim)) if expected.ndim > 1 else ():
        reshaped = "" if expected.transpose(order).shape == expected.shape else " and reshaped"
        told = f"with its axes permuted {order}{reshaped}"
        yield Hypothesis(told, "", partial(np.transpose, axes=order))


def _parts(array: Array, axis: int, order: tuple[int, ...]) -> Array:
    pieces = np.split(array, len(order), axis)
    return np.concatenate([pieces[i] for i in order], axis)


def _laid_out_as(actual: Array, made: Array) -> bool:
    return same_content(made.reshape(actual.shape), actual)
