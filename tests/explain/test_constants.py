"""Constants that differ are told by their numbers, and by what makes torch's of Paddle's."""

from __future__ import annotations

import numpy as np
import pytest

from parity.explain.claims import Claim
from parity.explain.telling import tell
from parity.results.finding import Subject
from parity.trace.values import ValueStore


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], "[4, 3, 2, 1, ...] in torch, [0, 1, 2, 3, ...] in Paddle; torch's are Paddle's the other way round"),
        ([0, 1, 2], [1, 2, 3], "torch's are Paddle's and a number more or less"),
        ([0.0, 1.5, 2.0], [0.0, 3.0, 4.0], "torch's are a multiple of Paddle's"),
        ([1, 3, 2], [3, 2, 1], "torch's are Paddle's in another order"),
        ([1, 2], [1, 2, 3], "[1, 2, 3] in torch, [1, 2] in Paddle"),
        ([True, False], [False, False], "[False, False] in torch, [True, False] in Paddle"),
        ([1j, 2.0], [2.0, 1j], "in torch"),
    ],
)  # fmt: skip
def test_numbers_that_are_made_otherwise_are_shown(hand, tmp_path, theirs, ours, told):
    hand.pair("constant", 1, [])
    hand.pair("add", 2, [0, 1])
    evidence = hand.evidence()
    for run, value, numbers in ((evidence.paddle, 1, theirs), (evidence.torch, 101, ours)):
        run.store = ValueStore(tmp_path / str(value))
        hand.stores.append(run.store)
        run.store.put(str(value), np.array(numbers))
    finding = tell.finding(Claim(Subject.UNEXPLAINED, evidence.alignment.pairs[0]), evidence)
    assert told in finding.cause
