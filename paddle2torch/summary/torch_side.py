"""Records a torch network on the meta device: shapes only, so that any network costs no memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from paddle2torch.summary.rows import LayerRow, Summary, Tracker, tensors, window

GEOMETRY = ("kernel_size", "stride", "dilation")


def record(build: Callable[[], Any], shape: tuple[int, ...]) -> Summary:
    """One forward pass in eval mode of a batch of one."""
    import torch

    with torch.device("meta"):
        network = build().eval()
        image = torch.empty(1, *shape)
    tracker, counted = Tracker(), set[int]()
    for name, module in network.named_modules():
        if any(True for _ in module.children()):
            module.register_forward_pre_hook(lambda _, given: tracker.enter(tuple(tensors(given))))
            module.register_forward_hook(lambda _, __, output: tracker.leave(tuple(tensors(output))))
        elif not isinstance(module, torch.nn.Sequential):
            module.register_forward_hook(_leaf_hook(tracker, counted, name or "(network)"))
    with torch.no_grad():
        output = network(image)
    return Summary(
        framework="torch",
        input_shape=shape,
        layers=tuple(tracker.rows),
        output_shapes=tuple(tuple(value.shape) for value in tensors(output)),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )


def _leaf_hook(tracker: Tracker, counted: set[int], name: str) -> Callable[[Any, Any, Any], None]:
    def hook(module: Any, given: Any, output: Any) -> None:
        inputs, outputs = tuple(tensors(given)), tuple(tensors(output))
        kind = type(module).__name__
        before, after = tuple(inputs[0].shape), tuple(outputs[0].shape)
        geometry = {key: getattr(module, key) for key in GEOMETRY if hasattr(module, key)}
        moves = window(kind, geometry, before, after)
        view = tracker.view_of(inputs)
        view = view.through(*moves) if view and moves else None
        first = id(module) not in counted
        counted.add(id(module))
        count = sum(parameter.numel() for parameter in module.parameters()) if first else 0
        extent = view.extent if view and len(after) == 4 else None
        tracker.layer(LayerRow(name, kind, after, count, extent), view, outputs)

    return hook
