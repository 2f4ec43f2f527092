"""What no comparison of values shows, and outputs that differ without a fault."""

from __future__ import annotations

import pytest

from parity.capture.replay import Measurement
from parity.explain import returned, unmeasured
from parity.explain.claims import Claim, Claims, Doubt, Remark
from parity.explain.telling import tell
from parity.graph.node import Silent
from parity.numbers.compare import difference
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status
from tests.explain.evidence import RIGHT, said, told


def dropout(value, **changes):
    return Silent(
        "dropout", value, {"p": 0.5, "mode": "upscale_in_train", "channels": False, **changes}, "d", ""
    )


def test_a_dropout_that_is_switched_off_is_compared_by_its_rate(hand):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    evidence.alignment.paddle.silent.append(dropout(1))
    evidence.alignment.torch.silent.append(dropout(101, p=0.1))
    claims = said(unmeasured.silent, evidence)
    assert told(claims) == [(Subject.ATTRIBUTE, "p", (0.5, 0.1), Shows.TRAINING)]
    (found,) = (tell.finding(claim, evidence) for claim in claims.faults)
    assert found.silent
    assert found.cause.endswith("shows only in training")


@pytest.mark.parametrize("side", ["paddle", "torch"])
def test_a_dropout_on_one_side_is_a_note_and_a_cast_is_a_fault(hand, side):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    graph = getattr(evidence.alignment, side)
    value = 1 if side == "paddle" else 101
    graph.silent += [dropout(value), Silent("cast", value, {"narrow": "float16"}, "c", "net.py:3")]
    claims = said(unmeasured.silent, evidence)
    assert [claim.what for claim in claims.remarks] == [Remark.SILENT]
    values = ("float16", None) if side == "paddle" else (None, "float16")
    assert told(claims) == [(Subject.PRECISION, "dtype", values, Shows.OUTPUTS)]


def test_layers_in_a_plain_list_are_told_by_the_list(hand):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    evidence.torch.trace.unregistered |= {"blocks[0]": "net.py:4", "blocks[1]": "net.py:4"}
    claims = said(unmeasured.registration, evidence)
    assert told(claims) == [(Subject.REGISTRATION, "blocks", None, Shows.WEIGHTS)]
    assert tell.finding(claims.faults[0], evidence).where == "net.py:4"


def test_a_result_that_one_side_lacks_is_told(hand):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    evidence.paddle.trace.results["mask"] = ["tensor", ""]
    assert told(said(returned.explain, evidence)) == [(Subject.OUTPUT, "mask", (True, False), Shows.OUTPUTS)]


def test_outputs_that_differ_without_a_fault_are_a_doubt(hand):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    assert [claim.what for claim in said(unmeasured.amplified, evidence).doubts] == [Doubt.OUTPUTS]
    blamed = Claims([Claim(Subject.UNEXPLAINED, evidence.alignment.pairs[0])])
    assert not said(unmeasured.amplified, evidence, blamed).doubts


def test_what_was_not_measured_is_named_whatever_the_outputs_differ_by(hand):
    _, ours = hand.pair("relu", 1)
    hand.pair("tanh", 2, [1])
    hand.wrong.add(101)
    ours.op = -1
    evidence = hand.evidence()
    (claim,) = said(unmeasured.amplified, evidence).doubts
    assert claim.details == [ours]
    assert "not measured: ReLU" in tell.doubt(claim)


def test_constants_that_make_all_of_the_difference_are_a_note(hand):
    hand.pair("relu", 1)
    evidence = hand.evidence()
    pair = evidence.alignment.pairs[0]
    again = Measurement(-1, "output", difference(RIGHT, RIGHT))
    evidence.replay = lambda plan: [again] if plan.outputs == {101: 1} else None
    named = Claims([Claim(Remark.CONSTANT, pair, status=Status.CONSTANTS)])
    claims = said(unmeasured.amplified, evidence, named)
    assert [claim.what for claim in claims.remarks] == [Remark.CONSTANT, Remark.BY_CONSTANTS]
    assert not claims.doubts
