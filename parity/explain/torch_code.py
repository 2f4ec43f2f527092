"""Operators as torch code: what a fix says to write must be what torch takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from parity.explain.words import label, layer, show, spelled
from parity.graph.node import Node
from parity.ops.table import as_torch_argument

NAMES: Mapping[str, str] = {
    "mean": "mean",
    "amax": "amax",
    "var": "var",
    "std": "std",
    "concat": "cat",
    "blend": "lerp",
    "clip": "clamp",
    "normalize": "normalize",
    "sort.indices": "argsort",
    "hardsigmoid": "Hardsigmoid",
}
"""What an operator is called in torch where a message calls it by another name."""

UNSAID: Mapping[str, Mapping[str, Any]] = {
    "stride": {"": 1},
    "padding": {"": 0},
    "output_padding": {"": 0},
    "dilation": {"": 1},
    "groups": {"conv": 1, "conv_transpose": 1},
    "ceil_mode": {"": False},
    "divisor": {"": None},
    "exclusive": {"": False},
    "approximate": {"": False},
    "slope": {"hardsigmoid": 0.1666667},
    "offset": {"": 0.5},
    "beta": {"": 1.0},
    "threshold": {"": 20.0},
    "align_corners": {"": False},
    "stable": {"": False},
    "descending": {"": False},
    "largest": {"": True},
    "sorted": {"": True},
    "correction": {"": 1.0},
    "p": {"normalize": 2.0, "norm": 2.0},
}
"""Attribute -> operator ("": any) -> the value that torch takes if nothing is said."""


def called(node: Node) -> str:
    """The name of the torch call."""
    return NAMES.get(node.kind) or label(node)


def code(node: Node, instead_of: Node | None = None) -> str:
    """An operator as a torch call with all that is not torch's default, nor the same in what it replaces."""
    if node.spelling.called == "dropout":
        return f"a factor of {show(node.attributes['scale'])} in eval"
    if node.kind in _WRITTEN:
        return _WRITTEN[node.kind](node)
    if node.spelling.how:
        return spelled(node)
    if "weight" in node.inputs or "mean" in node.inputs or node.kind == "constant" or node.owned:
        return layer(node)
    told = [
        as_torch_argument(node.kind, name, value)
        for name, value in real_axes(node).items()
        if name != "map"
        and not _unsaid(node, name, value)
        and not (instead_of is not None and instead_of.attributes.get(name, ...) == node.attributes[name])
    ]
    given = node.spelling.arguments
    if given not in ("", "[]") and not (instead_of is not None and instead_of.spelling.arguments == given):
        told.append(as_torch_argument(node.kind, "arguments", given))
    if not told and instead_of is not None:
        return f"{called(node)}{' with the same arguments' if node.attributes or given else ''}"
    return called(node) if not node.attributes and not told else f"{called(node)}({', '.join(told)})"


def real_axes(node: Node) -> dict[str, Any]:
    """The attributes with reduced axes as the operator saw them, not counted among dimensions larger than 1."""
    a = dict(node.attributes)
    if node.spelling.counted and isinstance(a.get("axes"), tuple) and all(axis >= 0 for axis in a["axes"]):
        real = [axis for axis, size in enumerate(node.shape("x")) if size != 1]
        if all(axis < len(real) for axis in a["axes"]):
            a["axes"] = tuple(real[axis] for axis in a["axes"])
    return a


def fix_scale(node: Node, scale: float) -> str:
    """What to write for the factor of a product, which is no argument of any call."""
    return f"scale the result of {called(node)} by {show(scale)} in all"


def _unsaid(node: Node, name: str, value: Any) -> bool:
    """Whether torch would take this value without being told."""
    if name == "stride" and "kernel_size" in node.attributes:
        return bool(value == node.attributes["kernel_size"])
    known = UNSAID.get(name, {})
    default = known.get(node.kind, known.get("", ...))
    flat = _flat(value)
    return default is not ... and all(part == default for part in flat)


def _flat(value: Any) -> list[Any]:
    return [part for item in value for part in _flat(item)] if isinstance(value, tuple) else [value]


def _clamp(node: Node) -> str:
    low, high = node.attributes.get("min"), node.attributes.get("max")
    if (low, high) == (0.0, 6.0):
        return "ReLU6()"
    bounds = (f"{name}={show(bound)}" for name, bound in (("min", low), ("max", high)) if bound is not None)
    return f"clamp({', '.join(bounds)})"


def _resized(node: Node) -> str:
    a = node.attributes
    aligned = ", align_corners=True" if a["align_corners"] else ""
    return f"interpolate(size={tuple(a['output_size'])}, mode={a['mode']!r}{aligned})"


def _transformed(node: Node) -> str:
    a = node.attributes
    name = {"fft": ("fftn", "ifftn"), "rfft": ("rfftn", "ihfftn"), "irfft": ("hfftn", "irfftn")}[node.kind]
    norm = "" if a["norm"] == "backward" else f", norm={a['norm']!r}"
    return f"torch.fft.{name[a['inverse']]}(dim={tuple(a['axes'])}{norm})"


DROPOUTS: Mapping[tuple[str, bool], str] = {
    ("upscale_in_train", False): "Dropout(p={p})",
    ("upscale_in_train", True): "Dropout2d(p={p})",
    ("alpha", False): "AlphaDropout(p={p})",
    ("alpha", True): "FeatureAlphaDropout(p={p})",
}
"""(Paddle's mode, whether whole channels are dropped) -> torch's layer."""


def dropout(attributes: Mapping[str, Any]) -> str:
    """The torch layer that drops as Paddle's does."""
    found = DROPOUTS.get((attributes["mode"], attributes["channels"]))
    if found is None:
        p = attributes["p"]
        return f"torch has no downscale_in_infer: drop without scaling in training, and multiply by {1 - p:g} in eval"
    return found.format(p=attributes["p"])


def _dropped(attributes: Mapping[str, Any]) -> str:
    """A dropout as something to add."""
    if (attributes["mode"], attributes["channels"]) in DROPOUTS:
        return dropout(attributes)
    kept = 1 - attributes["p"]
    return f"a dropout that does not scale in training and multiplies by {kept:g} in eval (torch has no downscale_in_infer)"


_WRITTEN: Mapping[str, Callable[[Node], str]] = {
    "clip": _clamp,
    "interpolate": _resized,
    **dict.fromkeys(("fft", "rfft", "irfft"), _transformed),
    "affine": layer,
    "dropout": lambda node: _dropped({"channels": False, **node.attributes, "mode": _mode(node)}),
    "add": lambda node: "torch.add",
}


def _mode(node: Node) -> str:
    return node.attributes.get("mode") or "upscale_in_train"
