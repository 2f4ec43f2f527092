"""What moves where, and everything that is wrong, settled before a single tensor is read.

Every Paddle key is moved or dropped with a reason; every torch key is filled once or generated with a
reason. Whether to transpose follows from the kind of the torch layer (the Rosetta table), never from a
shape: a square matrix has the same shape either way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convert.errors import ConvertError, PlanError
from convert.names import nearest
from convert.plan.transform import assemble

if TYPE_CHECKING:
    import numpy as np

    from convert.plan.rules import Rule


Shape = tuple[int, ...]


KEEP = "keep"
"""The value of what stays as the torch model makes it."""
LISTED_MOST = 20
"""Problems of one kind that an error lists."""


@dataclass(frozen=True)
class Move:
    """One tensor: from which Paddle key to which torch key, how, why, and how the pair was found.

    Several moves of one target fill a part of it each, and several of one source take a part each: the transform
    says which (`convert.plan.transform`).
    """

    source: str
    target: str
    transform: str
    """`copy`, `transpose`, `reshape:3,4`, `transpose+concat:0:64`, ...: see `convert.plan.transform`."""
    why: str
    found_by: str
    source_shape: Shape = ()
    shape: Shape = ()
    """The shape of the whole target in torch."""


@dataclass(frozen=True)
class Fill:
    """A torch key that Paddle has no counterpart of, and the value that it gets everywhere."""

    name: str
    shape: Shape
    value: int | str
    """A number, or `KEEP` for what the torch model has there itself."""
    dtype: str
    why: str
    rows: tuple[int, int] | None = None
    """The rows of it that are filled, where tensors fill the others; `shape` is that of the rows."""
    rule: str = ""
    """The `fill` of the rule that says so."""


@dataclass(frozen=True)
class Drop:
    """A Paddle key that goes nowhere, and why."""

    name: str
    why: str
    same_as: str = ""
    """The Paddle key that holds the same tensor, where that is why; whoever reads tensors checks it."""
    zeros: bool = False
    """Whether it may go because it is all zeros; whoever reads tensors checks it."""


@dataclass(frozen=True)
class Problem:
    """Something that stops the conversion."""

    kind: str
    """`missing` (no Paddle key for a torch key), `extra`, `shape`, `layer`, `dtype`, `order` or `empty`."""
    name: str
    message: str
    nearest: tuple[str, ...] = ()

    def __str__(self) -> str:
        near = f" (nearest: {', '.join(self.nearest)})" if self.nearest else ""
        return f"{self.message}{near}"


@dataclass(frozen=True)
class Options:
    """What a user may ask for beside the plain conversion."""

    rules: Sequence[Rule] = ()
    include: Sequence[str] = ()
    """Paddle keys to take, as `*` patterns; all when empty."""
    exclude: Sequence[str] = ()
    """Paddle keys to drop, as `*` patterns."""
    strip_prefix: str = ""
    """Removed from the beginning of Paddle's keys before they are matched."""
    add_prefix: str = ""
    """Put before Paddle's keys (after stripping) before they are matched."""
    partial: bool = False
    """Accept torch keys that get nothing and Paddle keys that go nowhere, and list them."""
    match: str = ""
    """`structure`: pair keys whose names differ by what their layers hold, where that is unambiguous;
    `order`: equal layers too, in the order of their definition, which only a parity check can confirm."""
    layout: str = ""
    """`paddle` or `torch`: whose order the source's matrices are in, where that is not to be found out."""
    notes: Sequence[str] = ()
    """What is known of the names already; carried into the plan."""
    file_names: Mapping[str, str] = field(default_factory=dict)
    """Where tensors go by a model's names: the name -> the one in the file. Rules may go by either."""
    left_out: Collection[str] = ()
    """Names in the file that take no part, about which a rule may be all the same."""

    def spellings(self, name: str) -> tuple[str, ...]:
        """What a rule may call the tensor `name`."""
        return (name, self.file_names[name]) if name in self.file_names else (name,)


@dataclass(frozen=True)
class ConversionPlan:
    """The whole conversion, tensor by tensor. `require()` raises unless it is complete."""

    source: str
    target: str
    moves: tuple[Move, ...]
    generated: tuple[Fill, ...]
    dropped: tuple[Drop, ...]
    problems: tuple[Problem, ...]
    left: tuple[str, ...] = ()
    """Torch keys that a partial load leaves as they are."""
    notes: tuple[str, ...] = ()
    order: tuple[str, ...] = field(default=(), repr=False)
    """Torch keys in the order of the target's state dict."""
    learned: tuple[str, ...] = field(default=(), repr=False)
    """Those that the target's `parameters()` yields, in its order."""
    sides: tuple[str, str] = ("Paddle", "torch")
    """The frameworks of source and target."""
    solution: str = ""
    """What is said instead of all problems: the option with which everything would fit, or that nothing does."""
    tied: tuple[tuple[str, str], ...] = ()
    """Pairs of torch keys that are one tensor and are filled by two; whoever reads tensors checks them."""

    @property
    def ok(self) -> bool:
        """Whether nothing stops the conversion."""
        return not self.problems

    def by_target(self) -> dict[str, list[Move]]:
        """The moves that fill each torch key, its parts in their order."""
        found: dict[str, list[Move]] = {}
        for move in self.moves:
            found.setdefault(move.target, []).append(move)
        return found

    def require(self) -> ConversionPlan:
        """This plan; PlanError with its problems, one a line, if there is any."""
        if self.problems and self.solution:
            raise PlanError(f"{self.verdict()}; nothing was written\n{self.solution}")
        if self.problems:
            hints = "".join(f"\n{note}" for note in self.notes)
            lines = "".join(f"\n  {line}" for line in self._listed())
            raise PlanError(f"{self.verdict()}; nothing was written{lines}{hints}")
        return self

    def verdict(self) -> str:
        """One sentence: that it fits, or how many problems of which kinds there are."""
        counts = Counter(problem.kind for problem in self.problems)
        found = ", ".join(f"{count} {_KINDS[kind]}" for kind, count in counts.items())
        return (
            f"{self.source} does not fit {self.target}: {found}"
            if found
            else f"{self.source} fits {self.target}"
        )

    def _listed(self) -> Iterator[str]:
        """The problems, as many of each kind as a person reads."""
        shown: Counter[str] = Counter()
        for problem in self.problems:
            shown[problem.kind] += 1
            if shown[problem.kind] <= LISTED_MOST:
                yield str(problem)
        for kind, count in shown.items():
            if count > LISTED_MOST:
                yield f"and {count - LISTED_MOST} more {_KINDS[kind]} (--dry-run lists all)"

    def check_contents(self, read: Callable[[str], np.ndarray]) -> None:
        """ConvertError where what `read` gives for a source contradicts the plan.

        What is dropped for being the same as another tensor, or zeros, must be so; and what fills one tensor of torch
        under two names must be the same.
        """

        def content(name: str) -> bytes:
            return read(name).tobytes()

        for drop in self.dropped:
            if drop.same_as and content(drop.name) != content(drop.same_as):
                raise ConvertError(
                    f"{self.source}: {drop.name!r} and {drop.same_as!r} are one tensor in Paddle, and differ in this file; "
                    "leave out the wrong one with --exclude"
                )
            if drop.zeros and read(drop.name).any():
                raise ConvertError(
                    f"{self.source}: {drop.name!r} is not zero, and {self.target} has no such bias; give its layer bias=True"
                )
        moves = self.by_target()
        for pair in self.tied:
            parts = [(move.source, move.target, move.transform) for name in pair for move in moves[name]]
            first, second = assemble(parts, read).values()
            if first.tobytes() != second.tobytes():
                raise ConvertError(
                    f"{self.source}: {parts[0][0]!r} and {parts[-1][0]!r} differ, and torch's {pair[0]!r} and {pair[1]!r} are one "
                    "tensor (tied weights); untie them in torch, or leave out the wrong one with --exclude"
                )

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data for `json.dump`."""
        from dataclasses import asdict

        data = asdict(self)
        data.pop("order")
        data.pop("learned")
        return {**data, "ok": self.ok}


_KINDS = {
    "missing": "missing",
    "extra": "extra",
    "shape": "of a wrong shape",
    "layer": "of another kind of layer",
    "empty": "problem",
    "rule": "in conflict with a rule",
    "dtype": "of another type",
    "order": "question",
}


def nearest_names(name: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """The nearest candidates as a tuple, for a `Problem`."""
    return tuple(nearest(name, candidates))
