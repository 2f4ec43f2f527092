"""Optimizer steps: settings, clipping, schedules, and which half of the training is at fault."""

from __future__ import annotations

import re

import paddle
import pytest
import torch

import parity
from tests.parity_training.networks import ENTROPY, PaddleNet, TorchNet, X, pair, state_of

STEPS = 2


def train(paddle_optimizer, torch_optimizer, *, change=None, nets=(), steps=STEPS, **options):
    paddle_net, torch_net = nets or pair()
    if change is not None:
        change(paddle_net, torch_net)
    before = state_of(paddle_net, torch_net)
    report = parity.check(
        paddle_net,
        torch_net,
        X,
        mode="train",
        steps=steps,
        losses=ENTROPY,
        optimizers=(paddle_optimizer, torch_optimizer),
        further=False,
        **options,
    )
    assert state_of(paddle_net, torch_net) == before
    return report


def of_paddle(kind, **options):
    return lambda model: getattr(paddle.optimizer, kind)(parameters=model.parameters(), **options)


def of_torch(kind, clip=None, **options):
    def make(model):
        optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
        if clip is not None:
            optimizer.register_step_pre_hook(lambda *_: clip(list(model.parameters())))
        return optimizer

    return make


def norm_clip(value):
    def clip(parameters):
        torch.nn.utils.clip_grad_norm_(parameters, value)

    return clip


def value_clip(value):
    def clip(parameters):
        torch.nn.utils.clip_grad_value_(parameters, value)

    return clip


MOMENTUM = of_paddle("Momentum", learning_rate=0.05, momentum=0.9, weight_decay=1e-3)
TORCH_MOMENTUM = {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3}
ADAM = of_paddle("Adam", learning_rate=0.01)

CORRECT = {
    "sgd": (of_paddle("SGD", learning_rate=0.1), of_torch("SGD", lr=0.1)),
    "sgd with decay": (
        of_paddle("SGD", learning_rate=0.1, weight_decay=1e-3),
        of_torch("SGD", lr=0.1, weight_decay=1e-3),
    ),
    "momentum": (MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM)),
    "nesterov": (
        of_paddle("Momentum", learning_rate=0.05, momentum=0.9, use_nesterov=True),
        of_torch("SGD", lr=0.05, momentum=0.9, nesterov=True),
    ),
    "adam with decay": (
        of_paddle("Adam", learning_rate=0.01, weight_decay=0.01),
        of_torch("Adam", lr=0.01, weight_decay=0.01),
    ),
    "adamw": (
        of_paddle("AdamW", learning_rate=0.01, weight_decay=0.1),
        of_torch("AdamW", lr=0.01, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("name", CORRECT)
def test_correct_training_agrees_to_rounding(name):
    report = train(*CORRECT[name])
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    note = next(note for note in report.notes if note.text.startswith("training:"))
    assert max(note.evidence["parameters differ by"]) < 1e-10
    assert max(note.evidence["loss differs by"]) < 1e-11
    assert max(note.evidence["statistics differ by"]) < 1e-10


WRONG = {
    "learning rate": (
        MOMENTUM,
        of_torch("SGD", **TORCH_MOMENTUM | {"lr": 0.5}),
        "learning rate: .*0.5.*0.05",
    ),
    "momentum": (MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM | {"momentum": 0}), "momentum: torch has 0"),
    "nesterov": (MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM, nesterov=True), "nesterov"),
    "decay": (MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM | {"weight_decay": 0}), "weight_decay: torch has 0"),
    "betas": (ADAM, of_torch("Adam", lr=0.01, betas=(0.9, 0.99)), "beta2"),
    "eps": (ADAM, of_torch("Adam", lr=0.01, eps=1e-3), "eps"),
    "adam for adamw": (
        CORRECT["adamw"][0],
        of_torch("Adam", lr=0.01, weight_decay=0.1),
        "L2.*decoupled",
    ),
    "another rule": (MOMENTUM, of_torch("RMSprop", lr=0.05), "RMSprop.*Momentum"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_named_and_the_model_is_not_blamed(name):
    paddle_optimizer, torch_optimizer, cause = WRONG[name]
    report = train(paddle_optimizer, torch_optimizer)
    assert [finding.layer for finding in report.findings] == ["optimizer"], str(report)
    assert re.search(cause, report.findings[0].cause), report.findings[0].cause
    assert report.findings[0].evidence["update differs by"] > 1e-6


def test_a_setting_without_effect_is_still_found_and_says_so():
    one_step = train(MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM | {"momentum": 0.5}), steps=1)
    assert "no effect in these steps" in one_step.findings[0].cause


def test_a_decay_of_other_scope_lists_the_parameters():
    def make(model):
        vectors = [p for p in model.parameters() if p.ndim == 1]
        matrices = [p for p in model.parameters() if p.ndim > 1]
        groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.SGD(groups, **TORCH_MOMENTUM)

    finding = train(MOMENTUM, make).findings[0]
    assert "scope of weight_decay" in finding.cause
    assert "5 of 8" in finding.cause


def test_a_parameter_that_the_optimizer_lacks_is_named():
    def make(model):
        return torch.optim.SGD([p for n, p in model.named_parameters() if "fc" not in n], **TORCH_MOMENTUM)

    report = train(MOMENTUM, make)
    assert "`fc.weight`" in report.findings[0].cause
    assert len(report.findings) == 1


CLIPPED = of_paddle("SGD", learning_rate=0.1, grad_clip=paddle.nn.ClipGradByGlobalNorm(0.1))


def test_clipping_by_global_norm_agrees_but_for_a_constant_of_torch():
    report = train(CLIPPED, of_torch("SGD", clip=norm_clip(0.1), lr=0.1))
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert any("1e-6" in note.text and "clip" in note.text for note in report.notes)


def test_clipping_by_value_agrees():
    clipped = of_paddle("SGD", learning_rate=0.1, grad_clip=paddle.nn.ClipGradByValue(0.01))
    report = train(clipped, of_torch("SGD", clip=value_clip(0.01), lr=0.1))
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


@pytest.mark.parametrize(
    ("clip", "cause"),
    [(None, "clip missing"), (norm_clip(0.2), "another norm"), (value_clip(0.01), "another")],
)
def test_another_clipping_is_told_apart_from_the_step(clip, cause):
    report = train(CLIPPED, of_torch("SGD", clip=clip, lr=0.1))
    assert len(report.findings) == 1, str(report)
    assert cause in report.findings[0].cause


def test_clipping_in_torch_alone_is_found():
    report = train(of_paddle("SGD", learning_rate=0.1), of_torch("SGD", clip=norm_clip(0.1), lr=0.1))
    assert "clip only in torch" in report.findings[0].cause


# -- objects and schedules ------------------------------------------------------------------------


def objects(paddle_kind, torch_kind, paddle_options, torch_options):
    nets = pair()
    return nets, (
        getattr(paddle.optimizer, paddle_kind)(parameters=nets[0].parameters(), **paddle_options),
        getattr(torch.optim, torch_kind)(nets[1].parameters(), **torch_options),
    )


OBJECTS = {
    "SGD": ("SGD", "SGD", {"learning_rate": 0.1, "weight_decay": 1e-3}, {"lr": 0.1, "weight_decay": 1e-3}),
    "Momentum": (
        "Momentum",
        "SGD",
        {"learning_rate": 0.05, "weight_decay": 1e-3, "use_nesterov": True},
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3, "nesterov": True},
    ),
    "Adam": (
        "Adam",
        "Adam",
        {"learning_rate": 0.01, "beta1": 0.8, "epsilon": 1e-6},
        {"lr": 0.01, "betas": (0.8, 0.999), "eps": 1e-6},
    ),
    "AdamW": (
        "AdamW",
        "AdamW",
        {"learning_rate": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "weight_decay": 0.1},
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_optimizers_of_the_models_are_rebuilt_for_the_copies(name):
    nets, optimizers = objects(*OBJECTS[name])
    report = train(*optimizers, nets=nets)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert not optimizers[1].state


def test_a_paddle_optimizer_that_cannot_be_rebuilt_asks_for_a_factory():
    nets = pair()
    optimizer = paddle.optimizer.ASGD(learning_rate=0.1, batch_num=2, parameters=nets[0].parameters())
    with pytest.raises(parity.ParityError, match="give a function"):
        train(optimizer, of_torch("SGD", lr=0.1), nets=nets)


def test_an_optimizer_of_another_model_is_an_error():
    other = TorchNet()
    with pytest.raises(parity.ParityError, match="not the model's parameters"):
        train(MOMENTUM, torch.optim.SGD(other.parameters(), lr=0.1))


def test_a_decay_chosen_by_parameter_name_is_kept_by_the_copy():
    nets = pair()
    plain = {p.name for p in nets[0].parameters() if len(p.shape) == 1}
    optimizer = paddle.optimizer.AdamW(
        learning_rate=0.01,
        weight_decay=0.1,
        parameters=nets[0].parameters(),
        apply_decay_param_fun=lambda name: name not in plain,
    )

    def make(model):
        vectors = [p for p in model.parameters() if p.ndim == 1]
        matrices = [p for p in model.parameters() if p.ndim > 1]
        return torch.optim.AdamW(
            [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], lr=0.01
        )

    report = train(optimizer, make, nets=nets)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


def paddle_scheduled(step_size):
    def make(model):
        schedule = paddle.optimizer.lr.StepDecay(0.1, step_size=step_size, gamma=0.5)
        return paddle.optimizer.SGD(learning_rate=schedule, parameters=model.parameters())

    return make


def paddle_schedule(optimizer):
    return optimizer._learning_rate


def torch_schedule(optimizer):
    return torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)


def test_equal_schedules_agree():
    report = train(paddle_scheduled(1), of_torch("SGD", lr=0.1), schedulers=(paddle_schedule, torch_schedule))
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


def test_a_schedule_that_parts_later_is_found_with_both_rates():
    report = train(
        paddle_scheduled(2), of_torch("SGD", lr=0.1), steps=3, schedulers=(paddle_schedule, torch_schedule)
    )
    assert "schedule: equal until step 1" in report.findings[0].cause
    assert report.findings[0].evidence["torch's rates"] == [0.1, 0.05, 0.025]


def test_schedules_as_objects_leave_the_users_own_where_they_were():
    nets = pair()
    schedule = paddle.optimizer.lr.ExponentialDecay(0.1, gamma=0.7)
    optimizers = (
        paddle.optimizer.SGD(learning_rate=schedule, parameters=nets[0].parameters()),
        torch.optim.SGD(nets[1].parameters(), lr=0.1),
    )
    torch_own = torch.optim.lr_scheduler.ExponentialLR(optimizers[1], gamma=0.7)
    before = schedule.last_epoch, torch_own.last_epoch
    report = train(*optimizers, nets=nets, schedulers=(schedule, torch_own))
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert (schedule.last_epoch, torch_own.last_epoch) == before
    assert optimizers[1].param_groups[0]["lr"] == 0.1


# -- the model at fault ---------------------------------------------------------------------------


def test_another_batch_norm_momentum_is_blamed_on_the_layer():
    def change(paddle_net, torch_net):
        torch_net.bn.momentum = 0.3

    report = train(MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM), change=change)
    assert report.findings[0].layer == "bn"
    assert "momentum" in report.findings[0].cause
    assert all(finding.layer == "bn" for finding in report.findings)


def test_a_layer_that_changes_from_call_to_call_is_found_at_a_later_step():
    class Drifting(TorchNet):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def before_side(self, x):
            if torch.is_grad_enabled():
                self.calls += 1
            return self.side(x) * (1.0 if float(self.calls) < 2 else 1.01)

    report = train(MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM), nets=pair(Drifting))
    assert report.verdict is parity.Verdict.DIFFERENT
    assert "at step 2" in report.findings[0].cause


def test_gradient_and_optimizer_faults_are_reported_together():
    class Detached(TorchNet):
        def before_side(self, x):
            return self.side(x.detach())

    report = train(MOMENTUM, of_torch("SGD", **TORCH_MOMENTUM | {"lr": 0.5}), nets=pair(Detached, PaddleNet))
    assert [finding.layer for finding in report.findings] == ["", "optimizer"]


# -- bad options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "0 or more"),
        ({"steps": 2}, "needs optimizers"),
        ({"optimizers": (1, 2)}, "give steps"),
        ({"losses": ENTROPY}, "gradients=True"),
        ({"losses": 3, "gradients": True}, "pair"),
        ({"steps": 1, "optimizers": (MOMENTUM, lambda model: 3)}, "not a torch.optim.Optimizer"),
    ],
)
def test_options_that_do_not_fit_are_errors_that_say_what_to_do(options, message):
    with pytest.raises(parity.ParityError, match=message):
        parity.check(*pair(), X, further=False, **options)


# -- other people's optimizers --------------------------------------------------------------------


class OwnSGD(torch.optim.Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.add_(parameter.grad, alpha=-group["lr"])


class ClippingSGD(torch.optim.SGD):
    def step(self, closure=None):
        torch.nn.utils.clip_grad_norm_([p for group in self.param_groups for p in group["params"]], 0.1)
        return super().step(closure)


@pytest.mark.parametrize(
    ("in_paddle", "in_torch"),
    [
        (of_paddle("SGD", learning_rate=0.1), lambda model: OwnSGD(model.parameters(), 0.1)),
        (CLIPPED, lambda model: ClippingSGD(model.parameters(), 0.1)),
    ],
)
def test_an_optimizer_of_the_users_own_is_judged_by_its_steps(in_paddle, in_torch):
    report = train(in_paddle, in_torch)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


def test_an_optimizer_of_the_users_own_that_steps_differently_is_found():
    report = train(of_paddle("Momentum", learning_rate=0.1), lambda model: OwnSGD(model.parameters(), 0.1))
    assert report.verdict is parity.Verdict.DIFFERENT


def each_norm_clip(parameters):
    for parameter in parameters:
        torch.nn.utils.clip_grad_norm_([parameter], 0.05)


@pytest.mark.parametrize(
    ("clip", "verdict"), [(each_norm_clip, "EQUIVALENT"), (norm_clip(0.05), "DIFFERENT")]
)
def test_clipping_each_gradient_by_its_norm_is_not_clipping_all_by_theirs(clip, verdict):
    clipped = of_paddle("SGD", learning_rate=0.1, grad_clip=paddle.nn.ClipGradByNorm(0.05))
    assert train(clipped, of_torch("SGD", clip=clip, lr=0.1)).verdict.name == verdict


def test_a_clip_that_these_gradients_do_not_reach_is_compared_all_the_same():
    clipped = of_paddle("SGD", learning_rate=0.1, grad_clip=paddle.nn.ClipGradByGlobalNorm(1e3))
    report = train(clipped, of_torch("SGD", clip=value_clip(1e3), lr=0.1), steps=1)
    assert "too small to be clipped" in report.findings[0].cause


def test_settings_of_the_rarer_optimizers_are_compared_by_name():
    in_paddle = of_paddle("RMSProp", learning_rate=0.01, rho=0.9, epsilon=1e-12)
    report = train(in_paddle, of_torch("RMSprop", lr=0.01, eps=1e-12), steps=1)
    assert report.findings[0].cause.startswith("alpha: torch has 0.99, Paddle has 0.9")


@pytest.mark.parametrize(
    ("in_torch", "told"),
    [
        (lambda model: model.nope, "torch's optimizer factory raised AttributeError"),
        (
            of_torch("SGD", clip=lambda parameters: 1 / 0, lr=0.1),
            "pre-step hook of torch's optimizer raised Zero",
        ),
        (torch.optim.SGD, "is the class SGD itself"),
        ("sgd", "must be a function that takes the model"),
        (of_paddle("SGD", learning_rate=0.1)(PaddleNet()), "is an object of Paddle; the order is"),
    ],
)
def test_an_optimizer_that_cannot_be_used_gives_one_sentence(in_torch, told):
    with pytest.raises(parity.ParityError, match=re.escape(told)):
        train(of_paddle("SGD", learning_rate=0.1), in_torch)


class PaddleCentre(PaddleNet):
    def __init__(self):
        super().__init__()
        self.register_buffer("centre", paddle.zeros([3]))

    def forward(self, x):
        scores = super().forward(x)
        result = scores - self.centre
        with paddle.no_grad():
            self.centre.set_value(self.centre * 0.9 + scores.mean(0) * 0.1)
        return result


class TorchCentre(TorchNet):
    share = 0.1

    def __init__(self):
        super().__init__()
        self.register_buffer("centre", torch.zeros(3))

    def forward(self, x):
        scores = super().forward(x)
        result = scores - self.centre
        with torch.no_grad():
            self.centre.data = self.centre * (1 - self.share) + scores.mean(0) * self.share
        return result


class OtherShare(TorchCentre):
    share = 0.2


@pytest.mark.parametrize(("net", "findings"), [(TorchCentre, 0), (OtherShare, 1)])
def test_a_buffer_that_the_model_itself_updates_is_compared_and_the_users_is_left_alone(net, findings):
    nets = pair(net, PaddleCentre)
    report = train(of_paddle("SGD", learning_rate=0.1), of_torch("SGD", lr=0.1), nets=nets)
    assert len(report.findings) == findings, str(report)
    assert all("the buffer `centre` is updated differently" in f.cause for f in report.findings)


class PaddleTable(PaddleNet):
    """A table of places, a mask and a counter, none of them floats, stand beside the weights."""

    def __init__(self):
        super().__init__()
        self.register_buffer("places", paddle.to_tensor([2, 0, 1, 5, 4, 3]))
        self.register_buffer("mask", paddle.to_tensor([True, False, True, True, True, False]))
        self.register_buffer("calls", paddle.to_tensor([0], dtype="int32"))

    def forward(self, x):
        self.calls.set_value(self.calls + 1)
        x = paddle.nn.functional.relu(self.bn(self.conv(x))).mean(axis=[2, 3])
        x = paddle.index_select(x, self.places, axis=1)
        return self.fc(paddle.where(self.mask, x, self.side(x)))


class TorchTable(TorchNet):
    def __init__(self):
        super().__init__()
        self.register_buffer("places", torch.tensor([2, 0, 1, 5, 4, 3]))
        self.register_buffer("mask", torch.tensor([True, False, True, True, True, False]))
        self.register_buffer("calls", torch.zeros(1, dtype=torch.int32))

    def forward(self, x):
        self.calls += 1
        x = torch.relu(self.bn(self.conv(x))).mean(dim=(2, 3))
        x = torch.index_select(x, 1, self.places)
        return self.fc(torch.where(self.mask, x, self.side(x)))


def test_buffers_that_hold_no_floats_stay_what_they_are_in_training():
    report = train(
        of_paddle("SGD", learning_rate=0.1), of_torch("SGD", lr=0.1), nets=_with_tables(TorchTable)
    )
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)


def _with_tables(torch_class):
    paddle_net, torch_net = PaddleTable(), torch_class()
    with torch.no_grad():
        state = torch_net.state_dict()
        for name, tensor in paddle_net.state_dict().items():
            key = name.replace("_mean", "running_mean").replace("_variance", "running_var")
            value = torch.from_numpy(tensor.numpy())
            state[key].copy_(value.T if name.endswith("weight") and value.ndim == 2 else value)
    return paddle_net, torch_net


def test_a_decay_of_zero_for_a_group_of_paddles_momentum_is_zero():
    def make(model):
        vectors = [p for p in model.parameters() if p.ndim == 1]
        groups = [
            {"params": [p for p in model.parameters() if p.ndim > 1]},
            {"params": vectors, "weight_decay": 0.0},
        ]
        return paddle.optimizer.Momentum(0.1, 0.9, parameters=groups, weight_decay=1e-2)

    def same(model):
        vectors = [p for p in model.parameters() if p.ndim == 1]
        groups = [
            {"params": [p for p in model.parameters() if p.ndim > 1]},
            {"params": vectors, "weight_decay": 0.0},
        ]
        return torch.optim.SGD(groups, 0.1, 0.9, weight_decay=1e-2)

    report = train(make, same)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
