"""What is known of objects that take no attributes, kept beside them for as long as they live."""

from __future__ import annotations

import weakref
from typing import Any


class _Reference(weakref.ref[Any]):
    __slots__ = ("key",)
    key: int


class SideTable:
    """By identity: two tensors with equal numbers are two. Nothing here keeps an object, or the table's owner, alive."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[_Reference, Any]] = {}

        def forget(gone: _Reference, held: dict[int, tuple[_Reference, Any]] = self._held) -> None:
            if gone.key in held and held[gone.key][0] is gone:
                del held[gone.key]

        self._forget: Any = forget

    def put(self, owner: Any, value: Any) -> None:
        reference = _Reference(owner, self._forget)
        reference.key = id(owner)
        self._held[reference.key] = (reference, value)

    def get(self, owner: Any) -> Any:
        """What was put; None for an object that nothing is known of."""
        found = self._held.get(id(owner))
        return found[1] if found is not None and found[0]() is owner else None
