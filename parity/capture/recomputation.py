"""Recomputation saves memory and changes no number. A run that goes backward makes every value once, where it is seen.

Both frameworks run a recomputed block again in the middle of their backward pass, where a recording has ended; so for the
recording the block runs as if it were called directly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from parity.capture.places import Places, patched, throughout

_PLACES = Places()

FUNCTIONS: Mapping[str, tuple[str, frozenset[str]]] = {
    "torch.utils.checkpoint": (
        "checkpoint",
        frozenset(
            {"use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug", "early_stop"}
        ),
    ),
    "paddle.distributed.fleet.recompute.recompute": (
        "recompute",
        frozenset({"use_reentrant", "preserve_rng_state", "offload_indices"}),
    ),
}
"""Module -> its function that recomputes a block, and the keywords that are for it and not for the block."""


def none_recomputed() -> AbstractContextManager[None]:
    """Within, `checkpoint` and `recompute` call their block directly, under whatever name a module knows them."""
    return throughout("recomputation", lambda: patched(_names()))


def _names() -> list[tuple[Any, str, Callable[..., Any], Callable[..., Any]]]:
    """(module, name, function, what calls its block directly) wherever a loaded module knows one of the functions."""
    direct = {}
    for path, (name, own) in FUNCTIONS.items():
        function = getattr(sys.modules.get(path), name, None)
        if function is not None:
            direct[id(function)] = (function, _direct(own))
    places = _PLACES.of({key: function for key, (function, _) in direct.items()})
    return [*((module, name, *direct[key]) for module, name, key in places), *_inside()]


def _inside() -> Iterator[tuple[Any, str, Callable[..., Any], Callable[..., Any]]]:
    """What torch's function hands its block to: a name that only a function knows (an import in it, a closure) is in no module."""
    module = sys.modules.get("torch.utils.checkpoint")
    for name, call in (
        ("CheckpointFunction", _Applied),
        ("_checkpoint_without_reentrant_generator", _nothing),
    ):
        if hasattr(module, name):
            yield module, name, getattr(module, name), call


class _Applied:
    @staticmethod
    def apply(function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        return function(*args)


def _nothing(*args: Any, **kwargs: Any) -> Iterator[None]:
    """The block runs between the first step and the end."""
    yield


def _direct(own: frozenset[str]) -> Callable[..., Any]:
    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **{key: value for key, value in kwargs.items() if key not in own})

    return call
