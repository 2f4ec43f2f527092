"""Operators that only one side has, and inputs that come from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from parity.align.alignment import Edge, Pair
from parity.explain.claims import Claim, Claims, Doubt, Remark
from parity.explain.downstream import beyond, constants, ends
from parity.explain.dropouts import differing, half_off
from parity.explain.evidence import Evidence
from parity.explain.exchanges import NONE, Exchange, alike, exchange, follows, grown, permutation
from parity.explain.reach import segment_is_idle
from parity.explain.segments import parted
from parity.explain.written_out import cross_entropy, recurrence
from parity.graph.node import Node
from parity.limits import GUARD
from parity.numbers.compare import Difference
from parity.ops.kinds import ACTIVATIONS
from parity.results.finding import Shows, Subject

Segments = tuple[frozenset[int], frozenset[int]]


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Every input that is not fed from the same aligned value on both sides; one claim a segment, one an exchange."""
    alignment, told = evidence.alignment, _Told()
    halves = {id(twins.node): twins for twins in half_off(evidence)}
    known, made = ends(evidence), constants(evidence)
    for whole in (*alignment.edges, *alignment.output_edges.values()):
        edge, before = beyond(alignment, whole, known, made)
        nodes = (*edge.only_paddle, *edge.only_torch)
        if not nodes and any(id(other) in told.faulty for other in before):
            # Both do the same from there on: the fault is told there.
            continue
        key = frozenset(map(id, edge.only_paddle)), frozenset(map(id, edge.only_torch))
        if (nodes and key in told.segments) or claims.explains(edge.pair.torch, edge.torch_slot):
            continue
        numbers = evidence.edge_numbers(edge) or claims.leads_to(edge)
        both = halves.get(id(nodes[0])) if len(nodes) == 1 else None
        if both is not None and (both.active or not _comes_out(evidence, edge, numbers)):
            told.segments.add(key)
            yield from differing(both.paddle, both.torch, Shows.OUTPUTS)
            continue
        if any(n.kind == "dropout" for n in nodes):
            # Switched off for the proof, so the numbers agree; in use it is random on one side only.
            told.segments.add(key)
            yield replace(_fault(evidence, edge, numbers), shows=_in_use(evidence, edge, numbers))
            continue
        if numbers is None:
            if not evidence.outputs_agree and not evidence.measured:
                yield Claim(Doubt.INPUT, edge=edge)
            continue
        within = numbers.max_rel <= evidence.edge_limit(edge)
        if within and _unpaired_activations(evidence, edge) and not _is_idle(evidence, edge):
            # Equal on these numbers only: a ReLU of positive numbers, a ReLU6 of small ones.
            told.segments.add(key)
            yield replace(_fault(evidence, edge, numbers), shows=Shows.NOTHING)
        elif _comes_out(evidence, edge, numbers):
            if nodes:
                told.segments.add(key)
                yield Claim(Remark.WRITTEN_PART, edge=edge, numbers=numbers, details=within)
        else:
            told.segments.add(key)
            if told.anew(evidence, edge):
                told.faulty.add(id(whole))
                yield _fault(evidence, edge, numbers)


def _comes_out(evidence: Evidence, edge: Edge, numbers: Difference | None) -> bool:
    """Whether what comes in is Paddle's, but for constants, or what is made of it is."""
    if numbers is None:
        return False
    if not evidence.suspects(edge.pair, edge.torch_slot):
        return True
    within = numbers.max_rel <= evidence.edge_limit(edge)
    if within or evidence.edge_slack(edge, numbers):
        return True
    output = edge.pair.torch.kind == "output"
    return (not output and evidence.comes_in_right(edge.pair, edge.torch_slot)) or evidence.comes_right(
        edge.pair
    )


@dataclass
class _Told:
    """What is told already: segments, inputs at fault, exchanges, and (torch's, Paddle's) values taken for one another."""

    segments: set[Segments] = field(default_factory=set)
    faulty: set[int] = field(default_factory=set)
    exchanges: set[Exchange] = field(default_factory=set)
    wired: set[tuple[int, int]] = field(default_factory=set)
    ordered: list[Pair] = field(default_factory=list)

    def anew(self, evidence: Evidence, edge: Edge) -> bool:
        """Whether a fault of this input is another one than those so far, which are kept."""
        if evidence.offline and not _starts_equal(evidence, edge):
            return False
        order = permutation(evidence, edge.pair)
        found = exchange(evidence, edge) or order
        values = edge.torch_value, edge.paddle_value
        if found in self.exchanges or (
            order and any(grown(evidence, edge.pair, one) for one in self.ordered)
        ):
            return False
        self.ordered += [edge.pair] if order else []
        if not edge.only_paddle and not edge.only_torch:
            if (not found and values in self.wired) or follows(evidence, edge, self.exchanges):
                return False
            self.wired.add(values)
        self.exchanges.update({found} - {NONE})
        return True


def _in_use(evidence: Evidence, edge: Edge, numbers: Difference | None) -> Shows:
    """Where a dropout that one side lacks shows; what is in use shows in training alone if nothing else differs."""
    quiet = evidence.outputs_agree or (numbers is not None and numbers.max_rel <= evidence.edge_limit(edge))
    return Shows.TRAINING if quiet and evidence.torch.trace.mode == "train" else Shows.OUTPUTS


def _starts_equal(evidence: Evidence, edge: Edge) -> bool:
    """Whether what flows into torch's segment is Paddle's; else its difference may come from further up."""
    return all(evidence.agrees(value) for value in edge.entering or {edge.torch_value})


def _unpaired_activations(evidence: Evidence, edge: Edge) -> bool:
    """Whether a segment is activations alone, on one side alone, and no other segment makes up for them."""
    one_sided = bool(edge.only_paddle) != bool(edge.only_torch)
    nodes = edge.only_paddle or edge.only_torch
    if not one_sided or not all(node.kind in ACTIVATIONS for node in nodes) or all(map(_is_guard, nodes)):
        return False
    paddle = Counter(node.kind for node in evidence.alignment.only_paddle)
    torch = Counter(node.kind for node in evidence.alignment.only_torch)
    return any(paddle[node.kind] != torch[node.kind] for node in nodes)


def _is_idle(evidence: Evidence, edge: Edge) -> bool:
    """Whether no number that can come in is changed."""
    alignment = evidence.alignment
    if edge.only_paddle:
        return segment_is_idle(alignment.paddle, edge, evidence.paddle)
    return segment_is_idle(alignment.torch, edge, evidence.torch)


def _is_guard(node: Node) -> bool:
    """Whether a clip only keeps a divisor away from zero, as `normalize` does."""
    low = node.attributes.get("min")
    return (
        node.kind == "clip" and low is not None and 0.0 < low <= GUARD and node.attributes.get("max") is None
    )


def _fault(evidence: Evidence, edge: Edge, numbers: Difference | None) -> Claim:
    """What is wrong with an input, by which side has operators of its own before it."""
    path = edge.pair.torch.name if edge.pair.torch.kind == "output" else ""
    alignment = evidence.alignment
    if edge.only_paddle and edge.only_torch:
        return _computed(evidence, edge, numbers, path)
    if edge.only_paddle:
        subject = Subject.WIRING if _used_elsewhere(evidence, edge.only_paddle) else Subject.MISSING
        return Claim(subject, edge=edge, attribute=path, numbers=numbers)
    if edge.only_torch:
        owned = alignment.paddle.parameters.get(edge.paddle_value, "")
        subject = Subject.WIRING if owned else Subject.EXTRA
        return Claim(subject, edge=edge, attribute=path, numbers=numbers, details=owned or None)
    values = exchange(evidence, edge)
    if len(values) != 2 and permutation(evidence, edge.pair):
        subject = Subject.ORDER
    else:
        subject = Subject.EXCHANGED if values and alike(evidence, values) else Subject.WIRING
    return Claim(subject, edge=edge, attribute=path, numbers=numbers)


def _computed(evidence: Evidence, edge: Edge, numbers: Difference | None, path: str) -> Claim:
    """Both sides have operators of their own: a known mistake, one operator of the segment, or all of it."""
    part = parted(evidence, edge)
    for told in (recurrence, cross_entropy):
        found = told(evidence, edge, part.torch.first)
        if found is not None:
            return Claim(
                Subject.WRITTEN_OUT, edge=edge, attribute=found.mistake.part, numbers=numbers, details=found
            )
    subject = Subject.MISSING if part.narrower and part.torch.first is None else Subject.COMPUTED
    if part.lacking or part.surplus:
        subject = Subject.MISSING if part.lacking else Subject.EXTRA
    if part.narrower:
        # It is about an operator further up.
        path = ""
    if not part.narrower and _reordered(edge):
        subject = Subject.ORDER
    return Claim(subject, edge=edge, attribute=path, numbers=numbers, details=part)


def _reordered(edge: Edge) -> bool:
    """Whether both sides do the same in another order."""
    theirs, ours = (
        [(node.kind, repr(node.attributes)) for node in nodes]
        for nodes in (edge.only_paddle, edge.only_torch)
    )
    return theirs != ours and sorted(theirs) == sorted(ours)


def _used_elsewhere(evidence: Evidence, nodes: tuple[Node, ...]) -> bool:
    """Whether the segment's layers are ones that both sides have, called once more in Paddle."""
    alignment = evidence.alignment
    weighted = [node for node in nodes if "weight" in node.inputs]
    return bool(weighted) and all(
        any(alignment.has_paddle(n) for n, _ in alignment.paddle.consumers[node.inputs["weight"]])
        for node in weighted
    )
