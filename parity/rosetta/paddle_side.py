"""Paddle's half of a proof: evaluates an example and returns arrays."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from convert.rosetta.rows import Example
from parity.rosetta.evaluate import Outcome, cotangent, leaves, run
from parity.rosetta.inputs import Input

FRAMEWORK: Any = paddle
TARGETS = 0.7
"""The small loss of optimizer examples pulls every parameter towards this, harder for later elements."""


def evaluate(
    text: str, inputs: Mapping[str, Input], example: Example, dtype: str
) -> tuple[Outcome, dict[str, NDArray[Any]]]:
    """The outcome of `text` in Paddle, and the state dict of the layer if the text built one."""
    from PIL import Image

    random.seed(0)
    np.random.seed(0)  # Paddle's transforms draw from it
    paddle.seed(0)
    before = paddle.get_default_dtype()
    paddle.set_default_dtype(dtype)
    try:
        given = {name: _tensor(item, dtype) for name, item in inputs.items()}
        names = {
            "paddle": paddle,
            "nn": paddle.nn,
            "F": paddle.nn.functional,
            "T": paddle.vision.transforms,
            "np": np,
            "Image": Image,
            "random": random,
            **given,
        }
        value = run(text, names)
        if isinstance(value, paddle.nn.Layer):
            return _call(value, given, example, dtype)
        if isinstance(value, paddle.optimizer.Optimizer):
            value = _optimize(value, given["parameters"], example.steps)
        elif isinstance(value, paddle.optimizer.lr.LRScheduler):
            value = _rates(value, given.get("metrics"), example.steps)
        elif isinstance(value, paddle.nn.initializer.Initializer):
            value = paddle.create_parameter(given["w"].shape, dtype, default_initializer=value)
        outcome = _outcome(value)
        if example.backward:
            _differentiate(leaves(value), given, outcome)
        return outcome, {}
    finally:
        paddle.set_default_dtype(before)


def _tensor(item: Input, dtype: str) -> Any:
    if item.kind == "image":
        from PIL import Image

        return Image.fromarray(item.values)
    if item.kind == "pixels":
        return item.values.copy()
    values = item.values.astype(dtype) if item.values.dtype.kind == "f" else item.values
    if item.kind == "parameters":
        return [
            paddle.create_parameter(row.shape, dtype, default_initializer=paddle.nn.initializer.Assign(row))
            for row in values
        ]
    return paddle.to_tensor(values, stop_gradient=not item.gradient)


def _array(leaf: Any) -> NDArray[Any]:
    return leaf.numpy() if isinstance(leaf, paddle.Tensor) else np.asarray(leaf)


def _outcome(value: Any) -> Outcome:
    arrays = [_array(leaf) for leaf in leaves(value)]
    return Outcome(arrays, [str(array.dtype) for array in arrays])


def _backward(results: list[Any]) -> bool:
    chosen = [
        r for r in results if isinstance(r, paddle.Tensor) and not r.stop_gradient and r.is_floating_point()
    ]
    if not chosen:
        return False
    total = sum(
        (r * paddle.to_tensor(cotangent(i, tuple(r.shape)).astype(str(r.dtype).rpartition(".")[2]))).sum()
        for i, r in enumerate(chosen)
    )
    total.backward()
    return True


def _differentiate(results: list[Any], given: Mapping[str, Any], outcome: Outcome) -> None:
    if _backward(results):
        for name, tensor in given.items():
            if isinstance(tensor, paddle.Tensor) and tensor.grad is not None:
                outcome.gradients[name] = tensor.grad.numpy()


def _fill(layer: Any, dtype: str) -> None:
    """Random weights, positive variances; rounded to float32 so that both precisions see one problem."""
    numbers = np.random.default_rng(0)
    layer.to(dtype=dtype)
    for name, tensor in layer.state_dict().items():
        values = numbers.standard_normal(tuple(tensor.shape)).astype("float32").astype(dtype)
        tensor.set_value(abs(values) + 0.5 if name.endswith("_variance") else values)


def _call(
    layer: Any, given: Mapping[str, Any], example: Example, dtype: str
) -> tuple[Outcome, dict[str, NDArray[Any]]]:
    _fill(layer, dtype)
    state = {name: tensor.numpy() for name, tensor in layer.state_dict().items()}
    outcome = Outcome()
    for mode in example.modes:
        getattr(layer, mode)()
        for tensor in (*given.values(), *layer.parameters()):
            if isinstance(tensor, paddle.Tensor):
                tensor.clear_gradient(set_to_zero=False)
        value = layer(*given.values())
        part = _outcome(value)
        outcome.values += part.values
        outcome.dtypes += part.dtypes
        if example.backward and _backward(leaves(value)):
            tensors = {**given, **{f"state:{n}": t for n, t in layer.state_dict().items()}}
            for name, tensor in tensors.items():
                if isinstance(tensor, paddle.Tensor) and tensor.grad is not None:
                    outcome.gradients[f"{mode}:{name}"] = tensor.grad.numpy()
    return outcome, state


def _loss(parameters: list[Any]) -> Any:
    total = 0
    for number, parameter in enumerate(parameters):
        weight = np.linspace(0.2, 1.0 + number, parameter.size).reshape(parameter.shape)
        total = (
            total
            + (
                paddle.to_tensor(weight.astype(str(parameter.dtype).rpartition(".")[2]))
                * (parameter - TARGETS) ** 2
            ).sum()
        )
    return total


def _optimize(optimizer: Any, parameters: list[Any], steps: int) -> list[NDArray[Any]]:
    def closure() -> Any:
        optimizer.clear_grad()
        loss = _loss(parameters)
        loss.backward()
        return loss

    for _ in range(steps):
        if isinstance(optimizer, paddle.optimizer.LBFGS):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return [parameter.numpy() for parameter in parameters]


def _rates(scheduler: Any, metrics: Any, steps: int) -> list[float]:
    rates = [float(scheduler())]
    for step in range(steps):
        if metrics is None:
            scheduler.step()
        else:
            scheduler.step(float(metrics[step]))
        rates.append(float(scheduler()))
    return rates
