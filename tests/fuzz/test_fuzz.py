"""A slice of the fuzzing, and the same property stated for hypothesis."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convert import open_checkpoint
from parity.errors import ParityError
from parity.setup.inputs import load_inputs
from tests.fuzz.kinds import Kind, Wrong, kinds
from tests.fuzz.mutate import FRAGMENTS
from tests.fuzz.run import Figures, examine, fuzz
from tests.fuzz.seeds import seeds


@pytest.fixture(scope="module")
def every():
    return kinds(seeds())


def test_every_seed_is_read(every, tmp_path):
    for kind in every:
        for name, content in kind.files.items():
            (tmp_path / name).write_bytes(content)
        kind.read(tmp_path)


def test_mutated_inputs_end_in_a_result_or_one_of_our_sentences(every, tmp_path):
    figures = fuzz(every, tmp_path, count=4000, seed=7)
    assert figures.read.total() > 500, "mutations that never leave a sound file test only the first check"
    # A gzip and a trace have a checksum of all of it: no damage leaves them sound.
    idle = {k.name for k in every if not (figures.read[k.name] and figures.refused[k.name] > 20)}
    assert idle <= {"many.tar.gz", "one.pdparams.gz", "linear.trace"}
    assert all(figures.refused[name] for name in idle)
    assert len(figures.messages) > 100


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
def test_any_bytes_end_in_a_result_or_one_of_our_sentences(tmp_path, content):
    (tmp_path / "any.pdparams").write_bytes(content)

    def read(folder):
        with open_checkpoint(folder / "any.pdparams") as checkpoint:
            for ref in checkpoint.values():
                ref.numpy()

    examine(Kind("any", {}, read), tmp_path, Figures())


@pytest.mark.parametrize("error", [KeyError("not one of ours"), MemoryError(), RecursionError()])
def test_the_examination_notices_what_is_no_error_of_ours(tmp_path, error):
    def broken(_: object) -> None:
        raise error

    with pytest.raises(Wrong, match=type(error).__name__):
        fuzz([Kind("x", {"x": pickle.dumps({})}, broken)], tmp_path, count=1, seed=0)


def test_what_a_trace_says_of_itself_is_shown_shortly(every, tmp_path):
    (kind,) = (kind for kind in every if kind.name == "linear.trace")
    content = kind.files["linear.trace"]
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"]["version"] = "x\n" * 2000
    text = json.dumps(header).encode()
    (tmp_path / "linear.trace").write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    figures = Figures()
    examine(kind, tmp_path, figures)
    assert figures.refused.total() == 1


@pytest.mark.parametrize("name", ["shape.npy", "python2.npy", "bomb.npz"])
def test_an_input_that_asks_for_much_takes_no_memory(tmp_path, name):
    path = tmp_path / name
    if name == "bomb.npz":
        np.savez_compressed(path, x=np.zeros(40_000_000, "float32"))
    else:
        np.save(path, np.ones(4, "float32"))
        size = b"(9999999999,)" if name == "shape.npy" else b"(4L,)"
        data = path.read_bytes().replace(b"(4,), }" + b" " * 10, size + b", }" + b" " * (14 - len(size)))
        path.write_bytes(data)
    if name == "python2.npy":
        assert load_inputs(path)["0"].shape == (4,)
    else:
        with pytest.raises(ParityError, match=r"in a file of|would unpack to far more"):
            load_inputs(path)
