"""Whose layout a source's tensors are in: a torch file as the source is copied, and never transposed once more.

A Linear weight is [in, out] in Paddle and [out, in] in torch, and a square one shows no difference. The container tells
most (PyTorch's zip, what the metadata of a safetensors says, Paddle's table of names), then matrices that are not square,
then names that only one framework has. Where none of them tells, the user is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from convert.errors import ConvertError
from convert.models.layout import Slot
from convert.rosetta.layers import ways_to_fill
from convert.rosetta.rows import TRANSPOSE

Shape = tuple[int, ...]

PADDLE, TORCH = "paddle", "torch"
LAYOUTS = (PADDLE, TORCH)
_TORCH_ROLES = ("running_mean", "running_var", "num_batches_tracked")
_PADDLE_ROLES = ("_mean", "_variance")
ASK = (
    "nothing tells whether its matrices are in Paddle's order [in, out] or torch's [out, in]: add --layout paddle if "
    "Paddle saved it, or --layout torch"
)


@dataclass(frozen=True)
class Evidence:
    """What a source's container tells: a framework, "" for nothing; `sure` is False for a mere habit."""

    framework: str
    why: str = ""
    sure: bool = True


def evidence(source: Any) -> Evidence:
    """What the container of `source` (a Checkpoint, or a mapping of live tensors or arrays) tells."""
    form = getattr(source, "format", None)
    if form is None:
        return _of_tensors(source)
    if form == "pth":
        return Evidence(TORCH, "a file by torch.save")
    if form == "safetensors":
        extras = source.extras
        if extras.get("format") == "pt" or str(extras.get("tool", "")).startswith("paddle2torch"):
            return Evidence(TORCH, "as its metadata says")
        return Evidence("")
    return Evidence(PADDLE, "a file by Paddle", sure=form != "pdparams" or bool(source.parameter_names))


def _of_tensors(source: Mapping[str, Any]) -> Evidence:
    made_by = {type(value).__module__.partition(".")[0] for value in source.values()}
    if made_by == {"torch"}:
        return Evidence(TORCH, "tensors of torch")
    return Evidence(PADDLE, sure="paddle" in made_by)


def turned_slots(slots: Iterable[Slot]) -> list[Slot]:
    """The matrices that are transposed on the way from Paddle."""
    return [slot for slot in slots if len(slot.shape) == 2 and _is_turned(slot)]


def decide(given: str, found: Evidence, shapes: Mapping[str, Shape], turned: Iterable[Slot]) -> str:
    """The framework whose order the tensors of `shapes` are in; "" where the user has to say it.

    `turned` are the target's matrices of which the order matters.
    """
    if given and given not in LAYOUTS:
        raise ConvertError(f"layout {given!r}: it is paddle or torch")
    if given or (found.sure and found.framework):
        return given or found.framework
    said = {
        framework
        for slot in turned
        if slot.shape[0] != slot.shape[1]
        for shape in (shapes.get(slot.name) or shapes.get(slot.paddle_prefix + slot.role),)
        for framework, order in ((TORCH, slot.shape), (PADDLE, slot.shape[::-1]))
        if shape == order
    }
    if found.framework and said:
        return found.framework  # its habit; a matrix that does not fit is a problem of its own
    if len(said) == 1:
        return said.pop()
    roles = {name.rpartition(".")[2] for name in shapes}
    theirs = [
        framework
        for framework, known in ((PADDLE, _PADDLE_ROLES), (TORCH, _TORCH_ROLES))
        if not roles.isdisjoint(known)
    ]
    if len(theirs) == 1 and found.framework in ("", theirs[0]):
        return theirs[0]
    return "" if theirs else found.framework


def _is_turned(slot: Slot) -> bool:
    return any(TRANSPOSE in one.transform for way in ways_to_fill(slot.layer, slot.role) for one in way)


def copied(found: Evidence) -> str:
    """The note on a source that is not transposed."""
    why = f" ({found.why})" if found.why and found.framework == TORCH else ""
    return f"the tensors are in torch's own layout{why} and were copied as they are; if they are Paddle's, add --layout paddle"
