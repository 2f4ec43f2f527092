"""Random numbers that no framework draws: Python's and numpy's generators, seeded alike for every run and put back afterwards."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


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
def seeded(seed: int) -> Iterator[Callable[[], list[str]]]:
    """Within, both global generators start from `seed`; what is yielded tells which of them were drawn from since."""
    _SHARED.enter(seed)
    try:
        yield lambda: [name for name, state in _states().items() if state != _SHARED.start[name]]
    finally:
        _SHARED.leave()


def _states() -> dict[str, Any]:
    state: Any = np.random.get_state()
    kind, words, *rest = state
    return {"Python's random": random.getstate(), "numpy.random": (kind, bytes(words), *rest)}
