"""Checkpoints: read them without executing anything, plan what moves where, write the other side's format.

Importing this package loads neither framework and not even numpy: a name is imported when it is first
asked for, so that `paddle2torch convert` starts in the time Python itself needs.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # not typing's, which costs more to import than the rest
if TYPE_CHECKING:
    from typing import Any

    from convert.apply.checkpoint import ConversionReport, convert_checkpoint
    from convert.apply.memory import convert_state_dict
    from convert.checkpoint.checkpoint import Checkpoint
    from convert.checkpoint.reader import open_checkpoint
    from convert.checkpoint.tensor import TensorRef
    from convert.errors import ConvertError
    from convert.models.layout import Layout, Slot, module_layout, registered_layout
    from convert.plan.plan import ConversionPlan, Move
    from convert.plan.planner import plan_conversion
    from convert.plan.transform import apply_transform

_HOMES = {
    "Checkpoint": "convert.checkpoint.checkpoint",
    "ConversionPlan": "convert.plan.plan",
    "ConversionReport": "convert.apply.checkpoint",
    "ConvertError": "convert.errors",
    "Layout": "convert.models.layout",
    "Move": "convert.plan.plan",
    "Slot": "convert.models.layout",
    "TensorRef": "convert.checkpoint.tensor",
    "apply_transform": "convert.plan.transform",
    "convert_checkpoint": "convert.apply.checkpoint",
    "convert_state_dict": "convert.apply.memory",
    "module_layout": "convert.models.layout",
    "open_checkpoint": "convert.checkpoint.reader",
    "plan_conversion": "convert.plan.planner",
    "registered_layout": "convert.models.layout",
}

__all__ = [
    "Checkpoint",
    "ConversionPlan",
    "ConversionReport",
    "ConvertError",
    "Layout",
    "Move",
    "Slot",
    "TensorRef",
    "apply_transform",
    "convert_checkpoint",
    "convert_state_dict",
    "module_layout",
    "open_checkpoint",
    "plan_conversion",
    "registered_layout",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from convert.namesakes import missing

        raise missing("convert", name)
    return getattr(importlib.import_module(_HOMES[name]), name)
