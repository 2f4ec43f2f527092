"""A target when none is given: the source's own names, and what they say about its layers.

Paddle's automatic parameter names (`linear_0.w_0`) tell the kind of the layer; with it a Linear weight is
transposed and a running mean gets torch's name. What carries no such name is copied, and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from convert.models.layout import BUFFERS, Layout, Slot
from convert.names import counted
from convert.rosetta.layers import layer_of_parameter_name
from convert.rosetta.rows import TRANSPOSE


def layout_of_names(
    shapes: Mapping[str, tuple[int, ...]], parameter_names: Mapping[str, str]
) -> tuple[Layout, list[str]]:
    """A layout for the given Paddle tensors, and notes on what is not known."""
    slots: list[Slot] = []
    unknown: list[str] = []
    for name, shape in shapes.items():
        row = layer_of_parameter_name(parameter_names.get(name, ""))
        prefix, dot, role = name.rpartition(".")
        parameter = None if row is None else next((p for p in row.parameters if p.paddle == role), None)
        if row is None or parameter is None:
            unknown.append(name)
            slots.append(Slot(name, shape, "", role))
            continue
        turned = shape[::-1] if parameter.transform == TRANSPOSE and len(shape) == 2 else shape
        learned = parameter.torch not in BUFFERS
        slots.append(Slot(prefix + dot + parameter.torch, turned, row.torch_class, parameter.torch, learned))
        if role == "_variance":
            slots += [
                Slot(prefix + dot + fill.torch, (), row.torch_class, fill.torch, False)
                for fill in row.generated
            ]
    notes = ["no target was given: the names are Paddle's, the layer kinds are read from its parameter names"]
    if unknown:
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        notes.append(
            f"nothing tells the layers of {counted(len(unknown), 'tensor')}, copied as they are: {shown}"
        )
    return Layout(tuple(slots), "the names in the file"), notes
