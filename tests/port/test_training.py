"""A whole training program ports without an edit by hand, and trains as Paddle's does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from paddle2torch.port.source import port_source

SCRIPT = Path(__file__).with_name("scripts") / "train.txt"
CLIPPED = 1e-7
"""torch adds 1e-6 to the norm by which it clips, and Paddle keeps the momentum in float32."""


@pytest.fixture
def float64():
    before = paddle.get_default_dtype(), torch.get_default_dtype()
    paddle.set_default_dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    paddle.set_default_dtype(before[0])
    torch.set_default_dtype(before[1])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("own", [False, True], ids=["warm-up and cosine", "a schedule of one's own"])
def test_a_training_program_ports_and_its_losses_are_paddles(own, float64):
    text = SCRIPT.read_text()
    done = port_source(text)
    assert not done.left
    results = []
    for source in (text, done.text):
        space = {"__name__": "train"}
        exec(source, space)
        results.append(space["main"](own))
    (losses, *shares), (ported, *theirs) = results
    assert len(losses) == 10
    assert max(losses) - min(losses) > 0.1
    assert np.abs(np.array(losses) - np.array(ported)).max() < CLIPPED
    assert shares == theirs


GROUPS = """import paddle
from paddle import nn
from paddle.jit import to_static
from paddle.static import InputSpec


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        ones = nn.initializer.Constant(0.5)
        self.a = nn.Linear(3, 3, weight_attr=ones)
        self.b = nn.Linear(3, 3, weight_attr=ones)

    @to_static(input_spec=[InputSpec([None, 3])])
    def forward(self, x):
        return self.b(self.a(x))


def train(x, make):
    net = Net()
    schedule = paddle.optimizer.lr.ExponentialDecay(0.1, 0.9)
    opt = {optimizer}
    for _ in range(5):
        loss = net.forward(x).square().sum()
        loss.backward()
        opt.step()
        opt.clear_grad()
        schedule.step()
    return [float(w.sum()) for w in net.parameters()]
"""
OPTIMIZERS = {
    "groups": "paddle.optimizer.AdamW(schedule, parameters=[{'params': net.a.parameters(), 'learning_rate': 0.1},"
    " {'params': net.b.parameters(), 'weight_decay': 0.0}], weight_decay=0.01)",
    "decay that does not go through the gradients": "paddle.optimizer.AdamW(schedule, parameters=net.parameters(), weight_decay=0.1)",
    "a schedule": "paddle.optimizer.Adam(learning_rate=schedule, beta1=0.8, parameters=net.parameters())",
    "clipped groups": "paddle.optimizer.Momentum(schedule, parameters=[{'params': net.parameters(), 'learning_rate': 0.5}],"
    " grad_clip=nn.ClipGradByGlobalNorm(0.1))",
}


APART = GROUPS.replace(
    "nn.Linear(3, 3, weight_attr=ones)",
    "nn.Linear(3, 3, weight_attr=paddle.ParamAttr(initializer=ones, learning_rate=0.1),"
    " bias_attr=paddle.ParamAttr(regularizer=paddle.regularizer.L2Decay(0.5)))",
    1,
)


@pytest.mark.filterwarnings("ignore:ParamAttr")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_parameters_with_a_rate_and_decay_of_their_own_train_as_in_paddle(optimizer, float64):
    same_training(APART, OPTIMIZERS[optimizer])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_groups_and_schedules_train_as_in_paddle(optimizer, float64):
    same_training(GROUPS, OPTIMIZERS[optimizer])


def same_training(program, optimizer):
    text = program.replace("{optimizer}", optimizer).replace("    @to_static", "    # @to_static")
    done = port_source(program.replace("{optimizer}", optimizer))
    assert not done.left
    assert "to_static" not in done.text
    x = np.linspace(-1.0, 1.5, 6).reshape(2, 3)  # no gradient is 0: Adam takes the sign of its rounding
    found = []
    for source, tensor in ((text, paddle.to_tensor(x)), (done.text, torch.from_numpy(x))):
        space = {}
        exec(source, space)
        found.append(np.array(space["train"](tensor, None)))
    assert np.abs(found[0] - found[1]).max() < 1e-5 * np.abs(found[0]).max()


def test_the_rate_and_decay_of_a_paramattr_become_groups():
    from torch_models.like_paddle import ParamAttr, grouped_by_attr, with_attr

    with pytest.warns(UserWarning, match="like_paddle.grouped_by_attr"):
        layer = with_attr(torch.nn.Linear(2, 2), ParamAttr(learning_rate=0.5, regularizer=0.1))
    optimizer = grouped_by_attr(torch.optim.SGD(layer.parameters(), lr=0.2, weight_decay=0.3))
    found = {id(p): (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}
    assert found == {id(layer.weight): (0.1, 0.1), id(layer.bias): (0.2, 0.3)}


OWN_GRADIENT = """import paddle
from paddle.autograd import PyLayer


class Scaled(PyLayer):
    @staticmethod
    def forward(ctx, a, factor, b, power=1):
        ctx.save_for_backward(a, b)
        ctx.factor, ctx.power = factor, power
        return a * b * factor, a**power

    @staticmethod
    def backward(ctx, g, h):
        a, b = ctx.saved_tensor()
        return g * b * ctx.factor + h * ctx.power * a ** (ctx.power - 1), g * a * 2


def f(x: paddle.Tensor, y: paddle.Tensor):
    x.stop_gradient = y.stop_gradient = False
    first, second = Scaled.apply(x, 2.0, b=y, power=3)
    (first.sum() + second.sum()).backward()
    return [first.detach(), second.detach(), x.grad, y.grad]
"""


def test_a_function_with_its_own_gradient_takes_numbers_and_keywords_as_in_paddle():
    done = port_source(OWN_GRADIENT)
    assert not done.left
    x = np.linspace(0.5, 2.0, 6, dtype="float32").reshape(2, 3)
    found = []
    for source, tensor in ((OWN_GRADIENT, paddle.to_tensor), (done.text, torch.tensor)):
        space = {}
        exec(source, space)
        found.append(np.array([part.numpy() for part in space["f"](tensor(x), tensor(x + 1))]))
    assert np.allclose(found[0], found[1], rtol=1e-6)
