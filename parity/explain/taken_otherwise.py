"""Guesses at the front: right values are taken in each other's place, or a module is called with another one than Paddle's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import combinations

from parity.explain.claims import Front
from parity.explain.guess import DEEP, Guess, by_size, each_run
from parity.explain.prints import Half
from parity.trace.trace import Op

Result = tuple[Op, int]
"""A result of a call: the operator, and which of its outputs it is."""


def exchanged(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """Two results of one line are taken in each other's place: of two calls, or of a call that has several; at every run of the line."""
    read = {value for op in ours.suspects for value in op.inputs.values()}
    by_line: dict[tuple[str, str, str], list[Op]] = {}
    for op in ours.side.ops:
        by_line.setdefault((op.line, op.name, op.module), []).append(op)
    for calls in by_line.values():
        for runs in _two_results(ours, calls):
            for number, (one, other) in enumerate(runs):
                values = _value(one), _value(other)
                known = all(map(ours.is_shared, values))
                if known and len(read.intersection(values)) >= (2 if len(one[0].outputs) > 2 else 1):
                    twins = ours.alike[values[1]][0], ours.alike[values[0]][0]
                    if ours.side.size(values[0]) == ours.side.size(values[1]) and twins[0] != twins[1]:
                        rank = False, one[0].line not in lines, 2, one[0].index
                        front = partial(_in_each_others_place, ours, theirs, runs, number, twins)
                        yield Guess(rank, one[0], twins[0], front, values)
                    break


def _two_results(ours: Half, calls: Sequence[Op]) -> Iterator[list[tuple[Result, Result]]]:
    """Every two results of a line, at each of its runs."""
    several = range(min(len(op.outputs) for op in calls))
    if len(several) > 1:
        for one, other in combinations(several, 2):
            yield [((op, one), (op, other)) for op in calls]
    elif len(calls) == 2 or (len(calls) % 2 == 0 and ours.at_once(calls[0], calls[1])):
        yield [((one, 0), (other, 0)) for one, other in zip(calls[::2], calls[1::2], strict=True)]


def _value(result: Result) -> int:
    op, number = result
    return op.outputs[number]


def _in_each_others_place(
    ours: Half, theirs: Half, runs: Sequence[tuple[Result, Result]], known: int, twins: tuple[int, int]
) -> Front:
    """At every run of the line what Paddle has in the other's place, if that is as often; else at the one where it is known."""
    expected = [each_run(theirs, value, len(runs), known) for value in twins]
    if not all(expected):
        runs, expected = runs[known : known + 1], [[value] for value in twins]
    given: dict[int, int] = {}
    for pair, values in zip(runs, zip(*expected, strict=True), strict=True):
        given.update(zip(map(_value, pair), values, strict=True))
    inputs: dict[int, dict[str, int]] = {}
    for op in ours.side.trace.ops:
        for slot, value in op.inputs.items():
            if value in given:
                inputs.setdefault(op.index, {})[slot] = given[value]
    both = {op.index: op for op, _ in runs[known if len(runs) > known else 0]}
    source = theirs.side.maker.get(twins[0])
    return Front(tuple(both.values()), twins, source=source, exchanged=True, inputs=inputs)


def handed_in(ours: Half, theirs: Half, lines: Collection[str]) -> Iterator[Guess]:
    """A module is called with a value that it uses in several places, and Paddle has another one there; at every call."""
    others = by_size(theirs, DEEP)
    runs: dict[tuple[str, str, str], list[Op]] = {}
    for op in ours.side.ops:
        runs.setdefault((op.line, op.name, op.module), []).append(op)
    tried: set[tuple[str, int]] = set()
    for op in ours.suspects:
        for value in filter(ours.is_shared, ours.taken(op) - ours.side.parameters.keys()):
            module = _entered(ours, op, value)
            begun = _begun(ours, module, op)
            readers = [
                one
                for one in ours.side.readers.get(value, ())
                if _is_inside(one.module, module) and _begun(ours, module, one) == begun
            ]
            if len(readers) < 2 or (module, value) in tried:
                continue
            tried.add((module, value))
            inside = [one for one in ours.suspects if _is_inside(one.module, module)]
            near: dict[int, int] = {}
            for one in inside:
                for _, origin in others.get(ours.side.size(one.outputs[0]), ()):
                    made = {v for maker in origin.way for v in maker.outputs}
                    for wanted in (made | origin.values) - theirs.side.parameters.keys():
                        near[wanted] = min(origin.levels, near.get(wanted, DEEP))
            calls = [runs[one.line, one.name, one.module] for one in readers]
            for wanted, far in near.items():
                if theirs.side.size(wanted) == ours.side.size(value) and wanted not in ours.alike[value]:
                    rank = False, op.line not in lines, far, op.index
                    front = partial(_into_the_call, theirs, value, readers, calls, wanted, module)
                    yield Guess(rank, op, wanted, front, (value,))


def _entered(half: Half, op: Op, value: int) -> str:
    """The outermost module whose call, in which an operator runs, a value comes into from outside; "" if there is none."""
    maker = half.side.maker.get(value)
    parts = op.module.split(".")
    paths = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    return next((path for path in paths if maker is None or maker.index < _begun(half, path, op)), "")


def _begun(half: Half, module: str, op: Op) -> int:
    """The first operator of a module's call in which an operator runs; -1 where that is not known."""
    return max((at for at, _ in half.side.trace.calls.get(module, ()) if at <= op.index), default=-1)


def _is_inside(path: str, module: str) -> bool:
    return bool(module) and (path == module or path.startswith(f"{module}."))


def _into_the_call(
    theirs: Half, value: int, readers: Sequence[Op], calls: Sequence[Sequence[Op]], wanted: int, module: str
) -> Front:
    places = {(len(ops), ops.index(one)) for one, ops in zip(readers, calls, strict=True)}
    count, known = places.pop()
    expected = [] if places else each_run(theirs, wanted, count, known)
    if not expected:
        calls, expected = [[one] for one in readers], [wanted]
    inputs: dict[int, dict[str, int]] = {}
    for one, ops in zip(readers, calls, strict=True):
        slots = [slot for slot, taken in one.inputs.items() if taken == value]
        for op, given in zip(ops, expected, strict=True):
            inputs.setdefault(op.index, {}).update(dict.fromkeys(slots, given))
    source = theirs.side.maker.get(wanted)
    return Front((readers[0],), (wanted,), source=source, surplus=(value,), called=module, inputs=inputs)
