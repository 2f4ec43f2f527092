"""A gradient hook on a parameter changes what the optimizer gets; gradients and steps are compared as it leaves them."""

from __future__ import annotations

import pytest

from tests.capture.nets import X, paddle, paddle2torch, pair, torch


def _halve_after(parameter):
    parameter.grad = parameter.grad * 0.5


def _clip_after(parameter):
    parameter.grad.clamp_(-0.3, 0.3)


def _forward(net, x):
    return net.b(net.a(x))


# What is registered on Paddle's and on torch's weight, and whether the two are the same.
HOOKS = {
    "frozen in torch": (None, lambda w: w.register_hook(lambda g: g * 0), False),
    "frozen in Paddle": (lambda w: w.register_hook(lambda g: g * 0), None, False),
    "another factor": (
        lambda w: w.register_hook(lambda g: g * 0.5),
        lambda w: w.register_hook(lambda g: g * 0.3),
        False,
    ),
    "clipped in torch after accumulation": (
        None,
        lambda w: w.register_post_accumulate_grad_hook(_clip_after),
        False,
    ),
    "the same factor": (
        lambda w: w.register_hook(lambda g: g / 3),
        lambda w: w.register_hook(lambda g: g / 3),
        True,
    ),
    "the same bounds": (
        lambda w: w.register_hook(lambda g: g.clip(-0.3, 0.3)),
        lambda w: w.register_hook(lambda g: g.clamp(-0.3, 0.3)),
        True,
    ),
    "two hooks in a row": (
        lambda w: w.register_hook(lambda g: g * 0.25),
        lambda w: (w.register_hook(lambda g: g * 0.5), w.register_hook(lambda g: g * 0.5)),
        True,
    ),
    "before and after accumulation": (
        lambda w: w.register_hook(lambda g: g * 0.5),
        lambda w: w.register_post_accumulate_grad_hook(_halve_after),
        True,
    ),
    "that only look": (
        lambda w: w.register_hook(lambda g: None),
        lambda w: w.register_hook(lambda g: None),
        True,
    ),
    "that only look, on one side": (lambda w: w.register_hook(lambda g: None), None, True),
}


def _hooked(name):
    theirs, ours, same = HOOKS[name]
    one, other = pair(_forward, _forward)
    for register, weight in ((theirs, one.a.weight), (ours, other.a.weight)):
        if register is not None:
            register(weight)
    return one, other, "EQUIVALENT" if same else "DIFFERENT"


def _sgd(net):
    return paddle.optimizer.SGD(0.1, parameters=net.parameters())


@pytest.mark.parametrize("name", HOOKS)
def test_gradients_are_compared_as_hooks_leave_them(name):
    one, other, verdict = _hooked(name)
    report = paddle2torch.check(one, other, X, gradients=True, further=False)
    assert report.verdict.value == verdict, str(report)
    if verdict == "DIFFERENT" and name != "another factor":
        assert "gradient hook on the parameter `a.weight`" in report.findings[0].cause


@pytest.mark.parametrize("name", HOOKS)
def test_steps_are_compared_as_hooks_leave_them(name):
    one, other, verdict = _hooked(name)
    optimizers = (_sgd, lambda net: torch.optim.SGD(net.parameters(), lr=0.1))
    report = paddle2torch.check(one, other, X, mode="train", steps=2, optimizers=optimizers, further=False)
    assert report.verdict.value == verdict, str(report)


def test_a_check_leaves_hooked_parameters_as_they_were():
    one, other, _ = _hooked("the same factor")
    (one(paddle.to_tensor(X)) ** 2).sum().backward()
    (other(torch.from_numpy(X)) ** 2).sum().backward()
    before = [one.a.weight.numpy(), one.a.weight.grad.numpy(), other.a.weight.grad.clone()]
    address = one.a.weight.data_ptr()
    paddle2torch.check(one, other, X, gradients=True, further=False)
    assert one.a.weight.data_ptr() == address
    assert one.a.weight.dtype == paddle.float32
    assert (one.a.weight.numpy() == before[0]).all()
    assert (one.a.weight.grad.numpy() == before[1]).all()
    assert torch.equal(other.a.weight.grad, before[2])


def test_a_hook_that_forward_registers_on_a_parameter_does_not_stay():
    def forward(net, x):
        if torch.is_grad_enabled():
            net.a.weight.register_hook(lambda g: g * 0.5)
        return net.b(net.a(x))

    def theirs(net, x):
        return net.b(net.a(x))

    one, other = pair(theirs, forward)
    report = paddle2torch.check(one, other, X, gradients=True, further=False)
    assert report.verdict.value == "DIFFERENT"
    assert not other.a.weight._backward_hooks
