"""How often a BatchNorm updates what it keeps, and with which numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.explain import statistics
from parity.explain.claims import Claim, Claims
from parity.graph.node import Input, Node
from parity.results.finding import Shows, Subject
from parity.trace.trace import Parameter
from tests.explain.evidence import Hand, said, told

BATCH = np.arange(12.0).reshape(4, 3)
MOMENTUM = 0.9


def batch_norm(hand: Hand) -> tuple[Node, Node]:
    """One layer in train mode, whose statistics start from RIGHT."""
    slots = {"mean": 7, "variance": 8}
    pair = hand.pair("batch_norm", 1, momentum=MOMENTUM, training=True)
    for side, one in zip(("paddle", "torch"), pair, strict=True):
        one.takes.update({slot: Input(value, (3,)) for slot, value in slots.items()})
        hand.parameters[side] |= {"bn.mean": 7, "bn.variance": 8}
        one.takes["x"] = replace(one.takes["x"], shape=BATCH.shape)
    return pair


def kept(evidence, side, *, mean=None, variance=None):
    """What the layer holds after the step."""
    store = getattr(evidence, side).store
    for name, array in (("mean", mean), ("variance", variance)):
        if array is not None:
            store.put(f"after:bn.{name}", array)


def after(statistic):
    return MOMENTUM_32 * np.ones(3) + (1 - MOMENTUM_32) * statistic


MOMENTUM_32 = float(np.float32(MOMENTUM))


def evidence_of(hand):
    hand.outputs_agree = True
    evidence = hand.evidence()
    for side in ("paddle", "torch"):
        run = getattr(evidence, side)
        run.trace.parameters["bn.variance"] = Parameter(8, True, False)
        getattr(evidence, f"{side}_parameters").update({"bn.mean": np.ones(3), "bn.variance": np.ones(3)})
        run.store.put("0" if side == "paddle" else "100", BATCH)
    kept(evidence, "paddle", mean=after(BATCH.mean(0)), variance=after(BATCH.var(0)))
    return evidence


def test_the_unbiased_variance_is_a_note_and_nothing_else(hand):
    hand.mode = "train"
    batch_norm(hand)
    evidence = evidence_of(hand)
    kept(evidence, "torch", mean=after(BATCH.mean(0)), variance=after(BATCH.var(0, ddof=1)))
    claims = said(statistics.explain, evidence)
    assert (claims.faults, len(claims.remarks)) == ([], 1)


def test_a_statistic_that_the_batch_does_not_give_is_told(hand):
    hand.mode = "train"
    batch_norm(hand)
    evidence = evidence_of(hand)
    kept(evidence, "torch", mean=np.ones(3), variance=after(BATCH.var(0, ddof=1)))
    claims = said(statistics.explain, evidence)
    assert told(claims) == [(Subject.STATISTIC, "mean", None, Shows.STATISTICS)]


def test_a_run_more_is_told_unless_a_fault_speaks_of_it(hand):
    hand.mode = "train"
    batch_norm(hand)
    surplus = hand.only("torch", "batch_norm", 102, [100], weights={"variance": 8}, training=True)
    hand.pair("relu", 3, [1], taken=[102])
    hand.edge(3, only_torch=[surplus])
    evidence = evidence_of(hand)
    claims = said(statistics.explain, evidence)
    missing = Claims([Claim(Subject.EXTRA, edge=evidence.alignment.edges[0])])
    again = said(statistics.explain, evidence, missing)
    assert told(claims) == [(Subject.STATISTIC, "updates", (1, 2), Shows.STATISTICS)]
    assert [claim.what for claim in again.faults] == [Subject.EXTRA]


def test_nothing_is_kept_in_eval_mode(hand):
    batch_norm(hand)
    assert not said(statistics.explain, hand.evidence()).faults
