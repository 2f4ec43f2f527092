"""Which claims are enough: those whose repair alone makes torch's outputs Paddle's, if what comes in there is right."""

from __future__ import annotations

from parity.capture.replay import Measurement
from parity.explain import repairs, wiring
from parity.explain.claims import Claim, Claims, Remark
from parity.explain.telling import tell
from parity.numbers.compare import difference
from parity.results.finding import Subject
from tests.explain.evidence import RIGHT, WRONG, said


def chain_of_two(hand):
    """Two operators that differ alone, one behind the other, and what is claimed of them."""
    hand.pair("conv", 1, line="net.py:7")
    hand.pair("gelu", 2, [1], line="net.py:8")
    hand.pair("tanh", 3, [2], line="net.py:9")
    hand.differs(1, 3)
    hand.differs(2, alone=False)
    evidence = hand.evidence()
    first, _, last = evidence.alignment.pairs
    return evidence, Claims([Claim(Subject.UNEXPLAINED, first), Claim(Subject.UNEXPLAINED, last)])


def blamed(evidence, claims, enough, wrong=()):
    """What is blamed if the outputs come right where Paddle's numbers are handed in behind `enough`; wrong: what comes in wrong."""

    def replay(plan):
        outputs = RIGHT if set(enough) <= plan.outputs.keys() else WRONG
        looks = ((op, slot) for op, slots in plan.looks.items() for slot in slots)
        taken = [
            Measurement(op, slot, difference(WRONG if op in wrong else RIGHT, RIGHT)) for op, slot in looks
        ]
        return [Measurement(-1, "output", difference(outputs, RIGHT)), *taken]

    evidence.replay = replay
    found = repairs.blamed(evidence, claims, [tell.finding(claim, evidence) for claim in claims.faults])
    return None if found is None else {p.torch.op for p in evidence.alignment.pairs if (id(p), "") in found}


def test_the_one_whose_repair_makes_the_outputs_right_is_blamed_alone(hand):
    evidence, claims = chain_of_two(hand)
    assert blamed(evidence, claims, [101]) == {101}


def test_one_that_hides_a_fault_further_up_is_not_enough(hand):
    evidence, claims = chain_of_two(hand)
    assert blamed(evidence, claims, [103], wrong=[103]) is None
    assert blamed(evidence, claims, [103]) == {103}


def test_where_every_repair_is_needed_all_are_told(hand):
    evidence, claims = chain_of_two(hand)
    assert blamed(evidence, claims, [101, 103]) is None


def test_what_is_not_to_blame_is_another_way_of_writing_it(hand):
    first, _ = hand.pair("conv", 1)
    surplus = hand.only("torch", "flip", 102, [101])
    hand.pair("linear", 3, [1], taken=[102])
    hand.edge(3, only_torch=[surplus])
    hand.differs(3)
    evidence = hand.evidence()
    assert [claim.what for claim in said(wiring.explain, evidence).faults] == [Subject.EXTRA]
    knowing = said(wiring.explain, evidence.blaming(frozenset({(id(first), "")})))
    assert (knowing.faults, [claim.what for claim in knowing.remarks]) == ([], [Remark.WRITTEN_PART])
