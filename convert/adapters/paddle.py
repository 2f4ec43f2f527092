"""What conversion needs from Paddle itself: a live model as a checkpoint, for sources that are no file.

Paddle's own zoo is named this way (`paddle.vision.models:resnet50`), and so is a network of the user's whose
weights are made by its constructor (`pretrained=True`, or as initialised).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from convert.adapters.reference import not_installed
from convert.checkpoint.checkpoint import Checkpoint, FileFacts, require_tensors
from convert.checkpoint.tensor import TensorRef
from convert.errors import ConvertError

try:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No ccache found")
        import paddle
except ModuleNotFoundError as error:
    raise ConvertError(not_installed("paddle")) from error


def open_factory(reference: str, arguments: dict[str, Any] | None = None) -> Checkpoint:
    """The state dict of the model that `package.module:factory` or `path/to/file.py:factory` makes.

    The factory is called with `arguments`. Raises ConvertError when it cannot be found, fails, or makes
    something that is not a `paddle.nn.Layer`.
    """
    from convert.adapters.factory import check_call, load_factory, users_code

    factory = load_factory(reference)
    check_call(reference, factory, arguments or {}, "--paddle-args")
    with users_code(f"{reference} cannot be built", "give its arguments with --paddle-args"):
        layer = factory(**(arguments or {}))
    if not isinstance(layer, paddle.nn.Layer):
        raise ConvertError(
            f"{reference} made a {type(layer).__name__}, which is not a paddle.nn.Layer; name a factory that "
            "returns the layer alone"
        )
    state = layer.state_dict()
    tensors = {name: _reference(value) for name, value in state.items()}
    require_tensors(Path(reference), tensors)
    size = sum(tensor.nbytes for tensor in tensors.values())
    facts = FileFacts("live model", size, shape=f"state dict of a {type(layer).__name__}")
    return Checkpoint(Path(reference), tensors, facts, {name: value.name for name, value in state.items()})


def _reference(value: Any) -> TensorRef:
    name = str(value.dtype).rpartition(".")[2]
    return TensorRef.of_array(np.asarray(value.numpy()), "bfloat16" if name == "bfloat16" else None)
