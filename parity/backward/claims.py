"""What going backward shows, as data: `telling` makes findings, notes and doubts of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from parity.align.alignment import Pair
from parity.graph.node import Node
from parity.trace.trace import Op


class Fault(Enum):
    """What becomes a finding."""

    LOSS = "the losses differ"
    FROZEN = "weights that train on one side only"
    TIE = "one parameter on one side, several on the other"
    NO_WAY = "an input that no gradient goes back from on one side, without an operator that cuts it off"
    CUT = "operators that cut gradients off on one side"
    TAKEN = "a number that one side takes out of a tensor"
    HOOK = "a gradient hook on a result, on one side"
    PARAMETER_HOOK = "a gradient hook on a parameter, on one side"
    FUNCTION = "a function with a backward of its own"
    CHANGED = "an operator that hands on another gradient"
    WITHHELD = "a parameter to which Paddle's kernel hands no gradient, because its other one has none"
    NONE_ARRIVES = "a gradient that only Paddle has, and no operator is to blame for"
    UNEXPLAINED = "a gradient that differs, and no operator is to blame for"


class Remark(Enum):
    """What becomes a note: worth knowing, and no fault."""

    LOSS_CONSTANT = "a float32 constant explains the loss"
    DROPOUT = "dropouts were switched off"
    CONSTANT = "a float32 constant explains an operator's gradient"
    WRITTEN = "gradients go another way inside, and nobody sees it"
    AGREE = "all gradients agree"


class Doubt(Enum):
    """What becomes a reason why nothing can be claimed."""

    STRUCTURE = "the models' results cannot be compared"
    NOTHING = "no gradient was compared"
    FOLDED = "weights that hold a BatchNorm too"
    UNPAIRED = "parameters without a known counterpart"


@dataclass(frozen=True)
class Claim:
    """One thing that is said of gradients: what, and of which operator.

    node: torch's operator; pair: it and Paddle's. values: (Paddle's, torch's). details: whatever else the sentence needs;
    `telling` says of each what that is. order: how far back in Paddle's run it is seen.
    """

    what: Fault | Remark | Doubt
    node: Node | None = None
    pair: Pair | None = None
    attribute: str = ""
    values: tuple[Any, Any] | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    details: Any = None
    order: float = float("inf")


class Place(NamedTuple):
    """Where a gradient is: at a parameter of torch's, at an input of the model's, or at the result of an operator."""

    parameter: str = ""
    input: str = ""
    made_by: Node | None = None


class Below(NamedTuple):
    """What a cut keeps gradients from: an operator, at its weight or its data, a result of the model's, or an operator of the other side's that has no pair."""

    pair: Pair | None = None
    weight: str = ""
    result: str = ""
    reader: Op | None = None


class Cut(NamedTuple):
    """Operators of one side that cut gradients off, and what lies below."""

    side: str
    ops: list[Op]
    below: list[Below]


class Changed(NamedTuple):
    """An operator that hands on other gradients. factors: by place, the number that torch's is Paddle's times, if there is one.

    side, at: of a hook, who has it, and the line or the parameter.
    """

    factors: list[tuple[Place, float | None]]
    side: str = ""
    at: str = ""
