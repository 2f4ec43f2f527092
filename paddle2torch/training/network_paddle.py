"""A Paddle network: built, given weights, asked for logits. `network_torch` is the same in torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from convert.adapters.factory import check_call, load_factory, users_code
from convert.adapters.reference import not_installed
from convert.names import counted
from paddle2torch.training.errors import TrainingError, forward
from paddle2torch.training.recipe import Network
from paddle2torch.training.weights import fitting, in_paddles_layout

try:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No ccache found")
        import paddle
except ModuleNotFoundError as error:
    raise TrainingError(not_installed("paddle")) from error

Array = np.ndarray[Any, np.dtype[Any]]


def build(network: Network, *, seed: int = 0) -> paddle.nn.Layer:
    """The network with random weights."""
    _check_device(network.device)
    paddle.set_device("cpu" if network.device.startswith("cpu") else network.device.replace("cuda", "gpu"))
    paddle.seed(seed)
    factory = load_factory(network.reference, registered=bool(network.registered))
    check_call(network.reference, factory, network.arguments, "--args")
    before = paddle.get_default_dtype()
    paddle.set_default_dtype(network.dtype)
    try:
        with users_code(f"{network.reference} cannot be built", "give its arguments with --args"):
            model = factory(**network.arguments)
    finally:
        paddle.set_default_dtype(before)
    if not isinstance(model, paddle.nn.Layer):
        raise TrainingError(
            f"{network.reference} made a {type(model).__name__}, which is not a paddle.nn.Layer"
        )
    if network.dropout is not None:
        for layer in model.sublayers():
            if isinstance(layer, paddle.nn.Dropout):
                layer.p = network.dropout
    return model


def _check_device(device: str) -> None:
    if device.startswith("cpu"):
        return
    if not paddle.device.is_compiled_with_cuda():
        raise TrainingError(
            f"device {device}: this Paddle is a CPU build; run it on the CPU, or with paddlepaddle-gpu"
        )
    if int(device.partition(":")[2] or 0) >= paddle.device.cuda.device_count():
        raise TrainingError(
            f"device {device}: Paddle sees {counted(paddle.device.cuda.device_count(), 'CUDA device')}"
        )


@contextmanager
def training(device: str) -> Iterator[None]:
    """Around a run: automatic names count from 0, whatever was built before, as optimizer states go by them."""
    with warnings.catch_warnings(), paddle.utils.unique_name.guard():
        warnings.filterwarnings("ignore", message="When training, we now always track global mean")
        yield


def last_layer(model: paddle.nn.Layer) -> str:
    """The name of the last layer with weights of its own: the one that makes the logits."""
    held = [name for name, layer in model.named_sublayers() if layer.parameters(include_sublayers=False)]
    return held[-1] if held else ""


def load(model: paddle.nn.Layer, path: str, network: Network, *, left: str = "") -> None:
    """Give the network the weights of a checkpoint of either framework, but for the layer `left`."""
    state = model.state_dict()
    with in_paddles_layout(path, network) as checkpoint:
        shapes = {name: reference.shape for name, reference in checkpoint.items()}
        wanted = {name: tuple(tensor.shape) for name, tensor in state.items()}
        for name in fitting(path, shapes, wanted, network, left):
            kind = str(state[name].dtype).removeprefix("paddle.")
            state[name].set_value(np.asarray(checkpoint[name].numpy()).astype(kind))


def ask(model: Any, images: Any) -> Any:
    """The logits for images, in the mode that the network is in: the first of several outputs."""
    with forward("paddle", images.shape):
        output = model(images)
    return output[0] if isinstance(output, (list, tuple)) else output


def logits(model: paddle.nn.Layer, images: Array) -> Array:
    """What the network answers in the mode that it is in, [N, classes]."""
    with paddle.no_grad():
        kind = str(next(iter(model.parameters())).dtype).removeprefix("paddle.")
        found: Array = ask(model, paddle.to_tensor(images.astype(kind))).numpy()
    return found
