"""Which name stands for what is resolved through imports, aliases and values, never by text."""

from __future__ import annotations

import pytest

from paddle2torch.port.source import NotPython, port_source


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("import paddle as p\nx = p.concat([a], axis=1)", "import torch as p\nx = p.cat([a], dim=1)"),
        ("import paddle.nn as nn\nl = nn.ReLU()", "import torch.nn as nn\nl = nn.ReLU()"),
        (
            "from paddle.nn import Conv2D as C\nl = C(3, 4, 1)",
            "from torch.nn import Conv2d as C\nl = C(3, 4, 1)",
        ),
        (
            "from paddle.nn import Conv2D\nl = Conv2D(3, 4, 1)",
            "from torch.nn import Conv2d\nl = Conv2d(3, 4, 1)",
        ),
        (
            "from paddle.nn import functional as F\ny = F.relu(x=z)",
            "from torch.nn import functional as F\ny = F.relu(input=z)",
        ),
        (
            'import paddle.nn as nn\nl = getattr(nn, "Conv2D")(3, 4, 1, bias_attr=False)',
            "import torch.nn as nn\nl = nn.Conv2d(3, 4, 1, bias=False)",
        ),
        (
            "from functools import partial\nfrom paddle import nn\nnorm = partial(nn.LayerNorm, epsilon=1e-6)",
            "from functools import partial\nfrom torch import nn\nnorm = partial(nn.LayerNorm, eps=1e-6)",
        ),
        (
            'from paddle import nn\nacts = {"a": nn.Swish, "b": nn.ReLU}\nl = acts["a"]()',
            'from torch import nn\nacts = {"a": nn.SiLU, "b": nn.ReLU}\nl = acts["a"]()',
        ),
        (
            "from paddle import nn\ndef f(norm=nn.BatchNorm2D):\n    return norm(4, momentum=0.9, epsilon=1e-3)",
            "from torch import nn\ndef f(norm=nn.BatchNorm2d):\n    return norm(4, momentum=0.1, eps=1e-3)",
        ),
        (
            "import paddle\nfrom other import concat\ny = concat([x], axis=1)\nz = paddle.exp(x)",
            "import torch\nfrom other import concat\ny = concat([x], axis=1)\nz = torch.exp(x)",
        ),
    ],
)
def test_a_name_is_followed_to_where_it_comes_from(paddle, torch):
    done = port_source(paddle + "\n")
    assert done.text == torch + "\n"
    assert not done.left


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        (
            "from paddle.nn.initializer import Normal\ndef f(w):\n    normal_ = Normal(std=0.1)\n    normal_(w)",
            "from functools import partial\nfrom torch.nn.init import normal_ as Normal\ndef f(w):\n"
            "    normal_ = partial(Normal, std=0.1)\n    normal_(w)",
        ),
        (
            "from paddle import concat\ndef f(a):\n    cat = concat([a, a], axis=1)\n    return cat",
            "from torch import cat as concat\ndef f(a):\n    cat = concat([a, a], dim=1)\n    return cat",
        ),
        (
            "import paddle\ndef f(x, n):\n    split = paddle.split(x, n)\n    return split",
            "\nfrom torch_models.like_paddle import split as paddle_split\ndef f(x, n):\n"
            "    split = paddle_split(x, n, 0)\n    return split",
        ),
        (
            "from other import Conv2d\nfrom paddle.nn import Conv2D\na, b = Conv2d(3), Conv2D(3, 4, 1)",
            "from other import Conv2d\nfrom torch.nn import Conv2d as Conv2D\na, b = Conv2d(3), Conv2D(3, 4, 1)",
        ),
        (
            "from paddle.nn import Conv2D\na = Conv2D(3, 4, 1)\nb = Conv2D(3, 4, 1, data_format='NHWC')",
            "from torch.nn import Conv2d\n\nfrom torch_models.like_paddle import Conv2d as paddle_Conv2d\n"
            "a = Conv2d(3, 4, 1)\nb = paddle_Conv2d(3, 4, 1, data_format='NHWC')",
        ),
        (
            "from paddle import nn\ndef f(partial):\n    return nn.initializer.Normal(std=partial)",
            "from functools import partial as functools_partial\nfrom torch import nn\ndef f(partial):\n"
            "    return functools_partial(nn.init.normal_, std=partial)",
        ),
    ],
)
def test_no_name_of_the_port_hides_one_that_the_file_has_in_any_scope(paddle, torch):
    done = port_source(paddle + "\n")
    assert done.text == torch + "\n"
    assert not done.left


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        (
            "from paddle.nn import Conv2D\ndef f(Conv2D=Conv2D):\n    return Conv2D(3, 4, 1, bias_attr=False)",
            "from torch.nn import Conv2d\ndef f(Conv2D=Conv2d):\n    return Conv2D(3, 4, 1, bias=False)",
        ),
        (
            "from paddle import float32\nimport paddle\ndef f(float32=paddle.int32):\n    return g(float32)\nf(paddle.int8)",
            "from torch import float32\nimport torch\ndef f(float32=torch.int32):\n    return g(float32)\nf(torch.int8)",
        ),
    ],
)
def test_what_hides_an_import_is_not_taken_for_it(paddle, torch):
    done = port_source(paddle + "\n")
    assert done.text == torch + "\n"
    assert not done.left


def test_a_name_that_is_an_import_or_something_else_is_told():
    text = "if old:\n    from paddle.nn import BatchNorm2D as Norm\nelse:\n    from paddle.nn import LayerNorm as Norm\nn = Norm(4, epsilon=1e-3)\n"
    done = port_source(text)
    assert [left.line for left in done.left] == [5]
    assert "two names" in done.left[0].why
    assert done.text.endswith("n = Norm(4, epsilon=1e-3)\n")


def test_text_that_only_looks_like_paddle_stays():
    text = '# paddle.concat(x, axis=1)\ns = "paddle.nn.Conv2D"\n\n\ndef axis(a):\n    return a\n'
    assert port_source(text).text == text


def test_fluid_is_refused_with_a_word():
    (left,) = port_source("import paddle.fluid as fluid\n").left
    assert "Paddle 1" in left.why


def test_what_is_not_translated_stays_with_a_comment_once():
    text = "import paddle\n\ny = paddle.no_such_thing(1)\n"
    done = port_source(text)
    assert done.text == (
        "import paddle\n\n# paddle2torch: paddle.no_such_thing is in no row of the table: write what no_such_thing does in torch\n"
        "y = paddle.no_such_thing(1)\n"
    )
    assert [(left.line, left.text) for left in done.left] == [(3, "paddle.no_such_thing(1)")]
    assert port_source(done.text).text == done.text


@pytest.mark.parametrize("given", ['"nn.LayerNorm"', "norm"])
def test_text_that_is_run_is_told(given):
    (left,) = port_source(
        f'from paddle import nn\n\n\ndef make(norm="nn.LayerNorm"):\n    return eval({given})(4)\n'
    ).left
    assert left.line == 5
    assert "write the name itself" in left.why


@pytest.mark.parametrize("call", ["partial(Normal, std=0.1)", "init(std=0.1)(w)"])
def test_an_initializer_that_is_called_by_another_name_is_told(call):
    (left,) = port_source(
        "from functools import partial\nfrom paddle.nn.initializer import Normal\n\n\n"
        f"def f(w):\n    init = Normal\n    {call}\n"
    ).left
    assert "paddle.nn.initializer.Normal behind a variable" in left.why


def test_an_unknown_receiver_is_not_guessed():
    (left,) = port_source("import paddle\n\n\ndef f(x):\n    return x.astype('float32')\n").left
    assert "annotation" in left.why
    annotated = port_source("import paddle\n\n\ndef f(x: paddle.Tensor):\n    return x.astype('float32')\n")
    assert "x.to(torch.float32)" in annotated.text


@pytest.mark.parametrize(
    ("text", "word"), [("import paddle\nx = = 3\n", "line 2"), ("import paddle\nprint 'a'\n", "Python 2")]
)
def test_what_cannot_be_read_is_told_with_its_line(text, word):
    with pytest.raises(NotPython, match=word):
        port_source(text)


def test_an_attribute_of_ones_own_is_not_renamed_though_paddles_layers_have_one_of_that_name():
    text = (
        "from paddle import nn\n\n\nclass Net(nn.Layer):\n    def __init__(self, n):\n        super().__init__()\n"
        "        self._in_channels = n\n        self.conv = nn.Conv2D(n, 4, 1)\n\n    def forward(self, x):\n"
        "        return self.conv(x) * self._in_channels / self.conv._out_channels\n"
    )
    assert "* self._in_channels / self.conv.out_channels" in port_source(text).text


def test_a_default_is_not_taken_for_the_only_value_of_a_parameter():
    text = "from paddle import nn\n\n\ndef make(n, bias=False):\n    return nn.Linear(n, 2, bias_attr=bias)\n"
    assert "bias=bias is not False" in port_source(text).text
