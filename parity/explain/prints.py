"""What a run's values hold, as a few sums: which numbers of one side the other has, too, in whatever layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import permutations
from typing import NamedTuple

import numpy as np

from parity.explain.lines import LAID_OUT
from parity.explain.steps.apart import in_steps
from parity.explain.twice import together
from parity.limits import KNOWN_NUMBERS
from parity.numbers.compare import real
from parity.runs.run import Run
from parity.trace.trace import Op
from parity.trace.values import Array

RANK = 5
"""Arrays of more dimensions are not turned in every way."""

CHOOSING = frozenset({"where", "masked_fill", "masked_select"})
"""Kinds of operators that take some of the numbers and leave others."""

FIRST = 32
"""So many numbers are looked at first."""


class Side:
    """The numbers of one side: what each value holds, as a few sums that tell it from others, whatever its layout.

    A value is named by its number. `order` tells its layout, too: two that have the same numbers and `order` are the same as they lie in memory.
    """

    def __init__(
        self, run: Run, owned: Mapping[str, Array], *, at_once: bool = False, inside: bool = False
    ) -> None:
        """at_once: take what is run twice as if it were run at once, too. inside: take operators apart, too, into what they do step by step."""
        self.run, self.trace, self._owned = run, run.trace, owned
        # One that has several names is known by that of its numbers.
        names = sorted(run.trace.parameters, key=lambda name: name in owned)
        self.parameters = {run.trace.parameters[name].value: name for name in names}
        self.ops = list(self._laid_out())
        if inside:
            self.ops = [one for op in self.ops for one in (*in_steps(run, op, self.array), op)]
        if at_once:
            self.ops.extend(list(together(run, self.ops, self.array)))
        self.maker = {value: op for op in self.ops for value in op.outputs}
        self.place = {op.outputs: number for number, op in enumerate(self.ops)}
        taken = {value for op in self.ops for value in (*op.inputs.values(), *op.outputs)}
        self._sums: dict[int, Array] = {}
        sizes: dict[int, list[int]] = {}
        for value in sorted(taken):
            array = self.array(value)
            if array is not None and array.size:
                self._sums[value] = _sums(array)
                sizes.setdefault(array.size, []).append(value)
        self.values = tuple(self._sums)
        self._of_size = {
            size: (values, np.stack([self._sums[v] for v in values])) for size, values in sizes.items()
        }
        self.readers: dict[int, list[Op]] = {}
        for op in self.ops:
            for value in op.inputs.values():
                self.readers.setdefault(value, []).append(op)

    def _laid_out(self) -> Iterator[Op]:
        """The operators of whose results the model's are made, without those that move no number, whose results are not kept."""
        source: dict[int, int] = {}
        found = []
        for op in self.trace.ops:
            inputs = {slot: source.get(value, value) for slot, value in op.inputs.items()}
            if op.kind in LAID_OUT and self.run.value(op.outputs[0]) is None:
                source[op.outputs[0]] = inputs["x"]
            else:
                found.append(replace(op, inputs=inputs))
        wanted = {source.get(value, value) for value in self.trace.outputs.values() if value is not None}
        alive = []
        for op in reversed(found):
            if wanted.intersection(op.outputs):
                wanted.update(op.inputs.values())
                alive.append(op)
        return reversed(alive)

    def array(self, value: int) -> Array | None:
        """The numbers of a value; None for whole numbers, conditions, and what was not recorded."""
        stored = self.run.value(value)
        array = self._owned.get(self.parameters.get(value, "")) if stored is None else stored.load()
        return real(array) if array is not None and array.dtype.kind in "fc" else None

    def size(self, value: int) -> int:
        """How many numbers a value holds; 0 if none of them can be compared."""
        return int(self._sums[value][6]) if value in self._sums else 0

    def is_uniform(self, value: int) -> bool:
        """Whether a value is one number everywhere, or a single whole one: it is like many others."""
        low, high, _, size = self._sums[value][3:7]
        return bool(low == high and (size > 1 or low == round(low)))

    def like(self, other: Side, value: int) -> list[int]:
        """The values of this side that hold the numbers of a value of the other side's, in whatever order."""
        sums = other._sums[value]
        if int(sums[6]) not in self._of_size:
            return []
        values, table = self._of_size[int(sums[6])]
        absolute, top = sums[2], max(abs(sums[3]), abs(sums[4]))
        size = np.array([absolute, sums[1], absolute, top, top])
        near = (np.abs(table[:, :5] - sums[:5]) <= KNOWN_NUMBERS * size).all(axis=1)
        near &= np.abs(table[:, 7] - sums[7]) <= KNOWN_NUMBERS * sums[8]
        return [values[i] for i in np.flatnonzero(near)]

    def laid_out_like(self, value: int, other: Side, theirs: int) -> bool:
        """Whether two values of the same numbers differ in nothing but the order of their axes."""
        sums, expected_sums = self._sums[value], other._sums[theirs]
        if all(
            abs(sums[at] - expected_sums[at]) <= KNOWN_NUMBERS * sums[size] for at, size in ((5, 2), (9, 8))
        ):
            return True
        ours, expected = self.array(value), other.array(theirs)
        if ours is None or expected is None:
            return False
        return _turned(ours, expected) or _turned(expected, ours)


def _sums(array: Array) -> Array:
    flat = array.astype(np.float64, copy=False).ravel()
    with np.errstate(all="ignore"):
        weights = np.cos(np.arange(flat.size, dtype=np.float64))
        # Beside a mask of -1e9 the other numbers would not be seen in a sum.
        small = flat / (1.0 + np.abs(flat))
        return np.array(
            [
                flat.sum(),
                np.square(flat).sum(),
                np.abs(flat).sum(),
                flat.min(),
                flat.max(),
                flat @ weights,
                flat.size,
                small.sum(),
                np.abs(small).sum(),
                small @ weights,
            ]
        )


def _turned(array: Array, flat: Array) -> bool:
    """Whether the numbers of `flat` are those of `array` with its axes in another order."""
    squeezed, numbers = array.squeeze(), flat.ravel()
    if squeezed.ndim > RANK:
        return False
    top = float(np.abs(numbers).max(initial=0.0))
    for axes in permutations(range(squeezed.ndim)):
        turned = squeezed.transpose(axes)
        begins = turned.reshape(-1)[:FIRST] if turned.size <= FIRST else turned.flat[:FIRST]
        if np.abs(begins - numbers[:FIRST]).max(initial=0.0) <= KNOWN_NUMBERS * top and bool(
            (np.abs(turned.ravel() - numbers) <= KNOWN_NUMBERS * top).all()
        ):
            return True
    return False


class Origin(NamedTuple):
    """Of which values of both sides a result is made, and by which operators, in order; over how many one after the other.

    whole: whether nothing else is in it. beside: the operators that make the conditions and whole numbers in it, whose numbers tell too little to be known by.
    """

    values: frozenset[int]
    way: tuple[Op, ...]
    levels: int
    whole: bool
    beside: tuple[Op, ...] = ()


class Half:
    """One side as the other one sees it: which of its values the other side has, and which are strange to it."""

    def __init__(self, side: Side, other: Side) -> None:
        self.side, self.other = side, other
        self.alike = {value: other.like(side, value) for value in side.values}
        """Value -> the values of the other side with the same numbers."""

    def is_strange(self, value: int) -> bool:
        return bool(self.side.size(value)) and not self.alike[value] and value not in self.side.parameters

    @cached_property
    def moved(self) -> frozenset[int]:
        """Values whose numbers the other side has in another order alone, beyond that of the axes."""
        return frozenset(
            value
            for op in self.side.ops
            for value in op.outputs
            if self.alike.get(value)
            and not any(self.side.laid_out_like(value, self.other, v) for v in self.alike[value])
        )

    @cached_property
    def suspects(self) -> list[Op]:
        """The operators that make what the other side never has, and of whose results nothing is made that it has; in order."""
        harmless: set[int] = set()
        found = []
        for op in reversed(self.side.ops):
            made = [value for value in op.outputs if self.side.size(value)]
            after = any(
                v in harmless
                for value in made
                for reader in self.side.readers.get(value, ())
                for v in reader.outputs
                if not self._loses(reader, value)
            )
            right = bool(made) and all(map(self.is_shared, made))
            if right or after:
                harmless.update(op.outputs)
            elif made:
                found.append(op)
        return found[::-1]

    def _loses(self, reader: Op, value: int) -> bool:
        """Whether an operator drops some of a value's numbers, so that what it makes says nothing of them."""
        if reader.kind in CHOOSING:
            return True
        beside = (self.side.array(v) for v in reader.inputs.values() if v != value)
        return reader.kind == "mul" and any(array is not None and not array.all() for array in beside)

    def taken(self, op: Op) -> set[int]:
        """What an operator takes, without what it writes into."""
        return set(op.inputs.values()) - set(op.outputs)

    def leaves_its_line(self, op: Op) -> bool:
        """Whether what an operator makes is what its line makes in the end; the same line may read it when it runs again."""
        readers = (reader for value in op.outputs for reader in self.side.readers.get(value, ()))
        return not any(self.at_once(op, reader) for reader in readers)

    def at_once(self, op: Op, reader: Op) -> bool:
        """Whether a line goes on from one operator to the other, with nothing of another line between."""
        return all(one.line == op.line for one in self.side.trace.ops[op.index + 1 : reader.index + 1])

    def is_shared(self, value: int) -> bool:
        """Whether the other side has these numbers, laid out alike but for the order of axes."""
        return bool(self.alike.get(value)) and value not in self.moved and not self.side.is_uniform(value)

    @cached_property
    def strange(self) -> list[Op]:
        """The operators that make what the other side never has, or has in another order, in order."""
        return [op for op in self.side.ops if self.is_strange(op.outputs[0]) or op.outputs[0] in self.moved]

    def made_of(self, op: Op, deep: int) -> Origin:
        """What an operator's result is made of, as far as both sides have it, over at most so many operators."""
        found: set[int] = set()
        way, front = {op.outputs: op}, [op]
        levels = 0
        while front and levels < deep:
            levels, above = levels + 1, []
            for value in {value for one in front for value in self.taken(one)}:
                if self.is_strange(value):
                    maker = self.side.maker.get(value)
                    if maker is not None and maker.outputs not in way:
                        way[maker.outputs] = maker
                        above.append(maker)
                elif self.side.size(value) and not self.side.is_uniform(value):
                    found.add(value)
            front = above
        in_order = sorted(way.values(), key=lambda one: (one.index, self.side.place[one.outputs]))
        beside = self._beside(in_order, deep)
        return Origin(frozenset(found), tuple(in_order), levels, not front, tuple(beside))

    def _beside(self, way: Sequence[Op], deep: int) -> list[Op]:
        found: dict[tuple[int, ...], Op] = {}
        front: Sequence[Op] = way
        for level in range(deep):
            above = (
                self.side.maker.get(value)
                for one in front
                for value in self.taken(one)
                if self._leads_on(value, level)
            )
            front = [op for op in above if op is not None and op not in way and op.outputs not in found]
            found |= {op.outputs: op for op in front}
        return sorted(found.values(), key=lambda op: op.index)

    def _leads_on(self, value: int, level: int) -> bool:
        """Whether a value's numbers are not known: of the operators themselves only what no numbers tell, of those beside what is strange, too."""
        return not self.side.size(value) or (level > 0 and self.is_strange(value))
