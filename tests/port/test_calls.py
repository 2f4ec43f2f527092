"""Calls with arguments of every kind: what is ported without a word gives Paddle's values, shapes and dtypes.

`calls/*.txt` has one call a line, of the inputs below. What Paddle itself refuses is passed over.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from paddle2torch.port.source import port_source

FOLDER = Path(__file__).with_name("calls")
LOUD = {
    "paddle.mean(i)": "torch has no mean of integers, and says so",
    "F.one_hot(lab.astype('int32'), 5)": "torch wants int64, and says so",
    "paddle.norm(m, 'nuc')": "torch has it for matrices only, and says so",
    "paddle.pow(j, 2.0)": "float32: Paddle cuts the exponent off to int64",
    "paddle.prod(i32)": "int64: torch widens the product of integers",
    "paddle.numel(x)": "a number",
    "x.numel()": "a number",
    "x.size": "a number",
    "x.rank()": "a number",
    "paddle.rank(x)": "a number",
    "l = nn.Linear(4, 2); sum([q.numel() for q in l.parameters()])": "a number",
    "paddle.shape(x)": "the sizes as torch.Size",
    "paddle.get_default_dtype()": "a dtype, no text",
    "paddle.allclose(x, x).item()": "a bool, which has no item(), and says so",
    "z = x.clone(); z.fill_diagonal_(2.0); z": "torch wants equal sizes, and says so",
    "nn.MaxPool2D(3, 2, 1, True)(im)": "the mask is int64",
    "F.max_pool2d(im, kernel_size=2, stride=1, return_mask=True)": "the mask is int64",
    "F.adaptive_max_pool2d(im, 3, return_mask=True)": "the mask is int64",
}
"""Calls of which the port raises, or gives another dtype, and why that is left."""


def inputs():
    rng = np.random.default_rng(0)
    normal = {"x": (2, 3, 4), "y": (2, 3, 4), "m": (3, 4), "w": (4, 5), "v": (5,), "im": (2, 3, 8, 8)}
    found = {name: rng.standard_normal(shape).astype("float32") for name, shape in normal.items()}
    return {
        **found,
        "p": np.abs(rng.standard_normal((2, 3, 4))).astype("float32") + np.float32(0.1),
        "d": rng.standard_normal((2, 3)),
        "i": rng.integers(-5, 6, (2, 3, 4)),
        "j": rng.integers(1, 6, (2, 3, 4)),
        "i32": rng.integers(1, 6, (2, 3, 4)).astype("int32"),
        "b": rng.integers(0, 2, (2, 3, 4)).astype("bool"),
        "idx": np.array([2, 0, 1, 1]),
        "row": np.array([[0, 2], [1, 0], [2, 1]]),
        "lab": np.array([1, 3, 0]),
        "half": rng.standard_normal((2, 3)).astype("float16"),
        "s": np.array(2.5, "float32"),
        "dup": np.array([[3.0, 1.0, 3.0], [1.0, 3.0, 2.0]], "float32"),
    }


INPUTS = inputs()
HEAD = "import numpy as np\nimport paddle\nimport paddle.nn.functional as F\nfrom paddle import nn\n\n\n"
DEFINED = f"def f({', '.join(f'{name}: paddle.Tensor' for name in INPUTS)}):\n"


def source(call):
    *before, last = call.split("; ")
    return HEAD + DEFINED + "".join(f"    {line}\n" for line in [*before, f"return {last}"])


def run(text, tensor):
    space = {}
    exec(text, space)
    return flat(space["f"](**{name: tensor(np.array(value)) for name, value in INPUTS.items()}))


def flat(value):
    if isinstance(value, (list, tuple)):
        return [part for each in value for part in flat(each)]
    if isinstance(value, (torch.Tensor, paddle.Tensor)):
        array = (value.detach() if isinstance(value, torch.Tensor) else value).numpy()
        return [(str(value.dtype).split(".")[-1], array)]
    return [(type(value).__name__, np.array(value))]


def apart(expected, actual):
    if len(expected) != len(actual):
        return f"{len(expected)} results became {len(actual)}"
    for (kind, one), (other_kind, other) in zip(expected, actual, strict=True):
        if kind != other_kind or one.shape != other.shape:
            return f"{kind} {one.shape} became {other_kind} {other.shape}"
        if one.dtype.kind in "fiubc":
            if not np.allclose(one, other, rtol=2e-4, atol=2e-5, equal_nan=True):
                return "other values"
        elif str(one) != str(other):
            return f"{one} became {other}"
    return ""


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_call_that_is_ported_without_a_word_gives_what_paddle_gives(path):
    wrong, run_of_them = {}, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in path.read_text().splitlines():
            text = source(call)
            try:
                expected = run(text, paddle.to_tensor)
            except Exception:
                continue
            done = port_source(text)
            if done.left:
                continue
            run_of_them += 1
            try:
                told = apart(expected, run(done.text, torch.from_numpy))
            except Exception as error:
                told = str(error).strip().splitlines()[0]
            if told:
                wrong[call] = f"{done.text.strip().splitlines()[-1]}: {told}"
    assert run_of_them > 10
    assert {call: why for call, why in wrong.items() if call not in LOUD} == {}
