"""Damaged files of inputs and of names: read, or refused in one sentence."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from PIL import Image

from convert.errors import ConvertError
from paddle2torch.options import names_in
from parity.errors import ParityError
from parity.setup.inputs import load_inputs
from tests.fuzz.test_trace_files import damaged_bytes

ROUNDS = 400
PIXELS = np.random.default_rng(0).integers(0, 255, (9, 7, 3)).astype(np.uint8)


def make(path) -> None:
    match path.name:
        case "plain.npy":
            np.save(path, PIXELS.astype(np.float32))
        case "stored.npz":
            np.savez(path, PIXELS, mask=PIXELS[0] > 9)
        case "deflated.npz":
            np.savez_compressed(path, x=PIXELS, ids=PIXELS[0].astype(np.int64))
        case "names.txt":
            path.write_text("conv1.weight\nconv1.bias\n")
        case _:
            Image.fromarray(PIXELS).save(path)


@pytest.mark.parametrize(
    "name", ["plain.npy", "stored.npz", "deflated.npz", "x.png", "x.jpg", "x.bmp", "x.webp", "names.txt"]
)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(name, tmp_path):
    whole, path, rng = tmp_path / name, tmp_path / f"damaged-{name}", random.Random(0)
    make(whole)
    data, told = whole.read_bytes(), []
    read = names_in if name.endswith(".txt") else load_inputs
    assert read(whole)
    for _ in range(ROUNDS):
        path.write_bytes(damaged_bytes(data, rng))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow warns of what it can still read
                read(path)
        except (ParityError, ConvertError) as error:
            told.append(str(error).replace(str(tmp_path), ""))
    assert len(told) > ROUNDS / 20
    assert max(map(len, told)) < 500
    assert all("\n" not in line for line in told)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array(["a"]), "holds <U1 values"),
        (np.array([1j]), "complex"),
        (np.zeros((0, 3), np.float32), "nothing to compare on"),
        (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        (np.array([np.nan], np.float32), "NaN"),
    ],
)
def test_arrays_that_no_model_takes_are_refused_with_the_files_name(array, words, tmp_path):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ParityError, match=rf"input 0 .*{words}"):
        load_inputs(tmp_path / "x.npy")


def test_a_header_that_promises_a_terabyte_takes_no_memory(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(8, np.float32))
    data = (tmp_path / "x.npy").read_bytes().replace(b"(8,), }            ", b"(274877906944,), } ")
    (tmp_path / "x.npy").write_bytes(data)
    with pytest.raises(ParityError, match="cannot read the input file"):
        load_inputs(tmp_path / "x.npy")
