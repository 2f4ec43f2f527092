"""Records a Paddle network by one real forward pass on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from paddle2torch.summary.rows import Module, Summary, Tracker, tensors

if TYPE_CHECKING:
    from parity.setup.inputs import Wanted

# Paddle's names of the geometry, by what torch calls it.
GEOMETRY = {
    "kernel_size": ("_kernel_size", "ksize"),
    "stride": ("_stride", "stride"),
    "dilation": ("_dilation",),
}
# BatchNorm's running statistics are parameters in Paddle; they are not learned.
STATISTICS = ("_mean", "_variance")


def record(build: Callable[[], Any], inputs: Mapping[str, Wanted]) -> Summary:
    """One forward pass in eval mode."""
    import paddle

    network = build()
    network.eval()
    tracker = Tracker()
    for name, layer in network.named_sublayers(include_self=True):
        module = _module(name or "(network)", layer)
        if layer.sublayers():
            layer.register_forward_pre_hook(lambda _, given: tracker.enter(tuple(tensors(given))))
            layer.register_forward_post_hook(
                lambda _, __, output, module=module: tracker.leave(module, tuple(tensors(output)))
            )
        elif not isinstance(layer, paddle.nn.Sequential):
            layer.register_forward_post_hook(
                lambda _, given, output, module=module: tracker.call(
                    module, tuple(tensors(given)), tuple(tensors(output))
                )
            )
    made = {name: paddle.zeros(list(one.shape), dtype=one.dtype) for name, one in inputs.items()}
    with paddle.no_grad():
        output = network(
            *(value for name, value in made.items() if name.isdigit()),
            **{name: value for name, value in made.items() if not name.isdigit()},
        )
    return Summary(
        framework="paddle",
        input_shapes=tuple(one.shape for one in inputs.values()),
        layers=tuple(tracker.rows),
        output_shapes=tuple(tuple(value.shape) for value in tensors(output)),
        parameters=_learned(dict(network.named_parameters())),
        blocks=tuple(tracker.blocks),
    )


def _learned(parameters: dict[str, Any]) -> int:
    return sum(math.prod(value.shape) for name, value in parameters.items() if not name.endswith(STATISTICS))


def _module(name: str, layer: Any) -> Module:
    geometry = {
        key: getattr(layer, name) for key, names in GEOMETRY.items() for name in names if hasattr(layer, name)
    }
    return Module(
        id(layer),
        name,
        tuple(c.__name__ for c in type(layer).__mro__),
        _learned(dict(layer.named_parameters())),
        _learned(dict(layer.named_parameters(include_sublayers=False))),
        tuple(math.prod(value.shape) for value in layer.parameters() if len(value.shape) > 1),
        geometry,
    )
