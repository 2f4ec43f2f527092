"""Chance, modes set by hand and compiled layers change what a run proves; the report says so."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.capture.nets import X, checked, paddle, paddle2torch, pair, torch

PF, TF = paddle.nn.functional, torch.nn.functional


def _plain(net, x):
    return net.b(x)


_OWN = np.random.default_rng(0)

# What either side draws and never shows on this run.
DRAWN = {
    "torch.rand and item": (_plain, lambda net, x: net.b(x) * (1 if torch.rand(1).item() < 2 else 2)),
    "torch.rand in a branch": (_plain, lambda net, x: net.b(x) if torch.rand(1) < 2 else net.a(x)),
    "torch.randint as an index": (_plain, lambda net, x: (net.b, net.b)[int(torch.randint(2, ()))](x)),
    "paddle.rand in a branch": (lambda net, x: net.b(x) if paddle.rand([1]) < 2 else net.a(x), _plain),
    "random": (_plain, lambda net, x: net.b(x) if random.random() < 2 else net.a(x)),
    "random.choice": (lambda net, x: random.choice([net.b, net.b])(x), _plain),
    "numpy": (lambda net, x: net.b(x) if np.random.uniform() < 2 else net.a(x), _plain),
    "a generator of its own": (_plain, lambda net, x, rng=_OWN: net.b(x) * (1 if rng.random() < 2 else 2)),
    "numpy on both sides": (
        lambda net, x: net.b(x) * float(np.random.rand()),
        lambda net, x: net.b(x) * float(np.random.rand()),
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_chance_that_shows_nowhere_is_not_equivalent(name):
    report = checked(*DRAWN[name])
    assert report.verdict.value == "INCONCLUSIVE", str(report)
    assert "depends on chance" in report.inconclusive[0]


def test_runs_side_by_side_do_not_share_what_they_draw():
    x = np.tile(X, (2, 1))
    report = checked(*DRAWN["numpy on both sides"], x=x)
    assert report.verdict.value == "INCONCLUSIVE", str(report)
    assert not report.findings


def test_a_check_leaves_the_generators_as_they_were():
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].copy()
    checked(*DRAWN["numpy on both sides"])
    checked(*DRAWN["random"])
    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()


def _texts(report):
    return " ".join(note.text for note in report.notes)


def test_a_layer_that_was_left_in_train_mode_is_named():
    one, other = pair(_plain, _plain)
    one.eval(), other.eval()
    other.b.train()
    report = paddle2torch.check(one, other, X, further=False)
    assert report.verdict.value == "EQUIVALENT"
    assert "`b` (Linear) was in train mode in a model that is in eval mode" in _texts(report)
    assert other.b.training
    one.a.train()
    assert "paddle: `a` (Linear) was in train mode" in _texts(
        paddle2torch.check(one, other, X, further=False)
    )


def test_a_frozen_layer_of_a_model_in_train_mode_is_named():
    one, other = pair(_plain, _plain)
    one.train(), other.train()
    one.a.eval(), other.a.eval()
    report = paddle2torch.check(one, other, X, mode="train", further=False)
    assert "torch: `a` (Linear) was in eval mode in a model that is in train mode" in _texts(report)


def test_models_in_one_mode_have_nothing_to_say_about_it():
    one, other = pair(_plain, _plain)
    one.train(), other.eval()
    assert "mode" not in _texts(paddle2torch.check(one, other, X, further=False))


@pytest.mark.parametrize(
    ("theirs", "ours", "sides"),
    [
        (lambda net, x: net.b(net.a(x)), lambda net, x: net.b(TF.dropout(net.a(x), 0.3)), ["torch"]),
        (lambda net, x: net.b(PF.dropout(net.a(x), 0.3)), lambda net, x: net.b(net.a(x)), ["paddle"]),
        (
            lambda net, x: net.b(PF.dropout(net.a(x), 0.3)),
            lambda net, x: net.b(TF.dropout(net.a(x), 0.3)),
            ["paddle", "torch"],
        ),
    ],
)
def test_a_functional_dropout_that_stays_on_in_eval_is_told_as_that(theirs, ours, sides):
    report = checked(theirs, ours)
    assert (report.verdict.value == "EQUIVALENT") == (len(sides) == 2)
    for side in sides:
        assert f"{side}: a dropout of p=0.3 at {__file__}" in _texts(report)
    assert _texts(report).count("stays on in eval mode") == len(sides)
    assert "stays on" not in _texts(checked(theirs, ours, mode="train"))


def _branching(net, x):
    y = net.b(x)
    return y * 2 if y.sum() > 1e6 else y * 3


def test_a_compiled_paddle_layer_runs_in_dynamic_mode():
    for factor, verdict in ((3, "EQUIVALENT"), (4, "DIFFERENT")):
        one, other = pair(_branching, lambda net, x, factor=factor: net.b(x) * factor)
        one.b = paddle.jit.to_static(one.b)
        report = paddle2torch.check(one, other, X, further=False)
        assert report.verdict.value == verdict, str(report)
        assert "1 layer is compiled by paddle.jit.to_static" in _texts(report)
    assert "scale: torch has 4, Paddle has 3" in report.findings[0].cause


def test_a_compiled_torch_module_runs_as_it_is_written():
    for factor, verdict in ((3, "EQUIVALENT"), (4, "DIFFERENT")):
        one, other = pair(_branching, lambda net, x, factor=factor: net.b(x) * factor)
        report = paddle2torch.check(one, torch.compile(other), X, further=False)
        assert report.verdict.value == verdict, str(report)
        assert "compiled by torch.compile" in _texts(report)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_module_is_refused_with_one_sentence():
    one, other = pair(_plain, _plain)
    with pytest.raises(paddle2torch.ParityError, match="TorchScript module"):
        paddle2torch.check(one, torch.jit.trace(other, torch.from_numpy(X)), X)


def test_two_runs_at_once_do_not_take_each_other_for_chance():
    """The first one that ends must not put the generators back while the other is still going."""
    import threading

    from parity.capture.chance import seeded

    before, inside, found = random.getstate(), threading.Barrier(2), []

    def run(last):
        with seeded(0) as drawn:
            inside.wait()
            if last:
                first.join()
            found.append(drawn())

    first = threading.Thread(target=run, args=(False,))
    first.start()
    run(True)
    assert found == [[], []]
    assert random.getstate() == before


class _Drawing(torch.nn.Module):
    def __init__(self, where):
        super().__init__()
        self.linear = torch.nn.Linear(8, 6)
        self.where, self.rng = where, np.random.Generator(np.random.MT19937(0))

    def forward(self, x):
        chance = {
            "held": self.rng.random,
            "global": _OF_THE_MODULE.random,
            "helper": _a_draw,
            "none": float,
        }[self.where]()
        return self.linear(x) * (2.0 if chance > 2 else 1.0)


_OF_THE_MODULE = random.Random(1)
_LEGACY = np.random.RandomState(2)


def _a_draw():
    return _LEGACY.rand()


@pytest.mark.parametrize(
    ("where", "name"), [("held", "rng"), ("global", "_OF_THE_MODULE"), ("helper", "_LEGACY"), ("none", "")]
)
def test_a_generator_of_the_models_own_is_seen_though_its_draws_change_nothing(where, name):
    from parity.capture.chance import seeded

    model = _Drawing(where)
    before = model.rng.bit_generator.state["state"]["pos"], _OF_THE_MODULE.getstate(), _LEGACY.get_state()[2]
    with seeded(0, model.named_modules()) as drawn:
        model(torch.zeros(2, 8))
        assert drawn() == ([f"a generator of its own (`{name}`)"] if name else [])
    after = model.rng.bit_generator.state["state"]["pos"], _OF_THE_MODULE.getstate(), _LEGACY.get_state()[2]
    assert after == before
