"""What a case of the corpus says: how to build the pair, and what a good report must answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
class Bug(Case):
    """One mistake.

    `where` lists the acceptable places of the first finding, "module.path" or "module.path:operator"
    (the operator a regular expression); paths of either side. `cause` are regular expressions that the
    cause sentence must all match. `visible` is where the numbers show it: in the outputs of this mode, in
    the gradients, in the weights after `steps`, or nowhere (only the configuration differs).
    """

    kind: str = ""
    where: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    stage: str = "forward"  # forward, backward, training, conversion
    visible: str = "outputs"  # outputs, gradients, steps, nowhere


@dataclass(frozen=True)
class Style(Case):
    """A correct port written differently: EQUIVALENT, whatever it looks like.

    `hard` marks those whose parameters are laid out differently (fused, split, folded): the function is
    the same, the state dict is not. `note` are expressions that some note or finding must mention.
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
