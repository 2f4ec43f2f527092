"""Which claims are enough: what differs elsewhere is another way of writing it, if torch's outputs are Paddle's once those are repaired.

In a port that is written otherwise, much differs inside, and all of it comes right in the end. If one line is wrong in such a port, each
of those differences looks as guilty as the line. So torch goes its own way once more for each suspect, and Paddle's numbers are handed
in there alone: if the outputs come out right, and what came in there was right already (else the number that is handed in would
hide a fault further up), that suspect explains everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from parity.align.alignment import Edge, Pair
from parity.capture.failed import ModelError
from parity.capture.replay import ReplayPlan
from parity.explain.claims import Claim, Claims
from parity.explain.constants import constant_in
from parity.explain.evidence import Blamed, Evidence
from parity.explain.exchanges import exchange, takers
from parity.explain.segments import made_by_paddle
from parity.graph.node import Place
from parity.results.finding import Finding, Shows, Subject
from parity.results.grouping import by_line

MOST = 10
"""Runs of torch that are spent on it."""

FAR = 3
"""Over how many operators a result of another shape is followed to where its shape is Paddle's again."""

OF_ITSELF = frozenset({Subject.ATTRIBUTE, Subject.SLOT, Subject.WEIGHT})
"""What is wrong with an operator that is there on both sides: no other way of writing it."""

TOGETHER = 2
"""Of how many faults at most a set is tried."""


@dataclass
class Suspect:
    """The claims of one line: what has to be handed in to repair them, and what has to come in right for that."""

    claims: list[Claim] = field(default_factory=list)
    results: dict[int, int] = field(default_factory=dict)
    inputs: dict[Place, int] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    """Results of the model that are themselves fed otherwise."""
    sites: list[set[int]] = field(default_factory=list)
    """torch's values that each of the claims takes, in the order of the data."""
    others: frozenset[int] = frozenset()
    """All pairs that are claimed to be at fault, by identity."""
    whole: bool = True
    """Whether all of it can be handed in."""


def blamed(evidence: Evidence, claims: Claims, findings: Sequence[Finding]) -> frozenset[Blamed] | None:
    """The pairs and slots whose claims are enough to explain the outputs; None if none are, or all are needed.

    findings: one for each of the faults.
    """
    if (
        evidence.offline
        or evidence.outputs_agree
        or set(evidence.observed) != set(evidence.torch.trace.results)
    ):
        return None
    suspects = _suspects(evidence, claims, findings)
    if len(suspects) < 2 or all(is_certain(evidence, claim) for one in suspects for claim in one.claims):
        return None
    subsets = (
        chosen
        for size in range(1, min(TOGETHER + 1, len(suspects)))
        for chosen in combinations(suspects, size)
    )
    for number, chosen in enumerate(subsets):
        if number == MOST:
            break
        if _is_enough(evidence, chosen):
            return frozenset(about(claim) for suspect in chosen for claim in suspect.claims)
    return None


def is_certain(evidence: Evidence, claim: Claim) -> bool:
    """Whether an operator is claimed to be configured otherwise, and does something else with Paddle's numbers."""
    return claim.what in OF_ITSELF and claim.pair is not None and evidence.differs_alone(claim.pair)


def about(claim: Claim) -> Blamed:
    if claim.edge is not None:
        return id(claim.edge.pair), claim.edge.torch_slot
    return id(claim.pair), ""


def _suspects(evidence: Evidence, claims: Claims, findings: Sequence[Finding]) -> list[Suspect]:
    """The claims that show in the outputs, those of a line together, in the order of the data."""
    claim_of = {id(finding): claim for finding, claim in zip(findings, claims.faults, strict=True)}
    lines: dict[str, Suspect] = {}
    at_fault = frozenset(id(claim.pair) for claim in claims.faults if claim.pair is not None)
    for group in sorted(by_line(findings), key=lambda group: group[0].order):
        said = [claim_of[id(finding)] for finding in group]
        shown = [claim for claim in said if claim.shows is Shows.OUTPUTS and (claim.pair or claim.edge)]
        if shown:
            suspect = lines.setdefault(group[0].where or str(len(lines)), Suspect(others=at_fault))
            for claim in shown:
                suspect.claims.append(claim)
                suspect.whole &= _repair(evidence, claim, suspect)
    return list(lines.values())


def _repair(evidence: Evidence, claim: Claim, suspect: Suspect) -> bool:
    """Whether what a claim speaks of can be handed in, and is added to the suspect."""
    alignment = evidence.alignment
    if claim.pair is not None and not claim.entails:
        data = claim.pair.torch.data
        suspect.sites.append({claim.pair.torch.inputs[slot] for slot in claim.pair.slots if slot in data})
        return _repair_result(evidence, claim.pair, suspect)
    if claim.edge is None:
        pairs = ((alignment.pair_of_torch(node), slot) for node, slot in claim.entails if slot)
        return all(
            _hand_in(evidence, pair, slot, pair.paddle.inputs[pair.slots[slot]], suspect)
            for pair, slot in pairs
            if pair is not None and slot in pair.slots
        )
    edge = claim.edge
    suspect.sites.append(edge.entering or {edge.torch_value})
    values = exchange(evidence, edge)
    same = [
        e for e in alignment.edges if (e.torch_value, e.paddle_value) == (edge.torch_value, edge.paddle_value)
    ]
    found = [e for e in takers(evidence, values) if e.pair.torch.kind != "output"] if values else same
    if edge.pair.torch.kind == "output":
        suspect.returned.add(edge.pair.torch.name)
    elif edge not in found:
        found.append(edge)
    return not found or _all(_feed(evidence, e, suspect) for e in found)


def _feed(evidence: Evidence, edge: Edge, suspect: Suspect) -> bool:
    """Hand in what comes in, or what a move makes of it that is another one in Paddle: the two move together."""
    moved = edge.pair.torch.kind == "move" and edge.pair.torch.attributes != edge.pair.paddle.attributes
    if not moved and _hand_in(evidence, edge.pair, edge.torch_slot, edge.paddle_value, suspect):
        return True
    return edge.pair.torch.kind == "move" and _repair_result(evidence, edge.pair, suspect)


def _repair_result(evidence: Evidence, pair: Pair, suspect: Suspect) -> bool:
    """Hand in what an operator makes, or where it has no number of its own, what its readers take."""
    local = evidence.row(pair).local or evidence.row(pair).float64
    if str(pair.paddle.output) not in evidence.paddle.store:
        return False
    if pair.torch.op >= 0 and local is not None and local.comparable:
        suspect.results[pair.torch.op] = pair.paddle.output
        return True
    if local is None:
        nodes = evidence.alignment.torch.consumers[pair.torch.output]
        return _all(_hand_in_at(node.places(slot), pair.paddle.output, suspect) for node, slot in nodes)
    return _repair_behind(evidence, pair, suspect, FAR)


def _repair_behind(evidence: Evidence, pair: Pair, suspect: Suspect, far: int) -> bool:
    """Hand in what Paddle makes of a result that has another shape in torch, where that shape is Paddle's again."""
    return _all(
        _repair_reader(evidence, other, slot, suspect, far) for other, slot in _readers(evidence, pair)
    )


def _readers(evidence: Evidence, pair: Pair) -> list[tuple[Pair, str]]:
    return [
        (other, ours)
        for other in evidence.alignment.pairs
        for ours, theirs in other.slots.items()
        if other.paddle.inputs[theirs] == pair.paddle.output
    ]


def _repair_reader(evidence: Evidence, pair: Pair, slot: str, suspect: Suspect, far: int) -> bool:
    if _hand_in(evidence, pair, slot, pair.paddle.inputs[pair.slots[slot]], suspect):
        return True
    if id(pair) in suspect.others:
        # What is handed in behind it would repair that as well.
        return False
    found = evidence.row(pair).float64
    if found is not None and found.comparable and pair.torch.op >= 0:
        suspect.results[pair.torch.op] = pair.paddle.output
        return True
    return far > 0 and _repair_behind(evidence, pair, suspect, far - 1)


def _all(done: Iterable[bool]) -> bool:
    """Whether all of it is done, and there was something to do; nothing is left out after a failure."""
    results = list(done)
    return bool(results) and all(results)


def _hand_in(evidence: Evidence, pair: Pair, slot: str, value: int, suspect: Suspect) -> bool:
    known = str(value) in evidence.paddle.store and pair.same_shape(slot)
    return known and _hand_in_at(pair.torch.places(slot), value, suspect)


def _hand_in_at(places: Sequence[Place], value: int, suspect: Suspect) -> bool:
    suspect.inputs |= dict.fromkeys(places, value)
    return bool(places)


def _is_enough(evidence: Evidence, chosen: Sequence[Suspect]) -> bool:
    """Whether the outputs come right with these repaired, and what came in there did."""
    if not all(suspect.whole for suspect in chosen):
        return False
    constants = {
        pair.torch.op: pair
        for pair in evidence.alignment.pairs
        if pair.torch.op >= 0 and evidence.differs_alone(pair) and _is_rounded(evidence, pair)
    }
    plan = ReplayPlan(outputs={op: pair.paddle.output for op, pair in constants.items()})
    for suspect in chosen:
        plan.outputs |= suspect.results
        for (op, slot), value in suspect.inputs.items():
            plan.inputs.setdefault(op, {})[slot] = value
    looks: dict[int, tuple[Place, float]] = {}
    for value in {value for suspect in chosen for site in suspect.sites for value in site}:
        place, limit = _look(evidence, value, plan)
        if place is not None:
            looks[value] = place, limit
            plan.looks.setdefault(place[0], {})[place[1]] = evidence.alignment.same[value]
    try:
        found = evidence.replayed_with(plan)
    except ModelError:
        # The model does not survive such a mixture.
        return False
    right = {
        value: place in found and found[place].max_rel <= limit for value, (place, limit) in looks.items()
    }
    # A float32 constant must not hide what is wrong before it.
    kept = ((found.get((op, None)), evidence.row(pair).local) for op, pair in constants.items())
    if not all(
        seen is not None and alone is not None and seen.max_rel <= 2 * alone.max_rel for seen, alone in kept
    ):
        return False
    returned = {path for suspect in chosen for path in suspect.returned}
    return all(_comes_in_right(evidence, suspect.sites, right) for suspect in chosen) and all(
        path in returned or ((-1, path) in found and seen.at_its_size(found[-1, path]).max_rel <= seen.limit)
        for path, seen in evidence.observed.items()
    )


def _is_rounded(evidence: Evidence, pair: Pair) -> bool:
    """Whether a float32 constant is why an operator differs alone, and by as little as such a constant can."""
    local = evidence.row(pair).local
    return local is not None and local.max_rel <= constant_in(evidence.paddle.trace, pair)[1]


def _comes_in_right(evidence: Evidence, sites: Sequence[set[int]], right: Mapping[int, bool]) -> bool:
    """Whether what the first site of a suspect takes is right, and something of what each further one does.

    Only the first is fed by the free run; in front of the others, in layers that are written otherwise, not every value can be seen.
    """
    first = all(right.get(value, False) or _is_right(evidence, value) for site in sites[:1] for value in site)
    seen = ([right[value] for value in site if value in right] for site in sites[1:])
    return first and all(any(values) for values in seen if values)


def _is_right(evidence: Evidence, value: int) -> bool:
    """Whether a value is Paddle's in the free runs, or is a part of one that is."""
    graph = evidence.alignment.torch
    source = graph.source(value, lambda node: node.indices is not None)
    return value in graph.parameters or any(
        evidence.agrees(one) or made_by_paddle(evidence, one) for one in {value, source}
    )


def _look(evidence: Evidence, value: int, plan: ReplayPlan) -> tuple[Place | None, float]:
    """Where a value of torch's can be seen that ought to be Paddle's, and how far it may be from it."""
    graph, twin = evidence.alignment.torch, evidence.alignment.same.get(value, -1)
    if str(twin) not in evidence.paddle.store:
        return None, 0.0
    maker = graph.producer.get(value)
    made = None if maker is None else evidence.alignment.pair_of_torch(maker)
    limit = evidence.least if made is None else evidence.row(made).limit
    places = (place for node, slot in graph.consumers[value] for place in node.places(slot))
    return next((place for place in places if place[1] not in plan.inputs.get(place[0], {})), None), limit
