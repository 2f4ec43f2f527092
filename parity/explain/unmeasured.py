"""What numbers do not show: silent operators, registration, origins, chance; and whether all was measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from parity.align.alignment import Edge, Pair
from parity.capture.replay import ReplayPlan
from parity.explain import hidden
from parity.explain.claims import Claim, Claims, Doubt, Remark
from parity.explain.dropouts import differing, half_off
from parity.explain.evidence import Evidence
from parity.graph.node import Graph, Node, Silent
from parity.limits import AMPLIFIED
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status
from parity.trace.trace import Framework


def remarked(evidence: Evidence, _: Claims) -> Iterator[Claim]:
    """What the runs noted of themselves: compiled layers, modes set by hand, chance."""
    runs = (evidence.paddle, evidence.torch)
    for text in dict.fromkeys(text for run in runs for text in run.trace.notes):
        yield Claim(Remark.RUN, details=text)
    for text in dict.fromkeys(text for run in runs for text in run.trace.doubts):
        yield Claim(Doubt.RUN, details=text)


def unknown(evidence: Evidence, _: Claims) -> Iterator[Claim]:
    """Values and operators of which nothing can be claimed."""
    for graph in (evidence.alignment.paddle, evidence.alignment.torch):
        for value, node in graph.unknown:
            yield Claim(Doubt.UNKNOWN_VALUE, details=(graph.framework, node, list(graph.shapes[value])))
        for node in graph.nodes:
            if node.kind == "random":
                yield Claim(Doubt.RANDOM, details=(graph.framework, node))


def silent(evidence: Evidence, _: Claims) -> Iterator[Claim]:
    """Dropouts that are switched off in this run, detached values, and casts."""
    same = evidence.alignment.same
    theirs = {(item.kind, item.value): item for item in evidence.alignment.paddle.silent}
    matched = {id(twins.off) for twins in half_off(evidence)}
    for item in evidence.alignment.torch.silent:
        if id(item) in matched:
            continue
        twin = theirs.get((item.kind, same.get(item.value, -1)))
        if twin is None:
            yield _one_sided(item, "torch")
            continue
        matched.add(id(twin))
        if item.kind == "dropout":
            yield from differing(twin, item, Shows.TRAINING)
    for item in evidence.alignment.paddle.silent:
        if id(item) not in matched:
            yield _one_sided(item, "paddle")


def _one_sided(item: Silent, side: Framework) -> Claim:
    """A cast to half precision rounds every number; a dropout or a detach changes none of this run."""
    if item.kind != "cast":
        return Claim(Remark.SILENT, details=(item, side))
    narrow = item.attributes["narrow"]
    values = (narrow, None) if side == "paddle" else (None, narrow)
    return Claim(Subject.PRECISION, attribute="dtype", values=values, details=item)


@dataclass(frozen=True)
class Unregistered:
    """Layers in a plain list of one side's, or a plain tensor, and the line that makes it."""

    side: Framework
    paths: list[str]
    line: str
    tensor: bool = False


def container_of(path: str) -> str:
    """What holds a layer that is not registered: `blocks` for `blocks[0]`."""
    return path.rpartition("[")[0] or path


def registration(evidence: Evidence, _: Claims) -> Iterator[Claim]:
    """Layers that run but that the state dict does not know."""
    for run in (evidence.torch, evidence.paddle):
        containers: dict[str, list[str]] = {}
        for path in run.trace.unregistered:
            containers.setdefault(container_of(path), []).append(path)
        for container, paths in containers.items():
            found = Unregistered(run.trace.framework, paths, run.trace.unregistered[paths[0]])
            yield Claim(Subject.REGISTRATION, attribute=container, shows=Shows.WEIGHTS, details=found)
    yield from _plain_tensors(evidence)


def _plain_tensors(evidence: Evidence) -> Iterator[Claim]:
    """Parameters that Paddle trains, and that torch holds as tensors its state dict does not know. With gradients, these tell."""
    torch, paddle = evidence.torch.trace, evidence.paddle.trace
    used = {value for op in torch.ops for value in op.inputs.values()}
    for ours, known in torch.parameters.items() if not torch.flows else ():
        theirs = paddle.parameters.get(evidence.names.get(ours, ours))
        if theirs is None or not (theirs.trainable and theirs.registered):
            continue
        inside = any(ours.startswith(f"{path}.") for path in torch.unregistered)
        if not known.registered and not known.trainable and known.value in used and not inside:
            line = torch.constructors.get(ours.rpartition(".")[0], "")
            yield Claim(
                Subject.REGISTRATION,
                attribute=ours,
                shows=Shows.WEIGHTS,
                details=Unregistered("torch", [ours], line, tensor=True),
            )


@dataclass(frozen=True)
class Tied:
    """One trainable parameter of torch's that stands for several of Paddle's, which hold the same numbers now."""

    torch: tuple[str, ...]
    paddle: tuple[str, ...]


def tied(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Parameters that are one in torch alone: with other weights, or after a step, they are not. With gradients, these tell."""
    if evidence.torch.trace.flows or any(c.what in (Subject.WEIGHT, Subject.TIE) for c in claims.faults):
        return
    paddle, torch = evidence.paddle.trace.parameters, evidence.torch.trace.parameters
    held = defaultdict[int, dict[str, str]](dict)
    for ours in torch:
        theirs = evidence.names.get(ours, ours)
        if theirs in paddle and torch[ours].trainable and paddle[theirs].trainable:
            held[torch[ours].value].setdefault(theirs, ours)
    for found in held.values():
        numbers = [evidence.paddle_parameters[name] for name in found if name in evidence.paddle_parameters]
        apart = len({paddle[name].value for name in found}) > 1
        if apart and all(np.array_equal(one, numbers[0]) for one in numbers):
            yield Claim(
                Subject.TIE,
                attribute=next(iter(found.values())),
                values=(False, True),
                shows=Shows.WEIGHTS,
                details=Tied(tuple(found.values()), tuple(found)),
            )


# -- outputs that say nothing of what zeros hide ---------------------------------------------------------


def behind_zeros(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Operators that zeros hide, and that were not found to be Paddle's one by one: outputs that agree say nothing of them.

    With gradients, that of the parameter tells.
    """
    if claims.faults or not evidence.outputs_agree or evidence.torch.trace.flows:
        return
    alignment, (theirs, ours) = evidence.alignment, evidence.hidden
    if not ours.nodes and not theirs.nodes:
        return
    known = {
        id(node)
        for pair in alignment.pairs
        if _known(evidence, claims, pair)
        for node in (pair.paddle, pair.torch)
    }
    apart = [*_untold(alignment.torch, ours, known), *_untold(alignment.paddle, theirs, known)]
    if apart:
        yield Claim(Doubt.BEHIND_ZEROS, details=(apart[0], len(apart), ours.parameters or theirs.parameters))


def _untold(graph: Graph, found: hidden.Hidden, known: set[int]) -> list[Node]:
    """Hidden operators that are not known, and of which nothing known is made, which would tell of them too."""
    fine: set[int] = set()
    for node in reversed(found.nodes):
        readers = (id(reader) for reader, _ in graph.consumers[node.output])
        if id(node) in known or fine.issuperset(readers):
            fine.add(id(node))
    return [node for node in found.nodes if id(node) not in fine and node.kind not in hidden.CARRYING]


def _known(evidence: Evidence, claims: Claims, pair: Pair) -> bool:
    row = evidence.row(pair)
    if row.agrees_freely or claims.status(pair, row.status) in (Status.SAME, Status.CONSTANTS):
        return True
    alone = row.local is not None and row.local.max_rel <= row.limit
    return alone or evidence.is_fused(pair) or evidence.numbers_moved(pair)


# -- outputs that differ without any fault ---------------------------------------------------------------


def amplified(evidence: Evidence, claims: Claims) -> Iterator[Claim]:
    """Outputs that differ without a fault: EQUIVALENT only if all was measured and rounding or constants explain it.

    And outputs that agree, of which that says nothing.
    """
    if claims.faults:
        return
    if evidence.outputs_agree and evidence.moved:
        yield Claim(
            Remark.ROUNDED_CONSTANTS, details={path: d.max_rel for path, d in evidence.outputs.items()}
        )
    if not evidence.outputs_agree and not claims.doubts:
        yield _differing_outputs(evidence, claims)
    for path, found in evidence.observed.items():
        if found.doubt:
            yield Claim(Doubt.TELLS_NOTHING, attribute=path, details=found.doubt)


def _differing_outputs(evidence: Evidence, claims: Claims) -> Claim:
    missing = _unmeasured(evidence)
    if missing or not evidence.observed:
        return Claim(Doubt.OUTPUTS, details=missing)
    apart = {path: d.max_rel for path, d in evidence.outputs.items()}
    made = _by_constants(evidence, claims)
    if made and all(made[path] <= evidence.output_limit(path) for path in apart):
        return Claim(Remark.BY_CONSTANTS, details=apart)
    if max((made or apart).values()) <= AMPLIFIED:
        return Claim(Remark.AMPLIFIED, details=apart)
    return Claim(Doubt.OUTPUTS, details=[])


def _unmeasured(evidence: Evidence) -> list[Node | Edge]:
    """Operators and connections of which no number was taken on Paddle's inputs."""
    operators = [
        pair.torch
        for pair in evidence.alignment.pairs
        if pair.torch.kind != "move" and not _measured(evidence, pair)
    ]
    edges = (*evidence.alignment.edges, *evidence.alignment.output_edges.values())
    silent = (edge for edge in edges if evidence.edge_numbers(edge) is None)
    return [*operators, *(edge for edge in silent if not evidence.comes_right(edge.pair))]


def _measured(evidence: Evidence, pair: Pair) -> bool:
    """Whether an operator's numbers are known: alone on Paddle's, or in the free runs, where they are Paddle's."""
    row = evidence.row(pair)
    return row.local is not None or row.agrees_freely or row.status is Status.INSIDE


def _by_constants(evidence: Evidence, claims: Claims) -> dict[str, float]:
    """Differences of the outputs where torch is handed Paddle's numbers wherever a float32 constant was named.

    Empty if there is none, or if torch cannot be run again.
    """
    plan = ReplayPlan()
    for pair in evidence.alignment.pairs:
        status = claims.status(pair, evidence.row(pair).status)
        if status is Status.CONSTANTS and pair.torch.op >= 0:
            plan.outputs[pair.torch.op] = pair.paddle.output
    for edge in evidence.alignment.edges:
        entry = edge.pair.torch.place(edge.torch_slot)
        numbers = evidence.edge_numbers(edge)
        if entry is not None and numbers is not None and evidence.edge_slack(edge, numbers):
            plan.inputs.setdefault(entry[0], {})[entry[1]] = edge.paddle_value
    found = evidence.replayed_with(plan) if plan.outputs or plan.inputs else {}
    if not found:
        return {}
    return {
        path: found[-1, path].max_rel if (-1, path) in found else float("inf") for path in evidence.observed
    }
