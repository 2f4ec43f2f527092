"""Configuration against configuration: what numbers cannot show, or show only on other inputs.

Two aligned operators must have been called with the same attributes, whatever the values say: a wrong
BatchNorm momentum is invisible in eval, a wrong ceil_mode on even sizes, a wrong dropout rate always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from parity.align.alignment import Alignment, Pair
from parity.ops.attributes import DEFAULTS, PROMISES, TRAINS, same_value
from parity.ops.kinds import DATAFLOW_KINDS, RECURRENT, kind_of


@dataclass(frozen=True)
class AttributeDifference:
    """One attribute of an aligned pair that differs; `paddle` and `torch` are canonical values."""

    pair: Pair
    attribute: str
    paddle: Any
    torch: Any


@dataclass(frozen=True)
class SlotDifference:
    """A weight that one side's operator has and the other's has not (a bias, a scale)."""

    pair: Pair
    slot: str
    only_in: str


def attribute_differences(alignment: Alignment) -> Iterator[AttributeDifference]:
    """Every attribute that differs within an aligned pair."""
    for pair in alignment.pairs:
        if pair.substituted:
            continue
        paddle, torch = pair.paddle.attributes, pair.torch.attributes
        defaults = {**DEFAULTS[""], **DEFAULTS.get(pair.torch.kind, {})}
        by_hand = pair.paddle.spelling.by_hand or pair.torch.spelling.by_hand
        for name in sorted(set(paddle) | set(torch)):
            if name in kind_of(pair.torch.kind).ignored:
                continue
            if by_hand and name not in defaults and not (name in paddle and name in torch):
                # Nothing of the kind is to be seen where the operator is written out: a momentum, say.
                continue
            if name == "value" and None in (paddle.get(name), torch.get(name)):
                # A constant that is not of one number, or of numbers that only the run knows.
                continue
            expected, actual = paddle.get(name, defaults.get(name)), torch.get(name, defaults.get(name))
            if (
                name == "momentum"
                and alignment.torch.trace.arguments.get(pair.torch.module, {}).get(name, 0) is None
            ):
                # A cumulative average: what the call is given is not what the layer is made with.
                actual = None
            if name in PROMISES and actual:
                continue
            expected, actual = _of_one_rank(alignment, pair, name, (expected, actual))
            if not same_value(expected, actual):
                if pair.torch.kind in DATAFLOW_KINDS and not _same_layout(pair) and name != "map":
                    continue
                yield AttributeDifference(pair, name, expected, actual)
        if _statistics_in_training(alignment, pair):
            yield AttributeDifference(pair, "use_global_stats", True, False)


def _statistics_in_training(alignment: Alignment, pair: Pair) -> bool:
    """Whether Paddle's BatchNorm uses its statistics in training too, and torch's does so in eval alone, which is what ran."""
    if pair.torch.kind != "batch_norm" or alignment.torch.trace.mode != "eval":
        return False
    theirs = alignment.paddle.trace.arguments.get(pair.paddle.module, {})
    ours = alignment.torch.trace.arguments.get(pair.torch.module, {})
    return bool(theirs.get("use_global_stats")) and bool(ours.get(TRAINS))


def _of_one_rank(alignment: Alignment, pair: Pair, name: str, values: tuple[Any, Any]) -> tuple[Any, Any]:
    """The values as they were given, where one side was read as having fewer dimensions than the other."""
    if not all(isinstance(value, tuple) for value in values) or len(values[0]) == len(values[1]):
        return values
    given: list[tuple[Any, ...]] = []
    for graph, node in ((alignment.paddle, pair.paddle), (alignment.torch, pair.torch)):
        raw = (graph.trace.ops[number] for number in node.raw)
        found = [op.attributes[name] for op in raw if op.kind == node.kind and name in op.attributes]
        given += found[:1]
    return (given[0], given[1]) if len({len(value) for value in given}) == 1 < len(given) else values


def _same_layout(pair: Pair) -> bool:
    """Axes and permutations mean the same only if both sides see the input in the same shape."""
    return pair.paddle.shape("x") == pair.torch.shape("x")


def slot_differences(alignment: Alignment) -> Iterator[SlotDifference]:
    """Weights that only one side's operator uses, and data that only one side's is given."""
    for pair in alignment.pairs:
        if pair.substituted:
            continue
        by_hand = pair.paddle.spelling.by_hand or pair.torch.spelling.by_hand
        inputs = pair.paddle.inputs, pair.torch.inputs
        kind = kind_of(pair.torch.kind)
        if pair.torch.kind in RECURRENT:
            yield from (SlotDifference(pair, "bias", side) for side in without_bias(inputs))
            slots: tuple[str, ...] = kind.optional
        else:
            slots = (*kind.weights, *kind.optional)
        for slot in slots:
            batch = pair.paddle.attributes.get("training") and pair.torch.attributes.get("training")
            if slot in ("mean", "variance") and (by_hand or batch):
                # Normalized by the batch's own, running statistics may be kept beside the operator; `buffers` compares them.
                continue
            if (slot in pair.paddle.inputs) != (slot in pair.torch.inputs):
                yield SlotDifference(pair, slot, "paddle" if slot in pair.paddle.inputs else "torch")


def without_bias(pair_inputs: tuple[Mapping[str, int], Mapping[str, int]]) -> Iterator[str]:
    """ "paddle" or "torch" if that side alone has biases."""
    has = [any(slot.startswith("bias_") for slot in given) for given in pair_inputs]
    if has[0] != has[1]:
        yield "paddle" if has[0] else "torch"
