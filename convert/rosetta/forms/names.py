"""What is known of Paddle's names besides how they are written: whose proof is theirs, what they give, their other names."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms.form import BUILT, DTYPES, INIT_FUNCTIONS, KEPT, KINDS, SAMPLERS, STACKS, TYPES

_LAYER_MEMBERS = {
    "add_sublayer": "add_sublayer",
    "add_parameter": "add_sublayer",
    "eval": "train and eval",
    "to": "float64 model",
    **{f"_{name}": "sublayers" for name in (*KEPT, "data_format", "epsilon", "mean", "variance")},
    "create_parameter": "create_parameter",
    "register_buffer": "register_buffer",
    "sublayers": "sublayers",
    "named_sublayers": "named_sublayers",
    "set_state_dict": "set_state_dict",
    "set_dict": "set_state_dict",
    "load_dict": "set_state_dict",
    "clear_gradients": "clear_grad of the optimizer",
    "register_forward_post_hook": "forward hook",
    "full_name": "sublayers",
    "apply": "sublayers",
    "_sub_layers": "sublayers",
}


PROVEN_BY: Mapping[str, str] = {
    **{f"nn.Layer.{name}": row for name, row in _LAYER_MEMBERS.items()},
    **dict.fromkeys(
        ("optimizer.Optimizer.clear_grad", "optimizer.Optimizer.clear_gradients"),
        "clear_grad of the optimizer",
    ),
    **dict.fromkeys(
        (
            "optimizer.Optimizer.get_lr",
            "optimizer.Optimizer.set_lr",
            "optimizer.Optimizer.set_state_dict",
            "optimizer.Optimizer.minimize",
            "optimizer.Optimizer",
            "optimizer.lr.LRScheduler",
        ),
        "scheduler in the training loop",
    ),
    **dict.fromkeys((*DTYPES, *TYPES, "Tensor", "is_tensor", "dtype as text"), "Tensor.dtype"),
    "distributed.fleet.utils.recompute": "recompute",
    "nn.Linear.weight": "weight of a Linear",
    "static.amp.fp16_guard": "fp16_guard",
    "device.get_device": "get_device",
    "device.set_device": "set_device",
    "in_dynamic_mode": "train and eval",
    "vision.ops.DeformConv2D": "vision.ops.deform_conv2d",
    "vision.ops.RoIAlign": "vision.ops.roi_align",
    "is_compiled_with_cuda": "get_device",
    "distributed.get_world_size": "processes of a run",
    "distributed.get_rank": "processes of a run",
    "ParamAttr": "ParamAttr initializer",
    "create_parameter": "create_parameter",
    "nn.Parameter": "create_parameter",
    "regularizer.L2Decay": "optimizer.Momentum",
    "metric.Metric": "metric.Accuracy",
    "autograd.PyLayer": "PyLayer",
    **dict.fromkeys(("static.InputSpec", "jit.to_static"), "train and eval"),
    **dict.fromkeys(("amp.GradScaler", "amp.GradScaler.minimize"), "auto_cast"),
    **dict.fromkeys(("io.BatchSampler", "io.DistributedBatchSampler"), "BatchSampler"),
    **{f"io.{name}": "DataLoader" for name in SAMPLERS},
    **{f"nn.{stack}": f"nn.{layer}" for stack, layer in STACKS.items()},
    "grad": "paddle.grad",
    "save": "save and load",
    "load": "save and load",
    "utils.download.get_weights_path_from_url": "save and load",
    "io.DataLoader": "DataLoader",
    "io.Dataset": "DataLoader",
    "io.TensorDataset": "DataLoader",
    "io.random_split": "random_split",
    "amp.auto_cast": "auto_cast",
    "Tensor.unsqueeze": "unsqueeze",
    "Tensor.softmax": "nn.functional.softmax",
    **dict.fromkeys((f"Tensor.{name}" for name in KINDS), "Tensor.astype"),
    "Tensor.retain_grads": "gradient of an intermediate tensor",
    "get_default_dtype": "Tensor.dtype",
    "Tensor.view": "Tensor.reshape",
    "Tensor.multiply_": "Tensor.scale_",
    "Tensor.floor_": "floor",
    "Tensor.cuda": "Tensor.cpu",
    "jit.not_to_static": "train and eval",
    **dict.fromkeys((f"nn.init.{name}" for name in INIT_FUNCTIONS), "nn.initializer.Constant"),
}
"""Names of Paddle's whose proof is another row, an idiom's or the function's."""


TWINS: Mapping[str, str] = {
    **TYPES,
    **{name: name for name in (*DTYPES, "Tensor", "is_tensor", "no_grad", "get_default_dtype")},
    "distributed.fleet.utils.recompute": "utils.checkpoint.checkpoint",
    "ParamAttr": "like_paddle.ParamAttr",
    "vision.ops.ConvNormActivation": "like_paddle.ConvNormActivation",
    "grad": "autograd.grad",
    "jit.not_to_static": "like_paddle.as_it_is",
    **{f"nn.init.{name}": f"nn.init.{name}" for name in INIT_FUNCTIONS},
    "optimizer.Optimizer": "optim.Optimizer",
    "optimizer.lr.LRScheduler": "like_paddle.LRScheduler",
    "metric.Metric": "like_paddle.Metric",
    "autograd.PyLayer": "like_paddle.PyLayer",
    "amp.GradScaler": "amp.GradScaler",
    "nn.Parameter": "nn.Parameter",
    **{f"io.{name}": f"utils.data.{twin}" for name, twin in SAMPLERS.items()},
    "io.Dataset": "utils.data.Dataset",
    "io.DataLoader": "utils.data.DataLoader",
    "io.random_split": "utils.data.random_split",
    "utils.download.get_weights_path_from_url": "like_paddle.weights_path",
    "save": "save",
    "load": "load",
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
    "vision.ops.ConvNormActivation": "layer",
    "vision.ops.DeformConv2D": "layer",
    "vision.ops.RoIAlign": "layer",
    "amp.GradScaler": "scaler",
    "nn.Parameter": "tensor",
    "amp.GradScaler.minimize": "none",
    "jit.to_static": "same as function",
    **dict.fromkeys((f"io.{name}" for name in ("BatchSampler", "DistributedBatchSampler")), "sampler"),
    "numel": "int",
    "in_dynamic_mode": "bool",
    "is_compiled_with_cuda": "bool",
    "rank": "int",
    "finfo": "unknown",
    "iinfo": "unknown",
    "is_floating_point": "bool",
    "is_complex": "bool",
    "broadcast_tensors": "tensors",
    "Tensor.ndimension": "int",
    "ParamAttr": "attr",
    "regularizer.L2Decay": "float",
    "nn.Layer.create_parameter": "tensor",
    "create_parameter": "tensor",
    "nn.Layer.sublayers": "layers",
    "nn.Layer.named_sublayers": "named layers",
    "nn.Layer.children": "layers",
    "nn.Layer.named_children": "named layers",
    **{f"nn.{name}()": "unknown" for name in ("LSTM", "GRU", "SimpleRNN", "RNN", "BiRNN")},
    **{f"nn.{name}()": "unknown" for name in ("SimpleRNNCell", "LSTMCell", "GRUCell")},
    "nn.Layer.parameters": "tensor generator",
    "nn.Layer.named_parameters": "named tensors",
    "nn.Layer.buffers": "tensor generator",
    "nn.Layer.named_buffers": "named tensors",
    "nn.Layer.state_dict": "state",
    "nn.Layer.add_sublayer": "same as sublayer",
    "nn.Layer.add_parameter": "tensor",
    "load": "unknown",
    "save": "none",
    "seed": "none",
    "no_grad": "unknown",
    "set_device": "none",
    "is_tensor": "bool",
    "get_default_dtype": "dtype",
    "Tensor.retain_grads": "none",
    "io.DataLoader": "loader",
    "io.Dataset": "dataset",
    "io.TensorDataset": "dataset",
    "io.random_split": "unknown",
    "utils.download.get_weights_path_from_url": "str",
    "distributed.fleet.utils.recompute": "tensor",
    "nn.Layer.register_buffer": "none",
    "nn.Layer.set_state_dict": "none",
    "nn.ClipGradByGlobalNorm": "clip",
    "optimizer.Optimizer.get_lr": "float",
    "nn.Layer.full_name": "str",
    "dtype as text": "str",
    "get_device": "str",
    "device.get_device": "str",
    "distributed.get_world_size": "int",
    "distributed.get_rank": "int",
    "static.amp.fp16_guard": "unknown",
    **dict.fromkeys(DTYPES, "dtype"),
}
"""What a name gives where it is not one tensor."""


_PARTS_OF_BOTH = {
    "self_attn": "nn.MultiHeadAttention",
    "linear1": "nn.Linear",
    "linear2": "nn.Linear",
    **{f"norm{number}": "nn.LayerNorm" for number in (1, 2, 3)},
}


PARTS: Mapping[str, Mapping[str, str]] = {
    "nn.MultiHeadAttention": {f"{name}_proj": "nn.Linear" for name in ("q", "k", "v", "out")},
    "nn.TransformerEncoderLayer": _PARTS_OF_BOTH,
    "nn.TransformerDecoderLayer": {**_PARTS_OF_BOTH, "cross_attn": "nn.MultiHeadAttention"},
}
"""The layers inside of Paddle's layers."""


MODULES: Mapping[str, str] = {
    "nn": "nn",
    "nn.functional": "nn.functional",
    "nn.initializer": "nn.init",
    "nn.init": "nn.init",
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
    "nn.layer.activation": "like_paddle.activation",
}
"""Modules and their counterparts."""


ALIASES: Mapping[str, str] = {
    "cat": "concat",
    "concatenate": "concat",
    "clamp": "clip",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "true_divide": "divide",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater_than",
    "greater": "greater_than",
    "ge": "greater_equal",
    "lt": "less_than",
    "less": "less_than",
    "le": "less_equal",
    "negative": "neg",
    "inverse": "linalg.inv",
    "cholesky": "linalg.cholesky",
    "linalg.norm": "norm",
    "nn.functional.diag_embed": "diag_embed",
    "manual_seed": "seed",
    "nn.layer.": "nn.",
    "nn.initializer.": "nn.initializer.",
    "nn.functional.": "nn.functional.",
    "tensor.": "",
    "framework.": "",
    "base.": "",
    "fluid.": "",
}
"""Other names for the same: a prefix ends in a dot."""


COMMON: Mapping[str, tuple[str, ...]] = {
    "x": ("input", "self", "tensor", "tensors"),
    "y": ("other", "tensor2", "exponent", "mat2", "batch2", "vec2"),
    "threshold": ("lambd",),
    "shape": ("size", "shape"),
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
    "vision.datasets": "torchvision.datasets has it, with root= and train=",
    "vision.models": "port the file of the network, or take paddle.vision.models as a folder to port",
}
"""What to do about names that no row has; the beginning of a name counts."""


PICKED: Mapping[str, str] = {"nn.functional": "functional", "nn": "activation"}
"""Modules out of which code picks activations by their names, and what of ours has them under Paddle's."""

EITHER: Mapping[str, str] = {
    "astype": "astype",
    "transpose": "transposed",
    "reshape": "reshaped",
    "view": "viewed",
    "max": "maximum_of",
    "min": "minimum_of",
    "split": "parts",
}
"""Methods of tensors that arrays or text have too: what of ours tells them apart when it runs."""


AS_CALLED = frozenset(
    (
        *(f"nn.{name}" for name in ("LSTM", "GRU", "SimpleRNN", *BUILT)),
        *(
            f"nn.{name}"
            for name in ("Conv2D", "Linear", "BatchNorm2D", "SyncBatchNorm", "LayerNorm", "GroupNorm")
        ),
        *(f"nn.initializer.{name}" for name in ("Normal", "Constant", "Uniform", "TruncatedNormal")),
        *(
            f"nn.initializer.{name}"
            for name in ("KaimingNormal", "KaimingUniform", "XavierNormal", "XavierUniform")
        ),
    )
)
"""Names that `like_paddle` has with Paddle's own arguments: for calls whose arguments only a run tells."""


IN_PLACE = frozenset(
    (
        *(
            "abs",
            "acos",
            "asin",
            "atan",
            "ceil",
            "cos",
            "cosh",
            "exp",
            "expm1",
            "erf",
            "floor",
            "frac",
            "log",
            "log10",
            "log1p",
        ),
        *(
            "log2",
            "neg",
            "reciprocal",
            "round",
            "rsqrt",
            "sigmoid",
            "sin",
            "sinh",
            "sqrt",
            "square",
            "tan",
            "tanh",
            "trunc",
        ),
        *(
            "add",
            "subtract",
            "multiply",
            "divide",
            "remainder",
            "floor_divide",
            "pow",
            "lerp",
            "cumsum",
            "tril",
            "triu",
        ),
        *("masked_fill", "logit", "digamma", "lgamma", "erfinv", "hypot", "copysign"),
    )
)
"""Functions that both frameworks have as a method with a `_` behind it too, which writes over the tensor."""


FILLING = ("nn.init.", "Tensor.set_value", "Tensor.fill_", "Tensor.zero_", "nn.Layer.apply")
"""Names whose call sets what a parameter holds: how they begin."""


ONE_BY_ONE = frozenset(
    (
        *("Tensor.reshape", "Tensor.view", "Tensor.expand", "expand", "reshape", "permute", "flip"),
        *(
            "rand",
            "randn",
            "zeros",
            "ones",
            "empty",
            "Tensor.new_ones",
            "Tensor.new_zeros",
            "Tensor.new_empty",
        ),
        "Tensor.repeat",
    )
)
"""Names that take the numbers of a shape, or axes, as arguments of their own too, since Paddle 3.3."""


OF_TENSORS = frozenset(("perm", "keepdim", "start_axis", "stop_axis", "repeat_times", "num_or_sections"))
"""Arguments that only methods of tensors have: what is called with one is a tensor."""


TELLING = frozenset(
    (
        "weight_attr",
        "bias_attr",
        "param_attr",
        "epsilon",
        "momentum",
        "exclusive",
        "return_mask",
        "use_global_stats",
    )
)
"""Arguments that only Paddle's layers have under these names, or with this meaning: a call of who knows what that has one is
probably theirs."""


INITIALISED = ("nn.Conv", "nn.Linear", "nn.Embedding", "nn.Bilinear")
"""Layers whose initial weights differ: how their Paddle names begin."""
