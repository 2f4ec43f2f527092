"""torch calls in the shared vocabulary: function name -> signature (torch 2.4 to 2.13).

Names are those a `TorchFunctionMode` sees once `torch.nn.functional`'s Python layer is looked through:
`torch.conv2d`, `Tensor.add`, `torch._C._nn.gelu`, ... In-place twins (`relu_`) share a row. Argument
orders are those of `torch/_C/_VariableFunctions.pyi` and `torch/_C/_nn.pyi`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity.ops import fourier
from parity.ops.signature import Attributes, Call, Signature, axes, axis, ordering, pair, position, slices

ALIASES: Mapping[str, str] = {
    "input": "x",
    "self": "x",
    "other": "y",
    "dim": "axis",
    "tensors": "x",
    "vec2": "y",
    "mat2": "y",
    "tensor": "x",
    "lambd": "threshold",
}


def _padding(value: Any, call: Call) -> Any:
    if isinstance(value, str):
        if value == "valid":
            return ((0, 0),) * (call.rank - 2)
        kernel = call.shapes["weight"][2:]
        dilation = pair(call.attributes["dilation"], call.rank - 2)
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    return tuple((p, p) for p in pair(value, call.rank - 2))


def _conv(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    return {
        "stride": pair(a["stride"], n),
        "padding": _padding(a["padding"], call),
        "dilation": pair(a["dilation"], n),
        "groups": int(a["groups"]),
    }


def _conv_transpose(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    return {
        "stride": pair(a["stride"], n),
        "padding": tuple((p, p) for p in pair(a["padding"], n)),
        "output_padding": pair(a["output_padding"], n),
        "dilation": pair(a["dilation"], n),
        "groups": int(a["groups"]),
    }


def _batch_norm(call: Call) -> Attributes:
    a = call.attributes
    momentum = a["momentum"]
    return {
        "eps": float(a["eps"]),
        "momentum": None if momentum is None else 1.0 - float(momentum),
        "training": bool(a["training"]) or call.shapes.get("mean") is None,
    }


def _pool(call: Call) -> Attributes:
    a, n = call.attributes, call.rank - 2
    kernel = pair(a["kernel_size"], n)
    stride = a["stride"]
    result: Attributes = {
        "kernel_size": kernel,
        "stride": kernel if stride is None or stride == [] else pair(stride, n),
        "padding": tuple((p, p) for p in pair(a["padding"], n)),
        "ceil_mode": bool(a["ceil_mode"]),
    }
    if "dilation" in a:
        result["dilation"] = pair(a["dilation"], n)
    if "count_include_pad" in a:
        # Without padding there is nothing to include: both values mean the same.
        result["exclusive"] = not a["count_include_pad"] if any(pair(a["padding"], n)) else True
        result["divisor"] = a["divisor_override"]
    return result


def _adaptive(call: Call) -> Attributes:
    return {"output_size": call.output[2:]}


def _reduction(call: Call) -> Attributes:
    a = call.attributes
    return {"axes": axes(a.get("axis"), call.rank), "keepdim": bool(a.get("keepdim", False))}


def _extreme(name: str) -> Any:
    """`max(x, y)` of two tensors is the larger of each, `max(x)` and `max(x, dim)` the largest of many."""
    return lambda call: f"{name}imum" if "y" in call.shapes else f"a{name}"


def _extreme_axes(call: Call) -> Attributes:
    a = call.attributes
    if "y" in call.shapes:
        return {}
    return {"axes": axes(a.get("axis", a.get("y")), call.rank), "keepdim": bool(a.get("keepdim", False))}


def _permutation(call: Call) -> tuple[int, ...]:
    given = call.rest[0] if len(call.rest) == 1 and isinstance(call.rest[0], (list, tuple)) else call.rest
    given = given or call.attributes.get("dims", ())
    return tuple(int(v) % call.rank for v in given)


def _swapped(call: Call) -> Attributes:
    perm = list(range(call.rank))
    first = axis(call.attributes.get("axis0", call.attributes.get("dim0", 0)), call.rank)
    second = axis(call.attributes.get("axis1", call.attributes.get("dim1", 1)), call.rank)
    perm[first], perm[second] = perm[second], perm[first]
    return {"perm": tuple(perm)}


def _matrix_transpose(call: Call) -> Attributes:
    perm = list(range(call.rank))
    if call.rank >= 2:
        perm[-1], perm[-2] = perm[-2], perm[-1]
    return {"perm": tuple(perm)}


def _reversed(call: Call) -> Attributes:
    return {"perm": tuple(reversed(range(call.rank)))}


def _interpolate(mode: str) -> Any:
    def canonical(call: Call) -> Attributes:
        return {
            "mode": mode,
            "output_size": call.output[2:],
            "align_corners": bool(call.attributes.get("align_corners", False)),
        }

    return canonical


def _grid_sample(call: Call) -> Attributes:
    a = call.attributes
    return {
        "mode": ("bilinear", "nearest", "bicubic")[a["mode"]],
        "padding_mode": ("zeros", "border", "reflection")[a["padding_mode"]],
        "align_corners": bool(a["align_corners"]),
    }


def _pad(call: Call) -> Attributes:
    flat = list(call.attributes["pad"])
    pads = [(0, 0)] * call.rank
    for i in range(len(flat) // 2):
        pads[call.rank - 1 - i] = (int(flat[2 * i]), int(flat[2 * i + 1]))
    mode = call.attributes["mode"]
    value = call.attributes["value"]
    return {
        "pads": tuple(pads),
        "mode": "edge" if mode == "replicate" else mode,
        "value": float(value or 0.0) if mode == "constant" else 0.0,
    }


def _gelu(call: Call) -> Attributes:
    return {"approximate": call.attributes.get("approximate", "none") != "none"}


def _clip(call: Call) -> Attributes:
    low, high = call.attributes.get("min"), call.attributes.get("max")
    return {"min": None if low is None else float(low), "max": None if high is None else float(high)}


def _dropout(feature: bool, mode: str = "upscale_in_train") -> Any:
    def canonical(call: Call) -> Attributes:
        a = call.attributes
        return {
            "p": float(a["p"]),
            "training": bool(a["training"]),
            "mode": mode,
            "channels": feature,
        }

    return canonical


def _scalar(*names: str) -> Any:
    def canonical(call: Call) -> Attributes:
        return {name: _number(call.attributes.get(name)) for name in names}

    return canonical


def _number(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, str)) else float(value)


def _axis(name: str = "axis") -> Any:
    return lambda call: {"axis": axis(call.attributes.get(name, -1), call.rank)}


def _axis_from_end(call: Call) -> Attributes:
    """Counted from the end, an axis keeps its meaning when leading dimensions are merged."""
    return {"axis": axis(call.attributes.get("axis", -1), call.rank) - call.rank}


def _concat(call: Call) -> Attributes:
    return {"axis": axis(call.attributes.get("axis", 0), len(call.output))}


def _embedding(call: Call) -> Attributes:
    index = int(call.attributes.get("padding_idx", -1))
    scaled = {"scale_grad_by_freq": True} if call.attributes.get("scale_grad_by_freq") else {}
    return {"padding_idx": None if index < 0 else index, **scaled}


def _getitem(call: Call) -> Attributes:
    return {"slices": slices(call.attributes["item"], call.shapes["x"])}


def _norm_eps(call: Call) -> Attributes:
    return {"eps": float(call.attributes["eps"])}


def _row_norm(call: Call) -> Attributes:
    """Without an eps, RMSNorm takes the smallest step of its type: of float32, as models run."""
    shape, eps = call.attributes["normalized_shape"], call.attributes.get("eps")
    count = len(shape) if isinstance(shape, (list, tuple)) else 1
    return {
        "eps": FLOAT32_STEP if eps is None else float(eps),
        "axes": tuple(range(call.rank - count, call.rank)),
    }


def _variance(call: Call) -> Attributes:
    """`var(x, False)` and `var(x, 1, False)` say unbiased by position, newer code says correction."""
    a = dict(call.attributes)
    if isinstance(a.get("axis"), bool):
        a["unbiased"] = a.pop("axis")
    given = a.get("correction", a.get("unbiased"))
    return {
        "axes": axes(a.get("axis"), call.rank),
        "keepdim": bool(a.get("keepdim", False)),
        "correction": 1.0 if given is None else float(given),
    }


def _filled(value: float | None = None) -> Any:
    """A tensor of one number, which the call names unless `value` does."""

    def canonical(call: Call) -> Attributes:
        given = call.attributes.get("value") if value is None else value
        return {"value": None if given is None else float(given)}

    return canonical


def _filling(call: Call) -> str:
    return "fill" if "value" in call.shapes else "constant"


def _recurrent(call: Call) -> Attributes:
    """`torch._VF.lstm` and its kin, for sequences of equal length."""
    a = call.attributes
    return {
        "num_layers": int(a["num_layers"]),
        "bidirectional": bool(a["bidirectional"]),
        "dropout": float(a["dropout"]) if int(a["num_layers"]) > 1 else 0.0,
        "time_major": not a["batch_first"],
    }


def _recurrent_kind(name: str) -> Any:
    """Packed sequences come with sizes of batches in second place: those stay what they are."""
    return lambda call: name if "has_biases" in call.attributes else f"packed_{name}"


def _instance_norm(c: Call) -> dict[str, Any]:
    """Paddle's layer has no running statistics; torch's uses them in eval if it tracks them."""
    return {**_norm_eps(c), "track_running_stats": not c.attributes.get("use_input_stats", True)}


def _axes_given(call: Call) -> tuple[int, ...]:
    given = call.attributes.get("axes", call.attributes.get("dims"))
    return axes([given, *call.rest] if isinstance(given, int) else given, call.rank)


def _roll(call: Call) -> Attributes:
    """Shifts by axis; without axes the flattened tensor is rolled, which stays unaudited."""
    shifts, given = call.attributes.get("shifts"), call.attributes.get("axis", call.attributes.get("dims"))
    if given is None or given == ():
        return {"arguments": "flattened"}
    along = given if isinstance(given, (list, tuple)) else [given]
    by: Any = shifts if isinstance(shifts, (list, tuple)) else [shifts]
    return {"shifts": tuple(int(s) for s in by), "axes": tuple(axis(a, call.rank) for a in along)}


def _moved_axes(call: Call) -> Attributes:
    given = (call.attributes["source"], call.attributes["destination"])
    source, target = (
        [axis(a, call.rank) for a in (g if isinstance(g, (list, tuple)) else [g])] for g in given
    )
    perm = [a for a in range(call.rank) if a not in source]
    for place, moved in sorted(zip(target, source, strict=True)):
        perm.insert(place, moved)
    return {"perm": tuple(perm)}


def _norm(call: Call) -> Attributes:
    order = call.attributes.get("p", call.attributes.get("ord", 2.0))
    power = 2.0 if order in ("fro", None) else float(order)
    return {"p": power, "axes": axes(call.attributes.get("axis"), call.rank)}


def _cast(call: Call) -> Attributes:
    name = str(call.attributes.get("dtype", "")).rpartition(".")[2]
    return {"narrow": name} if name in ("float16", "bfloat16", "half", "HalfTensor") else {}


def _attention(call: Call) -> Attributes:
    a = call.attributes
    scale = a.get("scale")
    return {
        "p": float(a.get("dropout_p", 0.0)),
        "causal": bool(a.get("is_causal", False)),
        "scale": float(call.shapes["x"][-1]) ** -0.5 if scale is None else float(scale),
    }


def _elementwise(kind: str, arguments: str = "x y") -> Signature:
    """x op y, with a Python number allowed on either side (read as an affine map by `parity.graph.builder`)."""
    return Signature(kind, arguments, lambda c: {k: v for k, v in c.attributes.items() if k == "alpha"})


FLOAT32_STEP = 2.0**-23
"""torch.finfo(torch.float32).eps."""

COMPARISONS = {"gt": ("greater",), "ge": ("greater_equal",), "lt": ("less",), "le": ("less_equal",)}

_TOP = {"largest": True, "sorted": True}
_POOL = {"stride": None, "padding": 0, "ceil_mode": False}
_AVG = {**_POOL, "count_include_pad": True, "divisor_override": None}
_CONV = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
_CONV_T = {**_CONV, "output_padding": 0}

SIGNATURES: dict[str, Signature] = {
    **fourier.TORCH,
    **{
        f"conv{n}d": Signature("conv", "x weight bias stride padding dilation groups", _conv, _CONV)
        for n in (1, 2, 3)
    },
    **{
        f"conv_transpose{n}d": Signature(
            "conv_transpose",
            "x weight bias stride padding output_padding groups dilation",
            _conv_transpose,
            _CONV_T,
        )
        for n in (1, 2, 3)
    },
    "linear": Signature("linear", "x weight bias"),
    "embedding": Signature("embedding", "weight x padding_idx scale_grad_by_freq", _embedding),
    "batch_norm": Signature("batch_norm", "x weight bias mean variance training momentum eps", _batch_norm),
    "layer_norm": Signature("layer_norm", "x normalized_shape weight bias eps", _row_norm, {"eps": 1e-5}),
    "rms_norm": Signature("rms_norm", "x normalized_shape weight eps", _row_norm),
    "group_norm": Signature(
        "group_norm",
        "x groups weight bias eps",
        lambda c: {"groups": int(c.attributes["groups"]), "eps": float(c.attributes["eps"])},
        {"eps": 1e-5},
    ),
    "instance_norm": Signature(
        "instance_norm", "x weight bias mean variance use_input_stats momentum eps", _instance_norm
    ),
    "prelu": Signature("prelu", "x weight"),
    **{
        f"max_pool{n}d": Signature(
            "max_pool", "x kernel_size stride padding dilation ceil_mode", _pool, {**_POOL, "dilation": 1}
        )
        for n in (1, 2, 3)
    },
    **{
        f"max_pool{n}d_with_indices": Signature(
            "max_pool", "x kernel_size stride padding dilation ceil_mode", _pool, {**_POOL, "dilation": 1}
        )
        for n in (2, 3)
    },
    "avg_pool1d": Signature(
        "avg_pool", "x kernel_size stride padding ceil_mode count_include_pad", _pool, _AVG
    ),
    **{
        f"avg_pool{n}d": Signature(
            "avg_pool",
            "x kernel_size stride padding ceil_mode count_include_pad divisor_override",
            _pool,
            _AVG,
        )
        for n in (2, 3)
    },
    **{f"adaptive_avg_pool{n}d": Signature("adaptive_avg_pool", "x", _adaptive) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": Signature("adaptive_max_pool", "x", _adaptive) for n in (1, 2, 3)},
    "relu": Signature("relu"),
    "relu6": Signature("clip", "x", lambda _: {"min": 0.0, "max": 6.0}),
    "hardtanh": Signature("clip", "x min max", _clip, {"min": -1.0, "max": 1.0}),
    "clamp": Signature("clip", "x min max", _clip),
    "clip": Signature("clip", "x min max", _clip),
    "clamp_min": Signature("clip", "x min", _clip),
    "clamp_max": Signature("clip", "x max", _clip),
    "leaky_relu": Signature(
        "leaky_relu", "x slope", _scalar("slope"), {"slope": 0.01, "negative_slope": 0.01}
    ),
    "elu": Signature("elu", "x alpha", _scalar("alpha"), {"alpha": 1.0}),
    "celu": Signature("celu", "x alpha", _scalar("alpha"), {"alpha": 1.0}),
    "selu": Signature("selu"),
    "gelu": Signature("gelu", "x", _gelu),
    "hardsigmoid": Signature("hardsigmoid", "x", lambda _: {"slope": 0.1666667, "offset": 0.5}),
    "hardswish": Signature("hardswish"),
    "silu": Signature("silu"),
    "mish": Signature("mish"),
    "softplus": Signature(
        "softplus", "x beta threshold", _scalar("beta", "threshold"), {"beta": 1, "threshold": 20}
    ),
    "softmax": Signature("softmax", "x axis", _axis_from_end),
    "log_softmax": Signature("log_softmax", "x axis", _axis_from_end),
    "sigmoid": Signature("sigmoid"),
    "tanh": Signature("tanh"),
    "dropout": Signature("dropout", "x p training", _dropout(False), {"p": 0.5, "training": True}),
    "feature_dropout": Signature("dropout", "x p training", _dropout(True), {"p": 0.5, "training": True}),
    **{
        name: Signature("dropout", "x p training", _dropout(False, "alpha"), {"p": 0.5, "training": True})
        for name in ("alpha_dropout", "feature_alpha_dropout")
    },
    "upsample_nearest1d": Signature("interpolate", "x", _interpolate("nearest")),
    "upsample_nearest2d": Signature("interpolate", "x", _interpolate("nearest")),
    "upsample_nearest3d": Signature("interpolate", "x", _interpolate("nearest")),
    **{
        f"_upsample_nearest_exact{n}d": Signature("interpolate", "x", _interpolate("nearest-exact"))
        for n in (1, 2, 3)
    },
    "upsample_linear1d": Signature("interpolate", "x size align_corners", _interpolate("linear")),
    "upsample_bilinear2d": Signature("interpolate", "x size align_corners", _interpolate("bilinear")),
    "upsample_trilinear3d": Signature("interpolate", "x size align_corners", _interpolate("trilinear")),
    "grid_sampler": Signature("grid_sample", "x grid mode padding_mode align_corners", _grid_sample),
    "upsample_bicubic2d": Signature("interpolate", "x size align_corners", _interpolate("bicubic")),
    "pad": Signature("pad", "x pad mode value", _pad, {"mode": "constant", "value": None}),
    **{
        name: Signature("reshape", "x", lambda c: {"shape": c.output})
        for name in (
            "reshape",
            "view",
            "flatten",
            "unflatten",
            "squeeze",
            "unsqueeze",
            "reshape_as",
            "view_as",
            "ravel",
            "_unsafe_view",
            "unsafe_view",
        )
    },
    "permute": Signature("permute", "x", lambda c: {"perm": _permutation(c)}),
    "transpose": Signature("permute", "x axis0 axis1", _swapped),
    "swapaxes": Signature("permute", "x axis0 axis1", _swapped),
    "swapdims": Signature("permute", "x axis0 axis1", _swapped),
    "t": Signature("permute", "x", _matrix_transpose),
    "mT": Signature("permute", "x", _matrix_transpose),
    "T": Signature("permute", "x", _reversed),
    "adjoint": Signature("permute", "x", _matrix_transpose),
    **{name: Signature("identity", "x dtype", _cast) for name in ("to", "type")},
    "half": Signature("identity", "x", lambda _: {"narrow": "float16"}),
    "bfloat16": Signature("identity", "x", lambda _: {"narrow": "bfloat16"}),
    **{
        name: Signature("identity")
        for name in (
            "contiguous",
            "clone",
            "type_as",
            "float",
            "double",
            "cpu",
            "cuda",
            "alias",
            "requires_grad_",
            "lift_fresh",
        )
    },
    **{name: Signature("identity", "x", lambda _: {"detached": True}) for name in ("detach", "data")},
    "expand": Signature("expand", "x", lambda c: {"shape": c.output}),
    "expand_as": Signature("expand", "x", lambda c: {"shape": c.output}),
    "broadcast_to": Signature("expand", "x", lambda c: {"shape": c.output}),
    "repeat": Signature("tile", "x", lambda c: {"shape": c.output}),
    "tile": Signature("tile", "x", lambda c: {"shape": c.output}),
    "cat": Signature("concat", "x axis", _concat),
    "concat": Signature("concat", "x axis", _concat),
    "concatenate": Signature("concat", "x axis", _concat),
    "stack": Signature("stack", "x axis", _concat),
    "split": Signature("split", "x size axis", _axis(), {"axis": 0}),
    "split_with_sizes": Signature("split", "x size axis", _axis(), {"axis": 0}),
    "tensor_split": Signature("split", "x size axis", _axis(), {"axis": 0}),
    "chunk": Signature("split", "x size axis", _axis(), {"axis": 0}),
    "unbind": Signature("unbind", "x axis", _axis(), {"axis": 0}),
    "__getitem__": Signature("getitem", "x item", _getitem),
    "narrow": Signature(
        "getitem",
        "x axis start length",
        lambda c: {
            "slices": tuple(
                (c.attributes["start"], c.attributes["start"] + c.attributes["length"], 1)
                if i == axis(c.attributes["axis"], c.rank)
                else (0, n, 1)
                for i, n in enumerate(c.shapes["x"])
            )
        },
    ),
    "select": Signature(
        "getitem",
        "x axis index",
        lambda c: {
            "slices": tuple(
                int(c.attributes["index"]) % n if i == axis(c.attributes["axis"], c.rank) else (0, n, 1)
                for i, n in enumerate(c.shapes["x"])
            )
        },
    ),
    **{name: _elementwise("add") for name in ("add", "__radd__", "__add__", "__iadd__")},
    **{name: _elementwise("mul") for name in ("mul", "multiply", "__rmul__", "__mul__", "__imul__")},
    **{name: _elementwise("sub") for name in ("sub", "subtract", "__sub__", "__isub__")},
    **{name: _elementwise("sub", "y x") for name in ("__rsub__", "rsub")},
    **{
        name: _elementwise("div")
        for name in ("div", "divide", "true_divide", "__truediv__", "__itruediv__", "__div__")
    },
    **{name: _elementwise("div", "y x") for name in ("__rdiv__", "__rtruediv__")},
    "neg": Signature("neg"),
    "negative": Signature("neg"),
    "maximum": _elementwise("maximum"),
    "minimum": _elementwise("minimum"),
    "matmul": Signature("matmul", "x y"),
    "__matmul__": Signature("matmul", "x y"),
    "bmm": Signature("matmul", "x y"),
    "mm": Signature("matmul", "x y"),
    "addmm": Signature("addmm", "bias x y", _scalar("alpha", "beta")),
    "pow": Signature("pow", "x exponent", _scalar("exponent")),
    "__pow__": Signature("pow", "x exponent", _scalar("exponent")),
    "square": Signature("pow", "x", lambda _: {"exponent": 2.0}),
    **{name: Signature(name, "x axis keepdim", _reduction) for name in ("mean", "sum", "amax", "amin")},
    **{
        name: Signature(name, "x axis unbiased keepdim", _variance)
        for name in ("var", "std", "var_mean", "std_mean")
    },
    **{
        alias: _elementwise(name)
        for name, others in COMPARISONS.items()
        for alias in (name, f"__{name}__", *others)
    },
    **{name: Signature(_extreme(name), "x y keepdim", _extreme_axes) for name in ("max", "min")},
    **{
        name: Signature(
            _recurrent_kind(name),
            "x states weights has_biases num_layers dropout training bidirectional batch_first",
            lambda c: _recurrent(c) if "has_biases" in c.attributes else {},
        )
        for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")
    },
    **{
        name: Signature(name, "x states weight_ih weight_hh bias_ih bias_hh")
        for name in ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
    },
    **{
        f"{prefix}{name}{suffix}": Signature("constant", f"{arguments} {size} value".strip(), _filled(value))
        for name, value in (("zeros", 0.0), ("ones", 1.0), ("full", None))
        for prefix, suffix, arguments, size in (
            ("", "", "", "size"),
            ("new_", "", "x", "size"),
            ("", "_like", "x", ""),
        )
    },
    "fill": Signature(_filling, "target value", _filled()),
    "zero": Signature("constant", "target", _filled(0.0)),
    "copy": Signature("expand", "target x", lambda c: {"shape": c.output}),
    "__setitem__": Signature("setitem", "x item y", _getitem),
    "logsumexp": Signature("logsumexp", "x axis keepdim", _reduction),
    "scaled_dot_product_attention": Signature(
        "attention", "x key value mask dropout_p is_causal", _attention
    ),
    "pixel_shuffle": Signature("pixel_shuffle", "x factor", _scalar("factor")),
    "channel_shuffle": Signature("channel_shuffle", "x groups", _scalar("groups")),
    **{name: Signature("norm", "x p axis keepdim", _norm) for name in ("norm", "linalg_vector_norm")},
    "vector_norm": Signature("norm", "x ord axis keepdim", _norm),
    "gather": Signature("gather", "x axis index", _axis()),
    "take_along_dim": Signature("gather", "x index axis", _axis()),
    "index_select": Signature(
        "index_select", "x axis index", lambda c: {"axis": axis(c.attributes["axis"], c.rank)}
    ),
    "roll": Signature("roll", "x shifts axis", _roll),
    **{name: Signature("permute", "x source destination", _moved_axes) for name in ("movedim", "moveaxis")},
    "flip": Signature("flip", "x axes", lambda c: {"axes": _axes_given(c)}),
    **{name: Signature(name, "x axis", _axis()) for name in ("cumsum", "cumprod")},
    "cross_entropy_loss": Signature("cross_entropy", "x label weight reduction ignore_index label_smoothing"),
    "sort": Signature("sort", "x axis descending", ordering("descending", "stable")),
    "argsort": Signature("sort.indices", "x axis descending stable", ordering("descending", "stable")),
    "topk": Signature("topk", "x k axis largest sorted", ordering("largest", "sorted"), _TOP),
    "kthvalue": Signature("kthvalue", "x k axis keepdim", ordering()),
    **{name: Signature(name, "x axis keepdim", position) for name in ("argmax", "argmin")},
    "where": Signature("where", "condition x y"),
}
"""torch function name (without a trailing "_") -> how to read its calls."""

READINGS = frozenset(
    {"item", "tolist", "numpy", "__array__", "__bool__", "__int__", "__float__", "__index__", "__complex__"}
)
"""Calls that take the numbers out of a tensor."""

SHAPE_QUERIES = frozenset(
    {
        "size",
        "dim",
        "numel",
        "__len__",
        "is_floating_point",
        "is_complex",
        "stride",
        "element_size",
        "data_ptr",
        "is_contiguous",
        "get_device",
        "__hash__",
        "__repr__",
        "__format__",
        "is_same_size",
        "nelement",
        "dim_order",
        "has_names",
        "equal",
        "allclose",
        "untyped_storage",
    }
)
"""Calls that answer a question about a tensor and make none."""

UNSEEN = ("from_numpy", "frombuffer", "from_dlpack")
"""Creators of the `torch` namespace that no mode is told of."""

CREATORS = frozenset(
    {
        "zeros",
        "ones",
        "full",
        "arange",
        "linspace",
        "eye",
        "tensor",
        "as_tensor",
        "empty",
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "new_zeros",
        "new_ones",
        "new_full",
        "new_empty",
        "new_tensor",
        *UNSEEN,
        "tril",
        "triu",
        "scalar_tensor",
    }
)
"""Calls that make a tensor out of numbers."""

RANDOM = frozenset(
    {
        "rand",
        "randn",
        "randint",
        "randperm",
        "rand_like",
        "randn_like",
        "bernoulli",
        "normal",
        "multinomial",
        "uniform_",
        "normal_",
        "bernoulli_",
        "rrelu",
        "rrelu_",
    }
)
"""Calls whose result no seed can make equal to Paddle's."""
