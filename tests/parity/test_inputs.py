"""Inputs as people have them: several, of whole numbers, images of bytes; and one sentence where they do not fit the model."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import parity
from convert.errors import ConvertError
from paddle2torch.cli import _joined
from paddle2torch.options import inputs_of
from parity.setup.inputs import Wanted, random_input, random_inputs


class PaddleIds(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.words = paddle.nn.Embedding(30, 4)

    def forward(self, ids, mask):
        return self.words(ids) * mask.astype(self.words.weight.dtype).unsqueeze(-1)


class TorchIds(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(30, 4)

    def forward(self, ids, mask):
        return self.words(ids) * mask.to(self.words.weight.dtype).unsqueeze(-1)


def test_each_input_has_a_name_sizes_and_a_type():
    assert inputs_of("2,3,224,224") == {"0": Wanted((2, 3, 224, 224))}
    assert inputs_of("2x3 4,5:uint8") == {"0": Wanted((2, 3)), "1": Wanted((4, 5), "uint8")}
    assert inputs_of("ids:2,16:int64:30522 mask:2,16:bool x:2,3") == {
        "ids": Wanted((2, 16), "int64", 30522),
        "mask": Wanted((2, 16), "bool"),
        "x": Wanted((2, 3)),
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b", "write sizes with commas, such as 2,3,224,224, or NAME:SIZES:TYPE"),
        ("ids:2,16:int64:many", "write sizes with commas"),
        ("ids:2,16:long", "long is none of float32, int64, int32, uint8, bool"),
        ("2,16:float32:7", "only whole numbers are below something"),
        ("0,3", "every size must be at least 1"),
        ("-2,3", "every size must be at least 1"),
        ("x:2 x:3", "there is another input 'x'"),
    ],
)
def test_what_is_no_input_is_told(text, sentence):
    with pytest.raises(ConvertError, match=f"--shape .*{sentence}"):
        inputs_of(text)


def test_a_word_behind_the_shapes_is_no_shape():
    words = ["--shape", "ids:2,16:int64", "mask:2,16:bool", "lenet", "--seed", "3"]
    assert _joined(words) == ["--shape", "ids:2,16:int64 mask:2,16:bool", "lenet", "--seed", "3"]
    assert _joined(["--shape", "2,3,8,8", "net.py:Net"]) == ["--shape", "2,3,8,8", "net.py:Net"]


def test_made_up_inputs_are_what_was_asked_for():
    made = random_inputs(
        inputs_of("2,3,4 ids:2,50:int64:7 old:3:int32 mask:40:bool image:1,3,9,9:uint8"), seed=3
    )
    assert np.array_equal(made["0"], random_input((2, 3, 4), seed=3))
    assert {name: array.dtype.name for name, array in made.items()} == {
        "0": "float32",
        "ids": "int64",
        "old": "int32",
        "mask": "bool",
        "image": "uint8",
    }
    assert made["ids"].max() == 6
    assert made["image"].max() > 200
    assert 0 < made["mask"].sum() < 40


def test_several_inputs_of_whole_numbers_are_compared():
    models = PaddleIds(), TorchIds()
    with torch.no_grad():
        models[1].words.weight.copy_(torch.from_numpy(models[0].words.weight.numpy()))
    assert parity.check(*models, random_inputs(inputs_of("ids:2,16:int64 mask:2,16:bool")), mode="eval")


def layers(name: str, *arguments):
    return getattr(paddle.nn, name)(*arguments), getattr(torch.nn, name.replace("2D", "2d"))(*arguments)


@pytest.mark.parametrize(
    ("models", "inputs", "sentence"),
    [
        (
            layers("Embedding", 30, 4),
            np.zeros((2, 5), np.float32),
            "it takes whole numbers: --shape ids:2,16:int64, or an array",
        ),
        (
            layers("Embedding", 30, 4),
            np.full((2, 5), 99),
            "the numbers go up to 99: --shape ids:2,16:int64:100 makes up",
        ),
        (
            layers("Conv2D", 3, 4, 3),
            np.zeros((2, 3, 8, 8), np.uint8),
            r"holds whole numbers \(uint8\) where it takes float32",
        ),
        (
            layers("Linear", 3, 4),
            np.zeros((2, 3), np.int64),
            r"holds whole numbers \(int64\) where it takes float32",
        ),
        (
            (PaddleIds(), TorchIds()),
            np.zeros((2, 5), np.int64),
            "takes several inputs: give each with its name, --shape ids:2,16",
        ),
        (layers("Linear", 3, 4), (np.zeros((2, 3), np.float32),) * 2, "it was given 2 inputs: 0, 1"),
    ],
)
def test_inputs_that_do_not_fit_are_answered_with_what_to_type(models, inputs, sentence):
    with pytest.raises(parity.ParityError, match=sentence):
        parity.check(*models, inputs, mode="eval")
