"""Calls whose arguments only a run tells: ours take Paddle's own arguments there, and the calls around stay as they are."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

import paddle2torch
from paddle2torch.port.package import port_files
from paddle2torch.port.source import port_source

WRAPPED = """import paddle
from paddle import nn


def norm(*args, **kwargs):
    return nn.BatchNorm2D(*args, **kwargs)


def begin(parameter, **kwargs):
    initializer = nn.initializer.Constant(**kwargs)
    initializer(parameter, parameter.block)


class Block(nn.Layer):
    def __init__(self, i, o, k, **kwargs):
        super().__init__()
        self.conv = nn.Conv2D(i, o, k, **kwargs)
        self.norm = norm(o, 0.8, epsilon=1e-3, data_format=kwargs.get("data_format", "NCHW"))
        begin(self.norm.weight, value=0.5)

    def forward(self, x):
        return self.norm(self.conv(x))


class Net(nn.Layer):
    def __init__(self, data_format="NCHW"):
        super().__init__()
        first = nn.initializer.XavierUniform(fan_in=3, fan_out=4)
        self.a = Block(3, 4, 3, stride=2, padding="SAME", bias_attr=False, data_format=data_format)
        self.b = Block(4, 5, 3, padding=[1, 0, 1, 2], weight_attr=first, data_format=data_format)

    def forward(self, x):
        return self.b(self.a(x))
"""


def made(text):
    space = {}
    exec(text, space)
    return space


@pytest.mark.filterwarnings("ignore:When training, we now always track")
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_layer_behind_stars_computes_the_same(layout):
    done = port_source(WRAPPED)
    assert not done.left
    assert "begin(self.norm.weight, value=0.5)" in done.text
    expected, actual = made(WRAPPED)["Net"](layout), made(done.text)["Net"](layout)
    assert float(actual.a.norm.weight.detach()[0]) == 0.5
    assert actual.b.conv.weight.abs().max() <= (6 / 7) ** 0.5
    actual.load_state_dict(paddle2torch.convert_state_dict(expected.state_dict(), actual))
    shape = (2, 3, 9, 8) if layout == "NCHW" else (2, 9, 8, 3)
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    for mode in ("eval", "train"):
        getattr(expected, mode)()
        getattr(actual, mode)()
        wanted = expected(paddle.to_tensor(x)).numpy()
        assert np.allclose(wanted, actual(torch.from_numpy(x)).detach().numpy(), atol=1e-5)
    assert np.allclose(expected.a.norm._mean.numpy(), actual.a.norm.running_mean.numpy(), atol=1e-6)


def test_what_a_keyword_of_torch_can_say_is_still_said_so():
    text = (
        "from paddle import nn\n\n\ndef conv(i, o, **kwargs):\n    return nn.Conv2D(i, o, 3, **kwargs)\n\n\n"
        "layers = [conv(3, 4, bias_attr=False), conv(4, 4, stride=2)]\n"
    )
    assert port_source(text).text == text.replace("paddle", "torch").replace(
        "nn.Conv2D", "nn.Conv2d"
    ).replace("bias_attr=False", "bias=False")


ACTIVATION = """from paddle import nn


def activation_of(act):
    upper = nn.layer.activation.__dict__.keys()
    name = dict(zip([word.lower() for word in upper], upper))[act]
    {}
"""


@pytest.mark.parametrize(
    "line",
    [
        'return eval("nn.layer.activation.{}()".format(name))',
        'return eval(f"nn.layer.activation.{name}()")',
        'return eval("nn.layer.activation." + name)()',
        "return getattr(nn.layer.activation, name)()",
    ],
)
def test_an_activation_that_is_picked_by_its_name_is_found_under_paddles(line):
    done = port_source(ACTIVATION.replace("{}", line, 1))
    assert not done.left
    swish, softmax = (made(done.text)["activation_of"](name) for name in ("swish", "softmax"))
    assert isinstance(swish, torch.nn.SiLU)
    assert softmax.dim == -1


def test_a_function_that_is_picked_by_its_name_is_found_under_paddles():
    text = "from paddle.nn import functional as F\n\n\ndef act(x, name):\n    return getattr(F, name)(x)\n"
    done = port_source(text)
    assert not done.left
    x = np.linspace(-2.0, 2.0, 6).reshape(2, 3)
    for name in ("relu", "swish", "softmax", "log_sigmoid", "hardswish", "gelu", "leaky_relu"):
        wanted = made(text)["act"](paddle.to_tensor(x), name).numpy()
        assert np.allclose(wanted, made(done.text)["act"](torch.from_numpy(x), name).numpy(), atol=1e-6)


def test_a_star_import_takes_what_the_other_file_shows(tmp_path):
    (tmp_path / "a.py").write_text(
        "import paddle\nfrom paddle import nn\n\n__all__ = ['twice']\n\n\n"
        "def twice(x):\n    return paddle.concat([x, x], axis=1)\n"
    )
    text = "from paddle import nn\nfrom a import *\n\n\nclass N(nn.Layer):\n    def forward(self, x):\n"
    (tmp_path / "b.py").write_text(text + "        return twice(x).astype('float32')\n")
    done = port_files(sorted(tmp_path.glob("*.py")))[tmp_path / "b.py"]
    assert not done.left
    assert "class N(nn.Module)" in done.text
    assert "twice(x).to(torch.float32)" in done.text
