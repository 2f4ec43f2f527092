"""Records a Paddle network by one real forward pass on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from paddle2torch.summary.rows import LayerRow, Summary, Tracker, tensors, window

# Paddle's names of the geometry, by what torch calls it.
GEOMETRY = {
    "kernel_size": ("_kernel_size", "ksize"),
    "stride": ("_stride", "stride"),
    "dilation": ("_dilation",),
}
# BatchNorm's running statistics are parameters in Paddle; they are not learned.
STATISTICS = ("_mean", "_variance")


def record(build: Callable[[], Any], shape: tuple[int, ...]) -> Summary:
    """One forward pass in eval mode of a batch of one."""
    import paddle

    network = build()
    network.eval()
    tracker, counted = Tracker(), set[int]()
    for name, layer in network.named_sublayers(include_self=True):
        if layer.sublayers():
            layer.register_forward_pre_hook(lambda _, given: tracker.enter(tuple(tensors(given))))
            layer.register_forward_post_hook(lambda _, __, output: tracker.leave(tuple(tensors(output))))
        elif not isinstance(layer, paddle.nn.Sequential):
            layer.register_forward_post_hook(_leaf_hook(tracker, counted, name or "(network)"))
    with paddle.no_grad():
        output = network(paddle.zeros([1, *shape]))
    return Summary(
        framework="paddle",
        input_shape=shape,
        layers=tuple(tracker.rows),
        output_shapes=tuple(tuple(value.shape) for value in tensors(output)),
        parameters=_learned(dict(network.named_parameters())),
    )


def _learned(parameters: dict[str, Any]) -> int:
    return sum(math.prod(value.shape) for name, value in parameters.items() if not name.endswith(STATISTICS))


def _leaf_hook(tracker: Tracker, counted: set[int], name: str) -> Callable[[Any, Any, Any], None]:
    def hook(layer: Any, given: Any, output: Any) -> None:
        inputs, outputs = tuple(tensors(given)), tuple(tensors(output))
        kind = type(layer).__name__
        before, after = tuple(inputs[0].shape), tuple(outputs[0].shape)
        geometry = {
            key: getattr(layer, name)
            for key, names in GEOMETRY.items()
            for name in names
            if hasattr(layer, name)
        }
        moves = window(kind, geometry, before, after)
        view = tracker.view_of(inputs)
        view = view.through(*moves) if view and moves else None
        first = id(layer) not in counted
        counted.add(id(layer))
        count = _learned(layer._parameters) if first else 0
        extent = view.extent if view and len(after) == 4 else None
        tracker.layer(LayerRow(name, kind, after, count, extent), view, outputs)

    return hook
