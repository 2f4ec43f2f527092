"""Weights for both sides, and the corpus's own conversion (on purpose not the project's)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from fnmatch import fnmatch

import numpy as np
import paddle
import torch

from tests.mutants.cases import Part

PADDLE_NAMES = {"running_mean": "_mean", "running_var": "_variance"}


def fill_paddle(model, seed: int) -> None:
    """Every parameter and statistic gets values that show a mistake: nothing is 0 or 1 by default."""
    owners = dict(model.named_sublayers(include_self=True))
    for name, tensor in model.state_dict().items():
        path, _, leaf = name.rpartition(".")
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        tensor.set_value(_values(owners[path], leaf, tuple(tensor.shape), rng).astype(np.float32))


def _values(owner, leaf: str, shape: tuple[int, ...], rng) -> np.ndarray:
    kind = type(owner).__name__
    if leaf == "_variance":
        return rng.uniform(0.5, 2.0, shape)
    if leaf in ("_mean", "bias"):
        return rng.normal(0, 0.3, shape)
    if kind == "PReLU":
        return rng.uniform(0.1, 0.4, shape)
    if kind == "Embedding":
        values = rng.normal(0, 1, shape)
        if owner._padding_idx is not None and owner._padding_idx >= 0:
            values[owner._padding_idx] = 0
        return values
    if len(shape) == 1:  # scales of normalization layers
        return rng.uniform(0.5, 1.5, shape)
    fan_in = shape[0] if kind == "Linear" else int(np.prod(shape[1:]))
    return rng.normal(0, np.sqrt(2 / fan_in), shape)


def converted(paddle_model, torch_model, pairs: Mapping[str, object], unloaded: tuple[str, ...]) -> dict:
    """Paddle's arrays under torch's names, in torch's layout. Strict, but for the `unloaded` prefixes."""
    source = {name: tensor.numpy() for name, tensor in paddle_model.state_dict().items()}
    owners = dict(paddle_model.named_sublayers(include_self=True))
    result = {}
    for key, tensor in torch_model.state_dict().items():
        if key.endswith("num_batches_tracked") or any(fnmatch(key, pattern) for pattern in unloaded):
            continue
        names = pairs.get(key) or paddle_names(key, torch_model)
        if isinstance(names, Part):
            whole = _moved(source[names.name], owners[names.name.rpartition(".")[0]], names.name, raw=False)
            result[key] = np.split(whole, names.count)[names.index]
            continue
        names = (names,) if isinstance(names, str) else names
        raw = _is_raw(key, torch_model)
        arrays = [_moved(source[name], owners[name.rpartition(".")[0]], name, raw) for name in names]
        array = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
        if array.shape != tuple(tensor.shape):
            raise ValueError(f"{key}: torch has {tuple(tensor.shape)}, Paddle's {names} give {array.shape}")
        result[key] = array
    return result


def _is_raw(key: str, torch_model) -> bool:
    """A parameter that its own author multiplies with keeps Paddle's [in, out] layout."""
    path, _, leaf = key.rpartition(".")
    owner = torch_model.get_submodule(path)
    return leaf != "weight" and "proj" not in leaf and not type(owner).__module__.startswith("torch.nn")


def _moved(array: np.ndarray, owner, name: str, raw: bool) -> np.ndarray:
    is_linear = isinstance(owner, paddle.nn.Linear) and name.rpartition(".")[2] == "weight"
    return array.T if is_linear and not raw else array


def paddle_names(key: str, torch_model) -> str | tuple[str, ...]:
    path, _, leaf = key.rpartition(".")
    owner = torch_model.get_submodule(path)
    prefix = path + "." if path else ""
    if isinstance(owner, torch.nn.MultiheadAttention):
        return tuple(f"{prefix}{which}_proj.{leaf.removeprefix('in_proj_')}" for which in "qkv")
    if isinstance(owner, torch.nn.PReLU):
        leaf = "_weight"
    if isinstance(owner, torch.nn.InstanceNorm2d) and leaf == "weight":
        leaf = "scale"
    return prefix + PADDLE_NAMES.get(leaf, leaf)


# Mistakes of a conversion, as operations on the dictionary of converted arrays.


def _swap(state, first, second):
    state[first], state[second] = state[second], state[first]


def _transpose(state, key):
    state[key] = np.ascontiguousarray(state[key].T)


def _skip(state, *keys):
    for key in keys:
        del state[key]  # stays as torch initialised it


def _copy(state, key, source):
    state[key] = state[source].copy()


def _scale(state, key, factor):
    state[key] = (state[key].astype(np.float64) * factor).astype(np.float32)


def _nudge(state, key):
    array = state[key].copy()
    largest = np.unravel_index(np.argmax(np.abs(array)), array.shape)
    array[largest] = np.nextafter(array[largest], np.float32(np.inf), dtype=np.float32)
    state[key] = array


def _flip(state, key, axis):
    state[key] = np.flip(state[key], axis).copy()


def _roll(state, key, axis):
    state[key] = np.roll(state[key], 1, axis)


def _swap_axes(state, key, first, second):
    state[key] = np.ascontiguousarray(state[key].swapaxes(first, second))


def _reorder(state, key, order):
    """Thirds (or n-ths) of the first axis in another order: q, k, v as k, q, v."""
    parts = np.split(state[key], len(order))
    state[key] = np.concatenate([parts[i] for i in order])


def _interleave(state, key, heads):
    """[3, heads, d] rows stored as [heads, 3, d]."""
    array = state[key]
    rows = array.reshape(3, heads, -1, *array.shape[1:])
    state[key] = np.ascontiguousarray(rows.swapaxes(0, 1)).reshape(array.shape)


def _half(state, key):
    state[key] = state[key].astype(np.float16).astype(np.float32)


def _shift(state, key, amount):
    state[key] = state[key] + np.float32(amount)


def _sqrt(state, key):
    state[key] = np.sqrt(state[key])


def _transpose_part(state, key, index, count):
    """One of the stacked square matrices is left untransposed."""
    parts = np.split(state[key], count)
    parts[index] = parts[index].T
    state[key] = np.concatenate(parts)


OPERATIONS = {
    "swap": _swap,
    "transpose": _transpose,
    "skip": _skip,
    "copy": _copy,
    "scale": _scale,
    "nudge": _nudge,
    "flip": _flip,
    "roll": _roll,
    "swap_axes": _swap_axes,
    "reorder": _reorder,
    "interleave": _interleave,
    "half": _half,
    "shift": _shift,
    "sqrt": _sqrt,
    "transpose_part": _transpose_part,
}


def fold_batchnorm(
    state: dict, paddle_state: Mapping[str, np.ndarray], conv: str, bn: str, eps: float
) -> None:
    """Convolution then BatchNorm as one convolution with bias, computed in float64, stored in float64."""
    weight, bias, mean, variance = (
        paddle_state[f"{bn}.{leaf}"].astype(np.float64) for leaf in ("weight", "bias", "_mean", "_variance")
    )
    scale = weight / np.sqrt(variance + float(np.float32(eps)))
    before = paddle_state.get(f"{conv}.bias", np.zeros(1)).astype(np.float64)
    kernel = paddle_state[f"{conv}.weight"].astype(np.float64)
    state[f"{conv}.weight"] = kernel * scale.reshape(-1, 1, 1, 1)
    state[f"{conv}.bias"] = (before - mean) * scale + bias
