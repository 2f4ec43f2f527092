"""Parameters side by side: which torch parameter holds which Paddle one, and what is wrong if it does not.

Weights under test are never overwritten; they are compared, bit by bit, with the transform of their twin.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np

from convert.rosetta.layers import LAYERS
from parity.align import Alignment, Pair
from parity.graph import Graph, Node
from parity.ops.kinds import kind_of
from parity.store import Array

RENAMES: Mapping[str, str] = {
    p.paddle: p.torch
    for row in LAYERS.values()
    for p in row.parameters
    if p.paddle != p.torch and "." not in p.paddle
}
"""Last part of a Paddle parameter's name -> torch's, where they differ (from the Rosetta table)."""

SWAPPED = " instead of "
"""What a cause says where a parameter is exactly another one of Paddle's."""


def pair_names(
    paddle: Iterable[str], torch: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Torch parameter name -> Paddle parameter name, as far as names tell.

    `given` (torch -> Paddle) comes first; the rest are equal after the Rosetta table's renames.
    """
    paddle_names = set(paddle)
    renamed = {_renamed(name): name for name in paddle_names}
    pairs: dict[str, str] = {}
    for name in torch:
        if given and name in given:
            pairs[name] = given[name]
        elif name in renamed:
            pairs[name] = renamed[name]
        elif name in paddle_names:
            pairs[name] = name
    return pairs


def _renamed(name: str) -> str:
    head, _, last = name.rpartition(".")
    new = RENAMES.get(last, last)
    return f"{head}.{new}" if head else new


def pointwise(
    names: Mapping[str, str], paddle: Mapping[str, Array], torch: Mapping[str, Array]
) -> tuple[set[str], set[str]]:
    """(Paddle's, torch's) kernels that are a Linear's matrix on the other side."""
    found: tuple[set[str], set[str]] = (set(), set())
    for torch_name, paddle_name in names.items():
        ranks = paddle[paddle_name].ndim, torch[torch_name].ndim
        if ranks[0] > ranks[1] == 2:
            found[0].add(paddle_name)
        elif ranks[1] > ranks[0] == 2:
            found[1].add(torch_name)
    return found


FLAT = frozenset({"conv", "prelu", "layer_norm", "rms_norm", "group_norm", "instance_norm", "batch_norm"})
"""Operators whose weight means the same in another shape of as many numbers."""


@dataclass(frozen=True)
class ParameterDifference:
    """A torch parameter that is not the transform of its Paddle twin, and what it looks like instead."""

    pair: Pair
    slot: str
    paddle: str
    torch: str
    cause: str
    fix: str
    max_rel: float


def effective(graph: Graph, node: Node, slot: str, arrays: Mapping[str, Array]) -> Array | None:
    """A layer's own weight as every framework would keep it: a Linear's as [out, in], a packed layer's part.

    None if the slot is empty or no parameter.
    """
    value = node.inputs.get(slot)
    name = graph.parameters.get(-1 if value is None else value, "")
    if name not in arrays:
        return None
    array = arrays[name]
    if (
        node.kind == "linear"
        and slot == "weight"
        and array.ndim == 2
        and node.attributes.get("weight") == "in_out"
    ):
        array = array.T
    if node.kind == "linear" and slot == "weight" and array.ndim > 2:
        # A convolution of single pixels.
        array = array.reshape(array.shape[:2])
    if node.rows is not None and array.ndim:
        array = array[node.rows[0] : node.rows[1]]
    return array


def note_contents(graph: Graph, arrays: Mapping[str, Array]) -> None:
    """Give every layer of the graph the digest of its weight, so that equal ones can find each other."""
    for node in graph.nodes:
        weight = effective(graph, node, "weight", arrays)
        if weight is not None and weight.size > 1 and not constant(weight):
            node.content = f"{node.kind}:{digest(weight)}"


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
            expected = effective(alignment.paddle, pair.paddle, paddle_slot, paddle)
            actual = effective(alignment.torch, pair.torch, slot, torch)
            if expected is None or actual is None:
                continue
            torch_name = alignment.torch.parameters[pair.torch.inputs[slot]]
            paddle_name = alignment.paddle.parameters[pair.paddle.inputs[paddle_slot]]
            if slot not in weights and (expected.size != actual.size or _reversed(expected, actual)):
                continue
            shapeless = slot != "weight" or pair.torch.kind in FLAT
            if expected.size == actual.size and shapeless:
                expected = expected.reshape(actual.shape)
            if not _equal(expected, actual):
                turned = pair.torch.kind == "linear" and slot == "weight"
                turned = turned and pair.paddle.attributes.get("weight") != pair.torch.attributes.get(
                    "weight"
                )
                own = alignment.torch.trace.parameters.get(torch_name)
                buffer = own is not None and not own.trainable and slot not in ("mean", "variance")
                copy = (
                    f"make the buffer `{torch_name}` what Paddle's `{paddle_name}` is"
                    if buffer
                    else _copying(pair, torch_name, paddle_name, turned=turned)
                )
                cause, fix = diagnose(
                    torch_name, paddle_name, expected, actual, holders(), copy, turned=turned
                )
                found.append(
                    ParameterDifference(
                        pair, slot, paddle_name, torch_name, cause, fix, _relative(expected, actual)
                    )
                )
    return found


def _reversed(expected: Array, actual: Array) -> bool:
    """Whether a bare matrix is kept the other way round, so that its shape says so."""
    turned = expected.ndim == 2 and expected.shape != actual.shape and expected.T.shape == actual.shape
    return turned and _equal(expected.T, actual)


def _copying(pair: Pair, torch_name: str, paddle_name: str, *, turned: bool) -> str:
    """The assignment that makes a torch parameter, or the part of a packed one, what Paddle's is."""
    rows, theirs = pair.torch.rows, pair.paddle.rows
    ours = "" if rows is None else f"[{rows[0]}:{rows[1]}]"
    part = "" if theirs is None else f"[{theirs[0]}:{theirs[1]}]"
    if theirs is not None and turned:
        part = f"[:, {theirs[0]}:{theirs[1]}]"
    return f"torch_state[{torch_name!r}]{ours} = paddle_state[{paddle_name!r}]{part}{'.T' if turned else ''}"


def _equal(expected: Array, actual: Array) -> bool:
    if expected.shape != actual.shape:
        return False
    floats = expected.dtype.kind == "f"
    return all(
        np.array_equal(e, a) or np.array_equal(e, a, equal_nan=floats)
        for e, a in zip(_slices(expected), _slices(actual), strict=True)
    )


def constant(array: Array) -> bool:
    """Whether all numbers are the first one."""
    first = array[(0,) * array.ndim]
    return all(bool((part == first).all()) for part in _slices(array))


def _slices(array: Array) -> Iterator[Array]:
    """The array in parts of some rows: a mask of a large weight, or of its transpose, would be a copy of it."""
    if not array.ndim:
        yield array
        return
    rows = max(1, (1 << 20) * len(array) // array.size) if array.size else 1
    turned = array.ndim == 2 and not array.flags.c_contiguous
    for i in range(0, len(array), rows):
        part = array[i : i + rows]
        # Packed as it lies in memory first: only then does turning it stay in the cache.
        yield np.ascontiguousarray(part.T).T if turned else part


def _relative(expected: Array, actual: Array) -> float:
    if expected.shape != actual.shape or not expected.size:
        return float("inf")
    scale = float(np.abs(expected.astype(np.float64)).max())
    gap = float(np.abs(expected.astype(np.float64) - actual.astype(np.float64)).max())
    return gap / scale if scale else (0.0 if gap == 0 else float("inf"))


def digest(array: Array) -> str:
    """A digest of shape and numbers, whatever the order in memory."""
    found = hashlib.sha256(str(array.shape).encode())
    for part in _slices(array):
        found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()


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


def diagnose(
    torch_name: str,
    paddle_name: str,
    expected: Array,
    actual: Array,
    holders: Mapping[str, str],
    copy: str,
    *,
    turned: bool,
) -> tuple[str, str]:
    """Cause and fix (`copy`, or something before it) for a torch parameter that is not the transform of its Paddle twin."""
    if expected.shape != actual.shape:
        return (
            f"`{torch_name}` has shape {list(actual.shape)}; Paddle's `{paddle_name}` gives {list(expected.shape)}",
            f"give the torch layer the shape {list(expected.shape)}, then {copy}",
        )
    if actual.ndim == 2 and expected.shape[0] == expected.shape[1] and _equal(expected.T, actual):
        return (
            f"`{torch_name}` was loaded untransposed: Paddle's Linear keeps [in, out], torch's [out, in]"
            if turned
            else f"`{torch_name}` is transposed against Paddle's `{paddle_name}`",
            copy,
        )
    other = holders.get(digest(actual))
    if other is not None and other != paddle_name:
        what = _role(torch_name), _role(other)
        swapped = "swapped weights" if what[0] == what[1] else f"{what[0]} and {what[1]} are swapped"
        return f"{swapped}: `{torch_name}` holds Paddle's `{other}`{SWAPPED}`{paddle_name}`", copy
    for dtype, name in ((np.float16, "float16"), (None, "bfloat16")):
        if expected.dtype == np.float32 and _equal(_through(expected, dtype), actual):
            return f"`{torch_name}` went through {name}: it is Paddle's `{paddle_name}` rounded", copy
    relative = _relative(expected, actual)
    if relative < 1e-2:
        return (
            f"`{torch_name}` differs slightly from Paddle's `{paddle_name}` (relative {relative:.1e}): "
            "it was perturbed, rounded or trained on",
            copy,
        )
    rearranged = _rearranged(expected, actual)
    if rearranged:
        return f"`{torch_name}` holds Paddle's `{paddle_name}` {rearranged}", copy
    value = float(actual.flat[0]) if actual.size else 0.0
    if actual.size == 1 and value not in (0.0, 1.0):
        theirs = float(expected.flat[0])
        return (
            f"`{torch_name}` is {value:g}, Paddle's `{paddle_name}` is {theirs:g}: it was probably never loaded",
            copy,
        )
    if actual.size and constant(actual):
        return f"`{torch_name}` was never loaded: all its values are {value:g}", copy
    if np.abs(expected).max() > 0:
        at = int(np.abs(expected).argmax())
        factor = float(actual.reshape(-1)[at]) / float(expected.reshape(-1)[at])
        if factor and np.allclose(actual, expected * factor, rtol=1e-5, atol=0):
            return f"`{torch_name}` is {factor:.6g} times Paddle's `{paddle_name}`", copy
    return f"`{torch_name}` is unrelated to Paddle's `{paddle_name}`: it was probably never loaded", copy


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
        if _equal(np.flip(expected, axis), actual):
            return (
                "with its input channels reversed (RGB for BGR?)"
                if axis == 1 and expected.shape[1] == 3
                else (f"reversed along axis {axis}")
            )
    for axis in range(expected.ndim):
        if expected.shape[axis] % 2 == 0 and _equal(
            np.roll(expected, expected.shape[axis] // 2, axis), actual
        ):
            return f"with the two halves of axis {axis} exchanged"
        for count, parts in ((3, "three parts"), (4, "four parts")):
            if expected.shape[axis] % count:
                continue
            pieces = np.split(expected, count, axis)
            for order in permutations(range(count)):
                if _equal(np.concatenate([pieces[i] for i in order], axis), actual):
                    what = "query, key, value? gates?" if count == 3 else "gates?"
                    return f"with the {parts} of axis {axis} in the order {order} ({what})"
    if expected.ndim > 1:
        for order in permutations(range(expected.ndim)):
            turned = expected.transpose(order)
            if turned.shape == actual.shape and _equal(turned, actual):
                return f"with its axes permuted {order}"
            if turned.size == actual.size and _equal(turned.reshape(actual.shape), actual):
                return f"with its axes permuted {order} and reshaped"
    return "with its elements in another order"
