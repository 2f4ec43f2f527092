"""How a call is written in torch where a name and a list of arguments cannot say it.

A row's forms are tried in order before the plain mapping of its arguments. A form's `torch` is an expression in which Paddle's
argument names stand for what the call gives; an argument that is not given leaves its keyword out, or is Paddle's default. `x` is
what a method is called on. `=` is the plain mapping. `when` says for which calls a form is meant:

    "axis given, num int"     an argument is given / absent, or what is known of it: int, str, list, none, tensor, number
    "data_format == 'NHWC'"   it is literally this value
    "shape has 0"             it is a list or tuple with this literal
    "x simple"                it is a name, so that it may stand twice
    "dtype not given"         the opposite
    "named"                   the name is passed on, not called
    "written"                 the attribute is assigned to: `torch` is then `target = value`

A form that would write a longer expression twice is passed over. `refuse` is why there is no translation, and what to write. A name
`like_*` is a function of `torch_models.like_paddle`. The tests port the Paddle text of every example and run what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """One way to write a call; see the module's docstring."""

    torch: str = ""
    when: str = ""
    refuse: str = ""
    returns: str = ""
    """What it gives (`tensor`, `tensors`, `array`, `shape`, `int`, ...), where that is not what the row's name gives."""


FORMS: Mapping[str, tuple[Form, ...]] = {
    "nn.Layer.add_sublayer": (Form("x.add_module(name, sublayer)"),),
    "distributed.fleet.utils.recompute": (Form("="),),
    "ParamAttr": (Form("="),),
}

PROVEN_BY: Mapping[str, str] = {
    "nn.Layer.add_sublayer": "add_sublayer",
    "distributed.fleet.utils.recompute": "recompute",
    "ParamAttr": "ParamAttr initializer",
}
"""Names of Paddle's whose proof is an idiom's row."""

TWINS: Mapping[str, str] = {
    "nn.Layer.add_sublayer": "nn.Module.add_module",
    "distributed.fleet.utils.recompute": "utils.checkpoint.checkpoint",
    "ParamAttr": "like_paddle.ParamAttr",
}
"""The torch name of those."""

RETURNS: Mapping[str, str] = {
    "split": "tensors",
    "chunk": "tensors",
    "unbind": "tensors",
    "unstack": "tensors",
    "tensor_split": "tensors",
    "meshgrid": "tensors",
    "topk": "tensors",
    "Tensor.split": "tensors",
    "Tensor.chunk": "tensors",
    "Tensor.shape": "shape",
    "Tensor.dtype": "dtype",
    "Tensor.ndim": "int",
    "Tensor.size": "int",
    "Tensor.dim": "int",
    "Tensor.numpy": "array",
    "Tensor.tolist": "unknown",
    "Tensor.item": "float",
    "Tensor.stop_gradient": "bool",
    "Tensor.place": "unknown",
    "shape": "shape",
    "numel": "int",
}
"""What a name gives where it is not one tensor."""

MODULES: Mapping[str, str] = {
    "nn": "nn",
    "nn.functional": "nn.functional",
    "nn.initializer": "nn.init",
    "nn.utils": "nn.utils",
    "optimizer": "optim",
    "optimizer.lr": "optim.lr_scheduler",
    "io": "utils.data",
    "linalg": "linalg",
    "autograd": "autograd",
    "amp": "amp",
    "vision": "torchvision",
    "vision.transforms": "torchvision.transforms",
    "vision.transforms.functional": "torchvision.transforms.functional",
    "vision.ops": "torchvision.ops",
}
"""Modules and their counterparts."""

ALIASES: Mapping[str, str] = {
    "nn.layer.": "nn.",
    "nn.functional.common.": "nn.functional.",
    "nn.functional.": "nn.functional.",
    "tensor.": "",
    "framework.": "",
    "base.": "",
    "fluid.": "",
}
"""Other names for the same: a prefix ends in a dot."""

COMMON: Mapping[str, tuple[str, ...]] = {
    "x": ("input", "self", "tensor", "tensors"),
    "y": ("other", "tensor2"),
    "axis": ("dim", "dims"),
    "keepdim": ("keepdim",),
    "epsilon": ("eps",),
}
"""What arguments that no row names are usually called in torch."""

ADVICE: Mapping[str, str] = {
    "distributed": "distributed code is set up by hand: see torch.distributed",
    "static": "a static graph has no counterpart: write the network as a module",
    "jit": "leave it out, or see torch.jit and torch.export",
    "Model": "write the training loop out",
    "summary": "see paddle2torch summary",
}
"""What to do about names that no row has; the beginning of a name counts."""

INITIALISED = ("nn.Conv", "nn.Linear", "nn.Embedding", "nn.Bilinear")
"""Layers whose initial weights differ: how their Paddle names begin."""
