"""A whole training program ports without an edit by hand, and trains as Paddle's does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from paddle2torch.port.source import port_source

SCRIPT = Path(__file__).with_name("scripts") / "train.txt"
CLIPPED = 1e-7
"""torch adds 1e-6 to the norm by which it clips, and Paddle keeps the momentum in float32."""


@pytest.fixture
def float64():
    before = paddle.get_default_dtype(), torch.get_default_dtype()
    paddle.set_default_dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    paddle.set_default_dtype(before[0])
    torch.set_default_dtype(before[1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("own", [False, True], ids=["warm-up and cosine", "a schedule of one's own"])
def test_a_training_program_ports_and_its_losses_are_paddles(own, float64):
    text = SCRIPT.read_text()
    done = port_source(text)
    assert not done.left
    results = []
    for source in (text, done.text):
        space = {"__name__": "train"}
        exec(source, space)
        results.append(space["main"](own))
    (losses, *shares), (ported, *theirs) = results
    assert len(losses) == 10
    assert max(losses) - min(losses) > 0.1
    assert np.abs(np.array(losses) - np.array(ported)).max() < CLIPPED
    assert shares == theirs
