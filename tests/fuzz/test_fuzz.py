"""A slice of the fuzzing, and the same property stated for hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import FRAGMENTS
from tests.fuzz.run import Figures, Wrong, examine, fuzz
from tests.fuzz.seeds import seeds


@pytest.fixture(scope="module")
def contents():
    return seeds()


def test_mutated_files_end_in_a_checkpoint_or_one_of_our_errors(contents, tmp_path):
    figures = fuzz(contents, tmp_path, count=3000, seed=7)
    assert figures.read > 100, "mutations that never leave a checkpoint test only the first check"
    assert figures.refused > 1500
    assert len(figures.messages) > 20


pickles = st.lists(
    st.one_of(
        st.sampled_from(FRAGMENTS),
        st.sampled_from(
            [b"N", b"K\x03", b"\x8c\x01a", b"X\x01\x00\x00\x00b", b"C\x04abcd", b"(", b"t", b"]", b"\x94"]
        ),
        st.binary(max_size=6),
    ),
    max_size=60,
).map(lambda parts: b"\x80\x04" + b"".join(parts) + b".")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(pickles, st.binary(max_size=200)))
def test_any_bytes_end_in_a_checkpoint_or_one_of_our_errors(tmp_path, content):
    path = tmp_path / "any.pdparams"
    path.write_bytes(content)
    examine(path, Figures())


def test_the_examination_notices_wrong_behaviour(tmp_path, monkeypatch, contents):
    from tests.fuzz import run

    def broken(*_: object, **__: object) -> None:
        raise KeyError("not one of ours")

    monkeypatch.setattr(run, "open_checkpoint", broken)
    with pytest.raises(Wrong, match=r"KeyError"):
        fuzz(contents, tmp_path, count=1, seed=0)
