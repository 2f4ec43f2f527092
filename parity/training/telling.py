"""Claims about a training as findings and notes: the one place that makes sentences of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from convert.names import listed
from parity.explain.words import show
from parity.ops.table import update_rule
from parity.results.finding import Finding, Note, Shows, Subject
from parity.training.clipping import LARGE
from parity.training.record import FURTHER, Claim, Given, Remark

Told = tuple[str, str]
"""Cause and fix."""

CALLED: Mapping[str, str] = {
    "lr": "learning rate",
    "weight_decay": "weight_decay",
    "beta1": "beta1 (betas[0])",
    "beta2": "beta2 (betas[1])",
}
"""What people call a setting."""


def finding(claim: Claim, given: Given) -> Finding:
    assert isinstance(claim.what, Subject)
    cause, fix = FAULTS[claim.what](claim, given)
    return _of_layer(claim, given, cause, fix) if claim.twin else _of_optimizer(claim, given, cause, fix)


def note(claim: Claim, given: Given) -> Note:
    assert isinstance(claim.what, Remark)
    return Note(REMARKS[claim.what](claim, given), "", claim.evidence)


def _of_layer(claim: Claim, given: Given, cause: str, fix: str) -> Finding:
    assert claim.twin is not None
    assert isinstance(claim.what, Subject)
    node, twin = claim.twin.pair.torch, claim.twin.pair.paddle
    return Finding(
        layer=node.module,
        operator=node.kind,
        where=given.alignment.torch.trace.constructors.get(node.module, "") or node.line,
        cause=cause,
        fix=fix,
        evidence=claim.evidence,
        layer_paddle=twin.module,
        where_paddle=twin.line,
        subject=claim.what,
        attribute=claim.attribute,
        shows=claim.shows,
        order=twin.order,
    )


def _of_optimizer(claim: Claim, given: Given, cause: str, fix: str) -> Finding:
    assert isinstance(claim.what, Subject)
    return Finding(
        layer="optimizer",
        operator=given.torch.name,
        where=given.torch.where,
        cause=cause,
        fix=fix,
        evidence=claim.evidence,
        layer_paddle="optimizer",
        where_paddle=given.paddle.where,
        subject=claim.what,
        attribute=claim.attribute + _scope(claim),
        values={} if claim.values is None else {"paddle": claim.values[0], "torch": claim.values[1]},
        shows=claim.shows,
        order=float("inf"),
    )


def _scope(claim: Claim) -> str:
    """Of how many parameters a setting is another one, if not of all."""
    if claim.what is not Subject.OPTIMIZER or claim.attribute in SETTINGS:
        return ""
    names, trained = claim.details
    return "" if len(names) == trained else f" of {len(names)} of {trained} parameters"


def few(names: Iterable[str]) -> str:
    """Names of parameters for a message."""
    return listed([f"`{name}`" for name in names])


# -- the models ------------------------------------------------------------------------------------


def _gradient(claim: Claim, given: Given) -> Told:
    return (
        f"the gradient of `{claim.attribute}` differs at step {claim.evidence['step']}, although it agreed at the first",
        "look for something in the model that changes from call to call",
    )


def _statistic(claim: Claim, given: Given) -> Told:
    twin, evidence = claim.twin, claim.evidence
    assert twin is not None
    gap, scale = evidence["max abs"], evidence["scale"]
    off = f"{gap / scale if scale else gap:.1e} of its scale"
    if twin.pair.torch.kind == "batch_norm":
        return (
            f"`{twin.name}` differs after step {evidence['step']} by {off}, and not only by biased against unbiased variance",
            "update the statistics as Paddle's layer does: the same momentum, once per forward",
        )
    return (
        f"the buffer `{twin.name}` is updated differently: it differs after step {evidence['step']} by {off}",
        f"compare the lines that write `{twin.name}` with those that write Paddle's `{twin.paddle.name}`",
    )


def _loss_cut(claim: Claim, given: Given) -> str:
    assert claim.values is not None
    expected, actual = claim.values
    return (
        f"loss: at step {claim.evidence['step']}, at the same weights, torch has {actual:.9g}, Paddle {expected:.9g}, "
        "while every gradient agrees. Paddle's softmax on a CPU cuts scores off at 64 below the largest, so "
        "that its cross entropy never exceeds 64: the training has diverged that far"
    )


# -- clipping --------------------------------------------------------------------------------------


def _clipping(claim: Claim, given: Given) -> Told:
    """details: norms before and after, and whether it takes enlarged gradients to see it."""
    assert claim.values is not None
    (clip, hook), (norms, enlarged) = claim.values, claim.details
    seen = f"; seen on {LARGE:g} times these gradients, which are too small to be clipped" if enlarged else ""
    if clip is None:
        return (
            "clip only in torch: its pre-step hook changes the gradients, Paddle's optimizer has no grad_clip"
            + seen,
            "remove the hook that clips",
        )
    if hook is None:
        cause = f"clip missing: Paddle clips with {clip}, torch steps with unclipped gradients"
    else:
        cause = (
            f"clip: on the same gradients torch's comes to norm {norms['torch']:.6g}, Paddle's {clip} to "
            f"{norms['paddle']:.6g}: another norm, or another kind of clipping"
        )
    return cause + seen, _clip_as(clip)


def _clip_as(clip: str) -> str:
    value = clip.partition("(")[2].rstrip(")") or "value"
    if clip.startswith("ClipGradByValue"):
        code = f"torch.nn.utils.clip_grad_value_(model.parameters(), {value})"
    elif clip.startswith("ClipGradByNorm"):
        code = f"for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], {value})"
    else:
        code = f"torch.nn.utils.clip_grad_norm_(model.parameters(), {value})"
    return f"{code} before optimizer.step(); for a check in a function that optimizer.register_step_pre_hook takes and that returns None"


def _clip_constant(claim: Claim, given: Given) -> str:
    return (
        "gradient clipping: torch divides by norm + 1e-6, Paddle by the norm; clipped gradients differ by "
        f"{claim.details:.1e}, a constant of the framework that the step itself was compared without"
    )


# -- settings and schedule -------------------------------------------------------------------------


def _optimizer(claim: Claim, given: Given) -> Told:
    return SETTINGS.get(claim.attribute, _setting)(claim, given)


def _rule(claim: Claim, given: Given) -> Told:
    paddle = given.paddle.name
    return (
        f"optimizer: torch steps with {given.torch.name}, Paddle with {paddle}",
        f"use torch's counterpart of {paddle}",
    )


def _parameters(claim: Claim, given: Given) -> Told:
    """values: those that Paddle's, torch's optimizer alone has."""
    assert claim.values is not None
    theirs, ours = claim.values
    here, there = ("torch", "Paddle") if theirs else ("Paddle", "torch")
    return (
        f"{len(theirs or ours)} parameter(s) are not in {here}'s optimizer, so they are not trained: {few(theirs or ours)}; "
        f"{there}'s optimizer has them",
        "give the optimizer every parameter: model.parameters()"
        if theirs
        else "leave them out of torch's optimizer too",
    )


def _decoupled(claim: Claim, given: Given) -> Told:
    assert claim.values is not None
    coupled = "adds the decay to the gradient (L2)", "takes the decay from the weight (decoupled)"
    theirs, ours = claim.values
    return (
        f"weight decay: torch's {given.torch.name} {coupled[ours]}, Paddle's {given.paddle.name} {coupled[theirs]}",
        "use torch.optim.AdamW" if not ours else "use torch.optim.Adam(weight_decay=...)",
    )


def _setting(claim: Claim, given: Given) -> Told:
    """details: the parameters, and how many are trained."""
    assert claim.values is not None
    (expected, actual), (names, trained) = claim.values, claim.details
    setting, some = claim.attribute, len(names) != trained
    scope = f" for {len(names)} of {trained} parameters ({few(names)})" if some else ""
    called = "scope of weight_decay" if setting == "weight_decay" and some else CALLED.get(setting, setting)
    seen = "; no effect in these steps" if claim.shows is Shows.NOTHING else ""
    return (
        f"{called}: torch has {show(actual)}, Paddle has {show(expected)}{scope}{seen}",
        f"torch.optim.{given.torch.name}(..., {_as_argument(setting, expected)})"
        + (" for these parameters" if some else ""),
    )


def _as_argument(setting: str, value: object) -> str:
    if setting in ("beta1", "beta2"):
        return f"betas=({show(value)}, ...)" if setting == "beta1" else f"betas=(..., {show(value)})"
    return f"{setting}={show(value)}"


SETTINGS: Mapping[str, Callable[[Claim, Given], Told]] = {
    "rule": _rule,
    "parameters": _parameters,
    "decoupled": _decoupled,
}
"""What is no mere number of an optimizer's."""


def _schedule(claim: Claim, given: Given) -> Told:
    """details: the step, from 0, at which the rates part."""
    assert claim.values is not None
    (expected, actual), step = claim.values, claim.details
    if step:
        cause = (
            f"learning rate schedule: equal until step {step}, at step {step + 1} torch has {show(actual[step])}, "
            f"Paddle has {show(expected[step])}"
        )
    else:
        cause = (
            "learning rate schedule: other rates from the first step on: torch has "
            f"{', '.join(show(a) for a in actual[:4])}, Paddle has {', '.join(show(e) for e in expected[:4])}"
        )
    return cause, "compare the schedules' settings, and how often each is stepped"


# -- updates ---------------------------------------------------------------------------------------


def _update(claim: Claim, given: Given) -> Told:
    """details: the parameters, and how many are updated."""
    (names, updated), paddle, torch = claim.details, given.paddle, given.torch
    clip = f" with {paddle.clip}" if paddle.clip and torch.custom else ""
    rule = update_rule(paddle.name)
    further = "; seen in further steps only, on other numbers and with larger gradients"
    return (
        f"update rule: from equal weights and gradients torch's {torch.name} steps differently than Paddle's "
        f"{paddle.name}{clip} for {len(names)} of {updated} parameters ({few(names)})"
        f"{further if claim.attribute == FURTHER else ''}",
        "compare the two update formulas: the place of eps, the order of decay and momentum"
        + (f"; {paddle.name}: {rule}" if rule else ""),
    )


def _own_class(claim: Claim, given: Given) -> str:
    return (
        f"optimizer: torch's {given.torch.name} is a class of its own; every update is that of Paddle's "
        f"{given.paddle.name}"
    )


def _slight(claim: Claim, given: Given) -> str:
    return (
        f"optimizer: updates differ by up to {claim.details:.1e} of their size: a "
        "hyper-parameter that Paddle keeps in float32, or the 1e-6 that torch adds to a norm that it clips by"
    )


def _two_formulas(claim: Claim, given: Given) -> str:
    """details: the `Differing`, and how many parameters are updated."""
    rule, updated = claim.details
    return (
        f"{given.paddle.name}: {rule.told}; from equal weights and gradients {claim.evidence['parameters']} of {updated} parameters "
        f"are updated differently, by up to {claim.evidence['update differs by']:.1e} of the update, as the two formulas say: a framework "
        f"difference, not a fault of the port. Remedy: {rule.remedy}"
    )


# -- the whole training ----------------------------------------------------------------------------


def _trained(claim: Claim, given: Given) -> str:
    """details: steps, and how far apart; None: not."""
    steps, apart = claim.details
    told = (
        "losses, parameters and statistics agree"
        if apart is None
        else f"every step agrees from equal weights; run freely, the two trainings drift apart by {apart:.1e}"
    )
    return (
        f"training: {steps} step(s) with {given.paddle.name} in float64 from the models' own weights; {told}"
    )


def _biased_variance(claim: Claim, given: Given) -> str:
    """details: the relative difference after each step."""
    return (
        "running variance: Paddle accumulates the biased batch variance, torch the unbiased one; after "
        f"{len(claim.details)} step(s) they differ by {claim.details[-1]:.1e} of their scale, and so will the evaluated "
        "networks: a framework difference, not a fault of the port. Remedy: "
        "parity.remedies.torch_batch_norm.use_biased_variance(model) before training in torch"
    )


FAULTS: Mapping[Subject, Callable[[Claim, Given], Told]] = {
    Subject.GRADIENT: _gradient,
    Subject.STATISTIC: _statistic,
    Subject.CLIPPING: _clipping,
    Subject.OPTIMIZER: _optimizer,
    Subject.SCHEDULE: _schedule,
    Subject.UPDATE: _update,
}

REMARKS: Mapping[Remark, Callable[[Claim, Given], str]] = {
    Remark.OF_OPTIMIZER: lambda claim, _: str(claim.details),
    Remark.LOSS_CUT: _loss_cut,
    Remark.CLIP_CONSTANT: _clip_constant,
    Remark.OWN_CLASS: _own_class,
    Remark.SLIGHT_UPDATE: _slight,
    Remark.TWO_FORMULAS: _two_formulas,
    Remark.TRAINED: _trained,
    Remark.BIASED_VARIANCE: _biased_variance,
}
"""What is claimed -> who says it."""
