"""Detaches in parts that the two sides write otherwise, where no operators pair: known by the numbers of what is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from parity.explain.front import LARGEST
from parity.explain.guess import DEEP
from parity.explain.lines import LAID_OUT
from parity.explain.prints import Half, Side
from parity.runs.run import Run
from parity.trace.trace import Op, Trace


class Unpaired(NamedTuple):
    """A detach on one side alone.

    side: which. reader: what the other side makes of the same numbers, with their gradient. value: torch's value whose gradient differs by it.
    """

    side: str
    detach: Op
    reader: Op
    value: int


def unpaired(paddle: Run, torch: Run) -> Iterator[Unpaired]:
    """The detaches of either side whose numbers the other side goes on with, with their gradient, to the same results."""
    if not any(map(is_detach, (*paddle.trace.ops, *torch.trace.ops))) or _too_large(paddle, torch):
        return
    sides = Side(paddle, {}), Side(torch, {})
    halves = Half(*sides), Half(*sides[::-1])
    for name, mine, other, run in (("Paddle", *halves, torch), ("torch", *halves[::-1], paddle)):
        for op in filter(is_detach, mine.side.trace.ops):
            source = _root(mine.side.trace, op.inputs["x"])
            same = frozenset(mine.alike.get(source, ()))
            made = {twin for value in _made_of(mine, op, same) for twin in mine.alike[value]}
            if any(
                _root(other.side.trace, one.inputs["x"]) in same
                and not made.isdisjoint(_made_of(other, one, same))
                for one in filter(is_detach, other.side.trace.ops)
            ):
                # The other side has this detach, too.
                continue
            for twin in _first(other.side.trace, same) if made else ():
                for reader, slot, value in _readers(other.side.trace, twin):
                    flows = slot in other.side.trace.flows.get(str(reader.index), ())
                    arrives = any(f"grad:{result}" in run.store for result in reader.outputs)
                    if flows and arrives and made.intersection(_results(other, reader, same)):
                        yield Unpaired(name, op, reader, value if name == "Paddle" else source)


def _made_of(half: Half, detach: Op, same: frozenset[int]) -> set[int]:
    """What is made of a detached value."""
    readers = {op.index: op for op, _, _ in _readers(half.side.trace, detach.outputs[0])}
    return {value for op in readers.values() for value in _results(half, op, same)}


def _first(trace: Trace, values: frozenset[int]) -> list[int]:
    """Of values of the same numbers those that are not made of one another."""
    return [v for v in values if v not in trace.maker or values.isdisjoint(trace.maker[v].inputs.values())]


def _results(half: Half, op: Op, same: frozenset[int]) -> set[int]:
    """What an operator makes, as far as the other side has it, or what is made of that; `same`: what is no result, but what it takes."""
    found: set[int] = set()
    seen, front = {op.index}, [op]
    for _ in range(DEEP):
        made = [value for one in front for value in one.outputs]
        shared = {v for v in made if half.is_shared(v) and v not in same and same.isdisjoint(half.alike[v])}
        found |= shared
        behind = (
            reader
            for value in made
            if value not in shared
            for reader, _, _ in _readers(half.side.trace, value)
        )
        front = list({one.index: one for one in behind if one.index not in seen}.values())
        seen |= {one.index for one in front}
    return found


def is_detach(op: Op) -> bool:
    return bool(op.attributes.get("detached"))


def _readers(trace: Trace, value: int) -> Iterator[tuple[Op, str, int]]:
    """What takes a value, as it is or laid out otherwise, in which slot, and the value that it takes; but no detached one."""
    stack = [value]
    while stack:
        at = stack.pop()
        for op in trace.ops:
            for slot, taken in op.inputs.items():
                if taken == at and op.kind in LAID_OUT:
                    stack += [] if is_detach(op) else op.outputs
                elif taken == at:
                    yield op, slot, at


def _root(trace: Trace, value: int) -> int:
    """The value that is laid out otherwise to a value."""
    while (op := trace.maker.get(value)) is not None and op.kind in LAID_OUT:
        value = op.inputs["x"]
    return value


def _too_large(*runs: Run) -> bool:
    return any(
        sum(prod(v.shape) for v in run.trace.values if v.origin == "operator") > LARGEST for run in runs
    )
