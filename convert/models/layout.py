"""A torch model as a conversion sees it: every state dict entry with its shape and the kind of its layer.

For registered models the layout is data in `convert/models/layouts/`, generated from the live modules and held
to them by a test, so that converting needs neither framework. Any other module is asked directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from convert.errors import ConvertError

BUFFERS = frozenset({"running_mean", "running_var", "num_batches_tracked"})
"""Roles that no optimizer holds."""


@dataclass(frozen=True)
class Slot:
    """One entry of a torch state dict."""

    name: str
    shape: tuple[int, ...]
    layer: str
    """The torch layer class that owns it (`Conv2d`); "" for a bare parameter."""
    role: str
    """The attribute of that layer (`weight`, `running_mean`)."""
    learned: bool = True
    """Whether `parameters()` yields it: no buffer, and the first name where weights are tied."""
    tied: str = ""
    """The entry before it that is the same tensor, where weights are tied."""
    called: str = ""
    """The owner's path with its dot where a Paddle layer calls it otherwise: `cross_attn.` for `multihead_attn.`."""
    dtype: str = field(default="", compare=False)
    """torch's element type, where a live module tells it (`float32`)."""

    @property
    def prefix(self) -> str:
        """The owner's path with its dot: `fc1.0.` of `fc1.0.weight`."""
        return self.name[: len(self.name) - len(self.role)]

    @property
    def paddle_prefix(self) -> str:
        """The owner's path with its dot, as Paddle's layers call it."""
        return self.called or self.prefix


@dataclass(frozen=True)
class Layout:
    """All entries of a torch state dict, in its order, and where this knowledge comes from."""

    slots: tuple[Slot, ...]
    origin: str

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `of_json` makes the same layout in another process."""
        return asdict(self)

    @staticmethod
    def of_json(data: Mapping[str, Any]) -> Layout:
        """The layout that `to_json` wrote."""
        slots = (Slot(**{**slot, "shape": tuple(slot["shape"])}) for slot in data["slots"])
        return Layout(tuple(slots), data["origin"])


def registered_layout(
    model: str, *, num_classes: int | None = None, in_channels: int | None = None
) -> Layout:
    """The layout of one of our models; sizes that are not given are the model's defaults.

    Raises ConvertError with the nearest names for an unknown model.
    """
    from convert.models.layouts import load_layout, resolve_dimension
    from convert.models.registry import find_model

    spec = find_model(model)
    sizes = dict(spec.defaults)
    for name, size in (("num_classes", num_classes), ("in_channels", in_channels)):
        if size is not None:
            if name not in sizes:
                raise ConvertError(f"{spec.name} has no {name}; leave --{name.replace('_', '-')} out")
            if size < 1:
                raise ConvertError(f"{name} must be at least 1, not {size}")
            sizes[name] = size
    slots = tuple(
        Slot(name, tuple(resolve_dimension(size, sizes) for size in shape), layer, role, role not in BUFFERS)
        for name, shape, layer, role in load_layout(spec.name)
    )
    return Layout(slots, spec.name)


def infer_sizes(
    model: str, shapes: Mapping[str, tuple[int, ...]], *, torch_order: bool = False
) -> dict[str, int]:
    """The free sizes of a model that a checkpoint's own shapes tell, by the entries of the same name.

    `shapes` are Paddle's (a matrix of a Linear layer is [in, out]) unless they are in `torch_order`.
    """
    from convert.models.layouts import DIMENSION, load_layout

    found: dict[str, int] = {}
    for name, shape, layer, _ in load_layout(model):
        theirs = shapes.get(name, ())
        if len(theirs) != len(shape):
            continue
        turned = theirs[::-1] if layer == "Linear" and len(shape) == 2 and not torch_order else theirs
        for size, actual in zip(shape, turned, strict=True):
            match = DIMENSION.fullmatch(size) if isinstance(size, str) else None
            if match is None or match["name"] in found:
                continue
            value, rest = divmod(actual - int(match["const"] or 0), int(match["coef"] or 1))
            if rest == 0 and value > 0:
                found[match["name"]] = value
    return found


def module_layout(module: Any) -> Layout:
    """The layout of a live torch module, by its `state_dict`; nothing is imported or changed."""
    # A module under two names (tied weights) has two entries, and both must know their layer.
    owners = dict(module.named_modules(remove_duplicate=False))
    learned = {name for name, _ in module.named_parameters()}
    slots = []
    first: dict[int, str] = {}
    for name, value in module.state_dict(keep_vars=True).items():
        if not hasattr(value, "shape"):
            raise ConvertError(
                f"{name!r} of {type(module).__name__} is not a tensor, so it cannot be converted"
            )
        path, _, role = name.rpartition(".")
        owner = owners.get(path)
        kind = "" if owner is None else layer_kind(type(owner))
        other = first.setdefault(id(value), name)
        tied = "" if other == name else other
        ours = _path_in_paddle(path, owners)
        called = "" if ours == path else f"{ours}."
        dtype = str(value.dtype).rpartition(".")[2]
        slots.append(Slot(name, tuple(value.shape), kind, role, name in learned, tied, called, dtype))
    return Layout(tuple(slots), type(module).__name__)


def _path_in_paddle(path: str, owners: Mapping[str, Any]) -> str:
    """The path of a module, with the names that Paddle's layers have for what is inside them."""
    from convert.rosetta.layers import BY_TORCH

    words = path.split(".")
    for index, word in enumerate(words):
        parent = owners.get(".".join(path.split(".")[:index]))
        for row in BY_TORCH.get(layer_kind(type(parent)), ()):
            words[index] = row.children.get(word, word)
    return ".".join(words)


def layer_kind(cls: type) -> str:
    """The torch layer that a module class is or extends; "" for none."""
    for base in cls.__mro__:
        if base.__module__.startswith("torch.nn.modules.") and base.__name__ not in _NOT_LAYERS:
            return _ALIASES.get(base.__name__, base.__name__)
    return ""


_NOT_LAYERS = frozenset(
    {"Module", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"}
)
_ALIASES = {"NonDynamicallyQuantizableLinear": "Linear"}
