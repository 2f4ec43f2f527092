"""What explainers say, as data, and what is explained already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from parity.align.alignment import Edge, Pair
from parity.explain.hypotheses.weights import Diagnosis
from parity.graph.node import Node
from parity.numbers.compare import Difference
from parity.results.finding import Shows, Subject
from parity.results.judgement import Status
from parity.trace.trace import Framework, Op


class Remark(Enum):
    """What becomes a note: worth knowing, and no fault."""

    FOLDED = "a BatchNorm is part of torch's weights"
    CONSTANT = "a float32 constant explains an operator's difference"
    WRITTEN = "an operator is written differently"
    FUSED = "an operator has other weights, which the rest makes up for"
    WRITTEN_PART = "what stands between aligned operators is written differently"
    SILENT = "only one side has something that changes no number of this run"
    BIASED_VARIANCE = "running variances differ by n / (n - 1)"
    BY_CONSTANTS = "float32 constants make all of what the outputs differ by"
    ROUNDED_CONSTANTS = "the outputs differ as float32 constants do that are rounded otherwise"
    RUN = "a run has something to say of itself"
    AMPLIFIED = "the network amplifies rounding"
    WIDTH = "whole numbers of another width"


class Doubt(Enum):
    """What becomes a reason why nothing can be claimed."""

    UNKNOWN_VALUE = "a value that no recorded operator made"
    RANDOM = "an operator that draws random numbers"
    INPUT = "an input that nothing measures"
    RUN = "a run says itself that its numbers prove nothing"
    NO_RESULT = "the models return nothing that can be compared"
    RESULT_TYPE = "a result of a type that is not compared"
    EMPTY_RESULT = "a result without a number"
    OUTPUTS = "the outputs differ, and nothing could be blamed"
    TELLS_NOTHING = "an output whose agreeing says nothing"
    BEHIND_ZEROS = "operators whose results are multiplied by zeros"
    STATE = "what Paddle's forward keeps, and nothing of torch's is known to be"
    FUSED = "results that differ as much as fused weights make them in float32"


@dataclass(frozen=True)
class Claim:
    """One thing that an explainer says: what, of which pair or edge, with which values.

    what: a `Subject` (becomes a finding), a `Remark` (a note), a `Doubt`, or None (only the row's status is said). values:
    (Paddle's, torch's). status: what the pair's row is because of it. numbers: how far apart, where that was measured. entails: (pair or operator of torch's, slot or "") that
    this explains too. details: whatever else the sentence needs; `explain/telling` says of each subject what that is.
    """

    what: Subject | Remark | Doubt | None
    pair: Pair | None = None
    edge: Edge | None = None
    attribute: str = ""
    values: tuple[Any, Any] | None = None
    shows: Shows = Shows.OUTPUTS
    status: Status | None = None
    numbers: Difference | None = None
    entails: tuple[tuple[Node, str], ...] = ()
    details: Any = None

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What a weight of torch's holds instead of Paddle's, where that is what is claimed."""
        return getattr(self.details, "diagnosis", None) if self.what is Subject.WEIGHT else None

    @property
    def holds(self) -> str:
        """The same in a word or two; "" where it is not known."""
        return "" if self.diagnosis is None else str(self.diagnosis.holds)


class Claims:
    """All that was said so far. Explainers ask it what is explained already, and nobody else keeps account of that."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._said: list[Claim] = []
        self._status: dict[int, Status] = {}
        self._entailed: set[tuple[int, str]] = set()
        self._inside: dict[int, Difference] = {}
        self._segments: set[tuple[str, int]] = set()
        self._exchanged: set[int] = set()
        for claim in claims:
            self.add(claim)

    def add(self, claim: Claim) -> None:
        self._said.append(claim)
        self._entailed.update((id(node), slot) for node, slot in claim.entails)
        if claim.pair is not None and claim.status is not None:
            self._status[id(claim.pair)] = claim.status
        if claim.edge is not None and claim.what is None:
            assert claim.numbers is not None
            self._inside[id(claim.edge)] = claim.numbers
        elif claim.edge is not None and isinstance(claim.what, Subject):
            for side, nodes in (("paddle", claim.edge.only_paddle), ("torch", claim.edge.only_torch)):
                self._segments.update((side, raw) for node in nodes for raw in node.raw)
        if claim.pair is not None and claim.diagnosis is not None and claim.diagnosis.swapped:
            self._exchanged.add(id(claim.pair))

    @property
    def faults(self) -> list[Claim]:
        """What becomes findings."""
        return [claim for claim in self._said if isinstance(claim.what, Subject)]

    def settle(self, faults: list[Claim]) -> None:
        """Let these be all the faults; what was said of rows stands."""
        self._said = [*faults, *(claim for claim in self._said if not isinstance(claim.what, Subject))]

    @property
    def remarks(self) -> list[Claim]:
        """What becomes notes."""
        return [claim for claim in self._said if isinstance(claim.what, Remark)]

    @property
    def doubts(self) -> list[Claim]:
        """What becomes reasons why nothing can be claimed."""
        return [claim for claim in self._said if isinstance(claim.what, Doubt)]

    def status(self, pair: Pair, otherwise: Status) -> Status:
        """What is said of a pair's row; `otherwise`, what the numbers alone have."""
        return self._status.get(id(pair), otherwise)

    def explains(self, node: Node, slot: str = "") -> bool:
        """Whether something wider explains that torch's operator, or what enters this slot of it, differs."""
        return (id(node), slot) in self._entailed

    def of_segment(self, side: Framework, op: int) -> bool:
        """Whether a fault speaks of a part that one side does otherwise, and this recorded operator is in it."""
        return (side, op) in self._segments

    def holds_anothers(self, pair: Pair) -> bool:
        """Whether a parameter of the pair is exactly another one of Paddle's: reason enough to differ."""
        return id(pair) in self._exchanged

    def leads_to(self, edge: Edge) -> Difference | None:
        """What an operator differs by because of an edge inside its own call, which nothing measures."""
        return self._inside.get(id(edge))


@dataclass(frozen=True)
class Stray:
    """A tensor on another device than the model. made_by: the operator; unregistered: the layer in a plain list, which no .to() moves; neither: a constant."""

    device: str
    home: str
    line: str
    made_by: str = ""
    unregistered: str = ""


@dataclass(frozen=True)
class Raised:
    """The operator in which torch's model raised, and Paddle's `twin` of it; torch, paddle: the shapes that each is given.

    what: the exception; error: what a person reads of it. kind: "" if it was no operator. after_others: whether something was found before it.
    """

    what: str
    error: str
    traceback: str
    sizes: str
    kind: str
    module: str
    line: str
    torch: list[list[int]]
    paddle: list[list[int]]
    twin: Node | None
    stray: Stray | None
    after_others: bool


@dataclass(frozen=True)
class Front:
    """Operators of one line of torch's, and the values of Paddle's that they should make: with those, torch's outputs are Paddle's.

    way: how Paddle makes the first of them of what both have; source: its operator alone, where there is no way; above: the operators of torch's on its way there; beside: Paddle's that make conditions and whole numbers for it. lacking: (Paddle's, torch's)
    values that Paddle's is made of and torch's is not; surplus: the other way round. moved: the numbers are right, and in another order. left_out:
    they are right, and Paddle does more to them. superfluous: what they take is right, and Paddle does no more to it. exchanged: two results are taken, each in the other's place. early: what torch does before,
    and Paddle at the end. called: the module that is called with the surplus. part: a value that is a part of what Paddle takes another part of. inputs: what is handed in, by operator and slot,
    if it is not what the operators make.
    """

    torch: tuple[Op, ...]
    paddle: tuple[int, ...]
    way: tuple[Op, ...] = ()
    above: tuple[Op, ...] = ()
    beside: tuple[Op, ...] = ()
    source: Op | None = None
    lacking: tuple[tuple[int, int], ...] = ()
    surplus: tuple[int, ...] = ()
    moved: bool = False
    left_out: bool = False
    superfluous: bool = False
    exchanged: bool = False
    early: Op | None = None
    called: str = ""
    part: int | None = None
    inputs: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
