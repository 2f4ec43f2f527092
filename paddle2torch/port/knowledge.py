"""What the Rosetta table says of one of Paddle's names, in the form in which the porter asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from convert.rosetta.forms import (
    ADVICE,
    ALIASES,
    FORMS,
    IN_PLACE,
    INITIALISED,
    MODULES,
    PROVEN_BY,
    RETURNS,
    TWINS,
    Form,
)
from convert.rosetta.rows import Argument, Kind, Row
from convert.rosetta.signatures import UNSAID, Signature, attributes, signature
from convert.rosetta.table import TABLE
from paddle2torch.port.values import NAMED, TENSOR, Value, of


@dataclass(frozen=True)
class Known:
    """One of Paddle's names: its row, and how it is called on both sides."""

    name: str
    row: Row
    torch: str
    forms: tuple[Form, ...]
    paddle_signature: Signature | None
    torch_signature: Signature | None

    @property
    def is_layer(self) -> bool:
        return (
            self.name.startswith("nn.")
            and self.name[3:4].isupper()
            and self.row.kind in (Kind.LAYER, Kind.LOSS)
        )

    @property
    def is_initializer(self) -> bool:
        return self.row.kind is Kind.INITIALIZER and self.name.rpartition(".")[2][:1].isupper()

    @property
    def arguments(self) -> Mapping[str, Argument]:
        return {a.paddle: a for a in self.row.arguments if a.paddle is not None}

    def order(self, count: int) -> tuple[str, ...]:
        """The positional arguments' names; `count` are given. What Paddle 3.3 moved behind a star stood in the row's order."""
        said = self.paddle_signature.positional if self.paddle_signature else ()
        return said if count <= len(said) else tuple(self.arguments) or said

    def default(self, argument: str) -> Any:
        """Paddle's default; `REQUIRED` where there is none, `UNSAID` where it is not known."""
        if self.paddle_signature and argument in self.paddle_signature.defaults:
            return self.paddle_signature.defaults[argument]
        return UNSAID

    def torch_default(self, argument: str) -> Any:
        if self.torch_signature and argument in self.torch_signature.defaults:
            return self.torch_signature.defaults[argument]
        return UNSAID

    @property
    def same_as(self) -> str:
        """The argument that a call gives back; "" where it is none."""
        said = RETURNS.get(self.name, "")
        return said.removeprefix("same as ") if said.startswith("same as ") else ""

    @property
    def gives(self) -> Value:
        """What a call gives."""
        said = RETURNS.get(self.name)
        if said is not None:
            return NAMED.get(said) or of(said)
        if self.is_layer:
            return of("layer", self.name)
        if self.row.kind is Kind.INITIALIZER:
            return NAMED["initializer"]
        if self.row.kind is Kind.OPTIMIZER:
            return of("optimizer") if self.name.startswith("optimizer.") else of("clip")
        if self.row.kind is Kind.SCHEDULER:
            return of("scheduler")
        return TENSOR if self.row.kind in (Kind.FUNCTION, Kind.METHOD, Kind.LOSS) else NAMED["unknown"]


@cache
def _rows() -> Mapping[str, Row]:
    return {row.paddle: row for row in TABLE}


def canonical(name: str) -> str:
    """The name under which the table has it: `paddle.nn.layer.conv.Conv2D` is `nn.Conv2D`."""
    known = {*_rows(), *FORMS, *PROVEN_BY, *MODULES}
    if name in known:
        return name
    if name in ALIASES:
        return ALIASES[name]
    return _canonical(name)


@cache
def _canonical(name: str) -> str:
    for long, short in sorted(ALIASES.items(), key=lambda item: -len(item[0])):
        if long.endswith(".") and name.startswith(long):
            tail = name.removeprefix(long).rpartition(".")[2]
            if known(short + tail) is not None:
                return short + tail
    return name


@cache
def known(name: str) -> Known | None:
    """What is known of a Paddle name without `paddle.`; None where it is in no row."""
    row = _rows().get(PROVEN_BY.get(name, name))
    if row is None:
        return _in_place(name)
    return Known(
        name,
        row,
        TWINS.get(name, "" if row.kind is Kind.IDIOM else row.torch),
        FORMS.get(name, ()),
        signature("paddle", name),
        signature("torch", TWINS.get(name, row.torch)),
    )


def _in_place(name: str) -> Known | None:
    """A method that writes over its tensor, by the row of the function that does not."""
    plain = name.removesuffix("_")
    plain = ALIASES.get(plain, plain)
    if not name.endswith("_") or plain not in IN_PLACE:
        return None
    found = known(plain) or known(f"nn.functional.{plain}")
    if found is None:
        return None
    torch = f"Tensor.{found.torch.rpartition('.')[2]}_"
    return replace(found, name=name, torch=torch, forms=(), torch_signature=signature("torch", torch))


@cache
def method(name: str) -> Known | None:
    """What is known of a method or attribute of Paddle's tensors: its own row, or that of the function of this name."""
    for candidate in (f"Tensor.{name}", name, f"nn.functional.{name}", ALIASES.get(name, name)):
        found = known(candidate)
        if found is not None and (candidate.startswith("Tensor.") or name in attributes("paddle tensor")):
            return found
    return None


@cache
def differing() -> frozenset[str]:
    """Methods of Paddle's tensors that something else has too, and that are written otherwise in torch."""
    found = set()
    others = frozenset().union(*(attributes(kind) for kind in OBJECTS if kind != "paddle tensor"))
    for name in attributes("paddle tensor") & others:
        row = method(name)
        if row is not None and (row.forms or row.torch.rpartition(".")[2] != name):
            found.add(name)
    return frozenset(found)


OBJECTS = {
    "paddle tensor": TENSOR,
    "paddle layer": of("layer", ""),
    "paddle optimizer": of("optimizer"),
    "paddle scheduler": of("scheduler"),
    "paddle scaler": of("scaler"),
    "elsewhere": NAMED["unknown"],
}
"""What has attributes, and what is then known of it."""


@cache
def by_members(names: frozenset[str]) -> Value:
    """What something is, of which these methods and attributes are asked, if only one of Paddle's kinds of objects has all of them."""
    found = [of_what for kind, of_what in OBJECTS.items() if names and names <= attributes(kind)]
    return found[0] if len(found) == 1 else NAMED["unknown"]


@cache
def instance(name: str) -> Value:
    """What an annotation with one of Paddle's classes says."""
    if name == "Tensor":
        return TENSOR
    if name == "nn.Layer":
        return of("layer", "")
    kind = next((of(k) for start, k in CLASSES.items() if name.startswith(start)), None)
    found = known(name)
    return kind or (found.gives if found is not None and found.is_layer else NAMED["unknown"])


CLASSES = {"optimizer.lr.": "scheduler", "optimizer.": "optimizer", "amp.GradScaler": "scaler"}
"""How the names of classes begin, and what their objects are."""


def called(layer: str) -> Value:
    """What a layer gives when it is called."""
    said = RETURNS.get(f"{layer}()")
    return TENSOR if said is None else NAMED[said]


@cache
def has_parameter(layer: str, name: str) -> bool:
    """Whether a layer has a parameter of this name, as far as the table tells."""
    found = known(layer)
    return found is not None and any(p.paddle == name for p in found.row.parameters)


def initialised(layer: str) -> bool:
    """Whether the initial weights of a layer are others in torch."""
    return layer.startswith(INITIALISED)


@cache
def of_tensors_only(name: str) -> bool:
    """Whether no type of Python's and no array has an attribute of this name, but Paddle's tensors do."""
    return name in attributes("paddle tensor") and not any(
        name in attributes(kind) for kind in OBJECTS if kind != "paddle tensor"
    )


@cache
def torch_has(name: str) -> bool:
    return name in attributes("torch tensor")


@cache
def instead(name: str, other: str) -> Known:
    """A row with another torch name. Ours (`like_*`) take what torch has no argument for under Paddle's name, and with a second
    `=` in front all arguments as Paddle does."""
    found = known(name)
    assert found is not None
    as_paddle = other.startswith("=")
    other = other.lstrip("= ")
    if not other.startswith("like_"):
        return replace(found, torch=other, torch_signature=signature("torch", other))
    kept = {"name", "weight_attr", "param_attr"}
    arguments = tuple(
        replace(a, torch=a.paddle, values={}, convert="")
        if a.paddle not in kept and not str(a.paddle).endswith("_name") and (as_paddle or a.torch is None)
        else a
        for a in found.row.arguments
    )
    ours = f"like_paddle.{other.removeprefix('like_')}"
    return replace(found, row=replace(found.row, arguments=arguments), torch=ours, forms=())


def advice(name: str) -> str:
    """What to do about a name that no row has."""
    last = name.rpartition(".")[2]
    if name in ADVICE:
        return ADVICE[name]
    return next(
        (text for start, text in ADVICE.items() if name.startswith(start)), f"write what {last} does in torch"
    )


@cache
def as_method(name: str) -> Known:
    """The row of a function, called on a tensor in torch too."""
    found = known(name)
    assert found is not None
    torch = f"Tensor.{found.torch.rpartition('.')[2]}"
    return replace(found, torch=torch, torch_signature=signature("torch", torch))


def is_ours(name: str) -> bool:
    """Whether a module of Paddle's is a class of ours that has its members under the same names."""
    return MODULES.get(name, "").startswith("like_paddle.")


def module(name: str) -> str | None:
    """The torch module of a Paddle module, without `torch.`; torchvision's with it."""
    return MODULES.get(name)
