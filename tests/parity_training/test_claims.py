"""What is said of a training, on records made by hand: no framework runs here."""

from __future__ import annotations

import numpy as np
import pytest

from parity.align.alignment import Alignment, Pair
from parity.align.weights import Holding, WeightPair
from parity.capture.training import Settings, Step
from parity.graph.node import Graph
from parity.results.finding import Subject
from parity.trace.trace import Op, Parameter, Trace
from parity.training import model
from parity.training.record import Claims, Given, Remark, StepRecord
from tests.explain.evidence import node

SGD = Settings("SGD", "sgd", {})


def twin(name):
    layer = node("linear", 1, module=name)
    return WeightPair(Pair(layer, layer, {}), "weight", Holding(name, (2,)), Holding(name, (2,)))


def given(share=1e-9, **rest):
    graphs = [
        Graph(side, Trace(side, "", "Net", "train", "float64", "cpu"), [], {}, {}, {}, {})
        for side in ("paddle", "torch")
    ]
    return Given(
        [twin("small"), twin("large")], Alignment(*graphs), SGD, SGD, 1e-9, share, **{"faulty": False, **rest}
    )


def step(number=1, gap=0.0, loss=0.0):
    """Gradients of one size, and tiny ones that are `gap` apart; `loss`, how far the losses are."""
    tiny, large = np.array([1e-6, -1e-6]), np.array([1.0, 2.0])
    expected = Step(3.0, {"small": tiny, "large": large})
    alone = Step(3.0 + loss, {"small": tiny + gap, "large": large})
    return StepRecord(number, expected, alone, alone, SGD, SGD, [], {}, {}, {}, {}, {}, {})


def said(explain, *record):
    return [(claim.what, claim.attribute) for claim in explain(*record, Claims())]


def test_a_gradient_that_is_off_at_a_later_step_is_a_finding():
    assert said(model.gradients, given(), step(gap=1e-7)) == [(Subject.GRADIENT, "small")]


def test_what_constants_explained_at_the_first_step_they_explain_later():
    assert said(model.gradients, given(share=1e-5), step(gap=1e-7)) == []
    assert said(model.gradients, given(share=1e-5), step(gap=1e-3)) == [(Subject.GRADIENT, "small")]


def test_the_first_step_is_not_judged_twice_and_a_faulty_model_not_again():
    assert said(model.gradients, given(), step(number=0, gap=1e-3)) == []
    assert said(model.gradients, given(faulty=True), step(gap=1e-3)) == []


@pytest.mark.parametrize(("name", "trainable"), [("small", True), ("unknown", False), ("unknown", True)])
def test_gradients_at_a_later_step_say_nothing_where_a_parameter_was_trained_that_nobody_knows_in_paddle(
    name, trainable
):
    known = given()
    trace = known.alignment.torch.trace
    trace.parameters[name] = Parameter(0, True, trainable)
    trace.ops.append(Op(0, "linear", "linear", "", "", {"weight": 0}, (1,), {}))
    told = [] if name == "unknown" and trainable else [(Subject.GRADIENT, "small")]
    assert said(model.gradients, known, step(gap=1e-7)) == told


def test_a_loss_that_is_off_alone_is_a_note():
    assert said(model.loss, given(), step(loss=1e-3)) == [(Remark.LOSS_CUT, "")]
    assert said(model.loss, given(), step(loss=1e-3, gap=1e-3)) == []
