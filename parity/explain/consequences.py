"""What follows from what: several claims that are the doing of one argument or one mistake become that one.

Explainers look at operators and at what feeds them. A person changes arguments of layers: what differs inside a ready-made layer, or
in the slots of one, is told by the argument that makes it differ. Only what an explainer said is put together here, so
that nothing is told without a witness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from parity.align.alignment import Pair
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.words import label
from parity.graph.node import Node
from parity.ops.table import as_torch_argument
from parity.results.finding import Subject
from parity.trace.trace import Op, Trace

Rule = Callable[[Evidence, list[Claim]], Iterator[tuple[Claim | None, list[Claim]]]]
"""Yields what is told instead (None: nothing, it follows from what is told anyway), and of which claims."""

OF_SLOTS: tuple[tuple[frozenset[str], tuple[str, ...], str], ...] = (
    (frozenset({"weight", "bias"}), ("affine", "elementwise_affine"), ""),
    (frozenset({"mean", "variance"}), ("track_running_stats",), "training"),
)
"""Slots that one side lacks, torch's arguments that decide them, and the attribute that follows."""

UNLIKE_PADDLE: Mapping[str, Mapping[str, Any]] = {
    "LocalResponseNorm": {"size": ..., "alpha": ..., "beta": ..., "k": ...},
    "MultiheadAttention": {
        "num_heads": ...,
        "add_zero_attn": False,
        "batch_first": True,
    },
}
"""torch's ready-made layer -> its arguments, each with what Paddle's layer does that has no such argument (...: it has it)."""

PADDING_MODES: Mapping[str, str] = {"edge": "replicate"}
"""How torch calls a way to pad where Paddle calls it otherwise."""

BESIDE_KERNEL = frozenset({"padding", "output_padding", "stride", "dilation"})
"""What is chosen for a kernel's size."""

NEVER_LOADED = frozenset({"unrelated", "all 0", "all 1"})


@dataclass(frozen=True)
class Made:
    """An argument that a layer was made with. operator: what the layer is called; op: what it runs, if that is not the pair's own.

    also: further arguments that must change with it, as torch code.
    """

    operator: str
    op: Op | None = None
    also: tuple[str, ...] = ()


def gathered(evidence: Evidence, faults: list[Claim]) -> list[Claim]:
    """The claims, with one in the place of all that are its doing."""
    for rule in RULES:
        for instead, absorbed in list(rule(evidence, faults)):
            gone = {id(claim) for claim in absorbed}
            at = next((i for i, claim in enumerate(faults) if id(claim) in gone), len(faults))
            new = [] if instead is None else [instead]
            faults = [
                *(claim for claim in faults[:at] if id(claim) not in gone),
                *new,
                *(claim for claim in faults[at:] if id(claim) not in gone),
            ]
    return faults


def _by_pair(faults: list[Claim]) -> list[tuple[Pair, list[Claim]]]:
    grouped: dict[int, tuple[Pair, list[Claim]]] = {}
    for claim in faults:
        if claim.pair is not None:
            grouped.setdefault(id(claim.pair), (claim.pair, []))[1].append(claim)
    return list(grouped.values())


def _slots(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """Weights or statistics that a layer lacks altogether: the argument that leaves them out."""
    for pair, claims in _by_pair(faults):
        given = evidence.torch.trace.arguments.get(pair.torch.module, {})
        for slots, arguments, follows in OF_SLOTS:
            lacking = [c for c in claims if c.what is Subject.SLOT and c.attribute in slots]
            argument = next((name for name in arguments if name in given), "")
            values = {c.values for c in lacking}
            if {c.attribute for c in lacking} != slots or len(values) != 1 or not argument:
                continue
            theirs, ours = values.pop() or (None, None)
            if given[argument] is not ours:
                continue
            after = [c for c in claims if c.what is Subject.ATTRIBUTE and c.attribute == follows]
            told = Claim(
                Subject.ATTRIBUTE,
                pair,
                attribute=argument,
                values=(theirs, ours),
                shows=lacking[0].shows,
                details=Made(label(pair.torch)),
            )
            yield told, [*after, *lacking]


def _inside(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """What differs inside a layer that both frameworks have ready-made: the arguments that it is made with."""
    for path, facts in evidence.torch.trace.modules.items():
        arguments = UNLIKE_PADDLE.get(facts["type"])
        if arguments is None or facts.get("from") != "torch.nn":
            continue
        theirs = _twin(evidence, path, facts["type"])
        within = [c for c in faults if _is_within(c, path, theirs)]
        pair = next((c.pair or (c.edge.pair if c.edge is not None else None) for c in within), None)
        if theirs is None or pair is None:
            continue
        ours, given = (trace.arguments.get(at, {}) for trace, at in ((evidence.torch.trace, path), theirs))
        differing = {
            name: (given.get(name, default), ours.get(name))
            for name, default in arguments.items()
            if name in ours and given.get(name, default) not in (ours.get(name), ...)
        }
        if len(differing) > 1:
            # The order of the axes may be another one and be right, what is fed being in that order.
            differing.pop("batch_first", None)
        at = next((p for p in evidence.alignment.pairs if p.torch.module == path), pair)
        for number, (name, values) in enumerate(differing.items()):
            told = Claim(
                Subject.ATTRIBUTE,
                at,
                attribute=name,
                values=values,
                shows=within[0].shows,
                details=Made(facts["type"]),
            )
            yield told, [] if number else within


def _twin(evidence: Evidence, path: str, kind: str) -> tuple[Trace, str] | None:
    """Paddle's layer of the same name, in which the counterparts of this one's operators run."""
    trace = evidence.paddle.trace
    for pair in evidence.alignment.pairs:
        at = pair.paddle.module if pair.torch.module == path else ""
        while at:
            if trace.modules.get(at, {}).get("type", "").lower() == kind.lower():
                return trace, at
            at = at.rpartition(".")[0]
    return None


def _is_within(claim: Claim, path: str, theirs: tuple[Trace, str] | None) -> bool:
    """Whether a claim is about what happens inside a layer, and not about its weights or what it is fed."""
    if claim.what in (Subject.WEIGHT, Subject.WIRING, Subject.EXCHANGED, Subject.STATISTIC) or theirs is None:
        return False
    if claim.pair is not None:
        return claim.pair.torch.module == path
    if claim.edge is None:
        return False
    ours = all(node.module == path for node in claim.edge.only_torch)
    others = all(f"{node.module}.".startswith(f"{theirs[1]}.") for node in claim.edge.only_paddle)
    return ours and others and bool(claim.edge.only_torch or claim.edge.only_paddle)


def _padding(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """A pad before a layer that pads by itself on the other side: how it pads, or how much."""
    for claim in faults:
        edge = claim.edge
        nodes = () if edge is None else (*edge.only_torch, *edge.only_paddle)
        if edge is None or len(nodes) != 1 or nodes[0].kind != "pad":
            continue
        (pad,), pair = nodes, edge.pair
        own: list[Any] = [pair.paddle.attributes.get("padding"), pair.torch.attributes.get("padding")]
        side = 1 if edge.only_torch else 0
        if None in own or pair.substituted:
            continue
        own[side] = _sum(own[side], pad.attributes["pads"])
        also = [
            c for c in faults if c.pair is pair and c.what is Subject.ATTRIBUTE and c.attribute == "padding"
        ]
        modes = ["zeros", "zeros"]
        modes[side] = PADDING_MODES.get(pad.attributes["mode"], pad.attributes["mode"])
        if own[0] == own[1] and modes[side] != "constant":
            yield _mode(evidence, claim, pair, pad if side else None, modes), [claim, *also]
        elif own[0] == own[1] and pair.torch.kind == "max_pool" and side:
            # A pool takes nothing of its own padding, as if that were the smallest number.
            yield (
                replace(
                    claim,
                    what=Subject.ATTRIBUTE,
                    pair=pair,
                    edge=None,
                    attribute="value",
                    values=(float("-inf"), pad.attributes.get("value")),
                    details=_made_of(evidence, pair, pad),
                ),
                [claim, *also],
            )
        elif own[0] != own[1] and modes[side] == "constant" and also:
            yield (
                Claim(
                    Subject.ATTRIBUTE,
                    pair,
                    attribute="padding",
                    values=(own[0], own[1]),
                    shows=claim.shows,
                    details=_made_of(evidence, pair, pad if side else None),
                ),
                [claim, *also],
            )
    for claim in faults:
        # The pad of a layer that is made to pad in its own way.
        if claim.pair is not None and claim.pair.torch.kind == "pad" and claim.attribute == "mode":
            given = evidence.torch.trace.arguments.get(claim.pair.torch.module, {})
            if "padding_mode" in given and claim.values is not None:
                words = [PADDING_MODES.get(mode, mode) for mode in claim.values]
                yield _mode(evidence, claim, claim.pair, claim.pair.torch, words), [claim]


def _sum(padding: tuple[tuple[int, int], ...], pads: tuple[tuple[int, int], ...]) -> Any:
    return tuple((a + c, b + d) for (a, b), (c, d) in zip(padding, pads[-len(padding) :], strict=True))


def _mode(evidence: Evidence, claim: Claim, pair: Pair, pad: Node | None, modes: list[str]) -> Claim:
    """Another way to pad: the layer's own argument, or that of the pad before it."""
    made = _made_of(evidence, pair, pad)
    layers = made.op is None or made.operator != "pad"
    return Claim(
        Subject.ATTRIBUTE,
        pair,
        attribute="padding_mode" if layers else "mode",
        values=(modes[0], modes[1]) if layers else tuple(m.replace("zeros", "constant") for m in modes),  # type: ignore[arg-type]
        shows=claim.shows,
        details=made,
    )


def _made_of(evidence: Evidence, pair: Pair, pad: Node | None) -> Made:
    """What pads in torch: an operator of its own, or the layer."""
    trace = evidence.torch.trace
    raw = pad.raw if pad is not None else pair.torch.raw
    op = next((trace.ops[number] for number in raw if trace.ops[number].kind == "pad"), None)
    if op is None:
        return Made(label(pair.torch))
    if "padding_mode" in trace.arguments.get(op.module, {}):
        return Made(trace.modules[op.module]["type"], op)
    return Made("pad", op)


@dataclass(frozen=True)
class Shared:
    """Modules of torch's that are one, and several in Paddle: their paths."""

    paths: tuple[str, ...]


def _shared(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """Wrong weights of a layer that is another one too: there is one in torch where Paddle has several."""
    for paths in _one_module(evidence):
        inside = tuple(f"{path}." for path in paths)
        within = [c for c in faults if c.pair is not None and f"{c.pair.torch.module}.".startswith(inside)]
        within += [
            c for c in faults if c.edge is not None and f"{c.edge.pair.torch.module}.".startswith(inside)
        ]
        if any(c.what is Subject.WEIGHT for c in within):
            told = Claim(
                Subject.TIE,
                attribute=paths[0].rpartition(".")[0] or paths[0],
                values=(False, True),
                details=Shared(paths),
            )
            yield told, [c for c in within if c.what not in (Subject.ATTRIBUTE, Subject.SUBSTITUTED)]


def _one_module(evidence: Evidence) -> Iterator[tuple[str, ...]]:
    """Paths of torch's whose parameters are all the same, while those of Paddle's that they are named after are not."""
    trace, theirs = evidence.torch.trace, evidence.paddle.trace.parameters
    owned: dict[str, dict[str, int]] = {}
    for name, parameter in trace.parameters.items():
        parts = name.split(".")
        for end in range(1, len(parts)):
            owned.setdefault(".".join(parts[:end]), {})[".".join(parts[end:])] = parameter.value
    groups: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for path, own in owned.items():
        groups.setdefault(tuple(sorted(own.items())), []).append(path)
    for shared, paths in groups.items():
        outer = [p for p in paths if not any(p.startswith(f"{other}.") for other in paths)]
        twins = [twin for name, _ in shared if (twin := evidence.names.get(f"{outer[0]}.{name}", ""))]
        named = {twin.replace(outer[0], path, 1) for twin in twins for path in outer}
        values = {theirs[name].value for name in named if name in theirs}
        whole = {path.rpartition(".")[0] for path in outer}
        if len(outer) > 1 and len(whole) == 1 and twins and len(values) == len(twins) * len(outer):
            yield tuple(outer)


def _kernels(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """A kernel of another size: what was given beside it belongs to it, and no weights can have been loaded."""
    for pair, claims in _by_pair(faults):
        shaped = [c for c in claims if c.holds == "another shape"]
        sides = (evidence.alignment.paddle, pair.paddle), (evidence.alignment.torch, pair.torch)
        if pair.torch.kind not in ("conv", "conv_transpose") or not shaped:
            continue
        shapes = [graph.shapes.get(node.inputs.get("weight", -1), ()) for graph, node in sides]
        if shapes[0][:2] != shapes[1][:2] or len(shapes[0]) != len(shapes[1]) or shapes[0] == shapes[1]:
            continue
        beside = [c for c in claims if c.what is Subject.ATTRIBUTE and c.attribute in BESIDE_KERNEL]
        unloaded = [c for c in claims if c.holds in NEVER_LOADED]
        also = tuple(
            as_torch_argument(pair.torch.kind, c.attribute, c.values[0])
            for c in beside
            if c.values is not None
        )
        told = Claim(
            Subject.ATTRIBUTE,
            pair,
            attribute="kernel_size",
            values=(tuple(shapes[0][2:]), tuple(shapes[1][2:])),
            shows=shaped[0].shows,
            details=Made(label(pair.torch), also=also),
        )
        yield told, [*shaped, *beside, *unloaded]


def _windows(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """A pool's window of another size: the padding and stride that belong to it."""
    for pair, claims in _by_pair(faults):
        given = {c.attribute: c for c in claims if c.what is Subject.ATTRIBUTE and c.values is not None}
        window = given.get("kernel_size")
        beside = [claim for name, claim in given.items() if name in BESIDE_KERNEL]
        if window is not None and beside and pair.torch.kind.endswith("_pool"):
            also = tuple(
                as_torch_argument(pair.torch.kind, c.attribute, c.values[0])
                for c in beside
                if c.values is not None
            )
            yield replace(window, details=Made(label(pair.torch), also=also)), [window, *beside]


@dataclass(frozen=True)
class Untied:
    """A parameter that Paddle uses in two places, and torch has two of: the wrong one, and the one that is right."""

    paddle: str
    wrong: str
    right: str


def _untied(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """Wrong weights where Paddle uses those of another layer once more, which torch holds rightly there."""
    torch, names = evidence.alignment.torch.parameters, evidence.alignment.paddle.parameters
    for pair, claims in _by_pair(faults):
        wrong = [c for c in claims if c.holds in NEVER_LOADED]
        used = pair.paddle.inputs.get("weight", -1)
        twins = [
            p
            for p in evidence.alignment.pairs
            if p is not pair and p.paddle.inputs.get("weight") == used and id(p) not in evidence.weights
        ]
        held = {torch.get(p.torch.inputs.get("weight", -1), "") for p in (pair, *twins)}
        if wrong and twins and used in names and "" not in held and len(held) > 1:
            here, there = (torch[p.torch.inputs["weight"]] for p in (pair, twins[0]))
            told = Claim(
                Subject.TIE,
                pair,
                attribute=here,
                values=(True, False),
                shows=wrong[0].shows,
                details=Untied(names[used], here, there),
            )
            yield told, wrong


def _following(evidence: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """What needs no mending of its own once something else is mended."""
    for _, claims in _by_pair(faults):
        told = {c.attribute for c in claims if c.what is Subject.ATTRIBUTE}
        if "groups" in told:
            yield None, [c for c in claims if c.holds == "another shape"]
        if "training" in told:
            yield None, [c for c in claims if c.what is Subject.STATISTIC]
    for cause in faults:
        if cause.what is Subject.REGISTRATION and cause.details.side == "torch":
            hidden = tuple(f"{path}." for path in cause.details.paths)
            yield None, [c for c in faults if c.pair is not None and _out_of_reach(c, c.pair, hidden)]


def _out_of_reach(claim: Claim, pair: Pair, hidden: tuple[str, ...]) -> bool:
    """Whether it is because nothing reaches the layer: neither a state dict nor a change of mode."""
    unmade = claim.holds in NEVER_LOADED
    mode = claim.what is Subject.ATTRIBUTE and claim.attribute == "training"
    return (unmade or mode) and f"{pair.torch.module}.".startswith(hidden)


def _in_parts(_: Evidence, faults: list[Claim]) -> Iterator[tuple[Claim | None, list[Claim]]]:
    """Parts that are written otherwise, and have the operator in them that is another one elsewhere, too: they must differ."""
    pairs = (c.pair for c in faults if c.what is Subject.SUBSTITUTED and c.pair is not None)
    known = {(pair.paddle.kind, pair.torch.kind) for pair in pairs}
    for claim in faults:
        if (
            claim.what is Subject.COMPUTED
            and claim.edge is not None
            and not getattr(claim.details, "narrower", False)
        ):
            theirs, ours = (
                {node.kind for node in nodes} for nodes in (claim.edge.only_paddle, claim.edge.only_torch)
            )
            if any(a in theirs - ours and b in ours - theirs for a, b in known):
                yield None, [claim]


RULES: tuple[Rule, ...] = (
    _shared,
    _slots,
    _inside,
    _padding,
    _kernels,
    _windows,
    _untied,
    _following,
    _in_parts,
)
