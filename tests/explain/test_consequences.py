"""What is one argument's doing is told as that argument; what follows from a fault is not told beside it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from parity.explain.claims import Claim
from parity.explain.consequences import gathered
from parity.explain.telling import tell
from parity.explain.unmeasured import Unregistered
from parity.results.finding import Shows, Subject
from parity.trace.trace import Parameter


def told(evidence, claims):
    return [(claim.what, claim.attribute, claim.values) for claim in gathered(evidence, claims)]


def weight(pair, holds):
    return Claim(
        Subject.WEIGHT, pair, attribute="w", details=SimpleNamespace(diagnosis=SimpleNamespace(holds=holds))
    )


def test_a_layer_without_any_weight_was_made_without_them(hand):
    hand.pair("instance_norm", 1, module="norm")
    evidence = hand.evidence()
    (pair,) = evidence.alignment.pairs
    slots = [Claim(Subject.SLOT, pair, attribute=slot, values=(True, False)) for slot in ("weight", "bias")]
    assert told(evidence, slots) == [(c.what, c.attribute, c.values) for c in slots]
    evidence.torch.trace.arguments["norm"] = {"affine": False}
    assert told(evidence, slots) == [(Subject.ATTRIBUTE, "affine", (True, False))]
    assert told(evidence, slots[:1]) == [(Subject.SLOT, "weight", (True, False))]


def test_a_batch_norm_that_tracks_nothing_is_told_by_that(hand):
    hand.pair("batch_norm", 1, module="norm")
    evidence = hand.evidence()
    evidence.torch.trace.arguments["norm"] = {"affine": True, "track_running_stats": False}
    (pair,) = evidence.alignment.pairs
    claims = [Claim(Subject.ATTRIBUTE, pair, attribute="training", values=(False, True))]
    claims += [
        Claim(Subject.SLOT, pair, attribute=slot, values=(True, False)) for slot in ("mean", "variance")
    ]
    assert told(evidence, claims) == [(Subject.ATTRIBUTE, "track_running_stats", (True, False))]


def padded(hand, mode, amount):
    """A convolution that pads by itself in Paddle, and behind a pad in torch."""
    hand.pair("relu", 1)
    pad = hand.only(
        "torch", "pad", 102, [101], line="net.py:5", pads=((0, 0), (0, 0), (amount, 1)), mode=mode
    )
    hand.pair("conv", 3, [1], taken=[102], paddle={"padding": ((1, 1),)}, torch={"padding": ((0, 0),)})
    hand.edge(3, only_torch=[pad])
    evidence = hand.evidence()
    (edge,) = evidence.alignment.edges
    both = Claim(Subject.ATTRIBUTE, edge.pair, attribute="padding", values=(((1, 1),), ((0, 0),)))
    return evidence, gathered(evidence, [Claim(Subject.EXTRA, edge=edge), both])


def test_a_pad_that_pads_otherwise_is_told_by_its_mode(hand):
    evidence, (claim,) = padded(hand, "edge", 1)
    found = tell.finding(claim, evidence)
    assert (found.attribute, found.values) == ("mode", {"paddle": "constant", "torch": "replicate"})
    assert (found.operator, found.where) == ("pad", "net.py:5")


def test_a_pad_of_another_width_is_told_by_the_width_of_all(hand):
    _, (claim,) = padded(hand, "constant", 2)
    assert (claim.attribute, claim.values) == ("padding", (((1, 1),), ((2, 1),)))


def test_what_differs_inside_a_ready_made_layer_is_the_argument_it_was_made_with(hand):
    hand.pair("avg_pool", 1, module="lrn", torch={"kernel_size": 3}, paddle={"kernel_size": 5})
    hand.pair("linear", 2, [1], module="head", torch={"k": 1}, paddle={"k": 2})
    evidence = hand.evidence()
    for run, size in ((evidence.paddle, 5), (evidence.torch, 3)):
        run.trace.modules["lrn"] = {"type": "LocalResponseNorm", "from": f"{run.trace.framework}.nn"}
        run.trace.arguments["lrn"] = {"size": size, "k": 1.0}
    lrn, head = evidence.alignment.pairs
    claims = [Claim(Subject.ATTRIBUTE, pair, attribute="a", values=(1, 2)) for pair in (lrn, lrn, head)]
    claims.append(weight(lrn, "unrelated"))
    left = gathered(evidence, claims)
    assert [(c.pair, c.attribute) for c in left] == [(lrn, "size"), (head, "a"), (lrn, "w")]
    # Without a claim inside it nothing is told, however the layer was made.
    assert gathered(evidence, claims[2:]) == claims[2:]


def test_a_weight_of_another_shape_follows_from_the_groups_and_other_weights_do_not(hand):
    hand.pair("conv", 1, module="a")
    evidence = hand.evidence()
    (pair,) = evidence.alignment.pairs
    groups = Claim(Subject.ATTRIBUTE, pair, attribute="groups", values=(2, 1))
    shape, other = weight(pair, "another shape"), weight(pair, "transposed")
    assert gathered(evidence, [groups, shape, other]) == [groups, other]
    assert gathered(evidence, [shape]) == [shape]


def test_what_nothing_reaches_because_it_is_in_a_plain_list_is_told_by_the_list(hand):
    hand.pair("batch_norm", 1, module="norms[0]")
    hand.pair("batch_norm", 2, [1], module="norm")
    evidence = hand.evidence()
    hidden, seen = evidence.alignment.pairs
    cause = Claim(
        Subject.REGISTRATION,
        attribute="norms",
        shows=Shows.WEIGHTS,
        details=Unregistered("torch", ["norms[0]"], "net.py:3"),
    )
    mode = [
        Claim(Subject.ATTRIBUTE, pair, attribute="training", values=(False, True)) for pair in (hidden, seen)
    ]
    loaded, swapped = weight(hidden, "all 1"), weight(hidden, "norm.weight")
    assert gathered(evidence, [cause, *mode, loaded, swapped]) == [cause, mode[1], swapped]


def test_a_module_that_is_two_in_paddle_is_told_as_shared_and_its_weights_are_not_told_one_by_one(hand):
    for output, block in ((1, "blocks.0.fc"), (2, "blocks.1.fc")):
        hand.pair("linear", output, [output - 1], module=block)
    evidence = hand.evidence()
    claims = [weight(pair, "unrelated") for pair in evidence.alignment.pairs]
    evidence.names = {"blocks.0.fc.weight": "blocks.0.fc.weight"}
    ours, theirs = evidence.torch.trace.parameters, evidence.paddle.trace.parameters
    for number, block in enumerate(("blocks.0", "blocks.1")):
        theirs[f"{block}.fc.weight"] = Parameter(50 + number, registered=True, trainable=True)
        ours[f"{block}.fc.weight"] = Parameter(150, registered=True, trainable=True)
    assert told(evidence, claims) == [(Subject.TIE, "blocks", (False, True))]
    assert told(evidence, []) == []
    theirs["blocks.1.fc.weight"] = theirs["blocks.0.fc.weight"]
    assert [subject for subject, *_ in told(evidence, claims)] == [Subject.WEIGHT] * 2


def test_a_part_with_an_operator_in_it_that_is_another_one_elsewhere_is_not_told_beside_it(hand):
    hand.pair("relu", 1)
    theirs = [hand.only("paddle", kind, 2 + i, [1 + i]) for i, kind in enumerate(("silu", "pad"))]
    ours = [hand.only("torch", kind, 102 + i, [101 + i]) for i, kind in enumerate(("relu", "concat"))]
    hand.pair("conv", 5, [3], taken=[103])
    hand.edge(5, only_paddle=theirs, only_torch=ours)
    evidence = hand.evidence()
    (edge,) = evidence.alignment.edges
    pair = evidence.alignment.pairs[0]
    elsewhere = replace(pair, paddle=replace(pair.paddle, kind="silu"))
    part = Claim(Subject.COMPUTED, edge=edge)
    assert told(evidence, [Claim(Subject.SUBSTITUTED, elsewhere), part]) == [(Subject.SUBSTITUTED, "", None)]
    another = replace(elsewhere, paddle=replace(pair.paddle, kind="gelu"))
    assert len(told(evidence, [Claim(Subject.SUBSTITUTED, another), part])) == 2
