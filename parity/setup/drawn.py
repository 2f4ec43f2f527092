"""One input like the given one, with its numbers drawn anew: usual ones, or such as nobody would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parity.trace.values import Array

Numbers = Callable[[Array, tuple[int, ...], np.random.Generator], Array]
"""Makes float64 numbers of a shape for an array of floats that was given."""

FEW = 100
"""A sample of fewer numbers is small: more inputs are tried, and more samples of it."""


def usual(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Normal numbers with the mean and the width of the given ones."""
    return _centre(array) + _width(array) * rng.standard_normal(shape)


def larger(times: float, mixed: bool) -> Numbers:
    """Some of them so many times as large, the others between; mixed: among them zeros and halves, where there is room."""

    def made(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        numbers = _centre(array) + _width(array) * rng.standard_normal(shape) * times ** rng.uniform(
            size=shape
        )
        if mixed and np.prod(shape[1:]) >= FEW and shape[-1] >= PARTS:
            # Zeros, halves and equal numbers side by side, so that a kernel sees only such: ties and kinks.
            part = shape[-1] // PARTS
            numbers[..., part : 2 * part] = 0.0
            numbers[..., 2 * part : 3 * part] = rounded(array, (*shape[:-1], part), rng)
        return numbers

    return made


def rounded(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Zeros and halves, each of them often; no bounds that activations have (1, 3, 6)."""
    return rng.choice(HALVES, shape)


def halved(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The same, some of them halved again and again: the halves of a quantisation's steps are such."""
    finer = rng.choice(HALVES[2:], shape) * 0.5 ** rng.integers(0, FINEST, shape)
    return np.where(rng.random(shape) < 0.5, rounded(array, shape, rng), finer)


def kinks(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """The same as `rounded`, but some rows are zeros, and two are equal."""
    numbers = rounded(array, shape, rng)
    if len(shape) > 1:
        numbers[..., -1, :] = 0.0
        numbers[..., 1 % shape[-2], :] = numbers[..., 0, :]
    return numbers


def blank(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """A sample of zeros, one of equal numbers, and usual ones."""
    numbers = usual(array, shape, rng)
    numbers[:1] = 0.0
    numbers[1:2] = _centre(array) + _width(array)
    return numbers


def on_edges(edges: Sequence[float]) -> Numbers:
    """The numbers that code names: what it does on an edge, and not only beside it."""

    def made(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.choice(np.array(edges, float), shape)

    return made


def crowded(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Boxes (left, top, right, bottom) most of which overlap; usual numbers for what holds none."""
    if not are_boxes(array):
        return usual(array, shape, rng)
    corners = _centre(array) + _width(array) * rng.standard_normal((*shape[:-1], 2)) * CROWDED
    sides = _width(array) * rng.uniform(0.5, 1.0, (*shape[:-1], 2))
    return np.concatenate([corners, corners + sides], -1)


def are_boxes(array: Array) -> bool:
    """Whether the numbers may be boxes, whose right and bottom lie beyond left and top."""
    return array.ndim > 1 and array.shape[-1] == 4 and bool((array[..., 2:] > array[..., :2]).all())


def not_numbers(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Every fourth is NaN, Inf or -Inf."""
    numbers = usual(array, shape, rng).reshape(-1)
    places = numbers[::4]
    places[:] = np.resize((np.nan, np.inf, -np.inf), places.shape)
    return numbers.reshape(shape)


def tiny(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Numbers that an epsilon or a floor is large beside."""
    return _width(array) * TINY * rng.standard_normal(shape)


SMALL, FARTHER = 5, 4
"""Whole numbers below it are small; so many times the given ones are beyond most tables that are made for them."""

PARTS = 4
"""The last axis of a large sample is cut into so many."""

HALVES = (0.0, 0.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5)

FINEST = 9
"""Halved fewer times than this: a step of 1/256, as pixels have, has halves too."""

CROWDED = 0.1

TINY = 1e-5


def _centre(array: Array) -> float:
    return float(array.mean())


def _width(array: Array) -> float:
    return float(array.std()) or 1.0


@dataclass(frozen=True)
class Further:
    """An input like the given one, with other numbers in other shapes; its arrays are made when they are asked for."""

    name: str
    given: Mapping[str, Array]
    shapes: Mapping[str, tuple[int, ...]]
    seed: tuple[int, ...]
    numbers: Numbers = usual
    vary: bool = False
    """Whether masks and ids that are all equal become others: they hide what is done with them."""
    whole: Mapping[str, int] | None = None
    """Input of whole numbers -> how far they reach to either side of zero; otherwise as far as the given ones."""
    from_zero: frozenset[str] = frozenset()
    """Inputs of whole numbers that choose rows or labels, of which there is a first one whether it was given or not."""
    signed: frozenset[str] = frozenset()
    """Inputs of whole numbers that are to reach as far below zero as they do above."""
    farther: frozenset[str] = frozenset()
    """Inputs of whole numbers that are to go beyond the given ones, several times as far."""
    ignored: Mapping[str, int] | None = None
    """Input of labels -> the label that every third is."""
    unusual: bool = False
    """Whether nobody expects the model to take such an input: that Paddle's does not is not told."""
    anybodys: bool = False
    """Whether a port must take it as Paddle's model does: NaN or Inf in torch alone is a difference."""
    limit: bool = False
    """Whether a port may raise on it: that is a limit of the port and no difference."""
    quiet: bool = False
    """Whether that it does is not even told."""
    like: str = ""
    """How the name of another input ends that must have been taken before, so that this one says something."""
    reduced: bool = True
    """Whether a few samples are enough."""
    fixed: frozenset[str] = frozenset()
    """Inputs that stay as they were given, the last of them once more where there are to be more: of any others, nobody promises what is made."""

    def arrays(self, batch: int | None = None) -> dict[str, Array]:
        """batch: the most that a batch may hold (None: as many as given), where all inputs have the same."""
        rng, shapes = np.random.default_rng(self.seed), self.shapes
        flat = all(len(shape) == 1 for shape in shapes.values())
        # The one axis of all may be no batch, and few numbers cost little.
        if (
            batch is not None
            and self.reduced
            and not flat
            and len({shape[:1] for shape in shapes.values()}) == 1
        ):
            shapes = {
                name: (*(min(n, batch) for n in shape[:1]), *shape[1:]) for name, shape in shapes.items()
            }
        return {name: self._like(name, shape, rng) for name, shape in shapes.items()}

    def made_for_the_given_batch(self, results: Iterable[tuple[int, ...]]) -> bool:
        """Whether one of the results has as many samples as the given inputs, though these here have one."""
        given = {array.shape[:1] for array in self.given.values()} - {
            shape[:1] for shape in self.shapes.values()
        }
        return any(shape[:1] in given for shape in results)

    def _like(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        array, alone = self.given[name], len(self.given) == 1
        if name in self.fixed:
            return _as_given(array, shape)
        if self.vary and hides(array, alone):
            return _others(array, shape, rng)
        if self.whole is not None and name in self.whole:
            reach = self.whole[name]
            low, small = (0 if array.dtype.kind == "u" else -n for n in (reach, SMALL))
            far = rng.integers(low, reach, shape)
            return np.where(rng.random(shape) < 0.5, rng.integers(small, SMALL, shape), far).astype(
                array.dtype
            )
        if is_mask(array, alone):
            # Rows in another order; more of them come again, a longer one goes on as it ends.
            rows = array[rng.permutation(len(array))]
            if rows.shape[0] < shape[0] and rows.shape[1:] == shape[1:]:
                return rows[np.arange(shape[0]) % len(rows)]
            return _as_given(rows, shape)
        if array.dtype.kind == "f":
            return self.numbers(array, shape, rng).astype(np.float32)
        if array.dtype.kind in "iu" and array.size:
            low, high = int(array.min()), int(array.max())
            low = min(0, low) if name in self.from_zero else low
            low = min(low, -high) if name in self.signed else low
            high *= FARTHER if name in self.farther else 1
            made = rng.integers(low, high + 1, shape).astype(array.dtype)
            if self.ignored is not None and name in self.ignored:
                made.reshape(-1)[::3] = self.ignored[name]
            return made
        return array[np.arange(shape[0]) % len(array)] if shape else array


def _as_given(array: Array, shape: tuple[int, ...]) -> Array:
    """The first numbers along each axis; where there are to be more, the last goes on."""
    return array[np.ix_(*(np.minimum(np.arange(n), m - 1) for n, m in zip(shape, array.shape, strict=True)))]


def is_mask(array: Array, alone: bool) -> bool:
    """Zeros and ones; those of a model's only input may as well be numbers of an image."""
    return (
        array.ndim > 0
        and array.size > 0
        and (array.dtype.kind != "f" or not alone)
        and bool(((array == 0) | (array == 1)).all())
    )


def is_padding(array: Array) -> bool:
    """A mask that begins, or ends, every row: nobody gives it other numbers than zeros and ones."""
    if array.ndim < 2 or not is_mask(array, False):
        return False
    steps = np.diff(array.astype(int), axis=-1)
    return bool((steps <= 0).all() or (steps >= 0).all())


def hides(array: Array, alone: bool) -> bool:
    """Whether it is a mask or ids that are all equal, or padding of one length: nothing shows where each of them goes."""
    if array.size < 2:
        return False
    if array.min() != array.max():
        plain = array.ndim == 2 and len(array) > 1 and is_mask(array, alone) and is_padding(array)
        return plain and bool((array == array[0]).all())
    return array.min() == 1 and not alone if array.dtype.kind == "f" else bool(array.min() >= 0)


def _others(array: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Ids up to the given one; for zeros or ones, some of the other at the end of each sample, as padding has it."""
    value = int(array.flat[0])
    if value > 1:
        return rng.integers(1, value + 1, shape).astype(array.dtype)
    others = np.full(shape, value, array.dtype)
    for sample in others if others.ndim > 1 else others[None]:
        sample[..., rng.integers(1, max(2, sample.shape[-1])) :] = 1 - value
    return others
