"""What a summary consists of, and how the receptive field is followed through a network.

Framework-neutral: the two recorders call `Tracker` from their hooks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

BYTES = 4  # both frameworks build networks in float32
MIB = 1024**2


@dataclass(frozen=True)
class LayerRow:
    """One call of a layer. `receptive_field` is (height, width) in input pixels, None where it is all.

    `parameters` counts learned numbers, at a layer's first call only.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    receptive_field: tuple[int, int] | None


@dataclass(frozen=True)
class Summary:
    """A network's layers in call order and what they add up to, for a batch of one."""

    framework: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerRow, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    parameters: int

    @property
    def weight_mib(self) -> float:
        """Memory of the learned numbers in float32."""
        return self.parameters * BYTES / MIB

    @property
    def activation_mib(self) -> float:
        """Memory of all layer outputs of one forward pass; calls such as F.relu are no layers."""
        return sum(math.prod(layer.output_shape) for layer in self.layers) * BYTES / MIB

    @property
    def receptive_field(self) -> tuple[int, int] | None:
        """The most that a place of a feature map sees, in input pixels; None when one sees everything."""
        maps = [layer for layer in self.layers if len(layer.output_shape) == 4]
        spatial = [layer.receptive_field for layer in maps if math.prod(layer.output_shape[2:]) > 1]
        if None in spatial:
            return None
        return max((field for field in spatial if field), default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **asdict(self),
            "weight_mib": round(self.weight_mib, 3),
            "activation_mib": round(self.activation_mib, 3),
            "receptive_field": self.receptive_field,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Summary:
        """The inverse of `to_json`."""
        layers = tuple(
            LayerRow(
                name=row["name"],
                kind=row["kind"],
                output_shape=tuple(row["output_shape"]),
                parameters=row["parameters"],
                receptive_field=None if row["receptive_field"] is None else tuple(row["receptive_field"]),
            )
            for row in data["layers"]
        )
        outputs = tuple(tuple(shape) for shape in data["output_shapes"])
        return cls(data["framework"], tuple(data["input_shape"]), layers, outputs, data["parameters"])


@dataclass(frozen=True)
class Difference:
    """A row in which the two frameworks disagree: which field, and what each says."""

    row: int
    field: str
    paddle: object
    torch: object


def compare(paddle: Summary, torch: Summary) -> list[Difference]:
    """Every disagreement of two summaries, row by row; [] when they describe the same network."""
    found = []
    for index in range(max(len(paddle.layers), len(torch.layers))):
        if index >= len(paddle.layers) or index >= len(torch.layers):
            sides = [s.layers[index].name if index < len(s.layers) else None for s in (paddle, torch)]
            found.append(Difference(index, "layer", *sides))
            continue
        expected, actual = paddle.layers[index], torch.layers[index]
        for name in ("name", "kind", "output_shape", "parameters", "receptive_field"):
            theirs, ours = getattr(expected, name), getattr(actual, name)
            # Conv2D and Conv2d are the same kind.
            if (theirs.lower() != ours.lower()) if name == "kind" else (theirs != ours):
                found.append(Difference(index, name, theirs, ours))
    if paddle.output_shapes != torch.output_shapes:
        found.append(Difference(-1, "output_shapes", paddle.output_shapes, torch.output_shapes))
    return found


@dataclass(frozen=True)
class View:
    """What one element of a tensor sees of the input: its extent, and the step between neighbours."""

    extent: tuple[int, int] = (1, 1)
    step: tuple[int, int] = (1, 1)

    def through(self, kernel: tuple[int, int], stride: tuple[int, int]) -> View:
        """The view behind a window of `kernel` (dilation included) that moves by `stride`."""
        (height, width), (down, right) = self.extent, self.step
        return View(
            (height + (kernel[0] - 1) * down, width + (kernel[1] - 1) * right),
            (down * stride[0], right * stride[1]),
        )


@dataclass
class Tracker:
    """Follows the receptive field through calls of layers, by the identity of the tensors between them.

    A tensor that no layer made (F.relu, a concatenation, a sum) is given the widest view that its block
    has reached at a tensor of the same shape, else at any. That is exact for chains, for branches of
    different widths and for shortcuts, which is what the blocks of these networks are.
    """

    rows: list[LayerRow] = field(default_factory=list)
    _views: dict[int, View | None] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    # For each open block: what it and its layers reached, with the shape; first comes its own input.
    _blocks: list[list[tuple[View | None, tuple[int, ...]]]] = field(default_factory=lambda: [[(View(), ())]])

    def enter(self, inputs: tuple[Any, ...]) -> None:
        """A block with layers of its own starts."""
        self._blocks.append([(self.view_of(inputs), tuple(inputs[0].shape) if inputs else ())])

    def leave(self, outputs: tuple[Any, ...]) -> None:
        """It ends: whatever it returns has seen the most that anything in it saw."""
        block = self._blocks.pop()
        self._remember(outputs, _widest([view for view, _ in block[1:] or block]))

    def layer(self, row: LayerRow, view: View | None, outputs: tuple[Any, ...]) -> None:
        """A layer was called."""
        self.rows.append(row)
        self._remember(outputs, view)

    def view_of(self, inputs: tuple[Any, ...]) -> View | None:
        """What the inputs of a call see; None when it is everything."""
        known = [self._views[id(value)] for value in inputs if id(value) in self._views]
        if known:
            return _widest(known)
        block = self._blocks[-1]
        shapes = {tuple(value.shape) for value in inputs}
        alike = [view for view, shape in block if shape in shapes]
        return _widest(alike or [view for view, _ in block[1:] or block])

    def _remember(self, outputs: tuple[Any, ...], view: View | None) -> None:
        self._kept.extend(outputs)  # an id is only unique while its object lives
        self._views.update((id(value), view) for value in outputs)
        self._blocks[-1].extend((view, tuple(value.shape)) for value in outputs)


def _widest(views: list[View | None]) -> View | None:
    if any(view is None for view in views):
        return None
    return max((view for view in views if view), key=lambda view: (view.extent, view.step))


def window(kind: str, layer: dict[str, Any], before: tuple[int, ...], after: tuple[int, ...]) -> Any:
    """(kernel, stride) of a layer by its kind and attributes; None for one that looks at everything.

    `before` and `after` are the shapes of its input and output.
    """
    if kind.startswith("Linear"):
        return None
    if kind.startswith("Adaptive") and len(before) == 4:
        if set(after[2:]) == {1}:
            return None
        sizes = list(zip(before[2:], after[2:], strict=True))
        stride = tuple(max(1, size // out) for size, out in sizes)
        kernel = tuple(
            max(1, size - (out - 1) * step) for (size, out), step in zip(sizes, stride, strict=True)
        )
        return kernel, stride
    if kind.startswith(("Conv2", "MaxPool2", "AvgPool2")):
        # A pool without a stride moves by its own size, and Paddle's keeps None.
        kernel, stride = pair(layer["kernel_size"]), pair(layer["stride"] or layer["kernel_size"])
        dilation = pair(layer.get("dilation") or 1)
        return tuple(1 + (size - 1) * gap for size, gap in zip(kernel, dilation, strict=True)), stride
    return (1, 1), (1, 1)


def pair(value: Any) -> tuple[int, int]:
    """(height, width) of an argument that may be one number."""
    if isinstance(value, (list, tuple)):
        return int(value[0]), int(value[-1])
    return int(value), int(value)


def tensors(value: Any) -> Iterator[Any]:
    """The tensors in what a layer takes or returns."""
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from tensors(part)
    elif hasattr(value, "shape"):
        yield value
