"""Random numbers that no framework draws: Python's and numpy's generators, seeded alike for every run and put back afterwards."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def seeded(seed: int) -> Iterator[Callable[[], list[str]]]:
    """Within, both global generators start from `seed`; what is yielded tells which of them were drawn from since."""
    before = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    start = _states()

    def drawn() -> list[str]:
        return [name for name, state in _states().items() if state != start[name]]

    try:
        yield drawn
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def _states() -> dict[str, Any]:
    state: Any = np.random.get_state()
    kind, words, *rest = state
    return {"Python's random": random.getstate(), "numpy.random": (kind, bytes(words), *rest)}
