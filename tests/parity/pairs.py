"""Pairs of models for the tests: registered twins, twins whose torch source is edited, and small ones."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path

import numpy as np
import paddle
import torch

from convert.models.registry import MODELS
from convert.plan.planner import plan_conversion
from convert.plan.transform import apply_transform
from parity.setup.inputs import random_input
from parity.sides.live import LiveSide
from parity.sides.random_weights import random_state, residual_scales, signed_scales
from parity.sides.side import adapter
from parity.trace.values import scratch_directory


def registered(name: str, *, shape: tuple[int, ...], torch_module=None, paddle_change=None, **arguments):
    """(Paddle model, torch model, input) of a registered network, with weights that show mistakes.

    `torch_module` is where the torch factory is looked up instead of in `torch_models`.
    """
    spec = MODELS[name]
    paddle_model = _factory(spec.paddle_factory)(**arguments)
    if paddle_change is not None:
        paddle_change(paddle_model)
    make = _factory(spec.torch_factory) if torch_module is None else getattr(torch_module, name)
    torch_model = make(**arguments)
    inputs = random_input(shape)
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    return paddle_model, torch_model, inputs


def _factory(reference: str):
    module, name = reference.split(":")
    return getattr(importlib.import_module(module), name)


def fill(paddle_model, inputs, seed: int = 0) -> None:
    """What the command line does without --weights."""
    named = {"0": inputs} if isinstance(inputs, np.ndarray) else {str(i): a for i, a in enumerate(inputs)}
    with scratch_directory() as scratch:
        trace, values = LiveSide("paddle", paddle_model).capture(
            named, mode="eval", precision="float32", store=scratch / "values", outputs_only=True
        )
        values.close()
    tools = adapter("paddle")
    state = random_state(
        tools.state(paddle_model), seed=seed, damped=residual_scales(trace), signed=signed_scales(trace)
    )
    tools.load_state(paddle_model, state, strict=True)


def load_what_fits(paddle_model, torch_model) -> None:
    """Convert the weights; what only torch has keeps its initial values, as in a port that forgot it."""
    source = {name: tensor.numpy() for name, tensor in paddle_model.state_dict().items()}
    plan = plan_conversion(source, torch_model)
    state = {m.target: apply_transform(source[m.source], m.transform) for m in plan.moves}
    state = {name: torch.from_numpy(np.array(array)) for name, array in state.items()}
    torch_model.load_state_dict(state, strict=False)


def edited(tmp_path: Path, module, *edits: tuple[str, str]):
    """A module like `module` with each (old, new) replaced in its source, imported from a real file."""
    source = inspect.getsource(module)
    for old, new in edits:
        assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
        source = source.replace(old, new)
    path = tmp_path / f"{module.__name__.rpartition('.')[2]}_port.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found
    spec.loader.exec_module(found)
    return found


class PaddleNet(paddle.nn.Layer):
    """A convolution, a BatchNorm, a square Linear, a Dropout."""

    def __init__(self):
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 6, 3, padding=1)
        self.bn = paddle.nn.BatchNorm2D(6)
        self.fc = paddle.nn.Linear(6, 6)
        self.dropout = paddle.nn.Dropout(0.5)

    def forward(self, x):
        x = paddle.nn.functional.relu(self.bn(self.conv(x)))
        return self.dropout(self.fc(x.mean([2, 3])))


class TorchNet(torch.nn.Module):
    """The twin of PaddleNet."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 3, padding=1)
        self.bn = torch.nn.BatchNorm2d(6)
        self.fc = torch.nn.Linear(6, 6)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, x):
        x = torch.nn.functional.relu(self.bn(self.conv(x)))
        return self.dropout(self.fc(x.mean([2, 3])))


def small(torch_class=TorchNet, paddle_class=PaddleNet, *, shape=(2, 3, 8, 8)):
    """(Paddle model, torch model, input) of the small pair or of variations of it."""
    paddle_model, torch_model = paddle_class(), torch_class()
    inputs = random_input(shape)
    fill(paddle_model, inputs)
    load_what_fits(paddle_model, torch_model)
    return paddle_model, torch_model, inputs
