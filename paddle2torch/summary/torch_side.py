"""Records a torch network on the meta device: shapes only, so that any network costs no memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from paddle2torch.summary.rows import Module, Summary, Tracker, tensors

if TYPE_CHECKING:
    from parity.setup.inputs import Wanted

GEOMETRY = ("kernel_size", "stride", "dilation")


def record(build: Callable[[], Any], inputs: Mapping[str, Wanted]) -> Summary:
    """One forward pass in eval mode; on the CPU where a network computes with numbers that it makes."""
    try:
        return _recorded(build, inputs, "meta")
    except Exception:
        return _recorded(build, inputs, "cpu")


def _recorded(build: Callable[[], Any], inputs: Mapping[str, Wanted], device: str) -> Summary:
    import torch

    with torch.device(device):
        network = build().eval()
        made = {name: torch.zeros(one.shape, dtype=getattr(torch, one.dtype)) for name, one in inputs.items()}
    tracker = Tracker()
    for name, layer in network.named_modules():
        module = _module(name or "(network)", layer)
        if any(True for _ in layer.children()):
            layer.register_forward_pre_hook(lambda _, given: tracker.enter(tuple(tensors(given))))
            layer.register_forward_hook(
                lambda _, __, output, module=module: tracker.leave(module, tuple(tensors(output)))
            )
        elif not isinstance(layer, torch.nn.Sequential):
            layer.register_forward_hook(
                lambda _, given, output, module=module: tracker.call(
                    module, tuple(tensors(given)), tuple(tensors(output))
                )
            )
    with torch.no_grad():
        output = network(
            *(value for name, value in made.items() if name.isdigit()),
            **{name: value for name, value in made.items() if not name.isdigit()},
        )
    return Summary(
        framework="torch",
        input_shapes=tuple(one.shape for one in inputs.values()),
        layers=tuple(tracker.rows),
        output_shapes=tuple(tuple(value.shape) for value in tensors(output)),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        blocks=tuple(tracker.blocks),
    )


def _module(name: str, layer: Any) -> Module:
    own = list(layer.parameters(recurse=False))
    return Module(
        id(layer),
        name,
        tuple(c.__name__ for c in type(layer).__mro__),
        sum(parameter.numel() for parameter in layer.parameters()),
        sum(parameter.numel() for parameter in own),
        tuple(parameter.numel() for parameter in layer.parameters() if parameter.dim() > 1),
        {key: getattr(layer, key) for key in GEOMETRY if hasattr(layer, key)},
    )
