"""What a case of the corpus says: how to build the pair, and what a good report must answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

Edit = tuple[str, str]  # (old, new): old must occur exactly once in the source
Op = tuple  # (verb, key, *arguments), see weights.OPERATIONS


@dataclass(frozen=True)
class Input:
    shape: tuple[int, ...]
    below: int | None = None  # integers in [0, below) instead of normal numbers


@dataclass(frozen=True)
class Network:
    """A correct pair: `networks/paddle_side/<name>.py` and `networks/torch_side/<name>.py`."""

    name: str
    inputs: tuple[Input, ...]
    seed: int
    tolerance: float = 1e-10  # float64, relative to the output's scale; looser only for a stated reason
    why_looser: str = ""


@dataclass(frozen=True)
class Part:
    """The index-th of `count` equal parts of a Paddle parameter, along torch's first axis."""

    name: str
    index: int
    count: int


@dataclass(frozen=True)
class Case:
    """One pair to check. Empty edits mean the network's own source."""

    name: str
    network: str
    edits: tuple[Edit, ...] = ()  # of the torch source
    paddle: tuple[Edit, ...] = ()  # of the Paddle source
    source: str = ""  # another torch file, `networks/torch_side/<source>.py`
    weights: tuple[Op, ...] = ()  # after the conversion
    pairs: Mapping[str, object] = field(default_factory=dict)  # torch name -> Paddle name(s)
    unloaded: tuple[str, ...] = ()  # torch prefixes that Paddle does not have
    mode: str = "eval"
    gradients: bool = False
    steps: int = 0
    recipe: str = ""  # a key of training.RECIPES


@dataclass(frozen=True)
class Expected:
    """One finding that a report must have: what a careful person would say of the mistake.

    layer: where it errs, torch's path ("" is the model's own forward); Paddle's if only Paddle has the layer.
    operator: as a report calls it. line: a piece of the one torch line to edit; where something is missing, of
    the line in which Paddle's source has it, or, if it has it on a line of its own, of the line that needs it;
    for wrong weights, of the line that makes or uses them; "" where no line of the model is to be edited.
    subject, attribute, shows: as `parity.results.finding` has them. paddle, torch: both values, as Paddle counts;
    None: nothing; `...` where there are none. layers: how many layers err so, by the same line. Two values are
    two findings, two layers are one; so are weights in each other's place, or never loaded for a layer.
    """

    layer: str
    operator: str
    line: str
    subject: str
    attribute: str = ""
    paddle: object = ...
    torch: object = ...
    shows: str = "outputs"
    layers: int = 1

    def __str__(self) -> str:
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return ", ".join(f"{name}={value!r}" for name, value in given if value not in ("", ...))


@dataclass(frozen=True)
class Bug(Case):
    """One mistake, and the findings that a report must have, the first one first: these and no others.

    `visible` is where the numbers show it: in the outputs of this mode, in the gradients, in the weights after
    `steps`, or nowhere (only the configuration differs).
    """

    kind: str = ""
    expected: tuple[Expected, ...] = ()
    stage: str = "forward"  # forward, backward, training, conversion
    visible: str = "outputs"  # outputs, gradients, steps, nowhere


@dataclass(frozen=True)
class Style(Case):
    """A correct port written differently: EQUIVALENT, whatever it looks like.

    `hard` marks those whose parameters are laid out differently (fused, split, folded): the function is
    the same, the state dict is not. `note` is how notes must begin, one each.
    """

    kind: str = ""
    hard: bool = False
    tell_pairs: bool = True  # False: `pairs` serves the corpus only, the checker must find out by structure
    note: tuple[str, ...] = ()
    tolerance: float = 0.0  # where float32 weights or casts make the port differ by their rounding


@dataclass(frozen=True)
class Multi:
    """Several bugs of one network in one port: every one must be among the findings."""

    name: str
    bugs: tuple[str, ...]
