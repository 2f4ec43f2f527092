"""Parameters side by side: which torch parameter holds which Paddle one, and what is wrong if it does not.

Weights under test are never overwritten; they are compared, bit by bit, with the transform of their twin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from parity.align.alignment import Alignment, Pair
from parity.align.weights import Holding, constant, digest, held, same_content
from parity.explain.hypotheses.weights import Diagnosis, Weight, diagnose
from parity.explain.words import squeezed
from parity.ops.kinds import kind_of
from parity.trace.values import Array

ELEMENTWISE = frozenset({"add", "affine", "lerp", "mul", "sub"})
"""Kinds that make each number of one number of each input."""

FLAT = frozenset({"conv", "prelu", "layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm"})
"""Operators whose weight means the same in another shape of as many numbers."""


@dataclass(frozen=True)
class ParameterDifference:
    """A torch parameter that is not the transform of its Paddle twin, and what it looks like instead.

    turned: whether Paddle keeps it the other way round. buffer: whether nothing loads it.
    """

    pair: Pair
    slot: str
    paddle: str
    torch: str
    diagnosis: Diagnosis
    gap: float
    turned: bool
    buffer: bool


def compare_parameters(
    alignment: Alignment, paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> list[ParameterDifference]:
    """Compare the weights of every aligned layer by slot; names play no part."""
    found = []
    holders = cache(lambda: _fingerprints(paddle))  # hashing every weight is for the case that one differs
    for pair in alignment.pairs:
        if pair.substituted or pair.folded:
            continue
        weights = kind_of(pair.torch.kind).weights
        for slot, paddle_slot in pair.slots.items():
            theirs, ours = (
                held(alignment.paddle, pair.paddle, paddle_slot),
                held(alignment.torch, pair.torch, slot),
            )
            if theirs is None or ours is None or theirs.moves or ours.moves:
                continue
            expected, actual = theirs.read(paddle), ours.read(torch)
            if expected is None or actual is None:
                continue
            paddle_name, torch_name = theirs.name, ours.name
            if slot not in weights and (expected.size != actual.size or _reversed(pair, expected, actual)):
                continue
            # What is kept with other axes of length one gets these on its way to the layer.
            unsqueezed = expected.ndim != actual.ndim and squeezed(expected.shape) == squeezed(actual.shape)
            shapeless = slot != "weight" or pair.torch.kind in FLAT or unsqueezed
            if expected.size == actual.size and shapeless:
                expected = expected.reshape(actual.shape)
            if not same_content(expected, actual):
                weight = Weight(
                    torch_name,
                    paddle_name,
                    expected,
                    actual,
                    holders(),
                    turned=pair.torch.kind == "linear"
                    and slot == "weight"
                    and pair.paddle.spelling.layout != pair.torch.spelling.layout,
                    packed=replace(theirs, rows=None).read(paddle) if theirs.rows is not None else None,
                    siblings=_siblings(theirs, paddle) if actual.ndim == 1 else {},
                )
                own = alignment.torch.trace.parameters.get(torch_name)
                buffer = own is not None and not own.trainable and slot not in ("mean", "variance")
                found.append(
                    ParameterDifference(
                        pair,
                        slot,
                        paddle_name,
                        torch_name,
                        diagnose(weight),
                        weight.gap,
                        weight.turned,
                        buffer,
                    )
                )
    return found


def _siblings(holding: Holding, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The same part of the layer's other parameters of the same shape."""
    layer = holding.name.rpartition(".")[0]
    return {
        name: holding.of(array)
        for name, array in arrays.items()
        if name != holding.name and name.rpartition(".")[0] == layer and array.shape == holding.shape
    }


def stored_padding(
    alignment: Alignment, pair: Pair, torch: Mapping[str, Array]
) -> ParameterDifference | None:
    """The row of an embedding for which Paddle gives zeros, if torch, which gives what is stored, holds other numbers there."""
    row = pair.paddle.attributes.get("padding_idx")
    theirs, ours = held(alignment.paddle, pair.paddle, "weight"), held(alignment.torch, pair.torch, "weight")
    if pair.torch.kind != "embedding" or row is None or theirs is None or ours is None:
        return None
    weight = ours.read(torch)
    if weight is None or not weight[row].any():
        return None
    cause = (
        f"Paddle gives zeros for padding_idx {row}, whatever `{theirs.name}` holds there; torch gives the row as it is stored in "
        f"`{ours.name}`, and that is not zero"
    )
    diagnosis = Diagnosis(
        cause, "the padding row as stored", instead=f"torch_state[{ours.name!r}][{row}] = 0"
    )
    gap = float(np.abs(weight[row]).max() / np.abs(weight).max())
    return ParameterDifference(
        pair, "weight", theirs.name, ours.name, diagnosis, gap, turned=False, buffer=False
    )


def _reversed(pair: Pair, expected: Array, actual: Array) -> bool:
    """Whether a bare matrix is kept the other way round, so that its shape says so; of a square one, where each number goes on by itself."""
    turned = expected.ndim == 2 and expected.T.shape == actual.shape
    known = expected.shape != actual.shape or pair.torch.kind in ELEMENTWISE
    return turned and known and same_content(expected.T, actual)


def _fingerprints(paddle: Mapping[str, Array]) -> dict[str, str]:
    """Content (as it is, and transposed if two-dimensional) -> name, for telling swapped weights."""
    found: dict[str, str] = {}
    single = Counter(digest(array) for array in paddle.values() if array.size == 1)
    for name, array in paddle.items():
        telling = single[digest(array)] == 1 and array.flat[0] not in (0, 1) if array.size == 1 else False
        if telling or (array.size > 1 and not constant(array)):
            found.setdefault(digest(array), name)
            if array.ndim == 2:
                found.setdefault(digest(array.T), name)
    return found
