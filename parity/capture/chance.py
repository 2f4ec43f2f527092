"""Random numbers that no framework draws: Python's and numpy's generators, the same in every run and put back afterwards.

The two of the process are seeded; a generator of the model's own (`self.rng`, or one that its code names) starts from where it stands.
"""

from __future__ import annotations

import copy
import random
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from parity.capture.source import own_classes

Generators = dict[str, Any]
"""Where a generator of the model's own is held -> `random.Random`, `numpy.random.Generator` or `RandomState`."""

_KINDS = (random.Random, np.random.Generator, np.random.RandomState)
_FARTHEST = 3
"""Over how many functions that call each other a generator is looked for."""


class _Shared:
    """The generators belong to the process: two runs at once share one seeding, and the last one out puts back what was there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runs = 0
        self.before: tuple[Any, Any] = ((), ())
        self.start: dict[str, Any] = {}

    def enter(self, seed: int) -> None:
        with self.lock:
            if not self.runs:
                self.before = random.getstate(), np.random.get_state()
                random.seed(seed)
                np.random.seed(seed)
                self.start = _states()
            self.runs += 1

    def leave(self) -> None:
        with self.lock:
            self.runs -= 1
            if not self.runs:
                random.setstate(self.before[0])
                np.random.set_state(self.before[1])


_SHARED = _Shared()


@contextmanager
def seeded(seed: int, model: Iterable[tuple[str, Any]] = ()) -> Iterator[Callable[[], list[str]]]:
    """Within, both global generators start from `seed`; what is yielded tells which generators were drawn from since.

    model: its modules by their paths, whose own generators are looked at too.
    """
    own = _generators(model)
    before = {name: copy.deepcopy(_state(generator)) for name, generator in own.items()}

    def moved() -> list[str]:
        return [name for name in own if _frozen(_state(own[name])) != _frozen(before[name])]

    _SHARED.enter(seed)
    try:
        yield lambda: [
            *(name for name, state in _states().items() if state != _SHARED.start[name]),
            *(f"a generator of its own (`{name}`)" for name in moved()),
        ]
    finally:
        _SHARED.leave()
        for name in moved():
            _put_back(own[name], before[name])


def _states() -> dict[str, Any]:
    return {"Python's random": random.getstate(), "numpy.random": _frozen(np.random.get_state())}


def _state(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state()
    return generator.bit_generator.state


def _put_back(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state


def _frozen(state: Any) -> Any:
    """The same to compare: arrays as bytes."""
    if isinstance(state, dict):
        return {name: _frozen(value) for name, value in state.items()}
    if isinstance(state, tuple):
        return tuple(map(_frozen, state))
    return state.tobytes() if isinstance(state, np.ndarray) else state


def _generators(model: Iterable[tuple[str, Any]]) -> Generators:
    """The generators that modules hold, or that functions of theirs name."""
    found: dict[int, tuple[str, Any]] = {}
    seen: set[int] = set()
    for path, module in model:
        held = {".".join(filter(None, (path, name))): value for name, value in vars(module).items()}
        written = [value for cls in own_classes(module) for value in vars(cls).values()]
        functions = [one for one in (*held.values(), *written) if isinstance(one, types.FunctionType)]
        own = [(name, value) for name, value in held.items() if _is_own(value)]
        for name, value in (*own, *_named(functions, seen, _FARTHEST)):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _named(functions: Iterable[Any], seen: set[int], far: int) -> Iterator[tuple[str, Any]]:
    """Name and generator, for those that the functions, or functions of theirs, name."""
    for function in functions:
        if id(function) in seen:
            continue
        seen.add(id(function))
        code, inside = function.__code__, function.__globals__
        names = {name: inside[name] for name in code.co_names if name in inside}
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not made yet
                continue
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        names.update((f"a default of {code.co_name}", value) for value in defaults if _is_own(value))
        for name, value in names.items():
            if _is_own(value):
                yield name, value
            elif isinstance(value, types.FunctionType) and far:
                yield from _named([value], seen, far - 1)


def _is_own(value: Any) -> bool:
    # SystemRandom has no state to look at.
    return isinstance(value, _KINDS) and not isinstance(value, random.SystemRandom)
