"""What sets two loss functions apart, read from their gradients at the outputs and from their operators.

A loss is a black box with a known derivative: a cross entropy's gradient is c (softmax - target) in every row, so that
labels, weights, smoothing and ignored rows can be read off it, however the loss is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from parity.backward.entropies import cross_entropy, scores_as_logarithms
from parity.backward.losses import SILENT, Losses, Told
from parity.limits import READ, RECOMPUTED
from parity.numbers.same import ratio
from parity.trace.trace import Op
from parity.trace.values import Array


def read(losses: Losses) -> Told:
    """Cause and fix, from the first reader that understands the difference."""
    for reader in READERS:
        told = reader(losses)
        if told is not None:
            return told
    return _by_operators(losses)


def _reduction(factor: float, sizes: set[int]) -> Told | None:
    """A factor that is a number of elements: a sum where the other averages."""
    for size in sorted(size for size in sizes if size > 1):
        if abs(factor - size) < READ * size:
            return "torch sums where Paddle averages", "reduction='mean'"
        if abs(1 / factor - size) < READ * size:
            return "torch averages where Paddle sums", "reduction='sum'"
    return None


def _width(array: Array) -> int:
    """Numbers in one sample."""
    return array.size // array.shape[0] if array.ndim > 1 and array.shape[0] else 0


def _sizes(array: Array) -> set[int]:
    return {
        array.shape[0] if array.ndim else 1,
        array.size,
        array.size // (array.shape[-1] if array.ndim else 1),
    }


def _scaled(losses: Losses) -> Told | None:
    """The whole loss times a number."""
    factors = [ratio(e, a) for e, a in losses.seeds.values() if e.any() or a.any()]
    known = [c for c in factors if c is not None]
    if not losses.expected or not known or len(known) < len(factors):
        return None
    c = losses.actual / losses.expected
    if not c or abs(c - 1) < RECOMPUTED or any(abs(f - c) > RECOMPUTED * abs(c) for f in known):
        return None
    told = _reduction(c, {size for e, _ in losses.seeds.values() for size in _sizes(e)})
    if told is not None:
        return f"loss reduction: {told[0]}: its loss is {c:.6g} times Paddle's", told[1]
    for width in sorted({_width(e) for e, _ in losses.seeds.values()} - {0, 1}):
        if abs(c * width - 1) < READ or abs(c / width - 1) < READ:
            more, less = ("torch", "Paddle") if c < 1 else ("Paddle", "torch")
            return (
                f"loss reduction: {more} also averages over the {width} numbers of a sample, {less} over the samples alone: "
                f"torch's loss is {c:.6g} times Paddle's",
                f"reduction={'batchmean' if c < 1 else 'mean'!r} (where torch has none: {'multiply' if c < 1 else 'divide'} by {width})",
            )
    for op in losses.operators("torch"):
        beta = _numbers(op)[-1:]
        if op.name == "smooth_l1_loss" and beta and abs(c * beta[0] - 1) < READ:
            return (
                f"torch's smooth_l1_loss divides by beta={beta[0]:g}, Paddle's smooth_l1_loss(delta={beta[0]:g}) does not: "
                f"its loss is {c:.6g} times Paddle's",
                f"F.huber_loss(..., delta={beta[0]:g})",
            )
    return (
        f"torch's loss is {c:.6g} times Paddle's{_only(losses)}",
        f"give both losses the same weight: torch's times {1 / c:.6g}",
    )


def _terms(losses: Losses) -> Told | None:
    """Of several outputs, those whose term weighs another number."""
    if len(losses.seeds) < 2:
        return None
    factors = {key: ratio(e, a) for key, (e, a) in losses.seeds.items() if e.any() or a.any()}
    if None in factors.values():
        return None
    told, fixes = [], []
    for key, c in factors.items():
        assert c is not None
        if abs(c - 1) < RECOMPUTED:
            continue
        name = key.removeprefix("seed:")
        reduction = _reduction(c, _sizes(losses.seeds[key][0])) if c else None
        if not c:
            told.append(f"torch's loss does not depend on `{name}`")
            fixes.append(f"add the term of `{name}`")
        else:
            told.append(
                f"the term of `{name}` weighs {c:.6g} times what it does in Paddle"
                + (f" ({reduction[0]})" if reduction else "")
            )
            fixes.append(reduction[1] if reduction else f"multiply the term of `{name}` by {1 / c:.6g}")
    return (f"loss weights: {'; '.join(told)}", "; ".join(fixes)) if told else None


def _detached(losses: Losses) -> Told | None:
    """Equal losses with other gradients: something is cut off on one side."""
    gap = abs(losses.actual - losses.expected)
    if gap > RECOMPUTED * max(abs(losses.expected), abs(losses.actual)):
        return None
    cuts = {side: list(_cuts(losses, side)) for side in ("torch", "paddle")}
    if len(cuts["torch"]) == len(cuts["paddle"]):
        return None
    here = "torch" if len(cuts["torch"]) > len(cuts["paddle"]) else "paddle"
    op = cuts[here][0]
    fix = f"remove the detach at {op.line}" if here == "torch" else "detach the same value in torch's loss"
    return (
        f"detach only in {'torch' if here == 'torch' else 'Paddle'}'s loss: its value is the same, but no gradient flows "
        f"back through {op.name} ({op.line})",
        fix,
    )


def _cuts(losses: Losses, side: str) -> Iterator[Op]:
    trace = losses.trace if side == "torch" else losses.paddle.trace
    for op in losses.operators(side):
        flows = trace.flows.get(str(op.index), [])
        differentiable = trace.values[op.outputs[0]].dtype.startswith("float")
        if flows and "" not in flows and differentiable:
            yield op


def _positives(losses: Losses) -> Told | None:
    """A binary loss whose positives weigh another number: the gradients' ratio follows the sign alone."""
    if not any(_is_logarithmic(op) for op in losses.operators("paddle")):
        return None
    for expected, actual in losses.seeds.values():
        if expected.size != actual.size or not expected.all():
            continue
        r, positive = actual.reshape(expected.shape) / expected, expected < 0
        if not (positive.any() and (~positive).any()):
            continue
        inside, outside = r[positive], r[~positive]
        if max(np.ptp(inside), np.ptp(outside)) < READ and abs(inside[0] - outside[0]) > READ:
            weight = float(inside[0] / outside[0])
            return (
                f"weight of positives: torch's gradients of positive labels are {weight:.6g} times Paddle's, compared with "
                "those of negative ones: pos_weight, or the alpha of a focal loss",
                f"pos_weight={1 / weight:.6g} times what torch's loss has now",
            )
    return None


def _activation(losses: Losses) -> Told | None:
    """One activation more or less; those inside a loss (a cross entropy's, Paddle's CTC) count."""
    ours, theirs = (
        Counter(kind for op in losses.operators(side) for kind in _applied(op, side))
        for side in ("torch", "paddle")
    )
    for family in (("softmax", "log_softmax"), ("sigmoid",)):
        more = sum(ours[kind] - theirs[kind] for kind in family)
        surplus = next((kind for kind in family if ours[kind] > theirs[kind]), family[-1])
        lacking = next((kind for kind in family if theirs[kind] > ours[kind]), family[-1])
        if more > 0:
            return (
                f"the loss applies {surplus} only in torch, before a loss that expects raw scores or has its own: "
                f"a second {surplus}",
                f"remove the {surplus} from torch's loss",
            )
        if more < 0:
            inside = not any(op.kind == lacking for op in losses.operators("paddle"))
            return (
                f"the loss applies {lacking} only in Paddle{', inside the loss' if inside else ''}",
                f"apply {lacking} in torch's loss too",
            )
        if (surplus, lacking) == ("softmax", "log_softmax") and ours["softmax"] > theirs["softmax"]:
            logarithms = (
                sum(op.kind == "log" for op in losses.operators(side)) for side in ("torch", "paddle")
            )
            if next(logarithms) <= next(logarithms):
                return (
                    "the loss applies softmax in torch where Paddle applies log_softmax: probabilities are taken for "
                    "logarithms",
                    "write log_softmax for softmax in torch's loss",
                )
    return None


def _applied(op: Op, side: str) -> Iterator[str]:
    """The activation that an operator is, or has inside."""
    if op.kind in ("softmax", "log_softmax", "sigmoid"):
        yield op.kind
    elif "ctc" in op.name and side == "paddle":
        yield "log_softmax"
    elif "with_logits" in op.name:
        yield "sigmoid"
    elif op.kind == "cross_entropy" and op.attributes.get("use_softmax", True):
        yield "log_softmax"


def _is_logarithmic(op: Op) -> bool:
    return "entropy" in op.name or op.kind.startswith("log") or op.kind in ("softplus", "log")


def _samples(losses: Losses) -> Told | None:
    """Every sample's gradient is Paddle's times a number of its own."""
    for key, (expected, actual) in losses.seeds.items():
        if expected.shape != actual.shape or expected.ndim < 2 or expected.shape[0] < 2:
            continue
        factors = [ratio(e, a) for e, a in zip(expected, actual, strict=True)]
        known = [c for c in factors if c is not None]
        if len(known) < len(factors) or max(known) - min(known) <= RECOMPUTED * max(map(abs, known)):
            continue
        shown = ", ".join(f"{c:.4g}" for c in known[:6]) + (", ..." if len(known) > 6 else "")
        ctc = any("ctc" in op.name for op in losses.operators("torch"))
        why = (
            ": reduction (the mean of a CTC loss divides every sample by the length of its label first)"
            if ctc
            else ""
        )
        return (
            f"loss average: the samples of `{key.removeprefix('seed:')}` weigh {shown} times what they do in Paddle{why}",
            "reduce the losses of the samples as Paddle does"
            + (": F.ctc_loss(..., reduction='none') and then the same sum or mean" if ctc else ""),
        )
    return None


def _left_out(losses: Losses) -> Told | None:
    """Whole rows, steps or columns of an output that one side's loss does not look at."""
    for key, (expected, actual) in losses.seeds.items():
        if expected.shape != actual.shape or expected.ndim < 2 or not (expected.any() and actual.any()):
            continue
        for axis in range(expected.ndim):
            others = tuple(i for i in range(expected.ndim) if i != axis)
            theirs, ours = (np.flatnonzero(g.any(axis=others)) for g in (expected, actual))
            if set(ours) == set(theirs):
                continue
            side, missing = (
                ("torch", set(theirs) - set(ours))
                if set(theirs) - set(ours)
                else ("Paddle", set(ours) - set(theirs))
            )
            shown = ", ".join(str(i) for i in sorted(map(int, missing))[:6])
            name = key.removeprefix("seed:")
            return (
                f"left out: {side}'s loss does not depend on `{name}` at {shown} of its {expected.shape[axis]} places along "
                f"axis {axis}, the other's does: lengths, a mask or ignored places",
                "give both losses the same lengths and masks",
            )
    return None


def _ctc(losses: Losses) -> Told | None:
    """The blank label, the first argument that both frameworks' CTC losses are given."""
    found = [
        _numbers(op)[:1] for side in ("torch", "paddle") for op in losses.operators(side) if "ctc" in op.name
    ]
    if len(found) != 2 or not all(found) or found[0] == found[1]:
        return None
    ours, theirs = (int(numbers[0]) for numbers in found)
    return f"blank of the CTC loss: torch has {ours}, Paddle has {theirs}", f"F.ctc_loss(..., blank={theirs})"


def _numbers(op: Op) -> list[float]:
    """The numbers that an operator was given, in order."""
    return [
        float(n)
        for n in re.findall(r"(?<![\w.'])-?\d+\.?\d*(?:e-?\d+)?", str(op.attributes.get("arguments", "")))
    ]


def _by_operators(losses: Losses) -> Told:
    """What is left: which outputs it concerns, and the operators that one side alone has."""
    told = _only(losses)
    apart = [
        k.removeprefix("seed:")
        for k, (e, a) in losses.seeds.items()
        if (c := ratio(e, a)) is None or abs(c - 1) > RECOMPUTED
    ]
    at = (
        f", in the term of {', '.join(f'`{k}`' for k in apart)}" if 0 < len(apart) < len(losses.seeds) else ""
    )
    return (
        f"the loss differs on the same outputs{at}: {losses.actual:.9g} in torch, {losses.expected:.9g} in Paddle{told}",
        "compare the two losses"
        + (" there" if told else ": reduction, label smoothing, class weights, ignored labels"),
    )


def _only(losses: Losses) -> str:
    """The operators that one side's loss alone has; first those that have another number on the other side."""
    ours, theirs = (
        Counter(_spelled(op) for op in _differentiated(losses, side)) for side in ("torch", "paddle")
    )
    only = {"torch": list((ours - theirs).elements()), "Paddle": list((theirs - ours).elements())}
    told = ""
    for name in sorted({text.split("(")[0] for text in only["torch"]}):
        both = [{t for t in texts if t.split("(")[0] == name and "(" in t} for texts in only.values()]
        if all(len(found) == 1 for found in both):
            here, there = (found.pop() for found in both)
            told += f"; {here} in torch where Paddle has {there}"
            only = {side: [t for t in texts if t not in (here, there)] for side, texts in only.items()}
    return told + "".join(
        f"; only in {side}: {', '.join(names[:4])}" for side, names in only.items() if names
    )


def _differentiated(losses: Losses, side: str) -> Iterator[Op]:
    trace = losses.trace if side == "torch" else losses.paddle.trace
    for op in losses.operators(side):
        if op.kind not in SILENT and "" in trace.flows.get(str(op.index), []):
            yield op


def _spelled(op: Op) -> str:
    """An operator with the numbers it was given: "huber_loss(1.0)"."""
    numbers = [f"{v:g}" for k, v in op.attributes.items() if k.startswith("scalar") and isinstance(v, float)]
    given: Any = op.attributes.get("arguments", "[]")
    text = ", ".join(numbers) or str(given).strip("[]")
    name = op.kind if op.kind in ("add", "sub", "mul", "div", "pow", "cross_entropy") else op.name
    return f"{name}({text})" if text else name


READERS: tuple[Callable[[Losses], Told | None], ...] = (
    _scaled,
    _terms,
    _detached,
    cross_entropy,
    scores_as_logarithms,
    _activation,
    _ctc,
    _left_out,
    _samples,
    _positives,
)
