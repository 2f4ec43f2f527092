"""Paddle calls in the shared vocabulary: `paddle._C_ops` name -> signature (Paddle 3.0 to 3.3).

Argument orders are those of the generated Python-C functions, which follow `phi/ops/yaml/ops.yaml`; tensor
operators and methods that bypass `_C_ops` (`x + y`, `x[...]`, `clone`) appear under their method name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.ops import fourier
from parity.ops.signature import Attributes, Call, Signature, axes, axis, ordering, pair, position, slices

ALIASES: Mapping[str, str] = {"input": "x", "X": "x", "Y": "y", "dim": "axis", "repeat_times": "shape"}


def _padding(call: Call, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    a, n = call.attributes, len(kernel)
    algorithm = a.get("algorithm", "EXPLICIT")
    if algorithm == "VALID":
        return ((0, 0),) * n
    if algorithm == "SAME":
        # phi/kernels/cpu/conv_util.h UpdatePaddingAndDilation: the odd pixel goes to the end.
        spatial = call.shapes["x"][2:]
        result = []
        for size, k, s in zip(spatial, kernel, stride, strict=True):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            result.append((total // 2, total - total // 2))
        return tuple(result)
    given = pair(a["padding"], n)
    if len(given) == 2 * n:
        return tuple((given[2 * i], given[2 * i + 1]) for i in range(n))
    return tuple((p, p) for p in given)


def _channels_last(call: Call) -> Attributes:
    """Of an operator whose channels are the last axis: which axis a bias is added to."""
    return {"layout": "channels_last"} if str(call.attributes.get("layout")).endswith("C") else {}


def _conv(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    stride = pair(a["stride"], n)
    same = a.get("algorithm") == "SAME"
    return {
        "stride": stride,
        "padding": _padding(call, call.shapes["weight"][2:], stride),
        "dilation": (1,) * n if same else pair(a["dilation"], n),
        "groups": int(a["groups"]),
        **_channels_last(call),
    }


def _conv_transpose(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    stride, dilation = pair(a["stride"], n), pair(a["dilation"], n)
    padding = _padding(call, call.shapes["weight"][2:], stride)
    # Whatever was asked for (output_padding or output_size), the output's size tells what was done.
    output_padding = tuple(
        out - ((size - 1) * s - sum(p) + d * (k - 1) + 1)
        for out, size, s, p, d, k in zip(
            call.output[2:],
            call.shapes["x"][2:],
            stride,
            padding,
            dilation,
            call.shapes["weight"][2:],
            strict=True,
        )
    )
    return {
        "stride": stride,
        "padding": padding,
        "output_padding": output_padding,
        "dilation": dilation,
        "groups": int(a["groups"]),
        **_channels_last(call),
    }


def _batch_norm(call: Call) -> Attributes:
    a = call.attributes
    frozen = bool(a["is_test"]) or bool(a["use_global_stats"])
    return {
        "eps": float(a["eps"]),
        "momentum": float(a["momentum"]),
        "training": (not frozen) or bool(a["trainable_statistics"]),
    }


def _pool_kind(call: Call) -> str:
    adaptive = "adaptive_" if call.attributes["adaptive"] else ""
    return f"{adaptive}{call.attributes.get('pooling_type', 'max')}_pool"


def _pool(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    if a["adaptive"]:
        return {"output_size": call.output[2:]}
    spatial = call.shapes["x"][2:]
    kernel = tuple(spatial) if a["global_pooling"] else pair(a["kernel_size"], n)
    stride = pair(a["stride"], n)
    padding = ((0, 0),) * n if a["global_pooling"] else _padding(call, kernel, stride)
    result: Attributes = {
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": bool(a["ceil_mode"]),
    }
    if a.get("pooling_type") == "avg":
        result["exclusive"] = bool(a["exclusive"]) if any(map(any, padding)) else True
        result["divisor"] = None
    else:
        result["dilation"] = (1,) * n
    return result


def _reduction(call: Call) -> Attributes:
    a = call.attributes
    return {"axes": axes(a.get("axis"), call.rank), "keepdim": bool(a.get("keepdim", False))}


def _interpolate(call: Call) -> Attributes:
    a = call.attributes
    result = {
        "mode": a["mode"],
        "output_size": call.output[2:],
        "align_corners": bool(a["align_corners"]) and a["mode"] != "nearest",
    }
    if a["align_mode"] == 1 and not a["align_corners"] and a["mode"] in ("bilinear", "linear", "trilinear"):
        result["align_mode"] = 1
    return result


def _grid_sample(call: Call) -> Attributes:
    a = call.attributes
    return {
        "mode": a["mode"],
        "padding_mode": a["padding_mode"],
        "align_corners": bool(a["align_corners"]),
    }


def _pad3d(call: Call) -> Attributes:
    flat = list(call.attributes["pad"])
    pads = [(0, 0)] * call.rank
    for i in range(len(flat) // 2):
        pads[call.rank - 1 - i] = (int(flat[2 * i]), int(flat[2 * i + 1]))
    mode = call.attributes["mode"]
    return {
        "pads": tuple(pads),
        "mode": "edge" if mode == "replicate" else mode,
        "value": float(call.attributes["value"]) if mode == "constant" else 0.0,
    }


def _pad(call: Call) -> Attributes:
    flat = list(call.attributes["pad"])
    pads = tuple((int(flat[2 * i]), int(flat[2 * i + 1])) for i in range(len(flat) // 2))
    return {"pads": pads, "mode": "constant", "value": float(call.attributes["value"])}


def _clip(call: Call) -> Attributes:
    low, high = call.attributes.get("min"), call.attributes.get("max")
    return {"min": _bound(low), "max": _bound(high)}


def _bound(value: Any) -> float | None:
    """Paddle spells "no bound" as the largest float32."""
    return None if value is None or abs(float(value)) > 3e38 else float(value)


def _dropout(call: Call) -> Attributes:
    a = call.attributes
    return {
        "p": float(a["p"]),
        "training": not a["is_test"],
        "mode": a["mode"],
        "channels": False,
    }


def _number(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, str)) else float(value)


def _scalar(*names: str) -> Any:
    return lambda call: {name: _number(call.attributes.get(name)) for name in names}


def _axis() -> Any:
    return lambda call: {"axis": axis(call.attributes.get("axis", -1), call.rank)}


def _axis_from_end(call: Call) -> Attributes:
    """Counted from the end, an axis keeps its meaning when leading dimensions are merged."""
    return {"axis": axis(call.attributes.get("axis", -1), call.rank) - call.rank}


def _concat(call: Call) -> Attributes:
    return {"axis": axis(call.attributes.get("axis", 0), len(call.output))}


def _perm(call: Call) -> Attributes:
    return {"perm": tuple(int(v) % call.rank for v in call.attributes["perm"])}


def _embedding(call: Call) -> Attributes:
    index = int(call.attributes.get("padding_idx", -1))
    return {"padding_idx": None if index < 0 else index}


def _getitem(call: Call) -> Attributes:
    return {"slices": slices(call.attributes["item"], call.shapes["x"])}


def _cast(call: Call) -> Attributes:
    name = str(call.attributes.get("dtype", "")).rpartition(".")[2].lower()
    return {"narrow": name} if name in ("float16", "bfloat16") else {}


def _roll(call: Call) -> Attributes:
    """Shifts by axis; without axes the flattened tensor is rolled, which stays unaudited."""
    shifts, given = call.attributes.get("shifts"), call.attributes.get("axis")
    if given is None or given == []:
        return {"arguments": "flattened"}
    along = given if isinstance(given, (list, tuple)) else [given]
    by: Any = shifts if isinstance(shifts, (list, tuple)) else [shifts]
    return {"shifts": tuple(int(s) for s in by), "axes": tuple(axis(a, call.rank) for a in along)}


_DROPOUT = {"p": 0.5, "axis": None, "training": True, "mode": "upscale_in_train"}


def _functional_dropout(call: Call) -> Attributes:
    """`paddle.nn.functional.dropout` as a whole: with an axis it is many operators, one of them random."""
    a, along = call.attributes, call.attributes.get("axis")
    drawn = len(along) if isinstance(along, (list, tuple)) else int(along is not None)
    some = 0 < drawn < len(call.shapes["x"])
    return {"p": float(a["p"]), "training": bool(a["training"]), "mode": a["mode"], "channels": some}


def _slice(call: Call) -> Attributes:
    shape = call.shapes["x"]
    entries: list[Any] = [(0, n, 1) for n in shape]
    a = call.attributes
    for which, start, stop in zip(a["axes"], a["starts"], a["ends"], strict=False):
        entries[axis(which, len(shape))] = slice(int(start), int(stop)).indices(
            shape[axis(which, len(shape))]
        )
    for which in a.get("decrease_axis") or []:
        entries[which] = entries[which][0]
    return {"slices": tuple(entries)}


def _scale(call: Call) -> Attributes:
    a = call.attributes
    scale, bias = float(a["scale"]), float(a["shift"])
    return {"scale": scale, "shift": bias if a["bias_after_scale"] else bias * scale}


def _layer_norm(call: Call) -> Attributes:
    a = call.attributes
    return {"eps": float(a["eps"]), "axes": tuple(range(int(a["begin"]), call.rank))}


def _variance(call: Call) -> Attributes:
    """`paddle.var` and `paddle.std` as a whole: inside, they divide by a count that no operator makes."""
    a = call.attributes
    return {
        "axes": axes(a["axis"], call.rank),
        "keepdim": bool(a["keepdim"]),
        "correction": float(a.get("correction") or a["unbiased"]),
    }


def _recurrent(call: Call) -> Attributes:
    a = call.attributes
    return {
        "num_layers": int(a["num_layers"]),
        "bidirectional": bool(a["bidirectional"]),
        "dropout": float(a["dropout"]) if int(a["num_layers"]) > 1 else 0.0,
        "time_major": True,
    }


_RNN = (
    "x states weights sequence_length dropout_state dropout bidirectional input_size hidden_size num_layers mode seed "
    "is_test"
)


def _binary(kind: str, arguments: str = "x y") -> Signature:
    return Signature(kind, arguments)


COMPARISONS = {"gt": "greater_than", "ge": "greater_equal", "lt": "less_than", "le": "less_equal"}
_VARIANCE = {"axis": None, "unbiased": True, "keepdim": False}

_TOP = {"largest": True, "sorted": True}
_CONV = "x weight stride padding algorithm dilation groups layout"
_POOL = (
    "x kernel_size stride padding ceil_mode exclusive layout pooling_type global_pooling adaptive algorithm"
)
_MAX_POOL = "x kernel_size stride padding global_pooling adaptive ceil_mode"
_BN = "x mean variance weight bias is_test momentum eps layout use_global_stats trainable_statistics"
_INTERP = "x out_size size_tensor scale_tensor layout out_d out_h out_w scale mode align_corners align_mode"
_CONV_T = "x weight stride padding output_padding output_size algorithm groups dilation layout"

SIGNATURES: dict[str, Signature] = {
    **fourier.PADDLE,
    "conv2d": Signature("conv", _CONV, _conv),
    "conv3d": Signature("conv", "x weight stride padding algorithm groups dilation layout", _conv),
    "depthwise_conv2d": Signature("conv", "x weight stride padding algorithm groups dilation layout", _conv),
    "conv2d_transpose": Signature("conv_transpose", _CONV_T, _conv_transpose),
    "conv3d_transpose": Signature("conv_transpose", _CONV_T, _conv_transpose),
    "depthwise_conv2d_transpose": Signature("conv_transpose", _CONV_T, _conv_transpose),
    "conv2d_transpose_bias": Signature(
        "conv_transpose",
        "x weight bias stride padding output_padding output_size algorithm groups dilation layout",
        _conv_transpose,
    ),
    "linear": Signature("linear", "x weight bias"),
    "linear_v2": Signature("linear", "x weight bias"),
    "embedding": Signature("embedding", "x weight padding_idx", _embedding),
    "embedding_with_scaled_gradient": Signature(
        "embedding", "x weight padding_idx", lambda c: {**_embedding(c), "scale_grad_by_freq": True}
    ),
    "batch_norm": Signature("batch_norm", _BN, _batch_norm, {"trainable_statistics": False}),
    "sync_batch_norm_": Signature("batch_norm", _BN, _batch_norm, {"trainable_statistics": False}),
    "layer_norm": Signature("layer_norm", "x weight bias eps begin", _layer_norm),
    "group_norm": Signature(
        "group_norm",
        "x weight bias eps groups",
        lambda c: {"groups": int(c.attributes["groups"]), "eps": float(c.attributes["eps"])},
    ),
    "instance_norm": Signature(
        "instance_norm",
        "x weight bias eps",
        lambda c: {"eps": float(c.attributes["eps"]), "track_running_stats": False},
    ),
    "prelu": Signature("prelu", "x weight layout mode"),
    "pool2d": Signature(_pool_kind, _POOL, _pool),
    "pool3d": Signature(_pool_kind, _POOL, _pool),
    "max_pool2d_with_index": Signature(_pool_kind, _MAX_POOL, _pool, {"ceil_mode": False}),
    "max_pool3d_with_index": Signature(_pool_kind, _MAX_POOL, _pool, {"ceil_mode": False}),
    "relu": Signature("relu"),
    "relu6": Signature("clip", "x", lambda _: {"min": 0.0, "max": 6.0}),
    "hardtanh": Signature("clip", "x min max", _clip),
    "clip": Signature("clip", "x min max", _clip),
    "leaky_relu": Signature("leaky_relu", "x slope", _scalar("slope")),
    "elu": Signature("elu", "x alpha", _scalar("alpha")),
    "celu": Signature("celu", "x alpha", _scalar("alpha")),
    "selu": Signature("selu"),
    "gelu": Signature(
        "gelu", "x approximate", lambda c: {"approximate": bool(c.attributes.get("approximate"))}
    ),
    "hardsigmoid": Signature("hardsigmoid", "x slope offset", _scalar("slope", "offset")),
    "hardswish": Signature("hardswish"),
    "silu": Signature("silu"),
    "swish": Signature("silu"),
    "mish": Signature("mish"),
    "softplus": Signature(
        "softplus", "x beta threshold", _scalar("beta", "threshold"), {"beta": 1.0, "threshold": 20.0}
    ),
    "softmax": Signature("softmax", "x axis", _axis_from_end),
    "log_softmax": Signature("log_softmax", "x axis", _axis_from_end),
    "sigmoid": Signature("sigmoid"),
    "tanh": Signature("tanh"),
    "dropout": Signature("dropout", "x seed_tensor p is_test mode", _dropout),
    "nearest_interp": Signature("interpolate", _INTERP, _interpolate),
    "bilinear_interp": Signature("interpolate", _INTERP, _interpolate),
    "bicubic_interp": Signature("interpolate", _INTERP, _interpolate),
    "linear_interp": Signature("interpolate", _INTERP, _interpolate),
    "trilinear_interp": Signature("interpolate", _INTERP, _interpolate),
    "grid_sample": Signature(
        "grid_sample",
        "x grid mode padding_mode align_corners",
        _grid_sample,
        {"mode": "bilinear", "padding_mode": "zeros", "align_corners": True},
    ),
    "pad3d": Signature("pad", "x pad mode value layout", _pad3d),
    "pad": Signature("pad", "x pad value", _pad),
    **{
        name: Signature("reshape", "x", lambda c: {"shape": c.output})
        for name in ("reshape", "flatten", "squeeze", "unsqueeze", "view_shape")
    },
    "transpose": Signature("permute", "x perm", _perm),
    **{
        name: Signature("identity")
        for name in (
            "clone",
            "assign",
            "contiguous",
            "share_data",
            "_tensor_use_gpudnn",
            "npu_identity",
            "memcpy",
            "memcpy_h2d",
            "memcpy_d2h",
            "copy_to",
        )
    },
    "cast": Signature("identity", "x dtype", _cast),
    "detach": Signature("identity", "x", lambda _: {"detached": True}),
    "expand": Signature("expand", "x", lambda c: {"shape": c.output}),
    "expand_as": Signature("expand", "x", lambda c: {"shape": c.output}),
    "tile": Signature("tile", "x", lambda c: {"shape": c.output}),
    "concat": Signature("concat", "x axis", _concat),
    "stack": Signature("stack", "x axis", _concat),
    "split": Signature("split", "x size axis", _axis()),
    "split_with_num": Signature("split", "x size axis", _axis()),
    "unbind": Signature("unbind", "x axis", _axis()),
    "slice": Signature("getitem", "x axes starts ends infer_flags decrease_axis", _slice),
    "__getitem__": Signature("getitem", "x item", _getitem),
    **{name: _binary("add") for name in ("add", "__add__", "__radd__")},
    **{name: _binary("mul") for name in ("multiply", "__mul__", "__rmul__")},
    **{name: _binary("sub") for name in ("subtract", "__sub__")},
    "__rsub__": _binary("sub", "y x"),
    **{name: _binary("div") for name in ("divide", "__truediv__", "__div__")},
    **{name: _binary("div", "y x") for name in ("__rdiv__", "__rtruediv__")},
    "scale": Signature("affine", "x scale shift bias_after_scale", _scale),
    "maximum": _binary("maximum"),
    "minimum": _binary("minimum"),
    "matmul": Signature(
        "matmul",
        "x y transpose_x transpose_y",
        # A vector has nothing to transpose.
        lambda c: {
            f"transpose_{slot}": bool(c.attributes.get(f"transpose_{slot}")) and len(c.shapes[slot]) > 1
            for slot in ("x", "y")
        },
    ),
    "__matmul__": Signature("matmul", "x y"),
    "bmm": Signature("matmul", "x y"),
    "addmm": Signature("addmm", "bias x y beta alpha", _scalar("alpha", "beta")),
    "pow": Signature("pow", "x exponent", _scalar("exponent")),
    "__pow__": Signature("pow", "x exponent", _scalar("exponent")),
    "elementwise_pow": Signature("pow", "x exponent"),
    "square": Signature("pow", "x", lambda _: {"exponent": 2.0}),
    **{name: Signature(name, "x axis keepdim", _reduction) for name in ("mean", "sum")},
    **{name: Signature(name, "x axis unbiased keepdim", _variance, _VARIANCE) for name in ("var", "std")},
    **{alias: _binary(name) for name, long in COMPARISONS.items() for alias in (long, f"__{name}__")},
    "mean_all": Signature("mean", "x", _reduction),
    **{
        name: Signature(f"a{name.lstrip('a')}", "x axis keepdim", _reduction)
        for name in ("max", "min", "amax", "amin")
    },
    "rnn": Signature(lambda c: str(c.attributes["mode"]).lower(), _RNN, _recurrent),
    "logsumexp": Signature("logsumexp", "x axis keepdim", _reduction),
    "pixel_shuffle": Signature("pixel_shuffle", "x factor", _scalar("factor")),
    "channel_shuffle": Signature("channel_shuffle", "x groups", _scalar("groups")),
    "p_norm": Signature(
        "norm",
        "x p axis epsilon keepdim flatten",
        lambda c: {
            "p": float(c.attributes["p"]),
            "axes": axes(None if c.attributes.get("flatten") else c.attributes["axis"], c.rank),
        },
    ),
    "take_along_axis": Signature("gather", "x index axis", _axis()),
    "index_select": Signature(
        "index_select", "x index axis", lambda c: {"axis": axis(c.attributes["axis"], c.rank)}
    ),
    "full": Signature("constant", "shape value", lambda c: {"value": float(c.attributes["value"])}),
    "full_like": Signature("constant", "x value", lambda c: {"value": float(c.attributes["value"])}),
    "full_": Signature("constant", "target shape value", lambda c: {"value": float(c.attributes["value"])}),
    "fill": Signature("constant", "target value", lambda c: {"value": float(c.attributes["value"])}),
    "assign_value": Signature("constant", "target"),
    "set_value": Signature(
        lambda c: "expand" if "x" in c.shapes else "constant", "target x", lambda c: {"shape": c.output}
    ),
    "assign_out": Signature("expand", "x target", lambda c: {"shape": c.output}),
    "copy_": Signature("expand", "target x", lambda c: {"shape": c.output}),
    "__setitem__": Signature("setitem", "x item y", _getitem),
    "functional.dropout": Signature("dropout", "x p axis training mode", _functional_dropout, _DROPOUT),
    "functional.alpha_dropout": Signature(
        "dropout", "x p training", lambda c: {**_functional_dropout(c), "mode": "alpha"}, _DROPOUT
    ),
    "roll": Signature("roll", "x shifts axis", _roll),
    "flip": Signature("flip", "x axes", lambda c: {"axes": axes(c.attributes["axes"], c.rank)}),
    "cumsum": Signature(
        "cumsum",
        "x axis flatten exclusive reverse",
        lambda c: {} if c.attributes.get("flatten") else _axis()(c),
    ),
    "cumprod": Signature("cumprod", "x axis exclusive reverse", _axis()),
    "cross_entropy_with_softmax": Signature(
        "cross_entropy", "x label soft use_softmax numeric ignore_index axis"
    ),
    "argsort": Signature("sort", "x axis descending stable", ordering("descending", "stable")),
    "topk": Signature("topk", "x k axis largest sorted", ordering("largest", "sorted"), _TOP),
    "kthvalue": Signature("kthvalue", "x k axis keepdim", ordering()),
    **{name: Signature(name, "x axis keepdim flatten", position) for name in ("argmax", "argmin")},
    "where": Signature("where", "condition x y"),
}
"""Paddle operator name (without a trailing "_") -> how to read its calls."""

METHODS = (
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__truediv__",
    "__rtruediv__",
    "__div__",
    "__rdiv__",
    "__pow__",
    "__rpow__",
    "__matmul__",
    "__rmatmul__",
    "__mod__",
    "__floordiv__",
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__getitem__",
    "clone",
    "detach",
    "contiguous",
    "_tensor_use_gpudnn",
)
"""Methods of `paddle.Tensor` that make tensors without passing `paddle._C_ops`."""

IN_PLACE_METHODS = ("__setitem__", "copy_", "set_value")

CREATORS = frozenset(
    {
        "full",
        "full_like",
        "full_",
        "arange",
        "linspace",
        "eye",
        "empty",
        "empty_like",
        "assign_value",
        "full_int_array",
        "full_with_tensor",
        "full_batch_size_like",
        "tril_indices",
        "triu_indices",
        "to_tensor",
        "tril",
        "triu",
        "assign_value_",
        "ones",
        "zeros",
        "ones_like",
        "zeros_like",
        "data",
    }
)
"""Calls that make a tensor out of numbers."""

RANDOM = frozenset(
    {
        "uniform",
        "gaussian",
        "randint",
        "randperm",
        "bernoulli",
        "multinomial",
        "truncated_gaussian_random",
        "uniform_inplace_",
        "gaussian_inplace_",
        "rrelu",
        "exponential_",
        "poisson",
        "standard_gamma",
        "dirichlet",
    }
)
"""Calls whose result no seed can make equal to torch's."""

ROUNDING = frozenset({"dropout", "hardtanh", "softshrink"})
"""Operators that round the numbers of the call to float32, beside those of which the table says so."""

READINGS = ("item", "tolist", "numpy", "__array__", "__bool__", "__int__", "__float__", "__index__")
"""Methods that take the numbers out of a tensor."""

QUERIES = frozenset({"shape", "shape64", "numel", "is_empty"})
"""Calls that answer a question about a tensor."""
