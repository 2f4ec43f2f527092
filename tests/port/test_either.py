"""Methods that tensors and arrays have in different ways, where the code does not say which it has: a run tells."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from paddle2torch.port.source import port_source

SOURCE = "import paddle\n\n\ndef f(x):\n    return {}\n"
CALLS = [
    'x.astype("int64")',
    "x.astype(dtype=paddle.float64)",
    "x.transpose([1, 2, 0])",
    "x.transpose(perm=[0, 2, 1])",
    "x.reshape([0, -1])",
    "x.reshape(6, 4)",
    "x.reshape([-1])",
    "x.view([6, -1])",
    "x.max()",
    "x.max(1)",
    "x.min(axis=-1, keepdim=True)",
    "x.split(2)",
    "x.split([1, 2], axis=1)",
    "x.clip(0, 1)",
    "x[:, ::-1]",
    "x[..., 1, 2:0:-1]",
]


def run(text, x):
    space = {}
    exec(text, space)
    return space["f"](x)


@pytest.mark.parametrize("call", CALLS)
def test_of_a_tensor_it_is_paddles(call):
    text = SOURCE.format(call)
    done = port_source(text)
    assert not done.left
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    expected, actual = run(text, paddle.to_tensor(x)), run(done.text, torch.from_numpy(x))
    if "split" in call:
        assert [part.shape for part in expected] == [list(part.shape) for part in actual]
        return
    assert str(expected.dtype).split(".")[-1] == str(actual.dtype).split(".")[-1]
    assert np.array_equal(expected.numpy(), actual.numpy())


@pytest.mark.parametrize(
    "call", ['x.astype("int64")', "x.transpose([1, 2, 0])", "x.max(1)", "x.reshape(6, 4)", "x[:, ::-1]"]
)
def test_of_an_array_it_is_the_arrays(call):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    text = SOURCE.format(call)
    assert np.array_equal(run(text, x), run(port_source(text).text, x))


def test_of_text_it_is_the_texts():
    text = port_source(SOURCE.format("x.split(*[])")).text
    assert run(text, "a b") == ["a", "b"]


def test_a_forward_may_take_a_list_backwards():
    text = "from paddle import nn\n\n\nclass N(nn.Layer):\n    def forward(self, x):\n        return x[1:][::-1]\n"
    done = port_source(text)
    space = {}
    exec(done.text, space)
    assert not done.left
    assert space["N"]()([1, 2, 3]) == [3, 2]
    assert space["N"]()(torch.tensor([1, 2, 3])).tolist() == [3, 2]


def test_what_is_set_with_other_names_is_told():
    lines = "    x.stop_gradient = y.stop_gradient = False\n    a = x.stop_gradient = True\n"
    done = port_source(f"import paddle\n\n\ndef f(x: paddle.Tensor, y: paddle.Tensor):\n{lines}")
    assert "x.requires_grad = y.requires_grad = True" in done.text
    assert [left.line for left in done.left] == [6]


def test_what_is_set_backwards_is_told():
    done = port_source("import paddle\n\n\ndef f(x: paddle.Tensor):\n    x[::-1] = 1\n    x[:, ::-1] += 1\n")
    assert len(done.left) == 2
