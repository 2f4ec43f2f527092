"""The shape of the Rosetta table's rows; the rows themselves are data in the neighbouring modules.

A row says which torch name computes what a Paddle name computes, and carries its own proof: `examples`
are text, run in both frameworks by `parity.rosetta` in float64 and float32, forward and backward. The
documentation, `paddle2torch guide` and the tests all use this same text.

Writing a row
-------------
    Row(
        Kind.FUNCTION, "nn.functional.leaky_relu", "nn.functional.leaky_relu",
        Exactness.F32,
        arguments=(Argument("negative_slope", "negative_slope", convert="f32"),),
        reason="max(0, x) + slope * min(0, x)",
        source=Source("nn/functional/activation.py: leaky_relu", "nn/functional.py: leaky_relu"),
        examples=(Example({"x": "float 4,5"}, "F.leaky_relu(x, 0.1)", "F.leaky_relu(x, f32(0.1))"),),
        traps=(Trap("the slope is float32 in Paddle", naive="F.leaky_relu(x, 0.1)"),),
    )

Names are dotted from the framework's root: `nn.functional.relu` is `paddle.nn.functional.relu` and
`torch.nn.functional.relu`. A tensor method is `Tensor.split`, an idiom is a few words (`Kind.IDIOM`). torchvision's names
begin with `torchvision.`, Pillow's with `PIL.`. An empty torch name means that torch has no twin; the examples' torch
text is then the remedy, and `remedy` says it in words.

An example's texts are statements that end in an expression. Their names: `paddle`/`torch`, `nn`, `F`, `np`, `Image`
(Pillow), `T` (the vision transforms: `paddle.vision.transforms`, `torchvision.transforms`), `f32` (torch only: what a
Paddle attribute that is kept in float32 becomes) and the example's inputs. What the value is decides what is compared:

    tensors, arrays, images, numbers, lists, dicts   the values and, for tensors, the gradients of all float inputs
    a layer / module        weights are carried over by this table, then it is called with the inputs, in `modes`,
                            and the gradients of inputs and parameters are compared
    an optimizer            `parameters` (two tensors, from the input "parameters") after ten steps on a small loss
    a scheduler             its learning rates over `steps` steps; torch builds it on `optimizer(rate)`
    an initializer (Paddle) the tensor that it fills, of the shape of the input `w`

Inputs (`parity.rosetta.inputs`): "float 2,3" normal, "positive 2,3" in 0.1..1.9, "unit 2,3" in -1..1,
"probability 2,3" in 0.05..0.95, "distinct 2,3" no two equal, "zeros 2,3", "ones 2,3", "int<10 2,3", "bool 2,3",
"empty 64,32" to be filled, "image 8,6" an RGB PIL image of height 8, "pixels 8,6,3" a uint8 array, "= [0.0, nan]"
literally these numbers. Float inputs require gradients; ` constant` after the shape says that one does not.

Proving a row
-------------
    python -m parity.rosetta nn.functional.leaky_relu      # one row, with its numbers
    python -m parity.rosetta --module functions            # all rows of one module
    pytest tests/rosetta -k leaky_relu

Layers of one family share a module of `convert.rosetta.layers`; a module that passes 400 lines is split the same way.
Image inputs are measured in float32 only. Text must not name a machine's paths, and a text that is random needs
`compare="distribution"` and 1000 numbers or more. A naive text that no port would write proves nothing.

The proof asserts the claimed level and that a better one could not be claimed (see `Exactness`), and
for every trap that its naive text raises or differs from Paddle while the mapped one agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import Enum
from typing import Any

from convert.rosetta.versions import VERSIONS

COPY = "copy"
TRANSPOSE = "transpose"
RESHAPE = "reshape"
"""To the target's shape, same elements in the same order; a plan writes it as `reshape:3,4`."""
SPLIT = "split"
CONCAT = "concat"
"""One part of the rows, of the source or of the target; `convert.plan.transform` says how transforms are written."""


class Kind(Enum):
    LAYER = "layer"
    FUNCTION = "function"
    LOSS = "loss"
    OPTIMIZER = "optimizer"
    SCHEDULER = "scheduler"
    INITIALIZER = "initializer"
    TRANSFORM = "transform"
    METHOD = "tensor method"
    IDIOM = "idiom"


class Exactness(Enum):
    """How equal the twins are. Differences are max|difference| / max|reference|, over values and gradients."""

    BIT = "bit-exact"
    """Equal bits in both precisions."""
    ALGEBRA = "same algebra"
    """At most 1e-12 apart in float64: the order of additions differs, nothing else."""
    F32 = "same with float32 constants"
    """The same algebra once torch is given `f32(...)` of the constants; without it, more than ten times further apart."""
    NEAR = "differs by a constant of the framework"
    """Further apart than 1e-12 in float64, at most `Row.within`, which is at most 30 times what is measured."""
    DISTRIBUTION = "same distribution, other random numbers"
    """Random: a two-sample Kolmogorov-Smirnov test cannot tell them apart, the numbers are different ones."""
    NONE = "no twin"
    """torch has none; the remedy computes the same (to 1e-12, or `Row.within`)."""


@dataclass(frozen=True)
class Parameter:
    """One parameter or buffer of a layer: Paddle's attribute, torch's, what to do and why.

    `{n}` in names is any number, the same in all of them. Several parameters of one torch name are alternatives,
    tried in turn; those that are each a `concat` fill it together.
    """

    paddle: str
    torch: str
    transform: str = COPY
    why: str = "same name, same layout"
    _: KW_ONLY
    also: str = ""
    """Another name under which Paddle's state dict lists the same tensor."""
    ones: int = 0
    """Dimensions of size 1 that Paddle keeps before the others."""
    beside: str = ""
    """Torch's name of what the layer must have too; otherwise this is not the alternative."""

    def of(self, role: str) -> Parameter | None:
        """What it says of the torch name `role`, with its number in place; None when it is about another."""
        if "{n}" not in self.torch:
            return self if self.torch == role else None
        before, _, after = self.torch.partition("{n}")
        number = role[len(before) : len(role) - len(after)]
        if role != before + number + after or not number.isdecimal():
            return None
        names = (name.replace("{n}", number) for name in (self.paddle, self.also, self.beside))
        paddle, also, beside = names
        return replace(self, paddle=paddle, torch=role, also=also, beside=beside)


@dataclass(frozen=True)
class Generated:
    """A torch buffer that Paddle has no counterpart of."""

    torch: str
    value: int
    dtype: str
    why: str


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor or function.

    `torch=None` means that torch has no such argument. `paddle=None`, that Paddle has none.
    `values` maps Paddle's values to torch's where they differ, and `convert` names the function where a
    table cannot say it (`f32`: `float(numpy.float32(v))`; `1 - f32`; `not`; `is not False`).
    Defaults are written when they differ or when leaving the argument out is a trap. `note` is one
    sentence; what a naive port gets wrong is a `Trap` of the row, with its proof.
    """

    paddle: str | None
    torch: str | None
    values: Mapping[Any, Any] = field(default_factory=dict)
    convert: str = ""
    paddle_default: Any = None
    torch_default: Any = None
    note: str = ""
    only_with: str = ""
    """Another of Paddle's arguments: a default that differs changes nothing unless that one is given."""


@dataclass(frozen=True)
class Source:
    """Where each framework does it: file below `python/paddle/` (or `phi/`) and `torch/`, then the name; or a doc page."""

    paddle: str
    torch: str


COMPARE = ("values", "dtype", "shape", "distribution")


@dataclass(frozen=True)
class Example:
    """The same computation in both frameworks: documentation and proof (see the module's docstring)."""

    inputs: Mapping[str, str]
    paddle: str
    torch: str
    modes: tuple[str, ...] = ("eval", "train")
    """For layers only: ("eval",) where training is random."""
    backward: bool = True
    """False where there is no gradient to compare although the inputs are floats (in-place, rounding)."""
    compare: str = "values"
    """`values`; `dtype` or `shape`: that of the result only; `distribution`: a two-sample test of the numbers."""
    steps: int = 12
    """For schedulers and optimizers."""


@dataclass(frozen=True)
class Trap:
    """What a naive port gets wrong: `naive` is the torch text that raises or gives something else than Paddle.

    `example` is the case with the mapped text; without one, the row's first example is. `argument` is Paddle's
    name of the argument that it is about: a finding on that argument then tells the trap.
    """

    text: str
    naive: str
    example: Example | None = None
    argument: str = ""


@dataclass(frozen=True)
class Row:
    """One Paddle name and what computes the same in torch. How to write one: the module's docstring."""

    kind: Kind
    paddle: str
    torch: str
    exactness: Exactness
    _: KW_ONLY
    parameters: tuple[Parameter, ...] = ()
    generated: tuple[Generated, ...] = ()
    children: Mapping[str, str] = field(default_factory=dict)
    """Layers inside that torch calls otherwise: torch's attribute, then Paddle's."""
    arguments: tuple[Argument, ...] = ()
    traps: tuple[Trap, ...] = ()
    examples: tuple[Example, ...]
    source: Source
    reason: str
    """Why these two are the same, or how far they are not: one clause."""
    remedy: str = ""
    """What to write where torch has no twin, in words; the examples show it."""
    within: float = 0.0
    """For NEAR (and NONE): the largest relative difference in float64 that is the frameworks' own."""
    names: tuple[str, ...] = ()
    """How Paddle begins the automatic names of a layer's parameters: `linear` in `linear_0.w_0`."""

    @property
    def versions(self) -> str:
        """What Paddle 2.6 does otherwise; "" where it does the same."""
        return VERSIONS.get(self.paddle, "")

    def case_of(self, trap: Trap) -> Example:
        """The example that shows what is right where `trap.naive` is wrong."""
        return trap.example or self.examples[0]

    @property
    def paddle_class(self) -> str:
        """The last word of Paddle's name: `Conv2D`."""
        return self.paddle.rpartition(".")[2]

    @property
    def torch_class(self) -> str:
        """The last word of torch's name: `Conv2d`."""
        return self.torch.rpartition(".")[2]
