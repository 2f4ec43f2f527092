"""Training that Paddle began goes on in torch as if nothing had happened."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, convert_state_dict, open_checkpoint
from convert.checkpoint.accumulators import are_accumulators
from convert.training.live import convert_optimizer
from convert.training.state_file import Training
from parity.remedies.torch_adamax import Adamax
from parity.remedies.torch_asgd import ASGD
from parity.remedies.torch_lamb import Lamb
from parity.remedies.torch_rmsprop import RMSProp

f = lambda value: float(np.float32(value))  # noqa: E731 - Paddle keeps these attributes in float32

PADDLE = {
    "SGD": lambda p, lr: paddle.optimizer.SGD(lr, parameters=p, weight_decay=1e-3),
    "Momentum": lambda p, lr: paddle.optimizer.Momentum(lr, 0.9, parameters=p, weight_decay=1e-3),
    "Nesterov": lambda p, lr: paddle.optimizer.Momentum(lr, 0.9, parameters=p, use_nesterov=True),
    "Adam": lambda p, lr: paddle.optimizer.Adam(lr, parameters=p, weight_decay=1e-3),
    "AMSGrad": lambda p, lr: paddle.optimizer.Adam(lr, parameters=p, amsgrad=True),
    "AdamW": lambda p, lr: paddle.optimizer.AdamW(lr, parameters=p, weight_decay=0.01),
    "Lamb": lambda p, lr: paddle.optimizer.Lamb(lr, 0.1, parameters=p),
    "Adamax": lambda p, lr: paddle.optimizer.Adamax(lr, parameters=p, weight_decay=1e-3),
    "Adagrad": lambda p, lr: paddle.optimizer.Adagrad(lr, parameters=p, weight_decay=1e-3),
    "Adadelta": lambda p, lr: paddle.optimizer.Adadelta(lr, parameters=p, weight_decay=1e-3),
    "RMSProp": lambda p, lr: paddle.optimizer.RMSProp(lr, momentum=0.9, parameters=p),
    "RMSProp centered": lambda p, lr: paddle.optimizer.RMSProp(lr, centered=True, parameters=p),
    "NAdam": lambda p, lr: paddle.optimizer.NAdam(lr, parameters=p, weight_decay=1e-3),
    "RAdam": lambda p, lr: paddle.optimizer.RAdam(lr, parameters=p, weight_decay=1e-3),
    "Rprop": lambda p, lr: paddle.optimizer.Rprop(0.05, (0.001, 0.2), parameters=p),
    "ASGD": lambda p, lr: paddle.optimizer.ASGD(lr, 3, parameters=p, weight_decay=1e-3),
}
UNSCHEDULED = frozenset({"Rprop"})
"""Paddle's takes no schedule."""
WITHIN = {"Lamb": 1e-7, "Adamax": 1e-7}
"""Paddle keeps the powers of beta of these in float32; the others continue to 1e-12."""
BETAS = (0.9, 0.999)
TORCH = {
    "SGD": lambda p: torch.optim.SGD(p, 1.0, weight_decay=1e-3),
    "Momentum": lambda p: torch.optim.SGD(p, 1.0, momentum=f(0.9), weight_decay=f(1e-3)),
    "Nesterov": lambda p: torch.optim.SGD(p, 1.0, momentum=f(0.9), nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, 1.0, betas=BETAS, weight_decay=1e-3),
    "AMSGrad": lambda p: torch.optim.Adam(p, 1.0, betas=BETAS, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, 1.0, betas=BETAS, weight_decay=f(0.01)),
    "Lamb": lambda p: Lamb(p, 1.0, (f(0.9), f(0.999)), f(1e-6), f(0.1)),
    "Adamax": lambda p: Adamax(p, 1.0, betas=(f(0.9), f(0.999)), weight_decay=1e-3),
    "Adagrad": lambda p: torch.optim.Adagrad(p, 1.0, eps=f(1e-6), weight_decay=1e-3),
    "Adadelta": lambda p: torch.optim.Adadelta(p, 1.0, rho=f(0.95), eps=f(1e-6), weight_decay=1e-3),
    "RMSProp": lambda p: RMSProp(p, 1.0, f(0.95), f(1e-6), f(0.9)),
    "RMSProp centered": lambda p: RMSProp(p, 1.0, f(0.95), f(1e-6), centered=True),
    "NAdam": lambda p: torch.optim.NAdam(
        p, 1.0, (f(0.9), f(0.999)), weight_decay=1e-3, momentum_decay=f(0.004)
    ),
    "RAdam": lambda p: torch.optim.RAdam(p, 1.0, (f(0.9), f(0.999)), weight_decay=1e-3),
    "Rprop": lambda p: torch.optim.Rprop(p, 1.0, step_sizes=(0.001, 0.2)),
    "ASGD": lambda p: ASGD(p, 1.0, 3, 1e-3),
}


class PaddleNet(paddle.nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.one = paddle.nn.Linear(6, 6)
        self.two = paddle.nn.Linear(6, 3)

    def forward(self, x):
        return self.two(paddle.nn.functional.tanh(self.one(x)))


class TorchNet(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.two = torch.nn.Linear(6, 3)  # another order of definition on purpose
        self.one = torch.nn.Linear(6, 6)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


def batches():
    random = np.random.default_rng(0)
    return [(random.standard_normal((8, 6)), random.standard_normal((8, 3))) for _ in range(20)]


def paddle_step(net, optimizer, scheduler, batch) -> float:
    x, y = (paddle.to_tensor(part, dtype="float64") for part in batch)
    loss = ((net(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    optimizer.clear_grad()
    scheduler.step()
    return float(loss)


def torch_step(net, optimizer, scheduler, batch) -> float:
    x, y = (torch.from_numpy(part) for part in batch)
    loss = ((net(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    return loss.item()


def begun(kind: str, folder, steps: int = 7, scheduler=None):
    """A Paddle run after some steps, saved; and what is needed to go on with it."""
    paddle.seed(1)
    net = PaddleNet()
    net.to(dtype="float64")
    scheduler = scheduler or paddle.optimizer.lr.StepDecay(0.05, step_size=4, gamma=0.5)
    optimizer = PADDLE[kind](net.parameters(), scheduler)
    for batch in batches()[:steps]:
        paddle_step(net, optimizer, scheduler, batch)
    paddle.save(net.state_dict(), str(folder / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(folder / "net.pdopt"))
    return net, optimizer, scheduler


@pytest.mark.parametrize("kind", sorted(PADDLE))
def test_training_resumed_in_torch_continues_paddles_run(tmp_path, kind):
    ours = begun(kind, tmp_path)
    expected = [paddle_step(*ours, batch) for batch in batches()[7:17]]

    net = TorchNet().double()
    optimizer = TORCH[kind](net.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    with open_checkpoint(tmp_path / "net.pdparams") as checkpoint:
        net.load_state_dict(convert_state_dict(checkpoint, net))
    state = convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, optimizer)
    everything = tuple(name for name, _ in net.named_parameters())
    assert (state.last_epoch, state.last_lr) == ((None, None) if kind in UNSCHEDULED else (7, 0.025))
    assert state.without_state == (everything if kind == "SGD" else ())
    state.load(optimizer, None if kind in UNSCHEDULED else scheduler)
    actual = [torch_step(net, optimizer, scheduler, batch) for batch in batches()[7:17]]
    np.testing.assert_allclose(actual, expected, rtol=WITHIN.get(kind, 1e-12))


NAMED = {
    "SGD": ("sgd", {"weight_decay": 1e-3}),
    "Momentum": ("", {"weight_decay": 1e-3}),
    "Nesterov": ("momentum", {"nesterov": True}),
    "Adam": ("adam", {"weight_decay": 1e-3}),
    "AMSGrad": ("adam", {}),
    "AdamW": ("adamw", {}),
    "Lamb": ("lamb", {"weight_decay": 0.1}),
    "Adamax": ("", {"weight_decay": 1e-3}),
    "Adagrad": ("", {"weight_decay": 1e-3}),
    "Adadelta": ("", {"weight_decay": 1e-3}),
    "RMSProp": ("", {"momentum": 0.9}),
    "RMSProp centered": ("", {}),
    "NAdam": ("", {"weight_decay": 1e-3}),
    "RAdam": ("", {"weight_decay": 1e-3}),
    "Rprop": ("", {"step_sizes": [0.001, 0.2]}),
    "ASGD": ("", {"weight_decay": 1e-3}),
}
"""How the command line is told what Paddle's optimizer was: a name, and what was not Paddle's default."""


@pytest.fixture
def torch_file(tmp_path):
    (tmp_path / "nets.py").write_text(
        "import torch\nfrom tests.convert.test_optimizer import TORCH, TorchNet\n"
        "def frozen(module):\n    return torch.optim.SGD([module.one.weight, module.one.bias], 0.1, momentum=0.9)\n"
        "def split(module):\n    two, one = module.two.parameters(), module.one.parameters()\n"
        "    return torch.optim.SGD([{'params': one}, {'params': two, 'nesterov': True}], 0.1, momentum=0.9)\n"
        "def none(module):\n    return module\n"
    )
    return tmp_path


def resume(folder, optimizer, scheduler_of):
    """What a user writes: load the file into fresh objects."""
    saved = torch.load(folder / "run.pth", weights_only=True)
    net = TorchNet().double()
    net.load_state_dict(saved["model"])
    optimizer = optimizer(net.parameters())
    scheduler = scheduler_of(optimizer)
    optimizer.load_state_dict(saved["optimizer"])
    if "scheduler" in saved:
        scheduler.load_state_dict(saved["scheduler"])
    return net, optimizer, scheduler


@pytest.mark.parametrize("kind", sorted(NAMED))
def test_a_training_file_continues_paddles_run(torch_file, in_process, kind):
    ours = begun(kind, torch_file)
    expected = [paddle_step(*ours, batch) for batch in batches()[7:17]]
    name, arguments = NAMED[kind]
    options = ["--optimizer", name] if name else []
    done = in_process(
        *("convert", "net.pdparams", "--torch", "nets.py:TorchNet", "--pdopt", "net.pdopt", "-o", "run.pth"),
        *(*options, "--optimizer-args", json.dumps(arguments)),
        cwd=torch_file,
    )
    assert done.returncode == 0, done.stderr
    # The optimizer is made with other numbers on purpose: the file's are what counts.
    wrong = {"Momentum": "SGD", "Nesterov": "SGD", "AMSGrad": "Adam", "RMSProp centered": "RMSProp"}
    ours_of = {"Lamb": Lamb, "Adamax": Adamax, "RMSProp": RMSProp, "ASGD": ASGD}
    called = wrong.get(kind, kind)
    make = lambda p: (ours_of.get(called) or getattr(torch.optim, called))(p, 9.0)  # noqa: E731
    objects = resume(torch_file, make, lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=4, gamma=0.5))
    actual = [torch_step(*objects, batch) for batch in batches()[7:17]]
    np.testing.assert_allclose(actual, expected, rtol=WITHIN.get(kind, 1e-12))


LR = paddle.optimizer.lr
TORCH_LR = torch.optim.lr_scheduler
SCHEDULES = {
    "step": (lambda: LR.StepDecay(0.05, 4, 0.5), lambda o: TORCH_LR.StepLR(o, 4, 0.5)),
    "several steps": (
        lambda: LR.MultiStepDecay(0.05, [3, 9, 12], 0.5),
        lambda o: TORCH_LR.MultiStepLR(o, [3, 9, 12], 0.5),
    ),
    "exponential": (lambda: LR.ExponentialDecay(0.05, 0.9), lambda o: TORCH_LR.ExponentialLR(o, 0.9)),
    "cosine": (lambda: LR.CosineAnnealingDecay(0.05, 12), lambda o: TORCH_LR.CosineAnnealingLR(o, 12)),
    "function": (
        lambda: LR.LambdaDecay(0.05, lambda n: 0.9**n),
        lambda o: TORCH_LR.LambdaLR(o, lambda n: 0.9**n),
    ),
}


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
def test_every_schedule_goes_on_where_paddle_left_it(torch_file, in_process, schedule):
    in_paddle, in_torch = SCHEDULES[schedule]
    ours = begun("Momentum", torch_file, scheduler=in_paddle())
    expected = [paddle_step(*ours, batch) for batch in batches()[7:17]]
    arguments = ("--pdopt", "net.pdopt", "--optimizer-args", '{"weight_decay": 0.001}', "-o", "run.pth")
    done = in_process("convert", "net.pdparams", "--torch", "nets.py:TorchNet", *arguments, cwd=torch_file)
    assert done.returncode == 0, done.stderr
    objects = resume(torch_file, lambda p: torch.optim.SGD(p, 0.05), in_torch)
    actual = [torch_step(*objects, batch) for batch in batches()[7:17]]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_a_schedule_that_watches_the_loss_goes_on(torch_file):
    def stepped(net, optimizer, scheduler, batch, step):
        class Watching:
            def step(self):
                pass

        loss = step(net, optimizer, Watching(), batch)
        scheduler.step(2.0)  # never better: patience runs out
        return loss

    scheduler = LR.ReduceOnPlateau(0.05, patience=4, factor=0.5)
    net, optimizer, _ = ours = begun("Momentum", torch_file, steps=0, scheduler=scheduler)
    for batch in batches()[:7]:
        stepped(*ours, batch, paddle_step)
    paddle.save(net.state_dict(), str(torch_file / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(torch_file / "net.pdopt"))
    expected = [stepped(*ours, batch, paddle_step) for batch in batches()[7:17]]
    twin = TorchNet()
    training = Training(torch_file / "net.pdopt", "momentum", {"weight_decay": 1e-3})
    convert_checkpoint(torch_file / "net.pdparams", torch_file / "run.pth", target=twin, training=training)
    objects = resume(
        torch_file,
        lambda p: torch.optim.SGD(p, 0.05),
        lambda o: TORCH_LR.ReduceLROnPlateau(o, patience=4, factor=0.5),
    )
    actual = [stepped(*objects, batch, torch_step) for batch in batches()[7:17]]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_a_registered_models_training_file_needs_neither_framework(tmp_path):
    from paddle_models.lenet import lenet

    net = lenet(num_classes=10)
    optimizer = paddle.optimizer.AdamW(0.01, parameters=net.parameters())
    net(paddle.rand([2, 1, 28, 28])).sum().backward()
    optimizer.step()
    paddle.save(net.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "net.pdopt"))
    code = (
        "import sys\nfrom paddle2torch.cli import main\nassert main(sys.argv[1:]) == 0\n"
        "assert not {'torch', 'paddle'} & set(sys.modules)"
    )
    words = ["convert", "net.pdparams", "--model", "lenet", "--pdopt", "net.pdopt", "--optimizer", "adamw"]
    subprocess.run([sys.executable, "-c", code, *words, "-o", "run.pth"], cwd=tmp_path, check=True)
    saved = torch.load(tmp_path / "run.pth", weights_only=True)
    from torch_models.lenet import lenet as lenet_in_torch

    twin = lenet_in_torch(num_classes=10)
    twin.load_state_dict(saved["model"])
    resumed = torch.optim.AdamW(twin.parameters())
    resumed.load_state_dict(saved["optimizer"])
    for (name, parameter), theirs in zip(twin.named_parameters(), net.parameters(), strict=True):
        moment = optimizer.state_dict()[f"{theirs.name}_moment1_0"].numpy()
        expected = moment.T if name.startswith("fc") and moment.ndim == 2 else moment
        np.testing.assert_array_equal(resumed.state[parameter]["exp_avg"].numpy(), expected)
        assert resumed.state[parameter]["step"].item() == 1


def test_an_optimizer_that_the_user_makes_gives_order_groups_and_options(torch_file, in_process):
    begun("Momentum", torch_file)
    words = (
        "convert",
        "net.pdparams",
        "--torch",
        "nets.py:TorchNet",
        "--pdopt",
        "net.pdopt",
        "-o",
        "run.pth",
    )
    done = in_process(*words, "--optimizer", "nets.py:split", cwd=torch_file)
    assert done.returncode == 0, done.stderr
    saved = torch.load(torch_file / "run.pth", weights_only=True)["optimizer"]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2, 3]]
    assert [group["nesterov"] for group in saved["param_groups"]] == [False, True]
    assert [group["lr"] for group in saved["param_groups"]] == [0.025, 0.025]
    assert saved["state"][0]["momentum_buffer"].shape == (6, 6)
    for factory, message in (("frozen", "does not hold: two.bias"), ("none", "made a TorchNet")):
        done = in_process(*words, "--force", "--optimizer", f"nets.py:{factory}", cwd=torch_file)
        assert done.returncode == 2
        assert message in done.stderr


def test_the_options_of_a_group_are_those_of_torch():
    from convert.training.optimizers import OPTIMIZERS

    parameters = [torch.nn.Parameter(torch.ones(2))]
    for row in OPTIMIZERS.values():
        [group] = getattr(importlib.import_module(row.home), row.torch)(parameters).state_dict()[
            "param_groups"
        ]
        group.pop("params")
        assert list(group) == list(row.options)
        differing = (
            "lr",
            "eps",
            "rho",
            "momentum",
            "weight_decay",
            "step_sizes",
        )  # Paddle's defaults are others
        assert {n: v for n, v in group.items() if n not in differing} == {
            n: v for n, v in row.options.items() if n not in differing
        }


def test_a_run_too_long_for_its_powers_of_beta_is_past_its_bias_correction(tmp_path):
    begun("Adam", tmp_path)
    state = paddle.load(str(tmp_path / "net.pdopt"))
    for key in state:
        if "_pow_acc_" in key:
            state[key] = np.zeros(1, "float32")
    paddle.save(state, str(tmp_path / "net.pdopt"))
    net = TorchNet()
    adam = torch.optim.Adam(net.parameters(), betas=BETAS)
    state = convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, adam)
    assert 1 - 0.999 ** state.state_dict["state"][0]["step"].item() == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pdopt", "absent.pdopt"], "absent.pdopt: no such file"),
        (["--pdopt", "net.pdparams"], "is no accumulator"),
        (["--pdopt", "nets.py"], "not a .pdopt"),
        (["--pdopt", "net.pdopt"], "Adam, AdamW and Lamb keep the same state"),
        (["--pdopt", "net.pdopt", "--optimizer", "adamm"], "use one of sgd, momentum, adam, adamw, lamb"),
        (["--pdopt", "net.pdopt", "--optimizer", "momentum"], "no counterpart in torch's SGD"),
        (["--pdopt", "net.pdopt", "--optimizer", "adagrad"], "no counterpart in torch's Adagrad"),
        (
            ["--pdopt", "net.pdopt", "--optimizer", "adam", "--optimizer-args", '{"beta": 1}'],
            "no 'beta' (nearest: betas)",
        ),
        (
            ["--pdopt", "net.pdopt", "--optimizer", "adam", "--optimizer-args", '{"betas": [0.9, 0.95]}'],
            "powers of beta are not those",
        ),
        (
            ["--pdopt", "net.pdopt", "--optimizer", "adam", "--optimizer-args", '{"eps": "x"}'],
            "eps is a number",
        ),
        (["--optimizer", "adam"], "name it with --pdopt"),
        (["--pdopt", "net.pdopt", "--optimizer", "adam", "-o", "run.safetensors"], "name it *.pth"),
    ],
)
def test_wrong_words_about_an_optimizer_are_answered(torch_file, in_process, words, message):
    begun("Adam", torch_file)
    if "-o" not in words:
        words = [*words, "-o", "run.pth"]
    done = in_process("convert", "net.pdparams", "--torch", "nets.py:TorchNet", *words, cwd=torch_file)
    assert done.returncode == 2
    assert message in done.stderr
    assert not list(torch_file.glob("run.*"))


def test_without_the_state_the_run_would_differ(tmp_path):
    ours = begun("Momentum", tmp_path)
    expected = [paddle_step(*ours, batch) for batch in batches()[7:17]]
    net = TorchNet().double()
    optimizer = TORCH["Momentum"](net.parameters())
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    with open_checkpoint(tmp_path / "net.pdparams") as checkpoint:
        net.load_state_dict(convert_state_dict(checkpoint, net))
    state = convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, optimizer)
    state.state_dict["state"].clear()
    state.load(optimizer, scheduler)
    actual = [torch_step(net, optimizer, scheduler, batch) for batch in batches()[7:17]]
    assert abs(actual[-1] - expected[-1]) > 1e-6


def test_master_weights_and_their_accumulators_are_found(tmp_path):
    net = PaddleNet()
    net.to(dtype="float16")
    optimizer = paddle.optimizer.Adam(0.01, parameters=net.parameters(), multi_precision=True)
    for parameter in net.parameters():
        parameter.grad = paddle.ones(parameter.shape, dtype="float16")
    with pytest.raises(RuntimeError, match=r"not registered"):  # Paddle has no float16 kernel for the CPU,
        optimizer.step()  # but by then it has made its master weights and accumulators
    paddle.save(net.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "net.pdopt"))
    twin = TorchNet()
    torch_optimizer = torch.optim.Adam(twin.parameters(), betas=BETAS)
    state = convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", twin, torch_optimizer)
    assert set(state.master_weights) == set(twin.state_dict())
    expected = optimizer.state_dict()["master_weights"][net.one.weight.name].numpy().T
    np.testing.assert_array_equal(state.master_weights["one.weight"].numpy(), expected)
    training = Training(tmp_path / "net.pdopt", "adam")
    convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "run.pth", target=twin, training=training)
    saved = torch.load(tmp_path / "run.pth", weights_only=True)
    np.testing.assert_array_equal(saved["master_weights"]["one.weight"].numpy(), expected)
    assert saved["model"]["one.weight"].dtype == torch.float16
    assert saved["optimizer"]["state"][2]["exp_avg"].dtype == torch.float32
    entry = state.state_dict["state"][2]  # one.weight is torch's third parameter
    assert entry["step"].item() == 0
    assert entry["exp_avg"].shape == (6, 6)
    assert entry["exp_avg"].dtype == torch.float32


def test_parameters_that_paddle_never_trained_have_no_state(tmp_path):
    net = PaddleNet()
    net.two.weight.stop_gradient = True
    optimizer = paddle.optimizer.Momentum(0.1, 0.9, parameters=net.parameters())
    net(paddle.ones([1, 6])).sum().backward()
    optimizer.step()
    paddle.save(net.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "net.pdopt"))
    twin = TorchNet()
    state = convert_optimizer(
        tmp_path / "net.pdopt",
        tmp_path / "net.pdparams",
        twin,
        torch.optim.SGD(twin.parameters(), 0.1, momentum=0.9),
    )
    assert state.without_state == ("two.weight",)
    resumed = torch.optim.SGD(twin.parameters(), 0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(resumed, 3)
    with pytest.raises(ConvertError, match=r"no LR_Scheduler"):
        state.load(resumed, scheduler)


def test_files_of_different_runs_wrong_betas_and_optimizers_are_refused(tmp_path):
    begun("Adam", tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    begun("Momentum", other)
    net = TorchNet()
    adam = torch.optim.Adam(net.parameters(), betas=BETAS)
    with pytest.raises(ConvertError, match=r"no accumulator of a parameter .*same run"):
        convert_optimizer(tmp_path / "net.pdopt", other / "net.pdparams", net, adam)
    wrong = {
        r"powers of beta are not those": torch.optim.Adam(net.parameters(), betas=(0.9, 0.95)),
        r"has no counterpart in torch's SGD": torch.optim.SGD(net.parameters(), 0.1, momentum=0.9),
        r"state for .*RMSprop cannot be converted.*parity.remedies.torch_rmsprop.RMSProp": torch.optim.RMSprop(
            net.parameters()
        ),
        r"state for .*ASGD cannot be converted.*parity.remedies.torch_asgd.ASGD": torch.optim.ASGD(
            net.parameters()
        ),
        r"state of parameters that the optimizer does not hold": torch.optim.Adam(
            net.one.parameters(), betas=BETAS
        ),
    }
    for message, optimizer in wrong.items():
        with pytest.raises(ConvertError, match=message):
            convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, optimizer)


@pytest.mark.parametrize(("arguments", "said"), [({}, True), ({"lr": 0.01}, False)])
def test_a_learning_rate_that_nobody_said_is_pointed_out(arguments, said, tmp_path):
    ours = paddle.nn.Linear(4, 3)
    optimizer = paddle.optimizer.Momentum(0.01, parameters=ours.parameters())
    ours(paddle.rand([2, 4])).sum().backward()
    optimizer.step()
    paddle.save(ours.state_dict(), str(tmp_path / "x.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "x.pdopt"))
    report = convert_checkpoint(
        tmp_path / "x.pdparams",
        tmp_path / "x.pth",
        target=torch.nn.Linear(4, 3),
        training=Training(tmp_path / "x.pdopt", "", arguments),
    )
    note = next(note for note in report.notes if "LR_Scheduler" in note)
    assert note.endswith("Paddle's default; give the run's own with --optimizer-args") == said


def test_the_gradients_that_asgd_keeps_are_laid_out_as_their_parameters_are(tmp_path):
    ours, twin = paddle.nn.MultiHeadAttention(4, 2), torch.nn.MultiheadAttention(4, 2, batch_first=True)
    optimizer = paddle.optimizer.ASGD(0.01, 3, ours.parameters())
    for _ in range(5):
        ours(paddle.rand([2, 3, 4])).square().sum().backward()
        optimizer.step()
    paddle.save(ours.state_dict(), str(tmp_path / "net.pdparams"))
    paddle.save(optimizer.state_dict(), str(tmp_path / "net.pdopt"))
    files = tmp_path / "net.pdopt", tmp_path / "net.pdparams", twin
    state = convert_optimizer(*files, ASGD(twin.parameters(), 0.01, 3)).state_dict["state"]
    held = optimizer.state_dict()
    q, k, v = (held[f"{layer.weight.name}_y_0"].numpy() for layer in (ours.q_proj, ours.k_proj, ours.v_proj))
    expected = np.concatenate([part.transpose(0, 2, 1) for part in (q, k, v)], axis=1)
    np.testing.assert_array_equal(state[0]["gradients"].numpy(), expected)
    assert state[0]["step"].item() == 5
    with pytest.raises(ConvertError, match=r"keeps 3 gradients .*, and the torch optimizer 2"):
        convert_optimizer(*files, ASGD(twin.parameters(), 0.01, 2))
    training = Training(tmp_path / "net.pdopt", "asgd", {"batch_num": 2})
    with pytest.raises(ConvertError, match=r"batch_num is 2, and what .*net.pdopt keeps tells 3"):
        convert_checkpoint(tmp_path / "net.pdparams", tmp_path / "run.pth", target=twin, training=training)


def test_a_network_whose_names_are_as_short_as_asgds_is_no_optimizer(tmp_path):
    paddle.save({"conv_d_0": paddle.ones([2]), "conv_m_0": paddle.ones([2])}, str(tmp_path / "net.pdparams"))
    with open_checkpoint(tmp_path / "net.pdparams") as checkpoint:
        assert list(checkpoint) == ["conv_d_0", "conv_m_0"]
        assert not are_accumulators(checkpoint)
