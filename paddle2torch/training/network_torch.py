"""A torch network: built, given weights, asked for logits. `network_paddle` is the same in Paddle."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from convert.adapters.factory import check_call, load_factory, users_code
from convert.adapters.reference import not_installed
from convert.names import counted
from paddle2torch.training.errors import TrainingError, forward
from paddle2torch.training.recipe import Network, within
from paddle2torch.training.weights import require_fit, spelled

try:
    import torch
except ModuleNotFoundError as error:
    raise TrainingError(not_installed("torch")) from error

from parity.remedies.torch_batch_norm import use_biased_variance

Array = np.ndarray[Any, np.dtype[Any]]


def build(network: Network, *, seed: int = 0) -> torch.nn.Module:
    """The network with random weights; its BatchNorms as Paddle has them, unless torch's own are asked for."""
    _check_device(network.device)
    torch.manual_seed(seed)
    factory = load_factory(network.reference, registered=bool(network.registered))
    check_call(network.reference, factory, network.arguments, "--args")
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, network.dtype))
    try:
        with users_code(f"{network.reference} cannot be built", "give its arguments with --args"):
            model = factory(**network.arguments)
    finally:
        torch.set_default_dtype(before)
    if not isinstance(model, torch.nn.Module):
        raise TrainingError(
            f"{network.reference} made a {type(model).__name__}, which is not a torch.nn.Module"
        )
    if network.dropout is not None:
        for layer in model.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = network.dropout
    if network.paddles_variance:
        use_biased_variance(model)
    if network.dtype == "float64":
        _round(model)
    return model.to(network.device)


def _check_device(device: str) -> None:
    if device.startswith("cpu"):
        return
    if not torch.cuda.is_available():
        raise TrainingError(
            f"device {device}: this torch sees no CUDA device; run it on the CPU, or with a CUDA build of torch"
        )
    if int(device.partition(":")[2] or 0) >= torch.cuda.device_count():
        raise TrainingError(
            f"device {device}: torch sees {counted(torch.cuda.device_count(), 'CUDA device')}"
        )


def exactly(device: str) -> AbstractContextManager[None]:
    """On a GPU: no TF32, and the same kernels every time."""
    if device.startswith("cpu"):
        return nullcontext()
    from parity.capture.torch import exact_arithmetic

    return exact_arithmetic(device)


def _round(model: torch.nn.Module) -> None:
    """Paddle keeps these numbers in float32 even in a float64 network."""
    for layer in model.modules():
        if isinstance(getattr(layer, "eps", None), float):
            setattr(layer, "eps", _single(layer.eps))  # noqa: B010 - to mypy every attribute of a module is a tensor
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm) and layer.momentum is not None:
            layer.momentum = 1 - _single(1 - layer.momentum)


def _single(value: Any) -> float:
    return float(np.float32(value))


def training(device: str) -> AbstractContextManager[None]:
    """Around a run, so that one that goes on is the run that was never stopped."""
    return exactly(device)


def last_layer(model: torch.nn.Module) -> str:
    """The name of the last layer with weights of its own: the one that makes the logits."""
    held = [name for name, layer in model.named_modules() if list(layer.parameters(recurse=False))]
    return held[-1] if held else ""


def load(model: torch.nn.Module, path: str, network: Network, *, left: str = "") -> None:
    """Give the network the weights of a checkpoint of either framework, but for the layer `left`."""
    from convert import convert_state_dict, open_checkpoint
    from convert.plan.plan import Options
    from convert.plan.planner import plan_conversion

    with open_checkpoint(path) as opened:
        checkpoint = spelled(opened, network)
        head = (f"{left}.*",) if any(within(name, left) for name in checkpoint) else ()
        options = Options(exclude=head, partial=True) if left else Options()
        plan = plan_conversion(checkpoint, model, options)
        of_kind: dict[str, list[str]] = {}
        for problem in plan.problems:
            of_kind.setdefault(problem.kind, []).append(problem.name)
        if set(of_kind) <= {"missing", "extra", "shape"}:
            lost = [name for name in plan.left if not within(name, left)]
            strangers = [drop.name for drop in plan.dropped if left and "partial load" in drop.why]
            require_fit(
                path,
                network,
                left,
                missing=of_kind.get("missing", []) + lost,
                extra=of_kind.get("extra", []) + strangers,
                shapes=of_kind.get("shape", []),
            )
        model.load_state_dict(convert_state_dict(checkpoint, model, options), strict=not left)


def ask(model: Any, images: Any) -> Any:
    """The logits for images, in the mode that the network is in: the first of several outputs."""
    with forward("torch", images.shape):
        output = model(images)
    return output[0] if isinstance(output, (list, tuple)) else output


def logits(model: torch.nn.Module, images: Array) -> Array:
    """What the network answers in the mode that it is in, [N, classes]."""
    weight = next(iter(model.parameters()))
    with torch.no_grad(), exactly(weight.device.type):
        found: Array = ask(model, torch.from_numpy(images).to(weight.device, weight.dtype)).cpu().numpy()
    return found


def optimizer_arrays(path: Any) -> dict[int, dict[str, Array]]:
    """The optimizer's state in a checkpoint of `train`: place of the parameter -> name in torch -> numbers."""
    state = torch.load(path, weights_only=True, map_location="cpu")["optimizer"]["state"]
    return {
        index: {name: value.numpy() for name, value in entry.items() if value is not None}
        for index, entry in state.items()
    }
