"""How one framework call is read into the shared vocabulary.

A `Signature` names the positional arguments of a framework function, so that a recorded call can be
bound to slots (tensors) and attributes (everything else), and says how its attributes are spelled in
the canonical form. Reading a call never changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Attributes = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A call, bound: attributes by name, the shapes of its tensors, and the left-over positionals."""

    attributes: Attributes
    shapes: Mapping[str, tuple[int, ...]]
    output: tuple[int, ...]
    rest: tuple[Any, ...]

    @property
    def rank(self) -> int:
        """Number of dimensions of the main input."""
        return len(self.shapes.get("x", ()))


Canonical = Callable[[Call], Attributes]


def nothing(_: Call) -> Attributes:
    """For operators that are fully described by their kind."""
    return {}


@dataclass(frozen=True)
class Signature:
    """`arguments` is a space-separated list; names in the kind's slots are tensors."""

    kind: str | Callable[[Call], str]
    arguments: str = "x"
    canonical: Canonical = nothing
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return self.arguments.split()


def bind(
    signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any], aliases: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Arguments by canonical name, and the positionals beyond the named ones."""
    names = signature.names
    bound = dict(signature.defaults)
    bound.update(zip(names, args, strict=False))
    bound.update({aliases.get(key, key): value for key, value in kwargs.items()})
    return bound, tuple(args[len(names) :])


def pair(value: Any, count: int = 2) -> tuple[int, ...]:
    """An int or a sequence as `count` ints, as pooling and convolution take them."""
    if isinstance(value, (list, tuple)):
        return tuple(int(v) for v in (list(value) * count if len(value) == 1 else value))
    return (int(value),) * count


def axes(value: Any, rank: int) -> tuple[int, ...]:
    """Reduction axes as sorted non-negative ints; none means all."""
    if value is None or value == []:
        return tuple(range(rank))
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple(sorted(int(v) % max(rank, 1) for v in items))


def axis(value: Any, rank: int) -> int:
    return int(value) % max(rank, 1)


def ordering(*flags: str) -> Canonical:
    """Along which axis (from the end), in which direction, and how many, of a call that puts numbers in order."""

    def canonical(call: Call) -> Attributes:
        a = call.attributes
        given = a.get("axis")
        found: Attributes = {"axis": axis(-1 if given is None else given, call.rank) - max(call.rank, 1)}
        if "k" in a:
            found["k"] = a["k"] if isinstance(a["k"], int) else None
        return found | {flag: bool(a.get(flag, False)) for flag in flags}

    return canonical


def position(call: Call) -> Attributes:
    """Along which axis the place of an extreme is told; `flatten` is how Paddle says along all."""
    a = call.attributes
    whole = a.get("axis") is None or a.get("flatten") is True
    return {"axes": axes(None if whole else a["axis"], call.rank), "keepdim": bool(a.get("keepdim", False))}


def slices(item: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """A basic index as one entry per dimension: (start, stop, step) or an int; None is dropped.

    An index with tensors or lists is kept as its text: equal text is equal meaning.
    """
    items = list(item) if isinstance(item, tuple) else [item]
    if any(i is not None and i is not Ellipsis and not isinstance(i, (int, slice)) for i in items):
        return ("advanced",)
    used = sum(1 for i in items if i is not None and i is not Ellipsis)
    if Ellipsis in items:
        at = items.index(Ellipsis)
        items[at : at + 1] = [slice(None)] * (len(shape) - used)
    else:
        items += [slice(None)] * (len(shape) - used)
    result: list[Any] = []
    for entry, size in zip([i for i in items if i is not None], shape, strict=False):
        if isinstance(entry, slice):
            result.append(tuple(entry.indices(size)))
        else:
            result.append(int(entry) % max(size, 1))
    return tuple(result)
