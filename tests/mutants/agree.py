"""Do the two models agree in float64? The corpus's own answer, by the plainest means, without `parity`."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from tests.mutants.build import Pair, build
from tests.mutants.cases import Case
from tests.mutants.training import RECIPES, paddle_square, torch_square
from tests.mutants.weights import converted


def double(case: Case) -> Pair:
    pair = build(case)
    _paddle_to_double(pair.paddle)
    pair.torch.double()
    for values in vars(pair.torch).values():
        if isinstance(values, list):  # layers that hide in a plain list
            for layer in values:
                layer.double()
    inputs = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in pair.inputs)
    for model in (pair.paddle, pair.torch):
        model.train() if case.mode == "train" else model.eval()
    if case.mode == "train":
        _without_dropout(pair)
    return Pair(pair.paddle, pair.torch, inputs)


def _paddle_to_double(model) -> None:
    """`Layer.to` would turn integer buffers, such as index tables, into float64 as well."""
    integers = [
        (layer, name, buffer)
        for layer in model.sublayers(include_self=True)
        for name, buffer in layer._buffers.items()
        if buffer is not None and buffer.dtype in (paddle.int32, paddle.int64)
    ]
    copies = [(layer, name, buffer.clone()) for layer, name, buffer in integers]
    model.to(dtype="float64")
    for layer, name, buffer in copies:
        layer._buffers[name] = buffer


def _without_dropout(pair: Pair) -> None:
    for layer in (*pair.paddle.sublayers(), *pair.torch.modules()):
        if "Dropout" in type(layer).__name__:
            layer.p = 0.0
        if hasattr(layer, "dropout") and isinstance(layer.dropout, float):
            layer.dropout = 0.0


def run_paddle(pair: Pair):
    return pair.paddle(*(paddle.to_tensor(array) for array in pair.inputs))


def run_torch(pair: Pair):
    return pair.torch(*(torch.from_numpy(array) for array in pair.inputs))


def arrays(output) -> dict[str, np.ndarray]:
    if isinstance(output, dict):
        return {name: tensor.detach().numpy() for name, tensor in output.items()}
    if isinstance(output, (list, tuple)):
        return {str(i): tensor.detach().numpy() for i, tensor in enumerate(output)}
    return {"": output.detach().numpy()}


def distance(expected: dict, actual: dict) -> float:
    """Largest difference over all arrays, relative to each expected array's largest value; inf if unlike."""
    if expected.keys() != actual.keys() or any(expected[k].shape != actual[k].shape for k in expected):
        return float("inf")
    return max((_one(expected[key], actual[key]) for key in expected), default=0.0)


def _one(expected: np.ndarray, actual: np.ndarray) -> float:
    scale = np.abs(expected).max(initial=0.0)
    worst = np.abs(expected - actual).max(initial=0.0)
    if np.isnan(worst):
        return float("inf")
    return float(worst / scale) if scale > 1e-30 else float(worst)


def outputs(case: Case) -> float:
    """Of one forward pass; in train mode functional dropout is switched off too, masks never match."""
    pair = double(case)
    with pytest.MonkeyPatch.context() as patch:
        if case.mode == "train":
            for name in ("dropout", "dropout2d"):
                patch.setattr(torch.nn.functional, name, lambda x, *args, **kwargs: x)
        return distance(arrays(run_paddle(pair)), arrays(run_torch(pair)))


def gradients(case: Case) -> float:
    """Gradients of all parameters that both sides have, for a fixed loss."""
    pair = double(case)
    paddle_square(run_paddle(pair)).backward()
    torch_square(run_torch(pair)).backward()
    for tensor in pair.paddle.parameters():
        grad = tensor.grad.numpy() if tensor.grad is not None else np.zeros(tensor.shape)
        tensor.set_value(grad)
    expected = converted(pair.paddle, pair.torch, case.pairs, case.unloaded)
    actual = {
        name: (p.grad.numpy() if p.grad is not None else np.zeros(p.shape))
        for name, p in pair.torch.named_parameters()
        if name in expected
    }
    largest = max(np.abs(expected[name]).max() for name in actual)
    return max(float(np.abs(expected[name] - actual[name]).max() / largest) for name in actual)


def steps(case: Case) -> float:
    """Weights and running means (not variances: Paddle's are biased by design) after some steps."""
    pair, recipe = double(case), RECIPES[case.recipe]
    default = paddle.get_default_dtype()
    paddle.set_default_dtype("float64")
    try:
        paddle_optimizer, torch_optimizer = recipe.paddle(pair.paddle), recipe.torch(pair.torch)
        for _ in range(case.steps):
            recipe.paddle_loss(run_paddle(pair)).backward()
            paddle_optimizer.step()
            paddle_optimizer.clear_grad()
            torch_optimizer.zero_grad()
            recipe.torch_loss(run_torch(pair)).backward()
            torch_optimizer.step()
    finally:
        paddle.set_default_dtype(default)
    expected = converted(pair.paddle, pair.torch, case.pairs, case.unloaded)
    expected = {name: array for name, array in expected.items() if not name.endswith("running_var")}
    state = pair.torch.state_dict()
    return distance(expected, {name: state[name].numpy() for name in expected})
