"""What older torches do not tell a recorder, which asks for it another way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from parity.capture import torch as capture
from parity.setup.inputs import as_arrays
from parity.sides.live import LiveSide


class Slices(torch.nn.Module):
    def forward(self, x):
        first, rest = x[:, 0], x[:, 1:]
        return first + rest.sum(1) * x[0, 0]


def kinds(folder: Path) -> list[str]:
    trace, values = LiveSide("torch", Slices()).capture(
        as_arrays(np.ones((2, 3, 4), "float32")), mode="eval", precision="float64", store=folder / "values"
    )
    values.close()
    return [f"{op.kind}" for op in trace.ops]


def deaf(mode: Any, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The recorder's mode as torch 2.1 calls it: not for elements."""
    if function.__name__ == "__getitem__":
        return function(*args)
    return told(mode, function, types, args, kwargs)


told = capture._Mode.__torch_function__


@pytest.mark.parametrize("seen", [True, False])
def test_elements_are_recorded_whether_a_mode_is_told_of_them_or_not(tmp_path, monkeypatch, seen):
    """Before torch 2.2 a mode hears nothing of `x[0]`."""
    monkeypatch.setattr(capture, "_sees_elements", lambda: seen)
    if not seen:
        monkeypatch.setattr(capture._Mode, "__torch_function__", deaf)
    assert kinds(tmp_path).count("getitem") == 3
    assert "__getitem__" not in vars(torch.Tensor)
