"""An aligned operator's numbers and its configuration come to what the table of decisions says, row by row."""

from __future__ import annotations

from parity.explain import operators
from parity.explain.claims import Claim, Claims, Remark
from parity.explain.decisions import DECISIONS, Alone, decide
from parity.explain.telling import tell
from parity.graph.node import Input, Spelling
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status
from tests.explain.evidence import said, status, told

OTHER = {"paddle": {"p": 1}, "torch": {"p": 2}}
FOUND = (Subject.ATTRIBUTE, "p", (1, 2))


def test_every_row_of_the_table_is_reached():
    facts = [(agree, alone, fed) for agree in (True, False) for alone in Alone for fed in (True, False)]
    reached = {decide(right=agree, alone=alone, fed_alike=fed) for agree, alone, fed in facts}
    assert reached == set(DECISIONS)


def test_where_outputs_agree_an_operator_that_differs_alone_is_written_differently(hand):
    hand.pair("roll", 1, **OTHER)
    hand.differs(1)
    hand.outputs_agree = True
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert (told(claims), status(claims, evidence, 1)) == ([], Status.WRITTEN)


def test_where_outputs_agree_the_same_operator_fed_alike_must_be_configured_alike(hand):
    hand.pair("roll", 1, **OTHER)
    hand.outputs_agree = True
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert told(claims) == [(*FOUND, Shows.NOTHING)]
    assert status(claims, evidence, 1) is Status.DIFFERENT


def test_where_outputs_agree_one_that_is_fed_otherwise_may_be_configured_otherwise(hand):
    hand.pair("relu", 1)
    hand.pair("roll", 2, [1], taken=[100], **OTHER)
    hand.outputs_agree = True
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert (told(claims), status(claims, evidence, 2)) == ([], Status.SAME)


def test_where_outputs_differ_an_operator_that_errs_alone_is_told_by_its_configuration(hand):
    hand.pair("roll", 1, **OTHER)
    hand.differs(1)
    claims = said(operators.explain, hand.evidence())
    assert told(claims) == [(*FOUND, Shows.OUTPUTS)]


def test_where_outputs_differ_an_operator_that_errs_alone_and_is_configured_alike_is_unexplained(hand):
    hand.pair("roll", 1)
    hand.differs(1)
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert told(claims) == [(Subject.UNEXPLAINED, "", None, Shows.OUTPUTS)]
    assert status(claims, evidence, 1) is Status.DIFFERENT


def test_where_outputs_differ_one_that_agrees_alone_and_is_fed_otherwise_is_configured_for_that(hand):
    hand.pair("relu", 1)
    hand.pair("roll", 2, [1], taken=[100], **OTHER)
    hand.differs(2, alone=False)
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert (told(claims), status(claims, evidence, 2)) == ([], Status.INHERITED)


def test_where_outputs_differ_what_is_configured_otherwise_is_told_though_it_agrees_here(hand):
    hand.pair("roll", 1, **OTHER)
    hand.pair("relu", 2, [1])
    hand.differs(2)
    claims = said(operators.explain, hand.evidence())
    assert told(claims)[0] == (*FOUND, Shows.NOTHING)


# -- who else answers for a result that differs alone --------------------------------------------------


def test_what_takes_a_fault_that_could_not_be_replaced_inherits_it(hand):
    hand.pair("roll", 1)
    _, reader = hand.pair("relu", 2, [1])
    reader.takes = {slot: taken.inside() for slot, taken in reader.takes.items()}
    hand.differs(1, 2)
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert [claim.pair.paddle.output for claim in claims.faults] == [1]
    assert status(claims, evidence, 2) is Status.INHERITED


def test_what_is_explained_already_is_not_blamed(hand):
    hand.pair("roll", 1)
    hand.pair("relu", 2, [1])
    hand.differs(1, 2)
    evidence = hand.evidence()
    nodes = [pair.torch for pair in evidence.alignment.pairs]
    wider = Claims([Claim(Subject.EXCHANGED, entails=((nodes[0], ""), (nodes[1], "x")))])
    claims = said(operators.explain, evidence, wider)
    assert [claim.what for claim in claims.faults] == [Subject.EXCHANGED]
    assert [status(claims, evidence, output) for output in (1, 2)] == [Status.INHERITED] * 2


def test_one_of_several_operators_of_a_call_answers_for_the_others(hand):
    hand.pair("roll", 1, **OTHER)
    _, second = hand.pair("relu", 2, [1])
    hand.nodes["torch"][0].raw = (101, 102)
    hand.differs(1, 2)
    assert second.op == 102
    claims = said(operators.explain, hand.evidence())
    assert [claim.pair.paddle.output for claim in claims.faults] == [1]


def test_an_operator_fed_with_one_value_for_two_is_not_blamed_for_its_result(hand):
    hand.pair("relu", 1)
    hand.pair("sub", 2, [0, 1], taken=[100, 100])
    hand.differs(2)
    evidence = hand.evidence()
    claims = said(operators.explain, evidence)
    assert (told(claims), status(claims, evidence, 2)) == ([], Status.DIFFERENT)


# -- other operators ------------------------------------------------------------------------------------


def test_another_activation_is_substituted_though_the_numbers_agree(hand):
    _, ours = hand.pair("relu", 1)
    ours.kind, ours.attributes = "gelu", {"approximate": False}
    hand.outputs_agree = True
    evidence = hand.evidence()
    evidence.alignment.pairs[0].substituted = True
    assert [claim.what for claim in said(operators.explain, evidence).faults] == [Subject.SUBSTITUTED]


def test_another_activation_that_no_number_could_tell_apart_is_a_note(hand):
    _, ours = hand.pair("abs", 1)
    ours.kind, ours.attributes = "leaky_relu", {"slope": -1.0}
    hand.outputs_agree = True
    evidence = hand.evidence()
    evidence.alignment.pairs[0].substituted = True
    claims = said(operators.explain, evidence)
    assert (claims.faults, [claim.what for claim in claims.remarks]) == ([], [Remark.WRITTEN])


def test_another_operator_with_the_same_numbers_is_a_note(hand):
    _, ours = hand.pair("add", 1)
    ours.kind = "lerp"
    hand.outputs_agree = True
    evidence = hand.evidence()
    evidence.alignment.pairs[0].substituted = True
    claims = said(operators.explain, evidence)
    assert (claims.faults, [claim.what for claim in claims.remarks]) == ([], [Remark.WRITTEN])


def test_a_bias_that_one_side_lacks_is_told_whatever_the_numbers_say(hand):
    theirs, _ = hand.pair("conv", 1)
    theirs.takes["bias"] = Input(50, (2,))
    hand.outputs_agree = True
    claims = said(operators.explain, hand.evidence())
    assert told(claims) == [(Subject.SLOT, "bias", (True, False), Shows.OUTPUTS)]


def test_chains_of_moves_are_told_by_the_part_that_differs(hand):
    def chain(*kinds):
        return Spelling(how=tuple((kind, f"{kind} as written") for kind in kinds), called=kinds[0])

    evidence = None
    for theirs, ours, expected in (
        (
            ("permute", "getitem"),
            ("roll", "getitem"),
            (Subject.ORDER, "permute as written", "roll as written"),
        ),
        (("roll", "permute"), ("permute",), (Subject.MISSING, "roll as written", None)),
        (("permute",), ("permute", "flip"), (Subject.EXTRA, None, "flip as written")),
    ):
        if evidence is None:
            hand.pair("move", 1, torch={"map": "a"}, paddle={"map": "b"})
            hand.differs(1)
            evidence = hand.evidence()
        (pair,) = evidence.alignment.pairs
        pair.paddle.spelling, pair.torch.spelling = chain(*theirs), chain(*ours)
        (claim,) = said(operators.explain, evidence).faults
        found = tell.finding(claim, evidence)
        assert (found.subject, found.values["paddle"], found.values["torch"]) == expected
