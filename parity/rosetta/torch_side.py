"""torch's half of a proof: evaluates an example, with Paddle's weights where it built a layer, and returns arrays."""

from __future__ import annotations

import importlib
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from convert import convert_state_dict
from convert.rosetta.rows import Example
from parity.ops.table import float32
from parity.rosetta.evaluate import Outcome, cotangent, leaves, run
from parity.rosetta.inputs import Input

FRAMEWORK: Any = torch
TARGETS = 0.7
"""As in Paddle's half."""


def evaluate(
    text: str,
    inputs: Mapping[str, Input],
    example: Example,
    dtype: str,
    state: Mapping[str, NDArray[Any]],
    *,
    f32: Any = float32,
) -> Outcome:
    """The outcome of `text` in torch. `state` is the Paddle layer's, if it built one; `f32=float` leaves rounding out."""
    from PIL import Image

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        given = {name: _tensor(item, dtype) for name, item in inputs.items()}
        names = {
            "torch": torch,
            "nn": torch.nn,
            "F": torch.nn.functional,
            "np": np,
            "Image": Image,
            "random": random,
            "f32": f32,
            "optimizer": _optimizer,
            **given,
        }
        if "T." in text:
            names["T"] = _transforms()
        value = run(text, names)
        if isinstance(value, torch.nn.Module):
            return _call(value, given, example, state)
        if isinstance(value, torch.optim.Optimizer):
            value = _optimize(value, given["parameters"], example.steps)
        elif isinstance(value, torch.optim.lr_scheduler.LRScheduler) or hasattr(value, "last_lr"):
            value = _rates(value, given.get("metrics"), example.steps)
        outcome = _outcome(value)
        if example.backward:
            _differentiate(leaves(value), given, outcome)
        return outcome
    finally:
        torch.set_default_dtype(before)


_LIBRARIES: list[Any] = []


def _transforms() -> Any:
    """torchvision.transforms, also where its compiled operators do not load (a build for another torch): transforms need none."""
    try:
        return importlib.import_module("torchvision.transforms")
    except RuntimeError:
        library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARIES.append(library)  # its operators go when it does
        return importlib.import_module("torchvision.transforms")


def vision() -> Any:
    """torchvision, with its transforms."""
    _transforms()
    return importlib.import_module("torchvision")


def _optimizer(rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)


def _tensor(item: Input, dtype: str) -> Any:
    if item.kind == "image":
        from PIL import Image

        return Image.fromarray(item.values)
    if item.kind == "pixels":
        return item.values.copy()
    values = item.values.astype(dtype) if item.values.dtype.kind == "f" else item.values.copy()
    if item.kind == "parameters":
        return [torch.tensor(row, requires_grad=True) for row in values]
    return torch.tensor(values, requires_grad=item.gradient)


def _array(leaf: Any) -> NDArray[Any]:
    return leaf.detach().resolve_conj().numpy() if isinstance(leaf, torch.Tensor) else np.asarray(leaf)


def _outcome(value: Any) -> Outcome:
    arrays = [_array(leaf) for leaf in leaves(value)]
    return Outcome([array.copy() for array in arrays], [str(array.dtype) for array in arrays])


def _backward(results: list[Any]) -> bool:
    chosen = [r for r in results if isinstance(r, torch.Tensor) and r.requires_grad]
    if not chosen:
        return False
    total: Any = sum(
        (r * torch.from_numpy(cotangent(i, tuple(r.shape))).to(r.dtype)).sum() for i, r in enumerate(chosen)
    )
    total.backward()
    return True


def _differentiate(results: list[Any], given: Mapping[str, Any], outcome: Outcome) -> None:
    if _backward(results):
        for name, tensor in given.items():
            if isinstance(tensor, torch.Tensor) and tensor.grad is not None:
                outcome.gradients[name] = tensor.grad.numpy()


def _call(
    module: torch.nn.Module, given: Mapping[str, Any], example: Example, state: Mapping[str, NDArray[Any]]
) -> Outcome:
    if state:
        module.load_state_dict(convert_state_dict(state, module), strict=True)
    outcome = Outcome()
    for mode in example.modes:
        getattr(module, mode)()
        module.zero_grad()
        for tensor in given.values():
            if isinstance(tensor, torch.Tensor):
                tensor.grad = None
        value = module(*given.values())
        part = _outcome(value)
        outcome.values += part.values
        outcome.dtypes += part.dtypes
        if example.backward and _backward(leaves(value)):
            tensors = {**given, **{f"state:{n}": t for n, t in module.named_parameters()}}
            for name, tensor in tensors.items():
                if isinstance(tensor, torch.Tensor) and tensor.grad is not None:
                    outcome.gradients[f"{mode}:{name}"] = tensor.grad.numpy().copy()
    outcome.module = module
    return outcome


def in_torch_layout(
    gradients: Mapping[str, NDArray[Any]], state: Mapping[str, NDArray[Any]], module: Any
) -> Any:
    """Paddle's parameter gradients under torch's names and in its layouts; zeros where Paddle has none."""
    whole = {name: gradients.get(name, np.zeros_like(value)) for name, value in state.items()}
    return {name: tensor.numpy() for name, tensor in convert_state_dict(whole, module).items()}


def _loss(parameters: list[Any]) -> Any:
    total: Any = 0
    for number, parameter in enumerate(parameters):
        weight = torch.from_numpy(np.linspace(0.2, 1.0 + number, parameter.numel())).to(parameter.dtype)
        total = total + (weight.reshape(parameter.shape) * (parameter - TARGETS) ** 2).sum()
    return total


def _optimize(optimizer: Any, parameters: list[Any], steps: int) -> list[NDArray[Any]]:
    def closure() -> Any:
        optimizer.zero_grad()
        loss = _loss(parameters)
        loss.backward()
        return loss

    for _ in range(steps):
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(closure)  # type: ignore[no-untyped-call]
        else:
            closure()
            optimizer.step()
    return [parameter.detach().numpy() for parameter in parameters]


def _rates(scheduler: Any, metrics: Any, steps: int) -> list[float]:
    """The rates of torch's scheduler, or of one that a port has of Paddle's kind."""
    own = isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    rates = [float(scheduler.get_last_lr()[0] if own else scheduler())]
    for step in range(steps):
        if own:
            scheduler.optimizer.step()
        if metrics is None:
            scheduler.step()
        else:
            scheduler.step(float(metrics[step]))
        rates.append(float(scheduler.get_last_lr()[0] if own else scheduler()))
    return rates
