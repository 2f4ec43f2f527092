"""A checkpoint in its form for training, as the weights of a re-parameterised network: branches become one convolution.

RepVGG and its like (MobileOne, PP-LCNetV3) train several branches, each a convolution and a BatchNorm or a BatchNorm alone, and
run one convolution that computes their sum: kernel = sum(pad(kernel_i) * scale_i), bias = sum(shift_i - mean_i * scale_i), scale =
weight / sqrt(variance + epsilon) (Ding et al. 2021, section 3.3). Which layers are branches of which convolution is
read off the names and shapes, and whether they are is for whoever fuses to prove by running both networks: a chain of
layers has such names too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from convert.checkpoint.checkpoint import Checkpoint
from convert.checkpoint.payload import ComputedPayload
from convert.checkpoint.tensor import TensorRef
from convert.dtypes import by_name
from convert.errors import ConvertError
from convert.models.layout import Layout, Slot
from convert.names import counted, listed

if TYPE_CHECKING:
    import numpy as np

EPSILON = 1e-5
"""BatchNorm's default, in Paddle and torch; a checkpoint does not say it, and the proof shows whether it was another."""
_NORM = frozenset({"weight", "bias", "_mean", "_variance"})


@dataclass(frozen=True)
class Branch:
    """One summand: the prefix of its convolution ("" for the identity) and of its BatchNorm ("" for none)."""

    conv: str
    norm: str


def fuse(checkpoint: Checkpoint, layout: Layout) -> Checkpoint:
    """The checkpoint with every group of branches replaced by the convolution of the target that they stand for.

    ConvertError where the target has no such convolution, or where shapes or names leave open what its branches are.
    """
    layers: dict[str, dict[str, TensorRef]] = {}
    for name, ref in checkpoint.items():
        prefix, dot, role = name.rpartition(".")
        layers.setdefault(prefix + dot, {})[role] = ref
    wanted = [
        slot
        for slot in layout.slots
        if slot.role == "weight" and "Conv" in slot.layer and slot.prefix not in layers
    ]
    slots = {slot.name: slot for slot in layout.slots}
    kept = {slot.prefix for slot in layout.slots}
    tensors = dict(checkpoint.tensors)
    for slot in wanted:
        bias = slots.get(f"{slot.prefix}bias")
        if bias is None:
            raise ConvertError(f"{slot.name}: a fused convolution has a bias, and the target's has none")
        parent = slot.prefix.rstrip(".").rpartition(".")
        inside = {
            prefix: held
            for prefix, held in layers.items()
            if prefix.startswith(parent[0] + parent[1]) and prefix not in kept
        }
        others = [
            other.prefix
            for other in wanted
            if other is not slot and other.prefix.startswith(parent[0] + parent[1])
        ]
        branches = list(_branches(checkpoint, slot, inside)) if inside and not others else []
        if not branches:
            raise ConvertError(
                f"{checkpoint.path}: has no branches that {slot.prefix.rstrip('.')!r} of the target could be fused of"
            )
        for branch in branches:
            for prefix in filter(None, (branch.conv, branch.norm)):
                for role in layers.pop(prefix):
                    del tensors[prefix + role]
        tensors |= _fused(checkpoint, slot, bias, branches)
    if not wanted:
        raise ConvertError(
            f"--fuse: every convolution of {layout.origin} has its own tensors in {checkpoint.path}"
        )
    note = f"fused: {counted(len(wanted), 'convolution')} of several branches ({listed([slot.prefix.rstrip('.') for slot in wanted])})"
    facts = replace(checkpoint.facts, notes=(*checkpoint.facts.notes, note))
    return replace(checkpoint, tensors=MappingProxyType(tensors), facts=facts)


def _branches(
    checkpoint: Checkpoint, slot: Slot, layers: Mapping[str, Mapping[str, TensorRef]]
) -> Iterator[Branch]:
    """The branches among the layers beside a convolution; each layer belongs to one."""
    rank = len(slot.shape)
    convs = [
        prefix for prefix, held in layers.items() if "weight" in held and len(held["weight"].shape) == rank
    ]
    norms = [
        prefix for prefix, held in layers.items() if held.keys() >= _NORM and len(held["weight"].shape) == 1
    ]
    strange = [prefix for prefix in layers if prefix not in convs and prefix not in norms]
    if strange:
        raise ConvertError(
            f"{checkpoint.path}: {strange[0].rstrip('.')!r} beside {slot.prefix.rstrip('.')!r} is neither a convolution nor a "
            "BatchNorm, so it cannot be fused"
        )
    free = list(norms)
    for conv in convs:
        place = conv.rstrip(".").rpartition(".")[0]
        near = [norm for norm in free if norm.rstrip(".").rpartition(".")[0] == place]
        if len(near) > 1:  # conv3, bn3 and conv1, bn1 beside each other
            digits = "".join(filter(str.isdigit, conv.rstrip(".").rpartition(".")[2]))
            near = [
                n for n in near if "".join(filter(str.isdigit, n.rstrip(".").rpartition(".")[2])) == digits
            ]
        if len(near) > 1:
            raise ConvertError(
                f"{checkpoint.path}: {conv.rstrip('.')!r} has several BatchNorms beside it, and which is its own the names do not tell"
            )
        if near:
            free.remove(near[0])
        yield Branch(conv, near[0] if near else "")
    for norm in free:
        yield Branch("", norm)


def _fused(checkpoint: Checkpoint, slot: Slot, bias: Slot, branches: list[Branch]) -> dict[str, TensorRef]:
    """Weight and bias of the convolution, computed in float64 when they are read."""
    for branch in branches:
        held = checkpoint.get(f"{branch.conv}weight") if branch.conv else None
        rows = checkpoint[f"{branch.norm}weight"].shape[0] if branch.norm else slot.shape[0]
        fits = rows == slot.shape[0] and (
            held is None
            or (
                held.shape[:2] == slot.shape[:2]
                and all(
                    a <= b and (b - a) % 2 == 0 for a, b in zip(held.shape[2:], slot.shape[2:], strict=True)
                )
            )
        )
        if not fits:
            shown = "" if held is None else f" {list(held.shape)}"
            raise ConvertError(
                f"{checkpoint.path}: {(branch.conv or branch.norm).rstrip('.')!r}{shown} cannot be a branch of {slot.name!r} "
                f"{list(slot.shape)}"
            )

    def summed() -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        weight, shift = np.zeros(slot.shape), np.zeros(slot.shape[0])
        for branch in branches:
            kernel, offset = _of(checkpoint, branch, slot)
            weight += kernel
            shift += offset
        return weight, shift

    kind = by_name("float32")
    return {
        slot.name: TensorRef(
            slot.shape,
            kind,
            ComputedPayload(kind.itemsize * math.prod(slot.shape), lambda: summed()[0].astype("float32")),
        ),
        bias.name: TensorRef(
            bias.shape,
            kind,
            ComputedPayload(kind.itemsize * math.prod(bias.shape), lambda: summed()[1].astype("float32")),
        ),
    }


def _of(checkpoint: Checkpoint, branch: Branch, slot: Slot) -> tuple[np.ndarray, np.ndarray]:
    """A branch's kernel, as large as the target's, and its shift."""
    import numpy as np

    def read(name: str) -> np.ndarray:
        return checkpoint[name].numpy().astype(np.float64)

    if branch.conv:
        own = read(f"{branch.conv}weight")
        border = [((b - a) // 2, (b - a) // 2) for a, b in zip(own.shape[2:], slot.shape[2:], strict=True)]
        kernel = np.pad(own, [(0, 0), (0, 0), *border])
        shift = read(f"{branch.conv}bias") if f"{branch.conv}bias" in checkpoint else np.zeros(slot.shape[0])
    else:
        kernel, shift = np.zeros(slot.shape), np.zeros(slot.shape[0])
        middle = tuple(size // 2 for size in slot.shape[2:])
        for channel in range(slot.shape[0]):
            kernel[(channel, channel % slot.shape[1], *middle)] = 1.0
    if not branch.norm:
        return kernel, shift
    scale = read(f"{branch.norm}weight") / np.sqrt(
        read(f"{branch.norm}_variance") + float(np.float32(EPSILON))
    )
    shift = read(f"{branch.norm}bias") + (shift - read(f"{branch.norm}_mean")) * scale
    return kernel * scale.reshape(-1, *[1] * (len(slot.shape) - 1)), shift
