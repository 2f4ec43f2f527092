"""The order in which tensors are written; where they are in the file is another matter."""

from __future__ import annotations

from collections.abc import Sequence

from convert.write.place import Placement


def by_size(items: Sequence[Placement]) -> list[int]:
    """Indices of `items`, the most work first: what runs in the background then has time to end."""
    return sorted(range(len(items)), key=lambda index: -items[index].nbytes)
