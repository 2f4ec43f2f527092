"""One aligned operator on trial: its numbers alone, its configuration, its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from parity.align.alignment import Edge, Pair
from parity.explain.claims import Claim, Claims, Remark
from parity.explain.constants import constant_in
from parity.explain.decisions import Alone, decide
from parity.explain.evidence import Evidence
from parity.explain.reach import pair_is_idle
from parity.explain.weights import ParameterDifference, stored_padding
from parity.explain.words import squeezed
from parity.limits import AMPLIFIED
from parity.ops.attributes import same_value
from parity.ops.kinds import ACTIVATIONS, DATAFLOW_KINDS
from parity.ops.table import constant_of
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status


def explain(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Every aligned operator, in the order of the data."""
    for pair in evidence.alignment.pairs:
        yield from _judged(evidence, claims, pair)


def _judged(evidence: Evidence, claims: Claims, pair: Pair) -> Iterator[Claim]:
    if pair.folded:
        yield _folded(pair, pair.folded)
    elif pair.torch.kind == "random":
        # Named among the reasons why nothing can be claimed.
        yield Claim(None, pair, status=Status.NOT_COMPARED)
    elif claims.explains(pair.torch):
        yield Claim(None, pair, status=Status.INHERITED)
    elif id(pair) in evidence.weights and _made_up_for(evidence, pair):
        yield Claim(Remark.FUSED, pair, status=Status.WRITTEN)
    elif pair.substituted:
        yield _substituted(evidence, pair)
    else:
        yield from _decided(evidence, claims, pair)


def _made_up_for(evidence: Evidence, pair: Pair) -> bool:
    # A part of a packed layer has no result of its own; what is made of all parts is right.
    seen = evidence.differs_alone(pair) or (pair.torch.rows is not None and evidence.row(pair).local is None)
    return (seen and not evidence.suspects(pair)) or evidence.made_up_for(pair)


def _folded(pair: Pair, epsilons: tuple[float, float]) -> Claim:
    if same_value(*epsilons):
        return Claim(Remark.FOLDED, pair, status=Status.CONSTANTS)
    return Claim(Subject.ATTRIBUTE, pair, attribute="eps", values=epsilons, status=Status.DIFFERENT)


def _decided(evidence: Evidence, claims: Claims, pair: Pair) -> Iterator[Claim]:
    """What the table of decisions says of the pair, and then what is configured otherwise in it."""
    row = evidence.row(pair)
    alone, excuse = _alone(evidence, pair)
    if excuse:
        yield Claim(Remark.CONSTANT, pair, status=Status.CONSTANTS, details=excuse)
    alike = fed_alike(evidence, pair)
    right = _right(evidence, pair, alone, alike)
    decision = decide(right=right, alone=alone, fed_alike=alike)
    differs = alone is Alone.DIFFERS and not right
    apart = row.status is Status.DIFFERENT and not excuse and evidence.suspects(pair)
    seen = differs or apart or _unmeasured(evidence, pair)
    # In a model that is right, an operator that is configured otherwise counts if its numbers say that it is fed with the same.
    attributes = decision.attributes and (not right or _fed_equal(evidence, pair))
    told = list(_configured(evidence, claims, pair, attributes, differs=differs, seen=seen, right=right))
    yield from told
    if any(isinstance(claim.what, Subject) for claim in told):
        yield Claim(None, pair, status=Status.DIFFERENT)
    elif decision.status is Status.DIFFERENT:
        yield _unconfigured(evidence, claims, pair)
    elif decision.status is not None:
        yield Claim(None, pair, status=decision.status)
    elif not excuse and evidence.replayed and row.status is Status.DIFFERENT and row.local is not None:
        written = evidence.outputs_agree and row.float64 is not None and row.float64.max_rel > AMPLIFIED
        yield Claim(None, pair, status=Status.WRITTEN if written else Status.INHERITED)


def _right(evidence: Evidence, pair: Pair, alone: Alone, alike: bool) -> bool:
    """Whether the function is the same up to here; asked of the numbers only where that matters."""
    if not evidence.suspects(pair):
        return True
    asked = alone is Alone.DIFFERS or (id(pair) in evidence.attributes and not alike)
    return evidence.outputs_agree or (asked and evidence.comes_right(pair))


def _alone(evidence: Evidence, pair: Pair) -> tuple[Alone, str]:
    """What an operator does on Paddle's inputs, and why a small difference of it is a framework's own constant, or ""."""
    local = evidence.row(pair).local
    if evidence.differs_alone(pair):
        excuse = evidence.excuse(pair)
        return (Alone.AGREES, excuse) if excuse else (Alone.DIFFERS, "")
    return Alone.UNKNOWN if local is None or not local.comparable else Alone.AGREES, ""


def _where_seen(pair: Pair, attribute: str, *, seen: bool) -> Shows:
    """Where an attribute shows; a momentum is in no output, and in training in every statistic."""
    if attribute == "momentum":
        return Shows.STATISTICS if pair.torch.attributes.get("training") else Shows.TRAINING
    return Shows.OUTPUTS if seen else Shows.NOTHING


def _configured(
    evidence: Evidence,
    claims: Claims,
    pair: Pair,
    attributes: bool,
    *,
    differs: bool,
    seen: bool,
    right: bool,
) -> Iterator[Claim]:
    """What differs in configuration and weights; attributes only where they are asked for.

    differs: whether the pair's result does, alone. right: whether the function is the same up to here. seen: whether any number of this run may show what is configured otherwise.
    """
    for found in evidence.attributes.get(id(pair), ()) if attributes else ():
        if _says_nothing(evidence, claims, pair, right) or (
            not seen and _keeps_nothing(evidence, pair, found.attribute)
        ):
            continue
        if not seen and pair_is_idle(evidence.alignment.paddle, pair, evidence.paddle):
            yield Claim(Remark.WRITTEN, pair, status=Status.SAME)
            continue
        yield Claim(
            Subject.ORDER if found.attribute == "map" else Subject.ATTRIBUTE,
            pair,
            attribute="" if found.attribute == "map" else found.attribute,
            values=(found.paddle, found.torch),
            shows=_where_seen(pair, found.attribute, seen=seen),
            details=found,
        )
    for missing in evidence.slots.get(id(pair), ()):
        # Zeros that never change (a BatchNorm without a bias, in torch, where each has one), or numbers that count where the result is
        # right all the same: they come in elsewhere on the other side.
        neutral = evidence.neutral(pair, missing.slot)
        if evidence.frozen(pair, missing.slot) if neutral else right:
            continue
        in_paddle = missing.only_in == "paddle"
        yield Claim(Subject.SLOT, pair, attribute=missing.slot, values=(in_paddle, not in_paddle))
    for weight in evidence.weights.get(id(pair), ()):
        yield _of_weight(evidence, pair, weight, differs=differs)


def _of_weight(evidence: Evidence, pair: Pair, found: ParameterDifference, *, differs: bool) -> Claim:
    return Claim(
        Subject.WEIGHT,
        pair,
        attribute=found.torch,
        values=(found.paddle, found.diagnosis.holds),
        # A part of a packed layer has no result that could be measured alone.
        shows=Shows.OUTPUTS if differs or _unmeasured(evidence, pair) else Shows.WEIGHTS,
        status=Status.DIFFERENT,
        details=found,
    )


def _says_nothing(evidence: Evidence, claims: Claims, pair: Pair, right: bool) -> bool:
    """Whether attributes that differ are the doing of what feeds or reads the pair, and found as that."""
    kind = pair.torch.kind
    if kind == "move" and (_leads_astray(evidence, pair) or _takes_a_fault(evidence, claims, pair)):
        return True
    return right and kind in DATAFLOW_KINDS


def _keeps_nothing(evidence: Evidence, pair: Pair, attribute: str) -> bool:
    """Whether a momentum is given to a call that keeps no statistics: a function in eval, not a layer that trains later."""
    if attribute != "momentum" or evidence.paddle.trace.mode == "train":
        return False
    made = evidence.torch.trace.modules.get(pair.torch.module, {}).get("type", "")
    return "Norm" not in made


def _leads_astray(evidence: Evidence, pair: Pair) -> bool:
    """Whether only operators that Paddle does not have read a value."""
    readers = evidence.alignment.torch.consumers[pair.torch.output]
    return bool(readers) and not any(evidence.alignment.has_torch(node) for node, _ in readers)


def fed_alike(evidence: Evidence, pair: Pair) -> bool:
    """Whether both sides feed this operator from the same aligned values, or with the same numbers, in the same shape."""
    same = evidence.alignment.same
    return all(
        (same.get(pair.torch.inputs[t]) == pair.paddle.inputs[p] or evidence.fed_equal(pair, t))
        and (pair.torch.spelling.by_hand or squeezed(pair.torch.shape(t)) == squeezed(pair.paddle.shape(p)))
        for t, p in pair.slots.items()
        if t in pair.torch.data
    )


def _fed_equal(evidence: Evidence, pair: Pair) -> bool:
    """Whether what enters is the model's own or was measured, and is Paddle's; a value of the canonical form alone was not."""
    for slot in pair.slots:
        maker = (
            evidence.alignment.torch.producer.get(pair.torch.takes[slot].value)
            if slot in pair.torch.data
            else None
        )
        made = None if maker is None else evidence.alignment.pair_of_torch(maker)
        if evidence.fed_equal(pair, slot):
            continue
        if maker is not None and (made is None or not evidence.row(made).agrees_freely):
            return False
    return True


def _unmeasured(evidence: Evidence, pair: Pair) -> bool:
    """Whether no number tells what this operator does, although something must explain why the outputs differ."""
    row = evidence.row(pair)
    return (
        row.local is None and row.float64 is None and not evidence.outputs_agree and evidence.suspects(pair)
    )


# -- a result that differs although nothing is configured otherwise ------------------------------------


def _unconfigured(evidence: Evidence, claims: Claims, pair: Pair) -> Claim:
    """Who answers for a result that differs alone: the first of EXCUSES that holds, else the operator itself."""
    for holds, status in EXCUSES:
        if holds(evidence, claims, pair):
            return Claim(None, pair, status=status)
    inside = _one_sided_inside(evidence, pair)
    if inside is not None:
        local = evidence.row(pair).local
        return Claim(None, pair, edge=inside, status=Status.DIFFERENT, numbers=local)
    if _only_shaped_otherwise(evidence, pair):
        return Claim(None, pair, status=Status.WRITTEN)
    row = stored_padding(evidence.alignment, pair, evidence.torch_parameters)
    if row is not None:
        return _of_weight(evidence, pair, row, differs=True)
    return Claim(Subject.UNEXPLAINED, pair, status=Status.DIFFERENT)


def _fed_wrongly(evidence: Evidence, _: Claims, pair: Pair) -> bool:
    """Whether the fault is what comes in, which Paddle's numbers could not stand in for.

    One torch value for two inputs that differ in Paddle, or a table that one side owns and the other computes.
    """
    torch = {pair.torch.inputs[t] for t in pair.slots}
    paddle = {pair.paddle.inputs[p] for p in pair.slots.values()}
    return len(torch) < len(paddle) or _misfed(evidence, pair)


def _misfed(evidence: Evidence, pair: Pair) -> bool:
    return any(
        edge.pair is pair
        and pair.torch.place(edge.torch_slot) not in evidence.measured
        and evidence.edge_differs(edge)
        for edge in evidence.alignment.edges
    )


def _shaped_by_a_stranger(evidence: Evidence, _: Claims, pair: Pair) -> bool:
    """Whether it cannot be compared because it is fed with something that only torch has."""
    local = evidence.row(pair).local
    fed = any(edge.pair is pair for edge in evidence.alignment.edges)
    return local is not None and not local.comparable and fed


def _takes_a_fault(evidence: Evidence, claims: Claims, pair: Pair) -> bool:
    """Whether it takes what an operator at fault made, or was fed wrongly, and nowhere between could Paddle's numbers be handed in."""
    stack, seen = [pair], set()
    while stack:
        taker = stack.pop()
        for slot in taker.slots:
            node = evidence.alignment.torch.producer.get(taker.torch.inputs[slot])
            made = None if node is None else evidence.alignment.pair_of_torch(node)
            fed = taker.torch.place(slot) in evidence.measured
            if made is None or fed or id(made) in seen:
                continue
            if claims.status(made, evidence.row(made).status) is Status.DIFFERENT or _misfed(evidence, made):
                return True
            seen.add(id(made))
            stack.append(made)
    return False


def _takes_what_is_explained(_: Evidence, claims: Claims, pair: Pair) -> bool:
    return any(claims.explains(pair.torch, slot) for slot in pair.slots)


def _part_of_a_fault(evidence: Evidence, _: Claims, pair: Pair) -> bool:
    """Whether it is one of several operators of one call, another of which is configured otherwise."""
    return pair.torch.op in evidence.configured_otherwise


def _takes_a_variance(evidence: Evidence, _: Claims, pair: Pair) -> bool:
    """Whether it takes what a BatchNorm has just accumulated, which torch does with the unbiased variance of the batch."""
    return not evidence.accumulated.isdisjoint(pair.torch.inputs.values())


EXCUSES: tuple[tuple[Callable[[Evidence, Claims, Pair], bool], Status], ...] = (
    (_fed_wrongly, Status.DIFFERENT),
    (_shaped_by_a_stranger, Status.INHERITED),
    (_takes_a_fault, Status.INHERITED),
    (_takes_what_is_explained, Status.INHERITED),
    (_part_of_a_fault, Status.INHERITED),
    (_takes_a_variance, Status.INHERITED),
)
"""Why something else answers for an operator's result, and what its row is then."""


def _one_sided_inside(evidence: Evidence, pair: Pair) -> Edge | None:
    """What only one side does within the same call, such as the causal mask of an attention."""
    for edge in evidence.alignment.edges:
        within = set(edge.pair.torch.raw) & set(pair.torch.raw)
        if within and (edge.only_paddle or edge.only_torch) and evidence.edge_numbers(edge) is None:
            return edge
    return None


def _only_shaped_otherwise(evidence: Evidence, pair: Pair) -> bool:
    """Whether a result has another shape and all that is made of it agrees: another way of writing it."""
    local = evidence.row(pair).local
    return local is not None and not local.comparable and _readers_agree(evidence, pair)


def _readers_agree(evidence: Evidence, pair: Pair) -> bool:
    consumers = evidence.alignment.torch.consumers[pair.torch.output]
    readers = [evidence.alignment.pair_of_torch(node) for node, _ in consumers]
    return bool(readers) and all(reader is not None and _agrees(evidence, reader) for reader in readers)


def _agrees(evidence: Evidence, pair: Pair) -> bool:
    row = evidence.row(pair)
    if row.float64 is None:
        return False
    return row.agrees_freely if row.float64.comparable else _readers_agree(evidence, pair)


# -- another operator, and constants ---------------------------------------------------------------------


def _substituted(evidence: Evidence, pair: Pair) -> Claim:
    """Two operators in one place: one function in two forms where their numbers agree, but for activations."""
    row, kinds = evidence.row(pair), (pair.torch.kind, pair.paddle.kind)
    excuse = max(constant_in(evidence.paddle.trace, pair)[1], *(constant_of(kind)[1] for kind in kinds))
    excused = row.local is not None and row.local.max_rel <= excuse
    different = evidence.differs_alone(pair) and not excused and evidence.suspects(pair)
    agree = (
        evidence.outputs_agree
        or not evidence.suspects(pair)
        or row.agrees_freely
        or (row.local is not None and not different)
    )
    told = ACTIVATIONS.issuperset(kinds) and not pair_is_idle(
        evidence.alignment.paddle, pair, evidence.paddle
    )
    if not agree or told:
        shows = Shows.OUTPUTS if different or not agree else Shows.NOTHING
        return Claim(Subject.SUBSTITUTED, pair, shows=shows, status=Status.DIFFERENT)
    return Claim(Remark.WRITTEN, pair, status=Status.WRITTEN if different else Status.SAME)
