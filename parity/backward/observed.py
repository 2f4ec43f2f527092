"""The gradients that a user can observe: those of the model's parameters and inputs, each compared or named as not compared.

A gradient somewhere inside is no result of its own: two right ports may cut it into other parts. So a difference inside
counts only if one of these shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.align.weights import Holding, WeightPair, digest
from parity.graph.node import Graph, Node
from parity.numbers.scattered import Numbers
from parity.results.seen import updated_by_forward
from parity.runs.run import Run
from parity.trace.values import Array

Index = tuple[slice, ...] | Array
"""Slices along the axes, or flat positions."""


@dataclass(frozen=True)
class Part:
    """A part of a torch parameter and the part of Paddle's that it is, transposed or not."""

    paddle: str
    ours: Index = ()
    theirs: Index = ()
    turned: bool = False


@dataclass(frozen=True)
class Counterpart:
    """What a torch parameter stands for: parts of Paddle's, or weights of aligned operators that cover it."""

    torch: str
    parts: tuple[Part, ...] = ()
    twins: tuple[WeightPair, ...] = ()

    @property
    def paddle(self) -> tuple[str, ...]:
        """Paddle's names."""
        return tuple(
            dict.fromkeys((*(part.paddle for part in self.parts), *(twin.paddle.name for twin in self.twins)))
        )

    def gradients(
        self, paddle: Mapping[str, Array], torch: Mapping[str, Array]
    ) -> Iterator[tuple[Array, Array]]:
        """(expected, actual), part by part; zeros where one side has no gradient, nothing where neither has."""
        for twin in self.twins:
            yield from both(twin.paddle.read(paddle), twin.torch.read(torch))
        for part in self.parts:
            e, a = paddle.get(part.paddle), torch.get(self.torch)
            theirs = None if e is None else _taken(e, part.theirs)
            if theirs is not None and part.turned:
                theirs = theirs.T
            yield from both(theirs, None if a is None else _taken(a, part.ours))


def _taken(array: Array, index: Index) -> Array:
    return array.reshape(-1)[index] if isinstance(index, np.ndarray) else array[index]


def both(expected: Array | None, actual: Array | None) -> Iterator[tuple[Array, Array]]:
    """The two in one shape; zeros where one side has none, nothing where neither has."""
    if expected is None and actual is None:
        return
    if actual is None:
        assert expected is not None
        actual = np.zeros_like(expected)
    yield (np.zeros_like(actual) if expected is None else expected.reshape(actual.shape)), actual


def counterparts(
    paddle: Run,
    torch: Run,
    names: Mapping[str, str],
    twins: Sequence[WeightPair],
    numbers: tuple[Mapping[str, Array], Mapping[str, Array]],
) -> dict[str, Counterpart]:
    """For every parameter that trains on either side, torch name -> what it is in Paddle: by name where that holds the same numbers, by its uses, by its numbers.

    numbers: (Paddle's, torch's) parameters.
    """
    everything, ours = numbers
    theirs = {name: everything[name] for name in _trained(paddle) if name in everything}
    trained = set(_trained(torch))
    used = covering(twins, ours)
    known: dict[str, Counterpart] = {}
    for name, own in ours.items():
        twin = names.get(name, "")
        turned = _turned(everything.get(twin), own)
        if turned is not None:
            known[name] = Counterpart(name, (Part(twin, turned=turned),))
        elif name in used and all(hold_the_same(twin, everything, ours) for twin in used[name]):
            known[name] = Counterpart(name, twins=used[name])
    # Those that nothing stands for come first: of a large model, not all numbers can be looked through. What no operator reads is a
    # copy of others: Paddle's LSTM keeps all its weights in one flat array, too.
    taken = {paddle for one in known.values() for paddle in one.paddle}
    read = {value for op in paddle.trace.ops for value in op.inputs.values()}
    of_use = [name for name in theirs if paddle.trace.parameters[name].value in read]
    all_numbers = cache(
        lambda: Numbers({name: theirs[name] for name in sorted(of_use, key=taken.__contains__)})
    )
    found: dict[str, Counterpart] = {}
    for name, own in ours.items():
        candidate = known.get(name)
        if candidate is None:
            # Where no numbers tell, one of the two is loaded wrongly: then the use does.
            parts = _by_numbers(own, all_numbers())
            candidate = Counterpart(name, parts, () if parts else used.get(name, ()))
        if candidate.paddle and (name in trained or theirs.keys() & set(candidate.paddle)):
            found[name] = candidate
    return found


def by_name_or_numbers(
    found: Mapping[str, Counterpart], twins: Sequence[WeightPair], alignment: Alignment
) -> list[WeightPair]:
    """Parameters that no aligned operators share, because one side writes otherwise what is done with them; for the training."""
    known = {twin.name for twin in twins}
    in_paddle, in_torch = _readers(alignment.paddle), _readers(alignment.torch)
    pairs = []
    for name, counterpart in found.items():
        if name in known or name not in in_torch:
            continue
        node, slot, shape = in_torch[name]
        for part in counterpart.parts:
            if part.paddle not in in_paddle:
                continue
            reader, _, whole = in_paddle[part.paddle]
            ours = _part_of(name, shape, part.ours, turned=False)
            theirs = _part_of(part.paddle, whole, part.theirs, turned=part.turned).like(ours)
            if theirs is not None:
                pairs.append(WeightPair(Pair(reader, node, {}), slot, theirs, ours))
    return pairs


def _readers(graph: Graph) -> dict[str, tuple[Node, str, tuple[int, ...]]]:
    """Parameter -> the first operator that takes it, the slot, and the parameter's shape."""
    found: dict[str, tuple[Node, str, tuple[int, ...]]] = {}
    for value, name in graph.parameters.items():
        for node, slot in graph.consumers.get(value, ())[:1]:
            found.setdefault(name, (node, slot, graph.shapes[value]))
    return found


def _part_of(name: str, shape: tuple[int, ...], index: Index, *, turned: bool) -> Holding:
    positions = _taken(np.arange(prod(shape)).reshape(shape), index)
    positions = positions.T if turned else positions
    move = np.ascontiguousarray(positions).reshape(-1), positions.shape
    return Holding(
        name, shape, maps=(f"{index if isinstance(index, tuple) else digest(index)} {turned}",), moves=(move,)
    )


def _trained(run: Run) -> list[str]:
    """What an optimizer trains, and what forward itself updates, as a slow copy of a network; not what a BatchNorm keeps."""
    updated = updated_by_forward(run.trace)
    return [
        name for name, parameter in run.trace.parameters.items() if parameter.trainable or name in updated
    ]


def covering(
    twins: Sequence[WeightPair], parameters: Mapping[str, Array]
) -> dict[str, tuple[WeightPair, ...]]:
    """Torch parameters of which weights of aligned operators cover every number."""
    of: dict[str, list[WeightPair]] = defaultdict(list)
    for twin in twins:
        of[twin.name].append(twin)
    return {
        name: tuple(found)
        for name, found in of.items()
        if name in parameters and _all_of(parameters[name].size, found)
    }


def _all_of(size: int, twins: Sequence[WeightPair]) -> bool:
    """Whether these weights are every one of `size` numbers."""
    seen = np.zeros(size, dtype=bool)
    for twin in twins:
        seen[twin.torch.positions] = True
    return bool(seen.all())


def hold_the_same(twin: WeightPair, paddle: Mapping[str, Array], torch: Mapping[str, Array]) -> bool:
    """Whether a weight's numbers are Paddle's where its use says so: what is kept transposed may be used along its other axis."""
    expected, actual = twin.paddle.read(paddle), twin.torch.read(torch)
    return (
        expected is not None
        and actual is not None
        and np.array_equal(expected.reshape(-1), actual.reshape(-1))
    )


def _by_numbers(own: Array, numbers: Numbers) -> tuple[Part, ...]:
    """The parts of Paddle's parameters that a torch parameter is put together of; none if that is not one way alone."""
    return tuple(Part(name, ours, theirs) for name, ours, theirs in numbers.parts(own))


def _turned(paddle: Array | None, torch: Array) -> bool | None:
    """Whether torch holds Paddle's weight transposed; None if it does not hold it at all."""
    if paddle is None or paddle.size != torch.size:
        return None
    if np.array_equal(paddle.reshape(torch.shape), torch):
        return False
    return True if paddle.ndim == 2 and np.array_equal(paddle.T.reshape(torch.shape), torch) else None
