"""Claims about what no comparison of values reaches as findings: statistics, dropouts, casts, registration."""

from __future__ import annotations

from convert.names import counted
from parity.explain.claims import Claim
from parity.explain.evidence import Evidence
from parity.explain.lines import constructor
from parity.explain.telling.operators import of_pair
from parity.explain.torch_code import dropout
from parity.explain.unmeasured import Tied
from parity.explain.words import sentence
from parity.results.finding import Finding, Subject


def statistic(claim: Claim, evidence: Evidence) -> Finding:
    """A running statistic. details: the `Updates`; or the `Accumulated` and how often the layer runs in a forward."""
    if claim.attribute == "updates":
        return _updates(claim, evidence)
    found, runs = claim.details
    cause = f"running {claim.attribute}: after one step it differs by {found.gap:.1e} from what this layer's momentum and "
    numbers = {f"running {claim.attribute}": found.name, "relative difference": found.gap}
    if claim.attribute == "variance":
        cause += "batch statistics give"
        fix = "update the running statistics as Paddle does, once for every call"
        return of_pair(claim, evidence, cause, fix, numbers)
    cause += "the batch give"
    fix = "update the running statistics as Paddle does: the same momentum, from the same numbers"
    if runs > 1:
        cause += f"; the layer runs {runs} times in a forward, and the last run weighs most"
        fix = "run the layer's calls in the order in which Paddle runs them"
    return of_pair(claim, evidence, cause, fix, numbers)


def _updates(claim: Claim, evidence: Evidence) -> Finding:
    found = claim.details
    assert claim.pair is not None
    torch_more = len(found.torch) > len(found.paddle)
    return of_pair(
        claim,
        evidence,
        f"running statistics are updated {_times(len(found.torch))} in a forward in torch, {_times(len(found.paddle))} in "
        f"Paddle: every run of this layer in train mode updates them, and {'torch' if torch_more else 'Paddle'} runs it more "
        "often",
        "run the layer once and use its result again"
        if torch_more
        else "run the layer as often as Paddle does, or load Paddle's statistics before evaluating",
        {"torch's runs": [op.line for op in found.torch], "Paddle's runs": [op.line for op in found.paddle]},
        where=found.extra[0].line if found.extra and torch_more else claim.pair.torch.line,
    )


def buffer(claim: Claim, evidence: Evidence) -> Finding:
    """A buffer after a forward. values: whether it changes; details: Paddle's name, how far apart."""
    assert claim.values is not None
    (theirs, apart), (paddle, torch), ours = claim.details, claim.values, claim.attribute
    run = "a training forward" if evidence.torch.trace.mode == "train" else "a forward in eval mode"
    if paddle and torch:
        cause = f"the buffer `{ours}` is updated differently: after one forward it is off by {apart.max_rel:.1e} of its scale"
        fix = f"compare the lines that write `{ours}` with those that write Paddle's `{theirs}`"
    elif paddle:
        cause = f"the buffer `{ours}` stays what it was, while {run} changes Paddle's `{theirs}`"
        fix = f"write the new numbers into `{ours}` itself, not into a copy of it, in every forward that Paddle's is written in"
    else:
        cause = f"{run} changes the buffer `{ours}`, while Paddle's `{theirs}` stays what it was"
        fix = f"leave `{ours}` as it is in {run}"
    module = ours.rpartition(".")[0]
    value = evidence.torch.trace.parameters[ours].value
    users = [op for op in evidence.torch.trace.ops if value in op.inputs.values()]
    return Finding(
        layer=module,
        operator="buffer",
        where=users[-1].line if users else evidence.torch.trace.constructors.get(module, ""),
        cause=cause,
        fix=fix,
        evidence={"max abs": apart.max_abs, "max rel": apart.max_rel, "Paddle's": theirs},
        layer_paddle=theirs.rpartition(".")[0],
        subject=Subject.STATISTIC,
        attribute=ours,
        values={"paddle": paddle, "torch": torch},
        shows=claim.shows,
        order=float("inf"),
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def dropped(claim: Claim, evidence: Evidence) -> Finding:
    """A dropout that is switched off in this run. details: Paddle's and torch's."""
    paddle, torch = claim.details
    assert claim.values is not None
    theirs, ours = claim.values
    cause = f"dropout {claim.attribute}: torch has {ours}, Paddle has {theirs}"
    # Torch's layers have no mode: what Paddle's does is written where the layer is called.
    made = "" if theirs == "downscale_in_infer" else constructor(evidence.torch.trace, torch.module)
    return Finding(
        layer=torch.module,
        operator="Dropout",
        where=made or torch.line,
        cause=sentence(cause, claim.shows),
        fix=f"drop in train mode alone: training={theirs}"
        if claim.attribute == "training"
        else dropout(paddle.attributes),
        evidence={"attribute": claim.attribute, "paddle": theirs, "torch": ours},
        layer_paddle=paddle.module,
        where_paddle=paddle.line,
        subject=Subject.ATTRIBUTE,
        attribute=claim.attribute,
        values={"paddle": theirs, "torch": ours},
        shows=claim.shows,
        order=_order_of(torch.value, evidence),
    )


def cast(claim: Claim, evidence: Evidence) -> Finding:
    """A cast to half precision on one side alone. details: it."""
    item = claim.details
    assert claim.values is not None
    theirs, ours = claim.values
    side = "torch" if ours else "Paddle"
    return Finding(
        layer=item.module,
        operator="cast",
        where=item.line if ours else "",
        cause=f"precision: a cast to {ours or theirs} only in {side} rounds every number here",
        fix="remove the cast" if ours else f"cast to {theirs} in torch too",
        evidence={"dtype": ours or theirs},
        where_paddle="" if ours else item.line,
        subject=Subject.PRECISION,
        attribute=claim.attribute,
        values={"paddle": theirs, "torch": ours},
        order=_order_of(item.value, evidence) if ours else float("inf"),
    )


def unregistered(claim: Claim, evidence: Evidence) -> Finding:
    """Layers that the state dict does not know. details: the `Unregistered`."""
    found, container = claim.details, claim.attribute
    torch = found.side == "torch"
    nodes = ((pair.torch if torch else pair.paddle, pair.paddle.order) for pair in evidence.alignment.pairs)
    first = next((at for node, at in nodes if node.module.startswith(found.paths[0])), float("inf"))
    name = container.rpartition(".")[2]
    cause = f"not registered: {counted(len(found.paths), 'layer')} of `{container}` {'lives' if len(found.paths) == 1 else 'live'} in a plain list in "
    cause += f"{'torch' if torch else 'Paddle'}, so they are not in the state dict, not moved by .to(), not trained and not saved"
    fix = f"self.{name} = torch.nn.ModuleList(...)"
    if found.tensor:
        cause = f"not registered: `{container}` is a parameter in Paddle and a plain tensor in torch, so it is not in the state dict, not loaded, "
        cause += "not trained and not saved"
        fix = f"self.{name} = torch.nn.Parameter(...)"
    return Finding(
        layer=container.rpartition(".")[0] if found.tensor else found.paths[0],
        operator="registration",
        where=found.line if torch else "",
        cause=cause,
        fix=fix,
        evidence={"layers": len(found.paths), "first": found.paths[0], "last": found.paths[-1]},
        where_paddle="" if torch else found.line,
        subject=Subject.REGISTRATION,
        attribute=container,
        shows=claim.shows,
        order=first - 0.75,
    )


def shared(claim: Claim, evidence: Evidence) -> Finding:
    """One module of torch's for several of Paddle's, or one parameter. details: the `Shared`, or the `Tied`."""
    if isinstance(claim.details, Tied):
        return _one_parameter(claim, evidence)
    paths, trace = claim.details.paths, evidence.torch.trace
    told = " and ".join(f"`{path}`" for path in paths)
    nodes = (pair for pair in evidence.alignment.pairs if f"{pair.torch.module}.".startswith(f"{paths[0]}."))
    return Finding(
        layer=paths[1],
        operator="registration",
        where=trace.constructors.get(paths[1], "") or trace.constructors.get(claim.attribute, ""),
        cause=f"shared: {told} are one module in torch, and several in Paddle: it holds the weights of one of them",
        fix="make a module of its own for each, as Paddle does: [Block() for _ in range(n)], not [Block()] * n",
        evidence={"modules": list(paths)},
        layer_paddle=paths[1],
        subject=Subject.TIE,
        attribute=claim.attribute,
        values={"paddle": False, "torch": True},
        shows=claim.shows,
        order=next((pair.paddle.order for pair in nodes), 0.0) - 0.75,
    )


def _one_parameter(claim: Claim, evidence: Evidence) -> Finding:
    told = " and ".join(f"`{name}`" for name in claim.details.paddle)
    module = claim.attribute.rpartition(".")[0]
    return Finding(
        layer=module,
        operator="registration",
        where=evidence.torch.trace.constructors.get(module, ""),
        cause=f"tied: {told} are one parameter in torch, and several in Paddle; they hold the same numbers now, and no longer "
        "with other weights or after a training step",
        fix="give each layer a weight of its own, as Paddle does, or tie them in Paddle too",
        evidence={"parameters": list(claim.details.paddle)},
        subject=Subject.TIE,
        attribute=claim.attribute,
        values={"paddle": False, "torch": True},
        shows=claim.shows,
        order=float("inf"),
    )


def unread(claim: Claim, evidence: Evidence) -> Finding:
    """A weight that this run does not use. details: the `Unread`."""
    ours, theirs = claim.details.torch, claim.details.paddle
    module = ours.rpartition(".")[0]
    turned = " transposed" if claim.details.turned else ""
    return Finding(
        layer=module,
        operator="weight",
        where=evidence.torch.trace.constructors.get(module, ""),
        cause=f"`{ours}` does not hold Paddle's `{theirs}`{turned}; nothing that ran here reads it, another mode or method of the model may",
        fix="load it from Paddle's state dict again (`paddle2torch.convert_state_dict`)",
        evidence={"paddle": theirs},
        subject=Subject.WEIGHT,
        attribute=ours,
        shows=claim.shows,
        order=float("inf"),
    )


def _order_of(torch_value: int, evidence: Evidence) -> float:
    node = evidence.alignment.torch.producer.get(torch_value)
    pair = evidence.alignment.pair_of_torch(node) if node is not None else None
    return pair.paddle.order + 0.25 if pair is not None else float("inf")
