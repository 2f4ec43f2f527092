"""torchvision and timm beside a CPU build of torch: their compiled operators want CUDA's libraries there.

The classification networks need none of those operators; they only have to be declared.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest
import torch

OPERATORS = ("nms", "qnms")
_declared: list[torch.library.Library] = []


def zoo(name: str) -> ModuleType:
    """`torchvision` or `timm`; the test is skipped where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        pytest.skip(f"{name} is not installed")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    library = torch.library.Library("torchvision", "DEF")
    for operator in OPERATORS:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)
    return importlib.import_module(name)
