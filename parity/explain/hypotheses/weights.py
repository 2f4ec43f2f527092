"""What a weight looks like that is not Paddle's: transposed, exchanged, rounded, never loaded."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import NamedTuple

import numpy as np

from parity.align.weights import constant, digest, same_content
from parity.limits import FLOAT32_STEPS, SLIGHTLY
from parity.trace.values import Array


class Diagnosis(NamedTuple):
    cause: str
    fix: str
    holds: str
    """What the parameter holds: the name of another of Paddle's, or what was made of its own."""
    swapped: bool = False
    """Whether it is exactly another one of Paddle's."""


def relative_gap(expected: Array, actual: Array) -> float:
    if expected.shape != actual.shape or not expected.size:
        return float("inf")
    scale = float(np.abs(expected.astype(np.float64)).max())
    gap = float(np.abs(expected.astype(np.float64) - actual.astype(np.float64)).max())
    return gap / scale if scale else (0.0 if gap == 0 else float("inf"))


def diagnose(
    torch_name: str,
    paddle_name: str,
    expected: Array,
    actual: Array,
    holders: Mapping[str, str],
    copy: str,
    *,
    turned: bool,
) -> Diagnosis:
    """What is wrong with a torch parameter that is not the transform of its Paddle twin; `copy` is the fix, or its end."""
    if expected.shape != actual.shape:
        return Diagnosis(
            f"`{torch_name}` has shape {list(actual.shape)}; Paddle's `{paddle_name}` gives {list(expected.shape)}",
            f"give the torch layer the shape {list(expected.shape)}, then {copy}",
            "another shape",
        )
    if actual.ndim == 2 and expected.shape[0] == expected.shape[1] and same_content(expected.T, actual):
        return Diagnosis(
            f"`{torch_name}` was loaded untransposed: Paddle's Linear keeps [in, out], torch's [out, in]"
            if turned
            else f"`{torch_name}` is transposed against Paddle's `{paddle_name}`",
            copy,
            "transposed",
        )
    other = holders.get(digest(actual))
    if other is not None and other != paddle_name:
        what = _role(torch_name), _role(other)
        swapped = "swapped weights" if what[0] == what[1] else f"{what[0]} and {what[1]} are swapped"
        cause = f"{swapped}: `{torch_name}` holds Paddle's `{other}` instead of `{paddle_name}`"
        return Diagnosis(cause, copy, other, swapped=True)
    for dtype, name in ((np.float16, "float16"), (None, "bfloat16")):
        if expected.dtype == np.float32 and same_content(_through(expected, dtype), actual):
            cause = f"`{torch_name}` went through {name}: it is Paddle's `{paddle_name}` rounded"
            return Diagnosis(cause, copy, f"rounded to {name}")
    relative = relative_gap(expected, actual)
    if relative < SLIGHTLY:
        return Diagnosis(
            f"`{torch_name}` differs slightly from Paddle's `{paddle_name}` (relative {relative:.1e}): "
            "it was perturbed, rounded or trained on",
            copy,
            "slightly different",
        )
    rearranged = _rearranged(expected, actual)
    if rearranged:
        return Diagnosis(f"`{torch_name}` holds Paddle's `{paddle_name}` {rearranged}", copy, rearranged)
    value = float(actual.flat[0]) if actual.size else 0.0
    if actual.size == 1 and value not in (0.0, 1.0):
        theirs = float(expected.flat[0])
        cause = f"`{torch_name}` is {value:g}, Paddle's `{paddle_name}` is {theirs:g}: it was probably never loaded"
        return Diagnosis(cause, copy, f"{value:g}")
    if actual.size and constant(actual):
        cause = f"`{torch_name}` was never loaded: all its values are {value:g}"
        return Diagnosis(cause, copy, f"all {value:g}")
    if np.abs(expected).max() > 0:
        at = int(np.abs(expected).argmax())
        factor = float(actual.reshape(-1)[at]) / float(expected.reshape(-1)[at])
        if factor and np.allclose(actual, expected * factor, rtol=FLOAT32_STEPS, atol=0):
            cause = f"`{torch_name}` is {factor:.6g} times Paddle's `{paddle_name}`"
            return Diagnosis(cause, copy, f"times {factor:.6g}")
    cause = f"`{torch_name}` is unrelated to Paddle's `{paddle_name}`: it was probably never loaded"
    return Diagnosis(cause, copy, "unrelated")


def _role(name: str) -> str:
    return {"running_mean": "mean", "_mean": "mean", "running_var": "variance", "_variance": "variance"}.get(
        name.rpartition(".")[2], name.rpartition(".")[2]
    )


def _through(array: Array, dtype: type[np.float16] | None) -> Array:
    """float32 rounded to float16, or to bfloat16 (None: numpy has none; round to nearest even by bits)."""
    if dtype is not None:
        with np.errstate(over="ignore"):
            return array.astype(dtype).astype(np.float32)
    bits = np.ascontiguousarray(array).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))) & np.uint64(0xFFFF0000)
    result: Array = rounded.astype(np.uint32).view(np.float32)
    return result


def _rearranged(expected: Array, actual: Array) -> str:
    """How `actual` is a rearrangement of `expected`, or ""."""
    if not np.array_equal(np.sort(expected, axis=None), np.sort(actual, axis=None)):
        return ""
    for axis in range(expected.ndim):
        if same_content(np.flip(expected, axis), actual):
            return (
                "with its input channels reversed (RGB for BGR?)"
                if axis == 1 and expected.shape[1] == 3
                else (f"reversed along axis {axis}")
            )
    for axis in range(expected.ndim):
        if expected.shape[axis] % 2 == 0 and same_content(
            np.roll(expected, expected.shape[axis] // 2, axis), actual
        ):
            return f"with the two halves of axis {axis} exchanged"
        for count, parts in ((3, "three parts"), (4, "four parts")):
            if expected.shape[axis] % count:
                continue
            pieces = np.split(expected, count, axis)
            for order in permutations(range(count)):
                if same_content(np.concatenate([pieces[i] for i in order], axis), actual):
                    what = "query, key, value? gates?" if count == 3 else "gates?"
                    return f"with the {parts} of axis {axis} in the order {order} ({what})"
    if expected.ndim > 1:
        for order in permutations(range(expected.ndim)):
            turned = expected.transpose(order)
            if turned.shape == actual.shape and same_content(turned, actual):
                return f"with its axes permuted {order}"
            if turned.size == actual.size and same_content(turned.reshape(actual.shape), actual):
                return f"with its axes permuted {order} and reshaped"
    return "with its elements in another order"
