"""What a summary consists of, and how the receptive field is followed through a network.

Framework-neutral: the two recorders call `Tracker` from their hooks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

BYTES = 4  # both frameworks build networks in float32
MIB = 1024**2


@dataclass(frozen=True)
class LayerRow:
    """One call of a layer. `receptive_field` is (height, width) in input pixels, None where it is all.

    `parameters` counts learned numbers, at a layer's first call only; `macs` products of a weight and a number.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    receptive_field: tuple[int, int] | None
    macs: int = 0


@dataclass(frozen=True)
class Block:
    """One call of a layer with layers of its own: those from `start` up to and without `end` in the order of calls.

    `parameters` are all in it, `own` those that none of its layers has; both at its first call only.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    own: int
    start: int
    end: int


@dataclass(frozen=True)
class Summary:
    """A network's layers in call order and what they add up to, for one input as it was given."""

    framework: str
    input_shapes: tuple[tuple[int, ...], ...]
    layers: tuple[LayerRow, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    parameters: int
    blocks: tuple[Block, ...] = ()

    @property
    def weight_mib(self) -> float:
        """Memory of the learned numbers in float32."""
        return self.parameters * BYTES / MIB

    @property
    def macs(self) -> int:
        """Multiply-adds of all layers."""
        return sum(layer.macs for layer in self.layers)

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
            "macs": self.macs,
            "weight_mib": round(self.weight_mib, 3),
            "activation_mib": round(self.activation_mib, 3),
            "receptive_field": self.receptive_field,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Summary:
        """The inverse of `to_json`."""
        layers = tuple(
            LayerRow(**{**row, "output_shape": tuple(row["output_shape"]), "receptive_field": _pair(row)})
            for row in data["layers"]
        )
        blocks = tuple(Block(**{**row, "output_shape": tuple(row["output_shape"])}) for row in data["blocks"])
        inputs, outputs = (
            tuple(tuple(shape) for shape in data[key]) for key in ("input_shapes", "output_shapes")
        )
        return cls(data["framework"], inputs, layers, outputs, data["parameters"], blocks)


def _pair(row: dict[str, Any]) -> tuple[int, int] | None:
    field = row["receptive_field"]
    return None if field is None else (field[0], field[1])


@dataclass(frozen=True)
class Difference:
    """A row in which the two frameworks disagree: which field, and what each says."""

    row: int
    field: str
    paddle: object
    torch: object


def compare(paddle: Summary, torch: Summary) -> list[Difference]:
    """Every disagreement of two summaries, layer by layer; [] when they describe the same network.

    Where one side has more layers (Identity, an activation that the other calls as a function), the others stay together.
    Names that differ nearly everywhere are one disagreement.
    """
    pairs = list(_together(paddle.layers, torch.layers))
    both = [(expected, actual) for _, expected, actual in pairs if expected and actual]
    renamed = [(expected.name, actual.name) for expected, actual in both if expected.name != actual.name]
    found: list[Difference] = []
    fields = ["name", "kind", "output_shape", "parameters", "receptive_field", "macs"]
    if 2 * len(renamed) > len(both):
        named = (", ".join([*names[:2], "..."]) for names in zip(*renamed, strict=True))
        found.append(Difference(-1, f"names of {len(renamed)} layers", *named))
        fields = fields[1:]
    for row, expected, actual in pairs:
        if not expected or not actual:
            found.append(Difference(row, "layer", *(side and side.name for side in (expected, actual))))
            continue
        for name in fields:
            theirs, ours = getattr(expected, name), getattr(actual, name)
            if (_kind(expected) != _kind(actual)) if name == "kind" else (theirs != ours):
                found.append(Difference(row, name, theirs, ours))
    if paddle.output_shapes != torch.output_shapes:
        found.append(Difference(-1, "output_shapes", paddle.output_shapes, torch.output_shapes))
    return found


def _together(
    paddle: Sequence[LayerRow], torch: Sequence[LayerRow]
) -> Iterator[tuple[int, LayerRow | None, LayerRow | None]]:
    """Layers that belong together, with the row of Paddle's that they are at; None where one side has no such layer."""
    ours, theirs = ([(_kind(layer), layer.output_shape) for layer in side] for side in (paddle, torch))
    for _, first, last, begin, end in SequenceMatcher(a=ours, b=theirs, autojunk=False).get_opcodes():
        for step, (expected, actual) in enumerate(zip_longest(paddle[first:last], torch[begin:end])):
            yield min(first + step, last), expected, actual


def _kind(layer: LayerRow) -> str:
    """Conv2D and Conv2d are the same kind."""
    return layer.kind.lower()


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


@dataclass(frozen=True)
class Module:
    """What is to be known of a layer of either framework.

    kinds: the names of its class and of those it is made from. parameters: learned numbers in it and in its layers; own: in it
    alone. weights: sizes of the matrices and kernels in it. geometry: arguments of a window, as torch calls them.
    """

    key: int
    name: str
    kinds: tuple[str, ...]
    parameters: int
    own: int
    weights: tuple[int, ...] = ()
    geometry: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.kinds[0]


APPLIED: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], int]] = {
    "ConvTranspose": lambda before, _: _batched(before),
    "Conv1DTranspose": lambda before, _: _batched(before),
    "Conv2DTranspose": lambda before, _: _batched(before),
    "Conv3DTranspose": lambda before, _: _batched(before),
    "Conv": lambda _, after: _batched(after),
    "Linear": lambda _, after: math.prod(after[:-1]),
    "Bilinear": lambda _, after: math.prod(after[:-1]),
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN", "SimpleRNN", "MultiheadAttention"), lambda before, _: math.prod(before[:-1])
    ),
}
"""Beginning of a layer's class -> how often each of its weights is multiplied, by the shapes of input and output."""


def _batched(shape: tuple[int, ...]) -> int:
    """Places of a map, of all of a batch: everything but the channels."""
    return shape[0] * math.prod(shape[2:])


def _macs(module: Module, before: tuple[int, ...], after: tuple[int, ...]) -> int:
    for kind in module.kinds:
        for beginning, times in APPLIED.items():
            if kind.startswith(beginning):
                return times(before, after) * sum(module.weights)
    return 0


@dataclass
class Tracker:
    """Follows the receptive field through calls of layers, by the identity of the tensors between them.

    A tensor that no layer made (F.relu, a concatenation, a sum) is given the widest view that its block
    has reached at a tensor of the same shape, else at any. That is exact for chains, for branches of
    different widths and for shortcuts, which is what the blocks of these networks are.
    """

    rows: list[LayerRow] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    _open: list[int] = field(default_factory=list)
    """For each open block, the number of layers before it."""
    _counted: set[int] = field(default_factory=set)
    _views: dict[int, View | None] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    # For each open block: what it and its layers reached, with the shape; first comes its own input.
    _blocks: list[list[tuple[View | None, tuple[int, ...]]]] = field(default_factory=lambda: [[(View(), ())]])

    def enter(self, inputs: tuple[Any, ...]) -> None:
        """A block with layers of its own starts."""
        self._blocks.append([(self.view_of(inputs), tuple(inputs[0].shape) if inputs else ())])
        self._open.append(len(self.rows))

    def leave(self, module: Module, outputs: tuple[Any, ...]) -> None:
        """It ends: whatever it returns has seen the most that anything in it saw."""
        block, start = self._blocks.pop(), self._open.pop()
        if start == len(self.rows):  # fused: its layers hold the weights and are never called
            self._call(module, block[0][0], block[0][1], outputs, module.parameters)
            return
        self._remember(outputs, _widest([view for view, _ in block[1:] or block]))
        first = self._first(module)
        self.blocks.append(
            Block(
                module.name,
                module.kind,
                tuple(outputs[0].shape) if outputs else (),
                module.parameters if first else 0,
                module.own if first else 0,
                start,
                len(self.rows),
            )
        )

    def call(self, module: Module, inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """A layer without layers of its own was called."""
        before = tuple(inputs[0].shape) if inputs else ()
        self._call(module, self.view_of(inputs), before, outputs, module.own)

    def _call(
        self,
        module: Module,
        view: View | None,
        before: tuple[int, ...],
        outputs: tuple[Any, ...],
        learned: int,
    ) -> None:
        """One without a tensor to return is none."""
        if not outputs:
            return
        after = tuple(outputs[0].shape)
        moves = window(module.kinds, module.geometry, before or after, after)
        view = view.through(*moves) if view and moves else None
        extent = view.extent if view and len(after) == 4 else None
        learned = learned if self._first(module) else 0
        self.rows.append(
            LayerRow(module.name, module.kind, after, learned, extent, _macs(module, before or after, after))
        )
        self._remember(outputs, view)

    def _first(self, module: Module) -> bool:
        """Whether this is its first call."""
        seen = module.key in self._counted
        self._counted.add(module.key)
        return not seen

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


def window(
    kinds: tuple[str, ...], layer: dict[str, Any], before: tuple[int, ...], after: tuple[int, ...]
) -> Any:
    """(kernel, stride) of a layer by its classes and attributes; None for one that looks at everything.

    `before` and `after` are the shapes of its input and output.
    """
    if any(kind.startswith("Linear") for kind in kinds):
        return None
    if kinds[0].startswith("Adaptive") and len(before) == 4:
        if set(after[2:]) == {1}:
            return None
        sizes = list(zip(before[2:], after[2:], strict=True))
        stride = tuple(max(1, size // out) for size, out in sizes)
        kernel = tuple(
            max(1, size - (out - 1) * step) for (size, out), step in zip(sizes, stride, strict=True)
        )
        return kernel, stride
    if any(kind.startswith(("Conv2", "MaxPool2", "AvgPool2")) and "Transpose" not in kind for kind in kinds):
        kernel = pair(layer["kernel_size"])
        # Paddle keeps what it was given: a pool without a stride moves by its kernel.
        stride = kernel if layer.get("stride") is None else pair(layer["stride"])
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
    elif isinstance(value, Mapping):
        yield from tensors(list(value.values()))
    elif hasattr(value, "shape"):
        yield value
