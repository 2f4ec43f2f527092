"""Which name stands for what is resolved through imports, aliases and values, never by text."""

from __future__ import annotations

import re

import pytest

from paddle2torch.port.source import NotPython, port_source


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("import paddle as p\nx = p.concat([a], axis=1)", "import torch as p\nx = p.cat([a], dim=1)"),
        ("import paddle.nn as nn\nl = nn.ReLU()", "import torch.nn as nn\nl = nn.ReLU()"),
        (
            "from paddle.nn import Conv2D as C\nl = [C(3, 4, 1)]",
            "from torch.nn import Conv2d as C\nl = [C(3, 4, 1)]",
        ),
        (
            "from paddle.nn import Conv2D\nl = [Conv2D(3, 4, 1)]",
            "from torch.nn import Conv2d\nl = [Conv2d(3, 4, 1)]",
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
            "from paddle.nn import Conv2D\na = [Conv2D(3, 4, 1), Conv2D(3, 4, 1, data_format='NHWC')]",
            "from torch.nn import Conv2d\n\nfrom torch_models.like_paddle import Conv2d as paddle_Conv2d\n"
            "a = [Conv2d(3, 4, 1), paddle_Conv2d(3, 4, 1, data_format='NHWC')]",
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


@pytest.mark.parametrize("given", ['"nn.BatchNorm2D"', "norm"])
def test_text_that_is_run_is_told(given):
    (left,) = port_source(
        f"from paddle import nn\n\n\ndef make(norm=other.norm):\n    return eval({given})(4)\n"
    ).left
    assert left.line == 5
    assert "write the name itself" in left.why


def test_an_initializer_in_a_partial_is_told():
    (left,) = port_source(
        "from functools import partial\nfrom paddle.nn.initializer import Normal\ninit = partial(Normal, std=0.1)\n"
    ).left
    assert "paddle.nn.initializer.Normal in a partial" in left.why


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("init = nn.initializer.Normal\ninit(0.0, 0.1)(w)", "partial(nn.init.normal_, mean=0.0, std=0.1)(w)"),
        (
            "act = nn.functional.hardsigmoid\ny = act(x, slope=0.2)",
            "y = torch.clamp((0.2 * x) + 0.5, 0.0, 1.0)",
        ),
        ('n = eval("nn.LayerNorm")(4, epsilon=1e-3)', 'n = eval("nn.LayerNorm")(4, eps=1e-3)'),
    ],
)
def test_a_name_that_can_only_be_one_thing_is_translated_where_it_is_called(paddle, torch):
    done = port_source(f"from paddle import nn\n{paddle}\n")
    assert done.text.splitlines()[-1] == torch
    assert not done.left


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("x.reshape(2, 3)", "x.reshape([2, 3])"),
        ("x.reshape(n, -1)", "x.reshape([n, -1])"),
        ("x.flip(0, 1)", "x.flip([0, 1])"),
        ("x.transpose(1, 0)", "x.transpose(1, 0)"),
        ("x.transpose([1, 0])", "x.permute([1, 0])"),
        ("paddle.zeros(2, 3, dtype='int32')", "torch.zeros([2, 3], dtype=torch.int32)"),
        ("paddle.zeros([2, 3], 'int32')", "torch.zeros([2, 3], dtype=torch.int32)"),
        ("paddle.bmm(x, y=x)", "torch.bmm(x, mat2=x)"),
        ("x.bmm(x)", "x.bmm(x)"),
    ],
)
def test_numbers_that_stand_one_by_one_are_one_argument(paddle, torch, port):
    done = port(f"def f(x: paddle.Tensor, n):\n    return {paddle}\n")
    assert done.endswith(f"return {torch}")


def test_what_stands_in_the_place_of_a_name_and_is_none_is_told():
    (left,) = port_source(
        "import paddle\n\n\ndef f(x: paddle.Tensor, a, b):\n    return x.reshape(a, b)\n"
    ).left
    assert "more than it takes" in left.why


KEYWORDS = """
class Conv(nn.Layer):
    def __init__(self, n, act=None, **more):
        super().__init__()
        self.conv = nn.Conv2D(n, n, 3, **more)


class Twice(Conv):
    def __init__(self, n, **more):
        {}super().__init__(2 * n, **more)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.a = Conv(3, act="relu", bias_attr=False)
        self.b = Twice(3, {})
"""


def test_keywords_that_functions_hand_on_are_translated_where_they_are_given(port):
    done = port(KEYWORDS.format("", "padding=1, bias_attr=False"))
    assert 'Conv(3, act="relu", bias=False)' in done
    assert "Twice(3, padding=1, bias=False)" in done


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("", "data_format='NHWC'"),
        ("", "weight_attr=nn.initializer.Constant(0.5)"),
        ("more['groups'] = 1\n        ", "groups=3"),
    ],
)
def test_keywords_that_functions_hand_on_and_that_torch_has_otherwise_stay_paddles(line, given, port):
    done = port(KEYWORDS.format(line, given))
    assert 'Conv(3, act="relu", bias_attr=False)' in done
    assert "= Conv2D(" in done


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("super().__init__(n, momentum=0.8, epsilon=1e-3)", "super().__init__(n, momentum=0.2, eps=1e-3)"),
        (
            "super().__init__(n, weight_attr=nn.initializer.Normal(std=0.1))",
            "super().__init__(n)\n        nn.init.normal_(self.weight, std=0.1)",
        ),
    ],
)
def test_what_a_class_of_the_file_gives_to_paddles_is_given_to_torchs(paddle, torch):
    text = "from paddle import nn\n\n\nclass Norm(nn.BatchNorm2D):\n    def __init__(self, n):\n        {}\n"
    done = port_source(text.format(paddle))
    assert done.text == text.replace("paddle", "torch").replace("2D", "2d").format(torch)
    assert not done.left


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        (
            "class B(nn.BatchNorm2D):\n    pass\nb = B(4, momentum=0.8)",
            "class B(nn.BatchNorm2d):\n    pass\nb = B(4, momentum=0.2)",
        ),
        (
            "from functools import partial\npool = partial(nn.AvgPool2D, 3)\np = pool(padding=1)",
            "from functools import partial\npool = partial(nn.AvgPool2d, 3)\np = pool(padding=1, count_include_pad=False)",
        ),
        ("act = partial(nn.functional.softmax)", "act = partial(nn.functional.softmax, dim=-1)"),
    ],
)
def test_what_is_called_under_another_name_is_given_torchs_arguments(paddle, torch):
    head = "from functools import partial\n" if "import" not in paddle and "partial" in paddle else ""
    done = port_source(f"{head}from paddle import nn\n{paddle}\n")
    assert done.text == f"{head}from torch import nn\n{torch}\n"
    assert not done.left


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (
            "class C(nn.Conv2D):\n    def __init__(self, n, **more):\n        super().__init__(n, n, 3, **more)",
            r"\*\*",
        ),
        (
            "class C(nn.Conv2D):\n    def __init__(self, n):\n        super().__init__(n, n, 3, data_format='NHWC')",
            "another class",
        ),
        ("def f(conv=nn.Conv2D):\n    return conv(3, 4, 1, data_format='NHWC')", "write its name here"),
        ("def f(act=nn.functional.hardsigmoid):\n    return act(x, slope=0.2)", "write its name here"),
        ("def block(norm):\n    return norm(4, momentum=0.8)", "momentum is one of Paddle's"),
        (
            "a, b = nn.Linear(3, 3), nn.Conv2D(3, 3, 1)\nfor l in [a, b]:\n    w = l.weight + 1",
            "tell them apart",
        ),
        ("a = nn.Linear(3, 3)\na.weight = w", "transposed"),
        ("y = nn.functional.normalize(x, epsilon=1e-5)", "under the root"),
        ("y = nn.functional.lp_pool2d(x, 2, 2, ceil_mode=True)", "over the edge"),
        ("import paddle\ny = paddle.norm(x, p=2, axis=[0, 1])", "norm of a matrix"),
        ("import paddle\nx: paddle.Tensor\ny = x.softmax()", "without a dim"),
    ],
)
def test_what_another_name_hides_is_told(text, word):
    (left,) = port_source(f"from paddle import nn\n{text}\n").left
    assert re.search(word, left.why)


@pytest.mark.parametrize(
    ("paddle", "torch"),
    [
        ("paddle.matmul(x, self.fc.weight)", "torch.matmul(x, self.fc.weight.T)"),
        ("F.linear(x, self.fc.weight)", "F.linear(x, self.fc.weight)"),
        (
            "nn.initializer.Constant(0.1)(self.fc.weight)",
            "partial(nn.init.constant_, val=0.1)(self.fc.weight)",
        ),
        ("paddle.matmul(x, self.conv.weight)", "torch.matmul(x, self.conv.weight)"),
    ],
)
def test_the_weight_of_a_linear_is_turned_round_where_its_numbers_are_used(paddle, torch, port):
    text = "class N(nn.Layer):\n    def __init__(self):\n        self.fc = nn.Linear(3, 3)\n        self.conv = nn.Conv1D(3, 3, 1)\n\n"
    text += f"    def forward(self, x):\n        return {paddle}\n"
    assert f"return {torch}" in port(text)


def test_initial_weights_that_a_constructor_sets_are_not_set_again(port):
    text = """
    class M(nn.Layer):
        def __init__(self):
            super().__init__()
            nn.initializer.Constant(0.1)(self.weight)

    class N(M):
        def __init__(self):
            super().__init__()
            self.m = M()
            self.a = nn.Linear(3, 3)
            self.fill()
            self.b = nn.Linear(3, 3)
            nn.initializer.Normal(std=0.1)(self.b.weight)
            self.c = nn.Linear(3, 3)

        def fill(self):
            nn.initializer.Constant(0.1)(self.a.weight)
    """
    lines = [line.strip() for line in port(text).splitlines()]
    before = [
        lines[i - 1]
        for i, line in enumerate(lines)
        if line.startswith(("self.fill", "partial(nn.init.normal_"))
    ]
    assert before == ["init_like_paddle(self)"] * 2


def test_a_parameter_is_known_by_what_is_asked_of_it():
    text = "import paddle\n\n\ndef f(opt, x, q):\n    opt.step()\n    opt.clear_grad()\n    q.clear_grad()\n    x.unsqueeze(0)\n    x.astype('int32')\n"
    done = port_source(text)
    assert "opt.zero_grad()" in done.text
    assert "x.to(torch.int32)" in done.text
    assert [left.text for left in done.left] == ["q.clear_grad()"]


@pytest.mark.parametrize(
    ("name", "torch"),
    [
        ('"a"', 'n.add_module("a", l)'),
        ('f"a{i}"', 'n.add_module(f"a{i}", l)'),
        ('"{:.2f}".format(i)', 'n.add_module("{:.2f}".format(i), l)'),
        ('"a." + str(i)', 'add_sublayer(n, "a." + str(i), l)'),
        ('f"a.{i}"', 'add_sublayer(n, f"a.{i}", l)'),
    ],
)
def test_a_dot_in_the_name_of_a_layer_goes_where_torch_takes_it(name, torch):
    text = f"import paddle\n\n\ndef f(n: paddle.nn.Layer, l, i):\n    n.add_sublayer({name}, l)\n"
    assert port_source(text).text.splitlines()[-1].strip() == torch


def test_an_unknown_receiver_is_not_guessed():
    (left,) = port_source("import paddle\n\n\ndef f(x):\n    return x.scale(2.0)\n").left
    assert "annotation" in left.why
    annotated = port_source("import paddle\n\n\ndef f(x: paddle.Tensor):\n    return x.scale(2.0)\n")
    assert "x * 2.0" in annotated.text


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


@pytest.mark.parametrize("asked", [{"learning_rate": 0.1}, {"regularizer": 0.0}])
def test_a_rate_or_decay_of_one_parameter_is_told_where_the_layer_is_made(asked):
    import torch

    from torch_models.like_paddle import ParamAttr, with_attr

    with pytest.warns(UserWarning, match=f"{next(iter(asked))} stands .*like_paddle.grouped"):
        with_attr(torch.nn.Linear(2, 2), weight=ParamAttr(**asked))


def test_a_layer_with_dots_in_its_name_is_loaded_under_the_keys_of_paddle():
    import torch

    from torch_models.like_paddle import add_sublayer

    net = torch.nn.Module()
    layer = add_sublayer(net, "_blocks.0.", torch.nn.Linear(2, 2))
    assert add_sublayer(net, "_blocks.1.", torch.nn.ReLU()) is not layer
    state = {"_blocks.0..weight": torch.ones(2, 2), "_blocks.0..bias": torch.ones(2)}
    net.load_state_dict(state, strict=True)
    assert layer.weight.sum() == 4
    assert getattr(net, "_blocks.0.") is layer
