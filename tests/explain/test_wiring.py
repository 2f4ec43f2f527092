"""What stands between aligned operators: what is told of it, and what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from parity.explain import operators, unmeasured, wiring
from parity.explain.claims import Claim, Claims, Doubt, Remark
from parity.explain.telling import tell
from parity.graph.node import Silent
from parity.numbers.compare import difference
from parity.results.finding import Shows, Subject
from tests.explain.evidence import node, said


def findings(evidence, claims):
    return [tell.finding(claim, evidence) for claim in claims.faults]


def test_what_only_paddle_does_is_missing_and_what_only_torch_does_is_superfluous(hand):
    hand.pair("conv", 1, line="net.py:7")
    lacking = hand.only("paddle", "tanh", 2, [1])
    hand.pair("linear", 3, [2], taken=[101])
    surplus = hand.only("torch", "sigmoid", 104, [103])
    hand.pair("softmax", 5, [3], taken=[104])
    hand.edge(3, only_paddle=[lacking])
    hand.edge(5, only_torch=[surplus])
    hand.differs(3, 5)
    evidence = hand.evidence()
    missing, extra = findings(evidence, said(wiring.explain, evidence))
    assert (missing.subject, missing.values) == (
        Subject.MISSING,
        {"paddle": "Tanh", "torch": None, "after": "Conv2d"},
    )
    assert (extra.subject, extra.values) == (
        Subject.EXTRA,
        {"paddle": None, "torch": "Sigmoid", "after": "Linear"},
    )
    assert [evidence.only[number].operator for number in missing.only + extra.only] == ["Tanh", "Sigmoid"]


def test_what_is_another_way_to_the_same_numbers_is_a_note(hand):
    hand.pair("conv", 1)
    surplus = hand.only("torch", "flip", 102, [101])
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[surplus])
    hand.outputs_agree = True
    claims = said(wiring.explain, hand.evidence())
    assert (claims.faults, [claim.what for claim in claims.remarks]) == ([], [Remark.WRITTEN_PART])


def test_two_formulas_may_round_as_formulas_do_where_float32_goes_another_way(hand):
    """Then no float32 run shows what a matrix that is nearly singular makes of rounding."""
    hand.pair("conv", 1)
    surplus = hand.only("torch", "inverse", 102, [101])
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[surplus])
    evidence = hand.evidence()
    (edge,) = evidence.alignment.edges
    apart = {size: difference(np.array([1.0 + size]), np.array([1.0])) for size in (1e-11, 1e-8)}
    assert not evidence.edge_slack(edge, apart[1e-11])
    evidence.paddle.trace32 = replace(evidence.paddle.trace, ops=evidence.paddle.trace.ops[1:])
    assert evidence.edge_slack(edge, apart[1e-11])
    assert not evidence.edge_slack(edge, apart[1e-8])


def test_an_activation_that_has_no_counterpart_is_told_though_the_numbers_agree(hand):
    hand.pair("conv", 1)
    surplus = hand.only("torch", "relu", 102, [101])
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[surplus])
    hand.outputs_agree = True
    assert [claim.what for claim in said(wiring.explain, hand.evidence()).faults] == [Subject.EXTRA]


def test_two_inputs_in_each_others_place_are_one_exchange(hand):
    hand.pair("relu", 1)
    hand.pair("tanh", 2)
    hand.pair("sub", 3, [1, 2], taken=[102, 101])
    hand.edge(3, "x")
    hand.edge(3, "y")
    hand.differs(3)
    evidence = hand.evidence()
    (found,) = findings(evidence, said(wiring.explain, evidence))
    assert found.subject is Subject.EXCHANGED
    assert found.values == {"paddle": "the output of ReLU", "torch": "the output of Tanh"}
    assert [evidence.rows[number].operator for number in found.rows] == ["sub"]


def test_a_concat_that_takes_its_inputs_in_another_order_is_told_once(hand):
    for output, kind in enumerate(("relu", "tanh", "sigmoid"), 1):
        hand.pair(kind, output)
    hand.pair("concat", 4, [1, 2, 3], taken=[102, 103, 101])
    for slot in ("x[0]", "x[1]", "x[2]"):
        hand.edge(4, slot)
    hand.differs(4)
    evidence = hand.evidence()
    (found,) = findings(evidence, said(wiring.explain, evidence))
    names = ["the output of ReLU", "the output of Tanh", "the output of Sigmoid"]
    assert found.subject is Subject.ORDER
    assert found.values == {"paddle": names, "torch": [names[1], names[2], names[0]]}


def test_an_input_from_elsewhere_is_told_with_both_sources(hand):
    hand.pair("relu", 1)
    hand.pair("tanh", 2, [1])
    hand.pair("linear", 3, [2], taken=[101])
    hand.edge(3)
    hand.differs(3)
    evidence = hand.evidence()
    (found,) = findings(evidence, said(wiring.explain, evidence))
    assert (found.subject, found.shows) == (Subject.WIRING, Shows.OUTPUTS)
    assert found.values == {"paddle": "the output of Tanh", "torch": "the output of ReLU"}


def test_a_parameter_that_torch_computes_instead_of_taking_is_wiring(hand):
    hand.parameters["paddle"]["table"] = 9
    made = hand.only("torch", "arange", 102, [100])
    hand.pair("add", 3, [0, 9], taken=[100, 102])
    hand.edge(3, "y", only_torch=[made])
    hand.wrong.add(102)
    evidence = hand.evidence()
    (found,) = findings(evidence, said(wiring.explain, evidence))
    assert (found.subject, found.values["paddle"]) == (Subject.WIRING, "`table`")


def test_two_ways_to_other_numbers_are_one_finding_about_the_part(hand):
    hand.pair("conv", 1)
    theirs, ours = hand.only("paddle", "exp", 2, [1]), hand.only("torch", "log", 102, [101])
    hand.pair("linear", 3, [2], taken=[102])
    hand.edge(3, only_paddle=[theirs], only_torch=[ours])
    hand.differs(3)
    evidence = hand.evidence()
    (found,) = findings(evidence, said(wiring.explain, evidence))
    assert (found.subject, found.values) == (Subject.COMPUTED, {"paddle": "exp", "torch": "log"})


def test_what_is_explained_already_is_not_told_again(hand):
    hand.pair("relu", 1)
    hand.pair("tanh", 2, [1])
    _, reader = hand.pair("linear", 3, [2], taken=[101])
    hand.edge(3)
    hand.differs(3)
    wider = Claims([Claim(None, entails=((reader, "x"),))])
    assert not said(wiring.explain, hand.evidence(), wider).faults


def test_a_segment_that_two_inputs_share_is_told_once(hand):
    hand.pair("conv", 1)
    lacking = hand.only("paddle", "tanh", 2, [1])
    for output in (3, 4):
        hand.pair("linear", output, [2], taken=[101])
        hand.edge(output, only_paddle=[lacking])
    hand.differs(3, 4)
    assert len(said(wiring.explain, hand.evidence()).faults) == 1


def test_an_input_that_nothing_measures_is_a_doubt(hand):
    hand.pair("conv", 1)
    hand.pair("linear", 3, [8], taken=[108])
    hand.edge(3)
    evidence = hand.evidence()
    evidence.measured.clear()
    claims = said(wiring.explain, evidence)
    assert [claim.what for claim in claims.doubts] == [Doubt.INPUT]


def test_a_guard_against_zero_is_no_activation(hand):
    hand.pair("conv", 1)
    guard = node("clip", 102, [101], min=1e-12)
    hand.nodes["torch"].append(guard)
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[guard])
    hand.outputs_agree = True
    assert not said(wiring.explain, hand.evidence()).faults


def test_a_dropout_that_is_left_on_on_one_side_is_told_by_its_flag_and_not_as_one_too_many(hand):
    hand.pair("conv", 1)
    how = {"p": 0.5, "mode": "upscale_in_train", "channels": False}
    active = hand.only("torch", "dropout", 102, [101], training=True, **how)
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[active])
    evidence = hand.evidence()
    evidence.alignment.paddle.silent.append(
        Silent("dropout", 1, {"training": False, **how}, "drop", "net.py:3")
    )
    (claim,) = said(wiring.explain, evidence).faults
    assert (claim.what, claim.attribute, claim.values) == (Subject.ATTRIBUTE, "training", (False, True))
    assert not said(unmeasured.silent, evidence).remarks


@pytest.mark.parametrize(("mode", "shows"), [("train", Shows.TRAINING), ("eval", Shows.OUTPUTS)])
def test_a_dropout_that_one_side_lacks_shows_where_it_is_in_use(hand, mode, shows):
    hand.mode = mode
    hand.pair("conv", 1)
    active = hand.only("torch", "dropout", 102, [101], training=True, p=0.5)
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[active])
    hand.outputs_agree = True
    (claim,) = said(wiring.explain, hand.evidence()).faults
    assert (claim.what, claim.shows) == (Subject.EXTRA, shows)


def test_what_is_told_at_a_layer_is_not_told_again_behind_it(hand):
    hand.pair("conv", 1)
    hand.pair("conv", 2)
    hand.only("paddle", "relu", 3, [1])
    hand.pair(
        "conv",
        4,
        [3],
        taken=[101],
        paddle={"weights": (("weight", 50),)},
        torch={"weights": (("weight", 150),)},
    )
    hand.only("paddle", "add", 5, [3, 2])
    hand.only("torch", "add", 105, [101, 102])
    hand.pair("linear", 6, [5], taken=[105])
    activation, theirs = hand.nodes["paddle"][2], hand.nodes["paddle"][4]
    hand.edge(4, only_paddle=[activation])
    hand.edge(6, only_paddle=[activation, theirs], only_torch=[hand.nodes["torch"][3]])
    hand.differs(4, 6)
    (claim,) = said(wiring.explain, hand.evidence()).faults
    assert (claim.what, claim.edge.only_paddle) == (Subject.MISSING, (activation,))


def test_operators_in_another_order_are_told_as_that(hand):
    hand.pair("conv", 1)
    first, second = hand.only("paddle", "tanh", 2, [1]), hand.only("paddle", "exp", 3, [2])
    ours = [hand.only("torch", "exp", 102, [101]), hand.only("torch", "tanh", 103, [102])]
    hand.pair("linear", 4, [3], taken=[103])
    hand.edge(4, only_paddle=[first, second], only_torch=ours)
    hand.differs(4)
    (found,) = findings(evidence := hand.evidence(), said(wiring.explain, evidence))
    assert (found.subject, found.values) == (Subject.ORDER, {"paddle": "Tanh -> exp", "torch": "exp -> Tanh"})


def test_three_values_that_are_taken_around_in_a_circle_are_one_fault(hand):
    hand.pair("relu", 1)
    hand.pair("tanh", 2, [1], taken=[103])
    hand.pair("exp", 3, [2], taken=[101])
    hand.pair("linear", 4, [3], taken=[102])
    for output in (2, 3, 4):
        hand.edge(output)
    hand.differs(2, 3, 4)
    (found,) = findings(evidence := hand.evidence(), said(wiring.explain, evidence))
    assert (found.operator, found.subject) == ("Tanh", Subject.WIRING)


def test_exchanged_layers_that_hand_on_each_others_results_are_one_exchange(hand):
    hand.pair("relu", 1)
    hand.pair("tanh", 2)
    hand.pair("conv", 3, [1], taken=[102])
    hand.pair("linear", 4, [2], taken=[101])
    hand.pair("softmax", 5, [3], taken=[104])
    hand.pair("gelu", 6, [4], taken=[103])
    for output in (3, 4, 5, 6):
        hand.edge(output)
    hand.differs(3, 4, 5, 6)
    (found,) = findings(evidence := hand.evidence(), said(wiring.explain, evidence))
    assert (found.operator, found.subject) == ("Conv2d", Subject.EXCHANGED)


def test_what_makes_up_for_a_layer_is_part_of_it_and_what_is_missing_behind_is_told_alone(hand):
    """torch's embedding has no padding row and is masked; Paddle scales the embedding, and torch does not."""
    hand.pair("embedding", 1)
    hand.only("torch", "masked_fill", 102, [101])
    scale = hand.only("paddle", "exp", 3, [1])
    hand.pair("linear", 4, [3], taken=[102])
    hand.edge(4, only_paddle=[scale], only_torch=[hand.nodes["torch"][1]])
    hand.differs(1)
    hand.wrong.add(104)
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert not claims.faults
    (claim,) = said(wiring.explain, evidence, claims).faults
    assert (claim.what, claim.edge.only_paddle, claim.edge.only_torch) == (Subject.MISSING, (scale,), ())
