"""Which registered network a checkpoint is, from its names and shapes alone.

Pure data: the layouts say every network's tensors, with the class count and the input channels left
open; the aliases say how else its layers are called. A network is a candidate when the names are exactly
its names and one choice of class count and input channels explains every shape. No tensor is read and
no framework imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from convert.models.layouts import DIMENSION, load_layout
from convert.models.registry import MODELS, ModelSpec
from convert.plan.aliases import ALIASES, Alias
from convert.plan.rules import Rule

# What Paddle calls the same tensor, at the end of a name; older torch files lack the counter.
_PADDLE_ENDINGS = {"_mean": "running_mean", "_variance": "running_var"}
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Candidate:
    """A registered network that explains a checkpoint, and the arguments that build it."""

    spec: ModelSpec
    num_classes: int
    in_channels: int
    linear_is_transposed: bool
    """True when matrices of Linear layers are stored [in, out], as Paddle does; None of them: True."""
    alias: str = ""
    """Whose names the checkpoint uses, when they are not the model's own."""
    renamed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """With an alias: the checkpoint's names and what torch calls the same tensors."""

    def __str__(self) -> str:
        named = f", with the names of {self.alias}" if self.alias else ""
        return (
            f"{self.spec.name} ({self.spec.title}, {self.spec.form} form), "
            f"num_classes {self.num_classes}, in_channels {self.in_channels}{named}"
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What `convert.plan.plan.Options(rules=...)` needs to place the tensors; () without an alias."""
        return rules_of(self.alias, self.renamed)


def torch_name(name: str, alias: Alias | None = None) -> str:
    """A checkpoint's name in torch's spelling: the layer as we call it, BatchNorm statistics as torch does."""
    path, dot, role = name.rpartition(".")
    return f"{alias.rename(path) if alias else path}{dot}{_PADDLE_ENDINGS.get(role, role)}"


TENSORS_MOST = 5000
"""No registered network has as many; a file that has is not spelled in every way."""


def recognize(names_to_shapes: Mapping[str, Sequence[int]]) -> list[Candidate]:
    """Every registered network that these tensors can be, usually one, [] when there is none.

    `names_to_shapes` holds the model's tensors as the checkpoint spells them, Paddle's or torch's way
    (`bn._mean` or `bn.running_mean`, Linear matrices [in, out] or [out, in]); no optimizer state. A
    command uses it like this:

        found = recognize({name: tensor.shape for name, tensor in checkpoint.items()})
        if len(found) == 1:     # model=found[0].spec.name, its num_classes and in_channels,
                                # Options(rules=found[0].rules) for names that are an alias
        elif found:             # show each str(candidate), ask for --model
    """
    given = {
        name: tuple(shape) for name, shape in names_to_shapes.items() if name.rpartition(".")[2] != _COUNTER
    }
    found: list[Candidate] = []
    if len(given) > TENSORS_MOST:
        return found
    for alias in (None, *ALIASES):
        spelled = {name: torch_name(name, alias) for name in given}
        models = alias.models if alias else tuple(MODELS)
        if alias and not _changes(alias, given):
            continue
        shapes = {spelled[name]: shape for name, shape in given.items()}
        if len(shapes) == len(given):
            found += _candidates(models, shapes, alias, spelled)
    return found


def rules_for(names_of: Iterable[str], target: Iterable[str]) -> tuple[Rule, ...]:
    """Rules that place a checkpoint with another spelling of a network into `target`'s names; () if none.

    Names alone decide, so that a network of the same names and other sizes (a wide ResNet for a ResNet) is
    refused by its shapes and not by hundreds of names.

    `target` holds the names of the torch state dict to be filled (a Layout's slots). For a command:

        layout = registered_layout("resnet50")
        rules = rules_for(checkpoint, [slot.name for slot in layout.slots])
        plan_conversion(checkpoint, layout, Options(rules=rules))
    """
    wanted = {name for name in target if name.rpartition(".")[2] != _COUNTER}
    given = [name for name in names_of if name.rpartition(".")[2] != _COUNTER]
    if len(given) != len(wanted) or wanted == set(map(torch_name, given)):
        return ()
    for alias in ALIASES:
        renamed = {name: torch_name(name, alias) for name in given}
        if set(renamed.values()) == wanted:
            return rules_of(alias.title, renamed)
    return ()


def spelled(names: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Each of `names` -> the one of `wanted`, a Paddle model's, that it is where all are in another known spelling; {} where not."""
    ours = {torch_name(name): name for name in wanted}
    return {rule.literal[0]: ours[str(rule.target)] for rule in rules_for(names, ours) if rule.literal}


def rules_of(title: str, renamed: Mapping[str, str]) -> tuple[Rule, ...]:
    """One rule for each tensor that another spelling, called `title`, calls differently."""
    reason = f"the names of {title}"
    return tuple(Rule(re.escape(given), name, None, reason) for given, name in renamed.items())


@cache
def _names_of(model: str) -> frozenset[str]:
    """What a registered network holds, but for counters; kept for the next checkpoint of a folder."""
    return frozenset(name for name, _, _, role in load_layout(model) if role != _COUNTER)


def _changes(alias: Alias, names: Iterable[str]) -> bool:
    return any(torch_name(name, alias) != torch_name(name) for name in names)


def _candidates(
    models: Iterable[str],
    shapes: Mapping[str, tuple[int, ...]],
    alias: Alias | None,
    spelled: Mapping[str, str],
) -> Iterable[Candidate]:
    for model in models:
        if shapes.keys() != _names_of(model):
            continue
        slots = [slot for slot in load_layout(model) if slot[3] != _COUNTER]
        for transposed in (True, False):
            sizes = _explain(slots, shapes, transposed=transposed)
            if sizes is not None:
                spec = MODELS[model]
                # A network without a trace of an argument keeps that argument's default.
                sizes = {**spec.defaults, **sizes}
                yield Candidate(
                    spec,
                    sizes["num_classes"],
                    sizes["in_channels"],
                    transposed,
                    alias.title if alias else "",
                    spelled if alias else {},
                )
                break


def _explain(
    slots: Iterable[tuple[str, list[int | str], str, str]],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    transposed: bool,
) -> dict[str, int] | None:
    """The one choice of free sizes that gives every slot its shape, None if there is none."""
    sizes: dict[str, int] = {}
    for name, expected, layer, role in slots:
        actual = shapes[name]
        if len(actual) != len(expected):
            return None
        if transposed and layer == "Linear" and role == "weight":
            actual = actual[::-1]
        for dimension, size in zip(expected, actual, strict=True):
            if isinstance(dimension, int):
                if dimension != size:
                    return None
                continue
            match = DIMENSION.fullmatch(dimension)
            if match is None:
                return None
            value, rest = divmod(size - int(match["const"] or 0), int(match["coef"] or 1))
            if rest or value < 1 or sizes.setdefault(match["name"], value) != value:
                return None
    return sizes
