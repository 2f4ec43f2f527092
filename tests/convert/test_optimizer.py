"""Training that Paddle began goes on in torch as if nothing had happened."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_state_dict, open_checkpoint
from convert.optimizer import convert_optimizer

f = lambda value: float(np.float32(value))  # noqa: E731 - Paddle keeps these attributes in float32

PADDLE = {
    "SGD": lambda p, lr: paddle.optimizer.SGD(lr, parameters=p, weight_decay=1e-3),
    "Momentum": lambda p, lr: paddle.optimizer.Momentum(lr, 0.9, parameters=p, weight_decay=1e-3),
    "Nesterov": lambda p, lr: paddle.optimizer.Momentum(lr, 0.9, parameters=p, use_nesterov=True),
    "Adam": lambda p, lr: paddle.optimizer.Adam(lr, parameters=p, weight_decay=1e-3),
    "AMSGrad": lambda p, lr: paddle.optimizer.Adam(lr, parameters=p, amsgrad=True),
    "AdamW": lambda p, lr: paddle.optimizer.AdamW(lr, parameters=p, weight_decay=0.01),
}
BETAS = (0.9, 0.999)
TORCH = {
    "SGD": lambda p: torch.optim.SGD(p, 1.0, weight_decay=1e-3),
    "Momentum": lambda p: torch.optim.SGD(p, 1.0, momentum=f(0.9), weight_decay=f(1e-3)),
    "Nesterov": lambda p: torch.optim.SGD(p, 1.0, momentum=f(0.9), nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, 1.0, betas=BETAS, weight_decay=1e-3),
    "AMSGrad": lambda p: torch.optim.Adam(p, 1.0, betas=BETAS, amsgrad=True),
    "AdamW": lambda p: torch.optim.AdamW(p, 1.0, betas=BETAS, weight_decay=f(0.01)),
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


def begun(kind: str, folder, steps: int = 7):
    """A Paddle run after some steps, saved; and what is needed to go on with it."""
    paddle.seed(1)
    net = PaddleNet()
    net.to(dtype="float64")
    scheduler = paddle.optimizer.lr.StepDecay(0.05, step_size=4, gamma=0.5)
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
    if kind == "SGD":
        state = None
        for group in optimizer.param_groups:
            group["lr"] = 0.025
        scheduler.last_epoch = 7
    else:
        state = convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, optimizer)
        assert (state.last_epoch, state.last_lr, state.without_state) == (7, 0.025, ())
        state.load(optimizer, scheduler)
    actual = [torch_step(net, optimizer, scheduler, batch) for batch in batches()[7:17]]
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


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
        r"state for RMSprop cannot be converted": torch.optim.RMSprop(net.parameters()),
        r"state of parameters that the optimizer does not hold": torch.optim.Adam(
            net.one.parameters(), betas=BETAS
        ),
    }
    for message, optimizer in wrong.items():
        with pytest.raises(ConvertError, match=message):
            convert_optimizer(tmp_path / "net.pdopt", tmp_path / "net.pdparams", net, optimizer)
