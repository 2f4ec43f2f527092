"""Numbers that a model takes out of tensors (`.item()`, `float(x)`, `.numpy()`): whatever they come from gets no gradient by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from parity.trace.trace import Trace


class Taken(NamedTuple):
    """One such number: the call, its line, the parameters that it comes from, and every value on the way."""

    call: str
    line: str
    parameters: frozenset[str]
    values: frozenset[int]


def taken_from(trace: Trace) -> list[Taken]:
    """The numbers that a run took out of what has a gradient, each place once."""
    made = {value: op for op in trace.ops for value in op.outputs}
    owned = {parameter.value: name for name, parameter in trace.parameters.items() if parameter.trainable}
    found: dict[tuple[str, frozenset[str]], Taken] = {}
    for value, call, line in trace.reads:
        seen: set[int] = set()
        stack = [value]
        while stack:
            one = stack.pop()
            if one not in seen:
                seen.add(one)
                stack.extend(made[one].inputs.values() if one in made else ())
        parameters = frozenset(owned[one] for one in seen if one in owned)
        found.setdefault((line, parameters), Taken(call, line, parameters, frozenset(seen)))
    return list(found.values())


def one_sided(
    paddle: Trace, torch: Trace, names: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, Taken]]:
    """Side and number of what only one side takes out; `names` leads from torch's parameters to Paddle's."""
    ours, theirs = taken_from(torch), taken_from(paddle)
    twins = [frozenset[str]().union(*(names.get(name, {name}) for name in one.parameters)) for one in ours]
    left = [one.parameters for one in theirs]
    for one, twin in zip(ours, twins, strict=True):
        if twin in left:
            left.remove(twin)
        else:
            yield "torch", one
    for one in theirs:
        if one.parameters in twins:
            twins.remove(one.parameters)
        else:
            yield "Paddle", one
