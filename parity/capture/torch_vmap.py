"""`torch.vmap` while recording: one call after the other, because inside of it tensors are stand-ins that hold no numbers to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import _pytree as trees

try:
    from torch._functorch import apis
    from torch._functorch.vmap import _process_batched_inputs
except ImportError:  # a torch that keeps it elsewhere: it stays as it is
    apis = None  # type: ignore[assignment]


@contextmanager
def looped() -> Iterator[None]:
    """While this is open, a vmapped function runs once for every sample, and what it returns is stacked."""
    if not hasattr(apis, "vmap_impl"):
        yield
        return
    original = apis.vmap_impl
    apis.vmap_impl = _looped
    try:
        yield
    finally:
        apis.vmap_impl = original


def _looped(
    function: Callable[..., Any],
    in_dims: Any,
    out_dims: Any,
    randomness: str,
    chunk_size: int | None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    count, dims, flat, spec = _process_batched_inputs(in_dims, args, function)
    results, made = [], None
    for i in range(count):
        sample = [one if dim is None else one.select(dim, i) for one, dim in zip(flat, dims, strict=True)]
        result, made = trees.tree_flatten(function(*trees.tree_unflatten(sample, spec), **kwargs))
        results.append(result)
    assert made is not None
    places = trees._broadcast_to_and_flatten(out_dims, made)
    assert places is not None
    stacked = [
        parts[0] if dim is None else torch.stack(parts, dim)
        for parts, dim in zip(zip(*results, strict=True), places, strict=True)
    ]
    return trees.tree_unflatten(stacked, made)
