"""What conversion needs from torch itself: making tensors, and building a user's module and optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.adapters.reference import not_installed
from convert.errors import ConvertError

try:
    import torch
except ModuleNotFoundError as error:
    raise ConvertError(not_installed("torch")) from error


def to_torch(array: np.ndarray, dtype_name: str) -> torch.Tensor:
    """A tensor with a copy of `array`; bits in uint16 become bfloat16 when `dtype_name` says so."""
    tensor = torch.from_numpy(np.array(array, order="C", copy=True))
    return tensor.view(torch.bfloat16) if dtype_name == "bfloat16" else tensor


def filled(shape: tuple[int, ...], value: int, dtype: str) -> torch.Tensor:
    """A tensor of one value."""
    return torch.full(shape, value, dtype=getattr(torch, dtype))


def build_module(
    reference: str, arguments: dict[str, Any] | None = None, *, values: bool = False
) -> torch.nn.Module:
    """The module that `package.module:factory` or `path/to/file.py:factory` makes, called with `arguments`.

    Built on torch's meta device where that works, unless its `values` are asked for: a layout needs names and shapes, not
    weights.
    """
    from convert.adapters.factory import check_call, load_factory, users_code

    factory = load_factory(reference)
    check_call(reference, factory, arguments or {}, "--torch-args")
    with users_code(f"{reference} cannot be built", "give its arguments with --torch-args"):
        try:
            with torch.device("cpu" if values else "meta"):
                module = factory(**(arguments or {}))
        except Exception:  # some constructors compute with their weights
            module = factory(**(arguments or {}))
    if not isinstance(module, torch.nn.Module):
        raise ConvertError(
            f"{reference} made a {type(module).__name__}, which is not a torch.nn.Module; name a factory that "
            "returns the module alone"
        )
    return module


def build_optimizer(reference: str, module: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimizer that `package.module:factory` or `path/to/file.py:factory` makes of a module."""
    from convert.adapters.factory import load_factory, users_code

    factory = load_factory(reference)
    with users_code(f"{reference} cannot make an optimizer of the module"):
        optimizer = factory(module)
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise ConvertError(
            f"{reference} made a {type(optimizer).__name__}, which is no torch.optim.Optimizer"
        )
    return optimizer
