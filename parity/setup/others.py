"""Inputs like the given one that show what it hides: other numbers, sizes, lengths, and numbers that nobody would give.

Each costs a run of both models. So they are short (`parity.further` takes few samples), and where a sample holds many numbers, one
input shows several things at once; where it holds few, a few more inputs cost little. How their numbers are drawn: `parity.setup.drawn`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.results.seen import Seen
from parity.setup.drawn import (
    FEW,
    Further,
    Numbers,
    are_boxes,
    blank,
    crowded,
    halved,
    hides,
    is_mask,
    is_padding,
    larger,
    on_edges,
    tiny,
)
from parity.trace.values import Array

SAMPLES = 5
"""So many of them; a batch of two hides what is done from the third sample on."""

LARGEST = {"very large numbers": 1000.0, "larger numbers": 30.0}
"""Some numbers so many times as large reach bounds, thresholds and branches that usual ones do not; the second where the
first makes Paddle's model overflow."""

BELOW_ZERO: Mapping[str, int] = {"whole numbers of any size": 100_000, "whole numbers below zero": 20}
"""How far whole numbers that choose nothing reach to either side of zero; the second where Paddle refuses the first."""

BYTES = 256

AXIS = "along axis {}"


def further_inputs(
    inputs: Mapping[str, Array], mode: str, *, seen: Seen | None = None, seed: int = 1
) -> list[tuple[Further, ...]]:
    """Rows of inputs: of each, the first that the model takes is enough.

    seen: what the given input showed of the models, which decides what else they may be given.
    """
    shapes = {name: array.shape for name, array in inputs.items()}
    numbers = Further("other numbers", inputs, shapes, (seed,))
    if seen is not None:
        numbers = replace(numbers, from_zero=seen.rows | seen.labels)
    rows = [tuple(_of_other_numbers(numbers))]
    images = [name for name, array in inputs.items() if array.ndim == 4 and array.dtype.kind == "f"]
    if images:
        rows.append(
            tuple(
                Further(
                    name,
                    inputs,
                    {**shapes, **{n: _resized(shapes[n], step, signs) for n in images}},
                    (seed, i),
                )
                for i, (name, step, signs) in enumerate(SIZES)
            )
        )
    else:
        rows += [tuple(_of_other_lengths(inputs, shapes, seed, axis)) for axis in (1, 2)]
    floats = any(
        array.dtype.kind == "f" and not is_mask(array, len(inputs) == 1) for array in inputs.values()
    )
    plain = Further("", inputs, shapes, (seed,), unusual=True)
    mixed = seen is None or not seen.ranked
    large = {name: larger(times, mixed) for name, times in LARGEST.items()} if floats else {}
    rows.append(tuple(_of_one_sample(plain, mode, large)))
    if floats and few(shapes):
        several = replace(plain, shapes=of_several_samples(shapes), reduced=False)
        if mixed:
            rows.append((replace(several, name="zeros, halves and equal numbers", numbers=halved),))
        rows.append((replace(several, name="tiny numbers", numbers=tiny),))
        rows.append(
            tuple(
                replace(several, name=f"samples of {name}", numbers=numbers)
                for name, numbers in large.items()
            )
        )
        if seen is not None and seen.edges and not seen.ranked:
            rows.append((replace(several, name="numbers that the code names", numbers=on_edges(seen.edges)),))
        if any(are_boxes(array) for array in inputs.values()):
            rows.append((replace(several, name="boxes that overlap", numbers=crowded),))
    cheap = _numbers(shapes) <= AFFORDABLE
    if floats and cheap and seen is not None and seen.dividing:
        more = of_several_samples(shapes) if few(shapes) else shapes
        rows.append((replace(plain, name="blank samples", numbers=blank, shapes=more, anybodys=True),))
    if images and cheap:
        rows.append(tuple(_of_other_forms(plain, images)))
    if not images and few(shapes):
        alone = {name: (*s[:1], 1, *s[2:]) if len(s) > 1 else s for name, s in shapes.items()}
        if alone != shapes:
            # A table of one length broadcasts along one step, and raises on others: a limit of the port.
            rows.append(
                (replace(plain, name=f"1 {AXIS.format(1)}", shapes=alone, like=AXIS.format(1), limit=True),)
            )
    rows.append(tuple(_of_any_whole_numbers(plain, seen)))
    if seen is not None:
        # Beside images they may be sizes or places, which nobody gives below zero.
        computed = frozenset() if images else seen.computed
        signed = replace(plain, name="whole numbers of either sign", signed=computed, limit=True)
        farther = replace(plain, name="larger whole numbers", farther=seen.farther, limit=True, quiet=True)
        rows += [(one,) for one in (signed, farther) if one.signed or one.farther]
        rows += _of_named_numbers(plain, bool(images), seen)
    fixed = frozenset() if seen is None else seen.sequences
    return [tuple(replace(one, fixed=fixed) for one in row) for row in rows if row]


def _of_other_forms(plain: Further, images: list[str]) -> Iterator[Further]:
    """Images far from a square, with as many numbers as the given ones: what is kept or guessed by their number is wrong for them."""
    small = min(size for name in images for size in plain.shapes[name][2:]) < SMALL
    for name, high, wide in FORMS[::-1] if small else FORMS:
        shapes = {
            n: (*s[:2], int(s[2] * high), int(s[3] * wide)) if n in images else s
            for n, s in plain.shapes.items()
        }
        if all(all(shape) for shape in shapes.values()):
            yield replace(plain, name=name, shapes=shapes, limit=True, quiet=True)


FORMS = (("a long form", 0.5, 2), ("a tall form", 2, 0.5), ("a large form", 2, 4))
"""(name, factors of height and width)"""

SMALL = 8
"""Of an image that is smaller, a map of one pixel may be left: then a larger one shows more."""


def few(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether a sample holds so few numbers that more inputs cost little."""
    return sum(int(np.prod(shape[1:])) for shape in shapes.values()) < FEW


def of_several_samples(
    shapes: Mapping[str, tuple[int, ...]], count: int = SAMPLES
) -> Mapping[str, tuple[int, ...]]:
    """More samples than were given, where all inputs have as many."""
    batches = {shape[:1] for shape in shapes.values()}
    if len(batches) != 1 or () in batches or max(batches) >= (count,):
        return shapes
    return {name: (count, *shape[1:]) for name, shape in shapes.items()}


def _of_other_numbers(numbers: Further) -> Iterator[Further]:
    """With more samples where that costs little, and masks and ids that differ, if the model takes them."""
    inputs, shapes = numbers.given, numbers.shapes
    kinds = [numbers]
    if any(hides(array, len(inputs) == 1) for array in inputs.values()):
        kinds.insert(0, replace(numbers, name="other numbers, masks and ids", vary=True))
    more = of_several_samples(shapes) if few(shapes) else shapes
    for one in kinds:
        if more != shapes:
            yield replace(one, shapes=more, unusual=True, limit=True, reduced=False)
        yield one if more == shapes else replace(one, name=f"{one.name}, no more samples")


def _of_one_sample(plain: Further, mode: str, large: Mapping[str, Numbers]) -> Iterator[Further]:
    """Large numbers, and one sample alone: both on one input, which costs the least."""
    batches = {shape[:1] for shape in plain.shapes.values()}
    single = len(batches) == 1 and max(batches) > (1,)
    # A BatchNorm in train mode has no statistics of one sample: torch's refuses it.
    training = single and mode == "train"
    if single:
        shapes = {name: (1, *shape[1:]) for name, shape in plain.shapes.items()}
        one = replace(plain, name="one sample", shapes=shapes, limit=training, quiet=training)
        for name, numbers in large.items():
            yield replace(one, name=f"one sample of {name}", numbers=numbers)
    if training or not single:
        for name, numbers in large.items():
            yield replace(plain, name=name, numbers=numbers)
    if single:
        yield one


def _of_other_lengths(
    inputs: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], seed: int, axis: int
) -> Iterator[Further]:
    """Sequences of another length along an axis, wherever an input has as many there as the longest."""
    length = max((shape[axis] for shape in shapes.values() if len(shape) > axis), default=0)
    for longer in _lengths(length) if length else ():
        changed = {
            name: tuple(longer if i == axis and n == length else n for i, n in enumerate(shape))
            for name, shape in shapes.items()
        }
        yield Further(f"{longer} {AXIS.format(axis)}", inputs, changed, (seed,), unusual=True, limit=True)


def _lengths(length: int) -> tuple[int, ...]:
    """The most telling first: far longer and odd where the given one is even, or even; a multiple; the nearest."""
    if length == 1:
        return (5,)
    near = length + 1, length - 1
    if length > LONG:
        return near
    if length > SHORT:
        return (2 * length + 1, *near)
    return (2 * SHORT + 1 + length % 2, 4 * length, 2 * length + 1, *near)


LONG, SHORT = 64, 16
"""Sequences that are longer than the one are not made twice as long; what is done from some length on mostly shows at twice
the other."""


def _of_named_numbers(plain: Further, images: bool, seen: Seen) -> Iterator[tuple[Further, ...]]:
    """What the code of a model names: as a size or a batch, where that costs little, and where its inputs are whole numbers as these."""
    counts = {
        name: array
        for name, array in plain.given.items()
        if array.dtype.kind in "iu" and name not in seen.rows | seen.labels and not is_mask(array, False)
    }
    given = {length for shape in plain.shapes.values() for length in shape}
    room = max(AFFORDABLE, _numbers(plain.shapes))
    # Far beyond a limit shows more than right behind it.
    near = [number for number in seen.named if 2 * number - 1 in seen.named]
    far = [number for number in seen.named if number not in near]
    tried = [*far, *near][: NAMED * 2] if few(plain.shapes) else far[:NAMED]
    for number in tried:
        if number in given:
            continue
        filled = {name: np.full_like(array, number) for name, array in counts.items()}
        if filled:
            arrays = {**plain.given, **filled}
            yield (replace(plain, name=f"whole numbers of {number}", given=arrays, limit=True, quiet=True),)
        whole = _numbers(_along(plain.shapes, (2, 3), number)) <= room
        sides: tuple[tuple[int, ...], ...] = ((2, 3),) if images and whole else ((2,), (3,))
        for axes in (*(sides if images else ((1,), (2,))), (0,)):
            shapes = _along(plain.shapes, axes, number)
            if shapes == plain.shapes or _numbers(shapes) > room:
                continue
            name = f"{number} {AXIS.format(' and '.join(map(str, axes)))}"
            # A port may have tables of one length; that it takes another batch is expected of every one.
            limit = axes != (0,)
            beyond = replace(plain, name=name, shapes=shapes, reduced=False, limit=limit, quiet=limit)
            # A batch may have to be a multiple of what the code names.
            below = _along(plain.shapes, axes, number - 1)
            yield (
                beyond,
                *(() if limit else (replace(beyond, name=f"{number - 1} {AXIS.format(0)}", shapes=below),)),
            )


def larger_sizes(inputs: Mapping[str, Array], named: Sequence[int]) -> Mapping[str, tuple[int, ...]]:
    """Images half as high again; sequences longer than twice as long, and than what code names, as far as that costs little."""
    shapes = {name: array.shape for name, array in inputs.items()}
    images = [name for name, array in inputs.items() if array.ndim == 4 and array.dtype.kind == "f"]
    if images:
        return {n: (*s[:2], s[2] + s[2] // 2, *s[3:]) if n in images else s for n, s in shapes.items()}
    longest = max((shape[1] for shape in shapes.values() if len(shape) > 1), default=0)
    far = _along(shapes, (1,), max(2 * longest + 1, *named, 0))
    return far if _numbers(far) <= AFFORDABLE else _along(shapes, (1,), 2 * longest + 1)


def _numbers(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(int(np.prod(shape)) for shape in shapes.values())


def _along(
    shapes: Mapping[str, tuple[int, ...]], axes: tuple[int, ...], length: int
) -> Mapping[str, tuple[int, ...]]:
    """The shapes with another length along some axes, wherever an input is as long there as the first that has them."""
    first = next((shape for shape in shapes.values() if len(shape) > max(axes)), None)
    if first is None:
        return shapes
    return {
        name: tuple(length if i in axes and n == first[i] else n for i, n in enumerate(shape))
        for name, shape in shapes.items()
    }


NAMED = 4
"""So many numbers that the code names are tried at most."""

AFFORDABLE = 20_000
"""An input of so few numbers costs little; a larger one is tried if it is no larger than the given one."""


def _of_any_whole_numbers(plain: Further, seen: Seen | None) -> Iterator[Further]:
    """Whole numbers that choose nothing (no row of a table, no label, no length), of any sign and size."""
    free = [] if seen is None else [n for n in sorted(seen.free) if not is_padding(plain.given[n])]
    for name, reach in BELOW_ZERO.items() if free else ():
        reaches = {one: BYTES if plain.given[one].dtype.itemsize == 1 else reach for one in free}
        yield replace(plain, name=name, whole=reaches, limit=True)


SIZES = (
    ("odd size", 1, (1, -1)),
    ("another odd size", 1, (-1, 1)),
    ("a larger odd size", 1, (1, 1)),
    ("an odd number of twos", 2, (1, -1)),
    ("an odd number of eights", 8, (1, 1)),
    ("an odd number of thirty-twos", 32, (1, 1)),
)
"""(name, step, whether height and width grow or shrink), the most telling first.

An odd size shows what an even one hides: ceil_mode, padding on one side, floor in an upsampling. One side of the image grows
and the other shrinks: halved again and again, rounding up and rounding down both meet odd sizes. A model may want a square,
or sides that it can halve a few times; of those, odd multiples show the most.
"""


def _resized(shape: tuple[int, ...], step: int, signs: tuple[int, int]) -> tuple[int, ...]:
    """Height and width become other, odd multiples of `step`."""
    counts = (n // step for n in shape[2:])
    odd = (n + 2 * sign if n % 2 else n + sign for n, sign in zip(counts, signs, strict=True))
    return (*shape[:2], *(step * (count if count > 0 else 3) for count in odd))
