"""Files that ask for much are answered in bounded time and memory, and in one sentence."""

from __future__ import annotations

import pytest

from tests.fuzz.bombs import BOMBS, PROGRAMS, examine, write

SECONDS_MOST = 3.0
"""Of the processor; the files have at most 100 MB, which the readers are meant to answer in 2 s."""
MEGABYTES_MOST = 300
SOUND = {"hundred thousand tensors.safetensors", "50,000 tensors.pdparams"}


@pytest.mark.parametrize("name", [*BOMBS, *PROGRAMS])
def test_a_file_that_asks_for_much_gets_an_answer_in_bounded_time_and_memory(name, tmp_path):
    path = write(tmp_path, name)
    cost = examine(path)
    for written in tmp_path.iterdir():
        written.unlink()
    assert cost.refused is (name not in SOUND), cost.said
    assert cost.seconds < SECONDS_MOST
    assert cost.megabytes < MEGABYTES_MOST
    assert cost.said.isprintable()
    assert len(cost.said) <= 500
