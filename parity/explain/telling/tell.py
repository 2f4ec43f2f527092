"""Claims as findings, notes and doubts. This folder alone (with `words`, `torch_code`, `lines`) makes sentences of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convert.names import counted, listed
from parity.align.alignment import Edge
from parity.explain.claims import Claim, Doubt, Remark
from parity.explain.evidence import Evidence
from parity.explain.telling import attributes, front, operators, returned, segments, silent, wiring
from parity.explain.telling.library import of_the_user
from parity.explain.words import at, chain, label, named, numbers_of
from parity.results.finding import Finding, Note, Subject

Tells = Mapping[Subject, Callable[[Claim, Evidence], Finding]]

OF_PAIR: Tells = {
    Subject.ATTRIBUTE: attributes.attribute,
    Subject.ORDER: attributes.order,
    Subject.SLOT: operators.slot,
    Subject.WEIGHT: operators.weight,
    Subject.TIE: operators.untied,
    Subject.SUBSTITUTED: operators.substituted,
    Subject.UNEXPLAINED: operators.unexplained,
    Subject.EXCHANGED: operators.roles,
    Subject.STATISTIC: silent.statistic,
}

OF_EDGE: Tells = {
    Subject.MISSING: segments.absent,
    Subject.EXTRA: segments.extra,
    Subject.COMPUTED: segments.computed,
    Subject.WRITTEN_OUT: segments.written_out,
    Subject.WIRING: wiring.elsewhere,
    Subject.EXCHANGED: wiring.swapped,
    Subject.ORDER: wiring.order,
}

OF_MODEL: Tells = {
    Subject.ATTRIBUTE: silent.dropped,
    Subject.COMPUTED: front.otherwise,
    Subject.ORDER: front.moved,
    Subject.PRECISION: silent.cast,
    Subject.REGISTRATION: silent.unregistered,
    Subject.TIE: silent.shared,
    Subject.OUTPUT: returned.result,
    Subject.STATISTIC: silent.buffer,
    Subject.WEIGHT: silent.unread,
}
"""What a claim is about (an aligned operator, what stands before one, neither) and its subject -> who says it."""


def finding(claim: Claim, evidence: Evidence) -> Finding:
    tells = OF_PAIR if claim.pair is not None else OF_EDGE if claim.edge is not None else OF_MODEL
    assert isinstance(claim.what, Subject)
    return of_the_user(tells[claim.what](claim, evidence), evidence.torch.trace)


def note(claim: Claim, evidence: Evidence) -> Note:
    if claim.pair is not None:
        return _note_of_pair(claim, evidence)
    if claim.edge is not None:
        return _note_of_edge(claim)
    details = claim.details
    if claim.what is Remark.SILENT:
        item, side = details
        only = f"only in {'Paddle' if side == 'paddle' else 'torch'}"
        meaning = {
            "dropout": f"Dropout {only}: no effect in eval; check in train mode",
            "detach": f"detach {only}: no effect on values, but on gradients",
        }
        return Note(meaning[item.kind], item.module)
    if claim.what is Remark.WIDTH:
        assert claim.values is not None
        return Note(
            f"`{claim.attribute}` is {claim.values[1]} in torch, {claim.values[0]} in Paddle: the same numbers"
        )
    if claim.what is Remark.RUN:
        return Note(details)
    if claim.what is Remark.BIASED_VARIANCE:
        return Note(
            "running variance: Paddle accumulates the biased batch variance, torch the unbiased one; after "
            f"this step they differ by up to {max(details):.1e} in {counted(len(details), 'layer')}, as the factor "
            "n/(n-1) predicts: a framework difference, not a fault of the port",
            "",
            {"max relative difference": max(details), "layers": len(details)},
        )
    if claim.what is Remark.ROUNDED_CONSTANTS:
        return Note(
            f"the outputs differ by up to {max(details.values()):.1e} of their scale, no more than the numbers that the models hold or "
            "make in float32 (means, a table, an eps) do where they are rounded otherwise: written differently",
            "",
            details,
        )
    if claim.what is Remark.BY_CONSTANTS:
        return Note(
            f"the outputs differ by up to {max(details.values()):.1e} of their scale; the float32 constants named "
            "here make all of it: with Paddle's numbers at these operators alone, torch's outputs are Paddle's",
            "",
            details,
        )
    return Note(
        "the outputs differ, yet every operator agrees on equal inputs and all weights are equal: the "
        "network amplifies rounding",
        "",
        details,
    )


def _note_of_pair(claim: Claim, evidence: Evidence) -> Note:
    assert claim.pair is not None
    node, row = claim.pair.torch, evidence.row(claim.pair)
    if claim.what is Remark.WRITTEN:
        return Note(
            f"{named(node)}: {label(node)} in torch, {label(claim.pair.paddle)} in Paddle, "
            "same numbers: written differently",
            node.module,
        )
    if claim.what is Remark.FUSED:
        names = " and ".join(f"`{weight.torch}`" for weight in evidence.weights[id(claim.pair)])
        return Note(
            f"{named(node)}: {names} hold other numbers than Paddle's, and the results are Paddle's all the same (branches fused "
            "into one layer, say): written differently",
            node.module,
        )
    if claim.what is Remark.FOLDED:
        told = (
            "Paddle's BatchNorm is folded into its weights (they are Paddle's times scale / sqrt(variance + eps), rounded to "
            "float32): written differently"
        )
    else:
        assert row.local is not None
        told = f"{claim.details}; a difference of {row.local.max_rel:.1e} in float64 is that, not the port"
    return Note(f"{named(node)}: {told}", node.module, numbers_of(row))


def _note_of_edge(claim: Claim) -> Note:
    """details: whether the numbers agree to rounding, and not only but for float32 constants."""
    edge = claim.edge
    assert edge is not None
    assert claim.numbers is not None
    constants = "" if claim.details else " but for float32 constants"
    return Note(
        f"before {at(edge)}: {chain(edge.only_torch)} in torch, {chain(edge.only_paddle)} in Paddle, same numbers{constants}: "
        "written differently",
        edge.pair.torch.module,
        {"float64": claim.numbers.max_rel},
    )


def doubt(claim: Claim) -> str:
    if claim.what is Doubt.INPUT:
        assert claim.edge is not None
        return f"the input of {at(claim.edge)} could not be compared"
    if claim.what is Doubt.UNKNOWN_VALUE:
        side, node, shape = claim.details
        return f"{side}: {named(node)} at {node.line} takes a tensor of shape {shape} that no recorded operator made"
    if claim.what is Doubt.RANDOM:
        side, node = claim.details
        return (
            f"{side}: `{node.name}` at {node.line} draws random numbers, which no seed makes equal in both "
            "frameworks"
        )
    if claim.what is Doubt.NO_RESULT:
        return "the models return nothing that can be compared"
    if claim.what is Doubt.RUN:
        return str(claim.details)
    if claim.what in (Doubt.RESULT_TYPE, Doubt.EMPTY_RESULT):
        return returned.doubt(claim)
    if claim.what is Doubt.FUSED:
        return (
            f"the outputs differ by up to {claim.details:.1e} of their size, and torch holds weights that are none of Paddle's: fusing "
            "layers in float32 does that, and so may a small mistake. Fuse in float64 to tell them apart (`model.double()` first)"
        )
    if claim.what is Doubt.STATE:
        names = listed([f"`{name}`" for name in claim.details])
        return (
            f"Paddle's forward keeps {names} from one call to the next, and nothing that torch's model keeps becomes the same: what later calls "
            "make of it was not compared"
        )
    if claim.what is Doubt.BEHIND_ZEROS:
        node, count, zeros = claim.details
        several = f" and {counted(count - 1, 'more operator')}" if count > 1 else ""
        return (
            f"{listed([f'`{name}`' for name in zeros])} {'is' if len(zeros) == 1 else 'are'} zero: {named(node)} at {node.line}{several} in front "
            "of that reach no result, and were not found to be the other side's; `randomize` fills in values that show what they compute"
        )
    if claim.what is Doubt.TELLS_NOTHING:
        return f"`{claim.attribute}`: {claim.details}"
    places = [
        f"the input of {at(place)}" if isinstance(place, Edge) else named(place) for place in claim.details
    ]
    return "the outputs differ and no operator could be blamed" + (
        f"; not measured: {listed(places)}" if places else ""
    )
