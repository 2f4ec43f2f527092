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

from parity.backward.entropies import cross_entropy, ignored_average, scores_as_logarithms
from parity.backward.losses import SILENT, Apart, In, Losses, OneSided
from parity.limits import READ, RECOMPUTED
from parity.numbers.same import ratio
from parity.trace.trace import Op
from parity.trace.values import Array


def read(losses: Losses) -> Apart:
    """What the first reader says that understands the difference."""
    for reader in READERS:
        found = reader(losses)
        if found is not None:
            return found
    return _by_operators(losses)


def _reduction(factor: float, sizes: set[int]) -> tuple[str, str] | None:
    """(Paddle's, torch's) reduction, if the factor is a number of elements: a sum where the other averages."""
    for size in sorted(size for size in sizes if size > 1):
        if abs(factor - size) < READ * size:
            return "mean", "sum"
        if abs(1 / factor - size) < READ * size:
            return "sum", "mean"
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


def _scaled(losses: Losses) -> Apart | None:
    """The whole loss times a number."""
    factors = [ratio(e, a) for e, a in losses.seeds.values() if e.any() or a.any()]
    known = [c for c in factors if c is not None]
    if not losses.expected or not known or len(known) < len(factors):
        return None
    c = losses.actual / losses.expected
    if not c or abs(c - 1) < RECOMPUTED or any(abs(f - c) > RECOMPUTED * abs(c) for f in known):
        return None
    reductions = _reduction(c, {size for e, _ in losses.seeds.values() for size in _sizes(e)})
    if reductions is not None:
        return Apart(In.REDUCTION, "reduction", reductions, c)
    for width in sorted({_width(e) for e, _ in losses.seeds.values()} - {0, 1}):
        if abs(c * width - 1) < READ or abs(c / width - 1) < READ:
            both = ("batchmean", "mean") if c < 1 else ("mean", "batchmean")
            return Apart(In.SAMPLE_MEAN, "reduction", both, (c, width))
    for op in losses.operators("torch"):
        beta = _numbers(op)[-1:]
        if op.name == "smooth_l1_loss" and beta and abs(c * beta[0] - 1) < READ:
            return Apart(In.BETA, "beta", details=(c, beta[0]))
    return Apart(In.FACTOR, details=(c, _one_sided(losses)))


def _terms(losses: Losses) -> Apart | None:
    """Of several outputs, those whose term weighs another number."""
    if len(losses.seeds) < 2:
        return None
    factors = {key: ratio(e, a) for key, (e, a) in losses.seeds.items() if e.any() or a.any()}
    if None in factors.values():
        return None
    found = []
    for key, c in factors.items():
        assert c is not None
        if abs(c - 1) >= RECOMPUTED:
            reductions = _reduction(c, _sizes(losses.seeds[key][0])) if c else None
            found.append((key.removeprefix("seed:"), c, reductions))
    return Apart(In.TERMS, details=found) if found else None


def _detached(losses: Losses) -> Apart | None:
    """Equal losses with other gradients: something is cut off on one side."""
    gap = abs(losses.actual - losses.expected)
    if gap > RECOMPUTED * max(abs(losses.expected), abs(losses.actual)):
        return None
    cuts = {side: list(_cuts(losses, side)) for side in ("torch", "paddle")}
    if len(cuts["torch"]) == len(cuts["paddle"]):
        return None
    torch = len(cuts["torch"]) > len(cuts["paddle"])
    return Apart(In.DETACH, "detach", (not torch, torch), cuts["torch" if torch else "paddle"][0])


def _cuts(losses: Losses, side: str) -> Iterator[Op]:
    trace = losses.trace if side == "torch" else losses.paddle.trace
    for op in losses.operators(side):
        flows = trace.flows.get(str(op.index), [])
        differentiable = trace.values[op.outputs[0]].dtype.startswith("float")
        if flows and "" not in flows and differentiable:
            yield op


def _positives(losses: Losses) -> Apart | None:
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
            return Apart(In.POSITIVES, "pos_weight", details=float(inside[0] / outside[0]))
    return None


def _activation(losses: Losses) -> Apart | None:
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
            return Apart(In.ACTIVATION, surplus, (False, True))
        if more < 0:
            inside = not any(op.kind == lacking for op in losses.operators("paddle"))
            return Apart(In.ACTIVATION, lacking, (True, False), inside)
        if (surplus, lacking) == ("softmax", "log_softmax") and ours["softmax"] > theirs["softmax"]:
            logarithms = (
                sum(op.kind == "log" for op in losses.operators(side)) for side in ("torch", "paddle")
            )
            if next(logarithms) <= next(logarithms):
                return Apart(In.PROBABILITIES, "log_softmax", ("log_softmax", "softmax"))
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


def _samples(losses: Losses) -> Apart | None:
    """Every sample's gradient is Paddle's times a number of its own."""
    for key, (expected, actual) in losses.seeds.items():
        if expected.shape != actual.shape or expected.ndim < 2 or expected.shape[0] < 2:
            continue
        factors = [ratio(e, a) for e, a in zip(expected, actual, strict=True)]
        known = [c for c in factors if c is not None]
        if len(known) < len(factors) or max(known) - min(known) <= RECOMPUTED * max(map(abs, known)):
            continue
        ctc = any("ctc" in op.name for op in losses.operators("torch"))
        return Apart(In.SAMPLES, details=(key.removeprefix("seed:"), known, ctc))
    return None


def _left_out(losses: Losses) -> Apart | None:
    """Whole rows, steps or columns of an output that one side's loss does not look at."""
    for key, (expected, actual) in losses.seeds.items():
        if expected.shape != actual.shape or expected.ndim < 2 or not (expected.any() and actual.any()):
            continue
        for axis in range(expected.ndim):
            others = tuple(i for i in range(expected.ndim) if i != axis)
            theirs, ours = (np.flatnonzero(g.any(axis=others)) for g in (expected, actual))
            if set(ours) == set(theirs):
                continue
            missing = sorted(map(int, set(theirs) - set(ours)))
            torch = bool(missing)
            missing = missing or sorted(map(int, set(ours) - set(theirs)))
            return Apart(
                In.LEFT_OUT, details=(key.removeprefix("seed:"), torch, missing, expected.shape[axis], axis)
            )
    return None


def _ctc(losses: Losses) -> Apart | None:
    """The blank label, the first argument that both frameworks' CTC losses are given."""
    found = [
        _numbers(op)[:1] for side in ("torch", "paddle") for op in losses.operators(side) if "ctc" in op.name
    ]
    if len(found) != 2 or not all(found) or found[0] == found[1]:
        return None
    ours, theirs = (int(numbers[0]) for numbers in found)
    return Apart(In.BLANK, "blank", (theirs, ours))


def _numbers(op: Op) -> list[float]:
    """The numbers that an operator was given, in order."""
    return [
        float(n)
        for n in re.findall(r"(?<![\w.'])-?\d+\.?\d*(?:e-?\d+)?", str(op.attributes.get("arguments", "")))
    ]


def _by_operators(losses: Losses) -> Apart:
    """What is left: which outputs it concerns, and the operators that one side alone has."""
    apart = [
        k.removeprefix("seed:")
        for k, (e, a) in losses.seeds.items()
        if (c := ratio(e, a)) is None or abs(c - 1) > RECOMPUTED
    ]
    terms = apart if len(apart) < len(losses.seeds) else []
    return Apart(In.UNKNOWN, values=(losses.expected, losses.actual), details=(_one_sided(losses), terms))


def _one_sided(losses: Losses) -> OneSided:
    """The operators that one side's loss alone has; first those that have another number on the other side."""
    ours, theirs = (
        Counter(_spelled(op) for op in _differentiated(losses, side)) for side in ("torch", "paddle")
    )
    only = {"torch": list((ours - theirs).elements()), "paddle": list((theirs - ours).elements())}
    exchanged = []
    for name in sorted({text.split("(")[0] for text in only["torch"]}):
        both = [{t for t in texts if t.split("(")[0] == name and "(" in t} for texts in only.values()]
        if all(len(found) == 1 for found in both):
            here, there = (found.pop() for found in both)
            exchanged.append((here, there))
            only = {side: [t for t in texts if t not in (here, there)] for side, texts in only.items()}
    return OneSided(tuple(exchanged), tuple(only["torch"]), tuple(only["paddle"]))


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


READERS: tuple[Callable[[Losses], Apart | None], ...] = (
    ignored_average,
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
