"""How a call is written in torch where a name and a list of arguments cannot say it.

A row's forms are tried in order before the plain mapping of its arguments. A form's `torch` is an expression in which Paddle's
argument names stand for what the call gives; an argument that is not given leaves its keyword out, or is Paddle's default. `x` is
what a method is called on. `=` is the plain mapping, `= name` that of another name, `== name` one that takes Paddle's arguments, `as called` ours of
Paddle's name with all arguments as they stand. `when` says for which calls a form is meant:

    "axis given, num int"     an argument is given / absent, or what is known of it: int, str, list, none, tensor, number
    "data_format == 'NHWC'"   it is literally this value
    "shape has 0"             it is a list or tuple with this literal
    "pad alike"               it is a list or tuple of one literal, many times
    "x simple"                it is a name, so that it may stand twice
    "dtype not given"         the opposite
    "subclassed"              the name is the base of a class
    "named"                   the name is passed on, not called
    "filled given"            an attribute of a layer is what an initializer fills, or is assigned to
    "name dotted"             text that is written in it has a dot
    "result unused"           the call stands alone: nothing takes what it gives
    "called given"            it is a call, not an attribute
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


DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)

WORDS = {"float": "float64", "double": "float64", "half": "float16", "int": "int64", "long": "int64"}
"""What Paddle takes other words for a dtype to mean; torch's names of these differ."""

_FILLING = (
    *(
        "constant_",
        "normal_",
        "uniform_",
        "zeros_",
        "ones_",
        "trunc_normal_",
        "kaiming_normal_",
        "kaiming_uniform_",
    ),
    *("xavier_normal_", "xavier_uniform_"),
)
"""Functions that Paddle has under torch's names since 3.3."""
_KEPT = (
    *("kernel_size", "stride", "padding", "dilation", "groups", "in_channels", "out_channels"),
    *("in_features", "out_features", "num_features", "output_size"),
)
"""What a layer keeps of its arguments: with a line in front in Paddle."""


def _images(like: str) -> tuple[Form, ...]:
    """A layer of images: with Paddle's own paddings or NHWC, ours; else the plain one."""
    return (
        Form(like, "data_format given, data_format not == 'NCHW'"),
        Form(like, "padding maybe str"),
        Form(like, "padding of 4"),
        Form("="),
    )


def _moved(call: str) -> tuple[Form, ...]:
    """A function of images: what is NHWC is turned before and after."""
    return (
        Form(
            f"{call.replace('(x,', '(x.permute(0, 3, 1, 2),')}.permute(0, 2, 3, 1)", "data_format == 'NHWC'"
        ),
        Form("="),
    )


def _pad(n: int) -> tuple[Form, ...]:
    modes = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}
    return (
        Form(refuse="permute in front of it: torch pads NCHW only", when="data_format == 'NHWC'"),
        *(Form(f"nn.{name}Pad{n}d(padding)", f"mode == '{mode}'") for mode, name in modes.items()),
        Form(f"nn.ConstantPad{n}d(padding, value)", "mode absent"),
        Form(f"nn.ConstantPad{n}d(padding, value)", "mode == 'constant'"),
        Form(refuse="the mode decides which of torch's padding layers it is: write that one"),
    )


def _norm(*forms: Form, weight: str = "weight_attr") -> tuple[Form, ...]:
    """A layer that torch has without a bias, and not without a weight alone."""
    why = "torch has no such layer with a bias and without a weight: make it with both, and freeze the weight at ones"
    return (
        Form(refuse=why, when=f"{weight} == False, bias_attr absent"),
        Form(refuse=why, when=f"{weight} == False, bias_attr not == False"),
        *forms,
    )


_RESHAPE = (
    Form("x.flatten(1)", "shape == [0, -1]"),
    Form("x.reshape(sized(shape, x))", "shape has 0, x simple"),
    Form("like_reshape(x, shape)", "shape has 0"),
)
_UNSQUEEZE = (Form("like_unsqueeze(x, axis)", "axis list"),)
_SPLIT = (
    Form("torch.chunk(x, num_or_sections, dim=axis)", "num_or_sections int"),
    Form("like_split(x, num_or_sections, axis)", "num_or_sections has -1"),
    Form("torch.split(x, num_or_sections, dim=axis)", "num_or_sections display"),
    Form("like_split(x, num_or_sections, axis)"),
)
_SPLIT_METHOD = (
    Form("x.chunk(num_or_sections, dim=axis)", "num_or_sections int"),
    Form("like_split(x, num_or_sections, axis)", "num_or_sections has -1"),
    Form("x.split(num_or_sections, dim=axis)", "num_or_sections display"),
    Form("like_split(x, num_or_sections, axis)"),
)
_SCALED = (
    Form("(x + bias) * scale", "bias given, bias_after_scale == False"),
    Form("x * scale + bias", "bias given, bias_after_scale absent"),
    Form("x * scale + bias", "bias given, bias_after_scale == True"),
    Form("x * scale", "bias absent"),
)
_DOWNSCALED = "mode == 'downscale_in_infer'"
_GROUPS = Form("like_grouped(again)", "parameters groups")
_AROUND = (
    _GROUPS,
    Form("like_clipping(again, grad_clip)", "grad_clip given, grad_clip not none"),
    Form("like_scheduled(again, learning_rate)", "learning_rate maybe scheduler"),
)
"""What stands around an optimizer: whoever clips its gradients, and the schedule of its rate."""


def _optimizer(name: str, *betas: str) -> tuple[Form, ...]:
    """An optimizer with betas in one argument, and one whose gradients are clipped."""
    pair = "betas=(beta1, beta2), "
    call = f"torch.optim.{name}(parameters, lr=learning_rate, {pair if betas else ''}eps=epsilon, weight_decay=weight_decay)"
    given = [Form(call, f"{beta} given") for beta in betas]
    return (*_AROUND, *given, Form("="))


_MATRIX = (
    Form(
        refuse="over two axes Paddle takes the norm of a matrix: write torch.linalg.matrix_norm",
        when="axis of 2",
    ),
)
_OVERHANGING = (
    Form(
        refuse="Paddle divides a window over the edge by what is in it, torch by its size: pad in front of it",
        when="ceil_mode given, ceil_mode not == False",
    ),
    Form("="),
)


def _edges(n: int, *, mean: bool = False) -> tuple[Form, ...]:
    """Paddings that torch's pools do not take; n: dimensions. mean: the padding is not counted, so that F.pad will not do."""
    instead = (
        "divide the mean of what F.pad makes of x by that of ones"
        if mean
        else "pad with F.pad in front of it, with -inf"
    )
    why = f"torch's pools take one number a dimension: {instead}"
    divisor = Form(
        refuse="with padding Paddle multiplies the mean without it by kernel size / divisor_override: write that",
        when="divisor_override given, divisor_override not none, padding given, padding not == 0",
    )
    return (
        *((divisor,) if mean and n > 1 else ()),
        Form(refuse=why, when="padding str"),
        Form(refuse=why, when=f"padding of {2 * n}"),
    )


SCHEDULES = (
    *(
        "NoamDecay",
        "PiecewiseDecay",
        "NaturalExpDecay",
        "InverseTimeDecay",
        "PolynomialDecay",
        "LinearWarmup",
    ),
    *("ExponentialDecay", "MultiStepDecay", "StepDecay", "LambdaDecay", "ReduceOnPlateau", "CyclicLR"),
    *("CosineAnnealingDecay", "MultiplicativeDecay", "OneCycleLR", "LinearLR", "CosineAnnealingWarmRestarts"),
)
"""Paddle's schedules, which are made before the optimizer; torch's take it."""
_BUILT = (
    *("SimpleRNNCell", "LSTMCell", "GRUCell", "MultiHeadAttention"),
    *("TransformerEncoderLayer", "TransformerDecoderLayer"),
)
_STACKS = {
    "RNN": "LSTMCell",
    "BiRNN": "LSTMCell",
    "TransformerEncoder": "TransformerEncoderLayer",
    "TransformerDecoder": "TransformerDecoderLayer",
    "Transformer": "TransformerEncoderLayer",
}
"""Layers that are built and called otherwise in torch; of stacks, the row that proves them."""
_SAMPLERS = {
    **{name: name for name in ("ConcatDataset", "ChainDataset", "IterableDataset", "RandomSampler")},
    **{name: name for name in ("Sampler", "Subset", "SubsetRandomSampler", "WeightedRandomSampler")},
    "SequenceSampler": "SequentialSampler",
    "get_worker_info": "get_worker_info",
}
"""Datasets and samplers that take the same in both."""
_KINDS = ("float", "double", "half", "int", "long")
"""Methods for dtypes that Paddle has since 3.3, as torch does."""
_TYPES = {
    **{f"_typing.Size{n}": f"nn.common_types._size_{n}_t" for n in (1, 2, 3, 4, 5, 6)},
    "_typing.ShapeLike": "Size",
    "_typing.DTypeLike": "dtype",
}
"""Names for annotations."""
FORMS: Mapping[str, tuple[Form, ...]] = {
    # layers
    **{
        f"nn.Conv{n}D": (
            *(
                _images("= like_Conv2d")[:3]
                if n == 2
                else (
                    Form(refuse="torch's layers take NCW and NCDHW only", when="data_format == 'NLC'"),
                    Form(refuse="pad with F.pad in front of it", when="padding str"),
                )
            ),
            Form("="),
        )
        for n in (1, 2, 3)
    },
    "nn.MaxPool2D": (Form("= nn.MaxPool2d", "return_mask == True"), *_images("== like_MaxPool2d")),
    "nn.AvgPool2D": (
        Form("== like_AvgPool2d", "divisor_override given, divisor_override not none"),
        *_images("== like_AvgPool2d"),
    ),
    "nn.AdaptiveAvgPool2D": (
        Form("like_AdaptiveAvgPool2d", "subclassed"),
        *_images("== like_AdaptiveAvgPool2d"),
    ),
    "nn.BatchNorm2D": _norm(
        Form("= like_BatchNorm2d", "data_format given, data_format not == 'NCHW'"),
        Form(
            "= like_BatchNorm2d",
            "use_global_stats given, use_global_stats not none, use_global_stats not == False",
        ),
        Form("="),
    ),
    "nn.BatchNorm": _norm(
        Form("= like_BatchNorm2d", "act given, act not none"),
        Form("= like_BatchNorm2d", "data_layout given, data_layout not == 'NCHW'"),
        Form("= like_BatchNorm2d", "use_global_stats given, use_global_stats not == False"),
        Form("="),
        weight="param_attr",
    ),
    **{
        f"nn.{name}": _norm(Form("="))
        for name in ("BatchNorm1D", "BatchNorm3D", "SyncBatchNorm", "GroupNorm")
    },
    "nn.Dropout": (Form("like_DownscaledDropout(p)", _DOWNSCALED), Form("=")),
    "nn.functional.dropout": (Form("like_downscaled_dropout(x, p, training)", _DOWNSCALED), Form("=")),
    **{f"nn.Pad{n}D": _pad(n) for n in (1, 2, 3)},
    "nn.Sequential": (Form("nn.Sequential(OrderedDict([rest]))", "* tuple"), Form("=")),
    "vision.ops.ConvNormActivation": (Form("="),),
    # layers' own members
    "nn.Linear.weight": (
        Form("x.weight", "filled given"),
        Form(
            refuse="torch keeps it [out, in], Paddle [in, out]: write nn.Parameter of the transposed one",
            when="written",
        ),
        Form("x.weight.T"),
    ),
    "nn.Layer.add_sublayer": (
        Form("x.add_module(name, sublayer)", "result unused, name not dotted"),
        Form("like_add_sublayer(x, name, sublayer)"),
    ),
    "nn.Layer.add_parameter": (
        Form("x.register_parameter(name, parameter)", "result unused"),
        Form("like_add_parameter(x, name, parameter)"),
    ),
    "nn.Layer.create_parameter": (Form("= like_create_parameter"),),
    "nn.Layer.register_buffer": (Form("x.register_buffer(name, tensor, persistent=persistable)"),),
    "nn.Layer.sublayers": (
        Form("list(x.modules())", "include_self == True"),
        Form("list(x.modules())[1:]", "include_self absent"),
        Form("list(x.modules())[1:]", "include_self == False"),
    ),
    "nn.Layer.named_sublayers": (
        Form("x.named_modules()", "include_self == True"),
        Form("list(x.named_modules())[1:]"),
    ),
    "nn.Layer.set_state_dict": (Form("x.load_state_dict(state_dict, strict=False)"),),
    "nn.Layer.set_dict": (Form("x.load_state_dict(state_dict, strict=False)"),),
    "nn.Layer.load_dict": (Form("x.load_state_dict(state_dict, strict=False)"),),
    "nn.Layer.clear_gradients": (Form("x.zero_grad()"),),
    "nn.Layer.register_forward_post_hook": (Form("x.register_forward_hook(hook)"),),
    "nn.Layer.apply": (Form("x.apply(fn)"),),
    "nn.Layer.full_name": (Form("like_full_name(x)"),),
    "nn.Layer.eval": (
        Form("x.train(False)", "x super"),
        Form("x.eval()"),
    ),
    **{f"nn.Layer._{name}": (Form(f"x.{name}"),) for name in _KEPT},
    "nn.Layer._data_format": (Form("x.data_format"),),
    "nn.Layer._epsilon": (Form("x.eps"),),
    "nn.Layer._mean": (Form("x.running_mean"),),
    "nn.Layer._variance": (Form("x.running_var"),),
    "expand": (Form("x.expand(shape)"),),
    "Tensor.expand": (Form("x.expand(shape)"),),
    "nn.Layer._sub_layers": (Form("x._modules"),),
    # functions of layers
    "nn.functional.pad": (
        Form("=", "data_format absent, mode == 'reflect'"),
        Form("=", "data_format absent, mode == 'replicate'"),
        Form("=", "data_format absent, mode == 'circular'"),
        Form("=", "data_format absent, pad_from_left_axis absent, pad of 2"),
        Form("=", "data_format absent, pad_from_left_axis absent, pad alike"),
        Form("== like_pad"),
    ),
    "nn.functional.linear": (
        Form("F.linear(x, weight.T, bias)", "bias given"),
        Form("F.linear(x, weight.T)"),
    ),
    "nn.functional.one_hot": (Form("F.one_hot(x, num_classes).to(torch.get_default_dtype())"),),
    "nn.functional.upsample": (
        Form("== like_interpolate", "align_mode given, align_mode not == 0"),
        Form("== like_interpolate", "data_format given, data_format not == 'NCHW'"),
        Form("="),
    ),
    "nn.functional.interpolate": (
        Form("== like_interpolate", "align_mode given, align_mode not == 0"),
        Form("== like_interpolate", "data_format given, data_format not == 'NCHW'"),
        Form(
            "F.interpolate(x, size=size, scale_factor=scale_factor, mode=mode)",
            "align_corners == False, mode absent",
        ),
        Form(
            "F.interpolate(x, size=size, scale_factor=scale_factor, mode=mode)",
            "align_corners == False, mode == 'nearest'",
        ),
        Form("="),
    ),
    "nn.functional.hardsigmoid": (
        Form("torch.clamp(slope * x + offset, 0.0, 1.0)", "slope given"),
        Form("torch.clamp(slope * x + offset, 0.0, 1.0)", "offset given"),
        Form("="),
    ),
    **dict.fromkeys(
        ("nn.LPPool1D", "nn.LPPool2D", "nn.functional.lp_pool1d", "nn.functional.lp_pool2d"), _OVERHANGING
    ),
    "nn.functional.normalize": (
        Form(
            refuse="Paddle adds epsilon under the root too: write x / (x.abs().pow(p).sum(axis, keepdim=True) + epsilon).pow(1 / p)",
            when="epsilon given, epsilon not == 1e-12",
        ),
        Form("="),
    ),
    "nn.functional.swiglu": (Form("F.silu(x) * y", "y given"),),
    "nn.functional.max_pool2d": (*_edges(2), *_moved("F.max_pool2d(x, kernel_size, stride, padding)")),
    "nn.functional.avg_pool2d": (*_edges(2, mean=True), Form("=")),
    **{
        f"{place}{name}": (*_edges(n, mean="vg" in name), Form("="))
        for n in (1, 3)
        for place, name in (
            ("nn.", f"MaxPool{n}D"),
            ("nn.", f"AvgPool{n}D"),
            ("nn.functional.", f"max_pool{n}d"),
            ("nn.functional.", f"avg_pool{n}d"),
        )
    },
    "nn.FractionalMaxPool2D": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    "nn.functional.fractional_max_pool2d": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    "nn.FractionalMaxPool3D": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    "nn.functional.fractional_max_pool3d": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    **{f"nn.{name}": (Form("as called"),) for name in (*_BUILT, *_STACKS)},
    **{
        f"nn.{name}": (
            *(Form("as called", f"{role}_attr given") for role in ("weight_ih", "weight_hh")),
            *(
                Form("as called", f"{role}_attr given, {role}_attr not == False")
                for role in ("bias_ih", "bias_hh")
            ),
            *(
                Form("=", f"direction {said}")
                for said in ("absent", "== 'forward'", "== 'bidirect'", "== 'bidirectional'")
            ),
            Form("as called"),
        )
        for name in ("LSTM", "GRU", "SimpleRNN")
    },
    "nn.functional.conv1d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 2"),
        Form("="),
    ),
    "nn.functional.conv2d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 4"),
        Form("="),
    ),
    "nn.functional.conv3d": (
        Form(refuse="pad with F.pad in front of it", when="padding maybe str"),
        Form(refuse="pad with F.pad in front of it: it takes the last dimension first", when="padding of 6"),
        Form("="),
    ),
    "nn.functional.bilinear": (
        Form(
            refuse="Paddle keeps the bias as [1, out]: give torch its only row",
            when="bias given, bias not none",
        ),
        Form("="),
    ),
    "nn.functional.embedding": (
        Form("like_embedding(x, weight, padding_idx)", "padding_idx given, padding_idx not none"),
        Form("="),
    ),
    "nn.functional.scaled_dot_product_attention": (
        Form(
            "F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=attn_mask, dropout_p=dropout_p if training else 0.0, is_causal=is_causal).transpose(1, 2)",
            "training given",
        ),
        Form(
            "F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal).transpose(1, 2)"
        ),
    ),
    "nn.functional.layer_norm": (
        *(
            Form(
                refuse="Paddle keeps the weight flat: reshape it to normalized_shape",
                when=f"normalized_shape of {n}, weight given",
            )
            for n in (2, 3)
        ),
        Form("F.layer_norm(x, (normalized_shape,), weight, bias, eps=epsilon)", "normalized_shape int"),
        Form("="),
    ),
    "diag_embed": (Form("torch.diag_embed(input.detach(), offset=offset, dim1=dim1, dim2=dim2)"),),
    "flip": (
        Form("torch.flip(x, [axis])", "axis int"),
        Form("="),
    ),
    "scatter": (
        Form("x.index_copy(0, index, updates)", "overwrite absent"),
        Form("x.index_copy(0, index, updates)", "overwrite == True"),
    ),
    "Tensor.scatter_": (Form("x.index_copy_(0, index, updates)", "overwrite absent"),),
    "scatter_nd_add": (Form("x.index_put(tuple(index.movedim(-1, 0)), updates, accumulate=True)"),),
    "index_sample": (Form("torch.gather(x, 1, index)"),),
    "logcumsumexp": (
        Form("=", "axis given, axis not none"),
        Form("torch.logcumsumexp(x.flatten(), 0)", "dtype absent"),
    ),
    "linalg.svd": (Form("torch.linalg.svd(x, full_matrices=full_matrices)"),),
    "index_fill": (Form("torch.index_fill(x, axis, index, value)"),),
    "unique_consecutive": (
        Form("=", "axis given, axis not none"),
        Form(
            refuse="Paddle's inverse indices are flat, torch's have the shape of x: reshape them to [-1]",
            when="return_inverse given, return_inverse not == False",
        ),
        Form("torch.unique_consecutive(x.flatten(), return_counts=return_counts)", "return_counts given"),
        Form("torch.unique_consecutive(x.flatten())"),
    ),
    "broadcast_tensors": (Form("torch.broadcast_tensors(*input)"),),
    "is_empty": (Form("x.numel() == 0"),),
    "rank": (Form("input.ndim"),),
    "increment": (Form("x.add_(value)"),),
    "scatter_nd": (
        Form(
            "torch.zeros(shape, dtype=updates.dtype).index_put(tuple(index.movedim(-1, 0)), updates, accumulate=True)",
            "updates simple",
        ),
    ),
    "gather_nd": (Form("x[tuple(index.movedim(-1, 0))]"),),
    "index_put": (Form("torch.index_put(x, tuple(indices), value, accumulate=accumulate)"),),
    "slice": (Form("like_sliced(input, axes, starts, ends)"),),
    "strided_slice": (Form("like_sliced(x, axes, starts, ends, strides)"),),
    "nn.functional.sequence_mask": (Form("like_sequence_mask(x, maxlen, dtype)"),),
    "nn.functional.label_smooth": (
        Form(
            "label * (1 - epsilon) + epsilon / label.shape[-1]",
            "prior_dist absent, label simple, epsilon simple",
        ),
        Form("like_label_smooth(label, prior_dist, epsilon)"),
    ),
    "dot": (Form("(x * y).sum(-1)"),),
    "cross": (
        Form("torch.linalg.cross(x, y, dim=axis)", "axis given, axis not none"),
        Form("torch.cross(x, y)"),
    ),
    "unique": (
        Form(
            "like_unique(x, return_index, return_inverse, return_counts, axis, dtype)", "return_index given"
        ),
        Form("like_unique(x, return_index, return_inverse, return_counts, axis, dtype)", "dtype given"),
        Form("=", "axis given, axis not none"),
        Form("like_unique(x, return_index, return_inverse, return_counts)", "return_inverse given"),
        Form("="),
    ),
    "full": (
        Form("torch.full((shape,), fill_value, dtype=dtype)", "shape int, dtype given"),
        Form("torch.full((shape,), float(fill_value))", "shape int, fill_value not bool"),
        Form("=", "dtype given, dtype not none"),
        Form("=", "fill_value float"),
        Form("=", "fill_value bool"),
        Form("torch.full(shape, float(fill_value))", "shape not int"),
    ),
    "histogram": (Form("torch.histc(input, bins, min, max).long()", "weight absent, density absent"),),
    "randint": (
        Form("torch.randint(low, [1])", "high absent, shape absent"),
        Form("torch.randint(low, high, [1])", "shape absent"),
        Form("="),
    ),
    "prod": (
        Form(refuse="torch's takes one axis: write one prod behind the other", when="axis list"),
        Form("="),
    ),
    "quantile": (
        Form(refuse="torch's takes one axis: flatten the axes", when="axis list"),
        Form(
            "torch.quantile(x, torch.tensor(q, dtype=x.dtype), dim=axis, keepdim=keepdim)", "q list, x simple"
        ),
        Form("="),
    ),
    **{
        name: (
            Form("=", "axis given, axis not none"),
            Form(f"torch.{name}(x.flatten(), 0)", "dtype absent"),
        )
        for name in ("cummax", "cummin")
    },
    "cumprod": (
        Form("=", "dim given, dim not none"),
        Form("torch.cumprod(x.flatten(), 0, dtype=dtype)"),
    ),
    "assign": (
        Form("torch.tensor(x)", "x list|tuple|array|number|int|float|bool, output absent"),
        Form("="),
    ),
    "tile": (Form("torch.tile(x, (repeat_times,))", "repeat_times int"), Form("=")),
    "arange": (
        Form("torch.arange(start, end, step, dtype=dtype)", "dtype given, step given, end given"),
        Form("torch.arange(start, end, dtype=dtype)", "dtype given, end given"),
        Form("="),
    ),
    "nn.functional.unfold": (
        Form(refuse="torch pads both sides alike: pad with F.pad in front of it", when="paddings of 4"),
        Form("="),
    ),
    "nn.Unfold": (
        Form(refuse="torch pads both sides alike: pad with F.pad in front of it", when="paddings of 4"),
        Form("="),
    ),
    "nn.Embedding": (
        Form("= like_Embedding", "padding_idx given, padding_idx not none"),
        Form("="),
    ),
    "cumsum": (
        Form("=", "axis given, axis not none"),
        Form("torch.cumsum(x.flatten(), 0)"),
    ),
    "logsumexp": (
        Form("=", "axis given, axis not none"),
        Form("torch.logsumexp(x.flatten(), 0)"),
    ),
    "nn.functional.softmax_with_cross_entropy": (Form("== like_softmax_with_cross_entropy"),),
    "nn.functional.cross_entropy": (Form("== like_cross_entropy"),),
    "nn.CrossEntropyLoss": (Form("== like_CrossEntropyLoss"),),
    "nn.functional.ctc_loss": (
        Form(
            "F.ctc_loss(F.log_softmax(log_probs, dim=-1), labels, input_lengths, label_lengths, blank=blank, reduction=reduction)",
            "norm_by_times absent",
        ),
    ),
    "nn.CTCLoss": (
        Form(
            refuse="Paddle takes logits, torch the logarithms of probabilities: write F.ctc_loss of F.log_softmax"
        ),
    ),
    "nn.AdaptiveLogSoftmaxWithLoss": (
        Form(refuse="torch's head and tails are laid out otherwise: write it by hand"),
    ),
    "nn.functional.square_error_cost": (Form("(input - label) ** 2"),),
    "Tensor.type_as": (Form("x.type_as(other)"),),
    "Tensor.view_as": (Form("x.view_as(other)"),),
    "Tensor.repeat": (Form("x.repeat(repeats)"),),
    **{
        f"Tensor.new_{name}": (Form(f"x.new_{name}(size, dtype=dtype)"),)
        for name in ("ones", "zeros", "empty")
    },
    "Tensor.new_full": (Form("x.new_full(size, fill_value, dtype=dtype)"),),
    "finfo": (Form("torch.finfo(dtype)"),),
    "iinfo": (Form("torch.iinfo(dtype)"),),
    "Tensor.to": (
        Form(
            refuse="write x.to(torch.float32) for a dtype, x.to of torch's device for a place", when="* str"
        ),
        Form("="),
    ),
    "nn.Layer.to": (
        Form("x.to(dtype)", "dtype given, device absent"),
        Form("="),
    ),
    "Tensor.scale_": (Form("x.mul_(scale)", "bias absent"),),
    "Tensor.retain_grads": (Form("x.retain_grad()"),),
    "mm": (Form("torch.matmul(input, mat2)"),),
    "Tensor.view": (Form("x.view(shape_or_dtype)"),),
    "Tensor.multiply_": (Form("x.mul_(y)"),),
    "Tensor.floor_": (Form("x.floor_()"),),
    "Tensor.cuda": (Form("x.cuda()", "device_id absent"),),
    "jit.not_to_static": (Form("="),),
    **{f"nn.init.{name}": (Form("="),) for name in _FILLING},
    "get_default_dtype": (Form("="),),
    "outer": (Form("torch.outer(x, y)"),),
    "swapaxes": (
        Form("torch.swapaxes(x, perm, name)", "perm int, name int"),
        Form("torch.swapaxes(x, axis0, axis1)", "axis0 given"),
        Form("="),
    ),
    "nn.functional.adaptive_avg_pool2d": (
        Form(
            "like_adaptive_avg_pool2d(x, output_size, data_format)",
            "data_format given, data_format not == 'NCHW'",
        ),
        Form("="),
    ),
    # tensors
    "split": _SPLIT,
    "Tensor.split": _SPLIT_METHOD,
    "reshape": (
        *_RESHAPE,
        Form("="),
    ),
    "Tensor.reshape": (*_RESHAPE, Form("x.reshape(shape)")),
    "Tensor.reshape_": (
        Form(refuse="a view leaves the tensor itself as it is: write x = x.view(...)", when="result unused"),
        *_RESHAPE,
        Form("x.view(shape)"),
    ),
    **dict.fromkeys(
        ("transpose", "Tensor.transpose"),
        (Form("x.transpose(perm, name)", "perm int, name given"), Form("=")),
    ),
    "Tensor.tile": (Form("x.tile(repeat_times)"),),
    "unsqueeze": (*_UNSQUEEZE, Form("=")),
    "Tensor.unsqueeze": (*_UNSQUEEZE, Form("x.unsqueeze(axis)")),
    "gather": (
        Form("torch.index_select(x, axis, index)", "axis given"),
        Form("torch.index_select(x, 0, index)"),
    ),
    "Tensor.gather": (Form("x.index_select(axis, index)", "axis given"), Form("x.index_select(0, index)")),
    "take_along_axis": (Form("torch.take_along_dim(arr, indices, axis)"),),
    "put_along_axis": (
        Form("arr.scatter(axis, indices, values)", "reduce absent"),
        Form("arr.scatter(axis, indices, values)", "reduce == 'assign'"),
        Form("arr.scatter_add(axis, indices, values)", "reduce == 'add'"),
    ),
    "sort": (Form("torch.sort(x, dim=axis, descending=descending, stable=stable).values"),),
    "Tensor.sort": (Form("x.sort(dim=axis, descending=descending).values"),),
    "argmax": (Form("torch.argmax(x, dim=axis, keepdim=keepdim).to(dtype)", "dtype given"), Form("=")),
    "argmin": (Form("torch.argmin(x, dim=axis, keepdim=keepdim).to(dtype)", "dtype given"), Form("=")),
    "matmul": (
        Form("torch.matmul(x.mT, y.mT)", "transpose_x == True, transpose_y == True"),
        Form("torch.matmul(x, y.mT)", "transpose_y == True"),
        Form("torch.matmul(x.mT, y)", "transpose_x == True"),
        Form("="),
    ),
    "scale": _SCALED,
    "Tensor.scale": _SCALED,
    "add_n": (Form("sum(inputs)", "inputs list"), Form("inputs", "inputs tensor"), Form("sum(inputs)")),
    "stanh": (Form("scale_b * torch.tanh(scale_a * x)"),),
    "shape": (Form("input.shape"),),
    "uniform": (Form("torch.empty(shape, dtype=dtype).uniform_(min, max)"),),
    "to_tensor": (Form(refuse="say the device as torch does", when="place given, place not none"), Form("=")),
    "median": (
        Form("torch.median(x, dim=axis, keepdim=keepdim)", "mode == 'min', axis given, axis not none"),
        Form("torch.median(x)", "mode == 'min'"),
        Form("torch.quantile(x, 0.5, dim=axis, keepdim=keepdim)"),
    ),
    "norm": (
        *_MATRIX,
        Form("torch.linalg.vector_norm(x, p, dim=axis, keepdim=keepdim)", "p number"),
        Form("torch.linalg.vector_norm(x, dim=axis, keepdim=keepdim)", "p absent"),
        Form("torch.linalg.vector_norm(x, dim=axis, keepdim=keepdim)", "p == 'fro'"),
    ),
    "Tensor.norm": (
        *_MATRIX,
        Form("x.norm(p=p, dim=axis, keepdim=keepdim)", "p number"),
        Form("x.norm(dim=axis, keepdim=keepdim)", "p absent"),
    ),
    "meshgrid": (Form("torch.meshgrid(rest, indexing='ij')"),),
    "equal_all": (Form("torch.tensor(torch.equal(x, y))"),),
    "Tensor.equal_all": (Form("torch.tensor(x.equal(y))"),),
    "clone": (Form("="),),
    # members of tensors
    **{f"Tensor.{name}": (Form(f"x.{name}()"),) for name in _KINDS},
    "Tensor.softmax": (
        Form("x.softmax(dim)", "dim given, dim not none"),
        Form("x.softmax(axis)", "axis given"),
        Form(refuse="without a dim it depends on how many there are: write x.softmax(dim)"),
    ),
    "Tensor.astype": (Form("x.to(dtype)"),),
    "Tensor.cast": (Form("x.to(dtype)"),),
    "cast": (Form("x.to(dtype)"),),
    "Tensor.numpy": (Form("x.detach().cpu().numpy()"),),
    "Tensor.stop_gradient": (Form("x.requires_grad = not value", "written"), Form("not x.requires_grad")),
    "Tensor.size": (
        Form("x.size(rest)", "* given"),
        Form("x.size()", "called given"),
        Form("x.numel()"),
    ),
    "Tensor.place": (Form("x.device"),),
    "Tensor.item": (Form("x.flatten()[args].item()", "args given"), Form("x.item()")),
    "Tensor.shape": (Form("="),),
    "Tensor.set_value": (Form("x.data.copy_(torch.as_tensor(value))"),),
    "Tensor.clear_grad": (Form("x.grad.zero_()"),),
    "Tensor.clear_gradient": (Form("x.grad.zero_()"),),
    "Tensor.backward": (
        Form("x.backward(grad_tensor, retain_graph=retain_graph)", "grad_tensor given"),
        Form("x.backward(retain_graph=retain_graph)"),
    ),
    # parameters and initializers
    "ParamAttr": (Form("="),),
    "create_parameter": (Form("= like_create_parameter"),),
    **{
        f"nn.initializer.Xavier{name}": (
            Form(f"like_Xavier{name}(fan_in, fan_out, gain)", "fan_in given, fan_in not none"),
            Form(f"like_Xavier{name}(fan_in, fan_out, gain)", "fan_out given, fan_out not none"),
        )
        for name in ("Normal", "Uniform")
    },
    **{
        f"nn.initializer.Kaiming{name}": (
            Form(
                f"like_Kaiming{name}(fan_in, negative_slope, nonlinearity, mode)",
                "fan_in given, fan_in not none",
            ),
        )
        for name in ("Normal", "Uniform")
    },
    "nn.initializer.Assign": (Form("partial(like_assign, value=value)"),),
    "regularizer.L2Decay": (Form("coeff"),),
    # training
    "optimizer.Optimizer": (Form("="),),
    "optimizer.lr.LRScheduler": (Form("="),),
    **{
        f"optimizer.{name}": (*_AROUND, Form("="))
        for name in ("SGD", "Momentum", "Adagrad", "RMSProp", "Adadelta", "Rprop", "ASGD")
    },
    **{f"optimizer.lr.{name}": (Form(f"== like_{name}"),) for name in SCHEDULES},
    **{
        f"metric.{name}": (Form(f"== like_{name}"),)
        for name in ("Accuracy", "Precision", "Recall", "Auc", "accuracy")
    },
    "metric.Metric": (Form("="),),
    "static.InputSpec": (Form("as called"),),
    "jit.to_static": (Form("function", "function given"),),
    "amp.GradScaler": (
        Form(
            "torch.amp.GradScaler(init_scale=init_loss_scaling, growth_factor=incr_ratio, backoff_factor=decr_ratio, "
            "growth_interval=incr_every_n_steps, enabled=enable)",
        ),
    ),
    "amp.GradScaler.minimize": (Form(refuse="write the scaler's step(optimizer) and update()"),),
    **{f"io.{name}": (Form("as called"),) for name in ("BatchSampler", "DistributedBatchSampler")},
    **{f"io.{name}": (Form("="),) for name in _SAMPLERS},
    "optimizer.Adam": _optimizer("Adam", "beta1", "beta2"),
    "optimizer.AdamW": (
        Form(
            refuse="make two groups of parameters, one with weight_decay=0",
            when="apply_decay_param_fun given, apply_decay_param_fun not none",
        ),
        *_optimizer("AdamW", "beta1", "beta2"),
    ),
    "optimizer.Adamax": _optimizer("Adamax", "beta1", "beta2"),
    "optimizer.NAdam": _optimizer("NAdam", "beta1", "beta2"),
    "optimizer.RAdam": _optimizer("RAdam", "beta1", "beta2"),
    "optimizer.Optimizer.clear_grad": (Form("x.zero_grad()"),),
    "optimizer.Optimizer.clear_gradients": (Form("x.zero_grad()"),),
    "optimizer.Optimizer.get_lr": (Form("x.param_groups[0]['lr']"),),
    "optimizer.Optimizer.set_lr": (Form("like_set_lr(x, value)"),),
    "optimizer.Optimizer.set_state_dict": (Form("x.load_state_dict(state_dict)"),),
    "optimizer.Optimizer.minimize": (Form(refuse="write loss.backward() and the optimizer's step()"),),
    "nn.ClipGradByGlobalNorm": (Form("partial(nn.utils.clip_grad_norm_, max_norm=clip_norm)"),),
    "nn.ClipGradByNorm": (Form("partial(like_clip_each_norm, max_norm=clip_norm)"),),
    "nn.ClipGradByValue": (
        Form("partial(nn.utils.clip_grad_value_, clip_value=max)", "min absent"),
        Form("partial(nn.utils.clip_grad_value_, clip_value=max)", "min none"),
    ),
    "seed": (Form("torch.manual_seed(seed)"),),
    "no_grad": (Form("="),),
    "grad": (Form("="),),
    "in_dynamic_mode": (Form("True"),),
    "is_compiled_with_cuda": (Form("torch.cuda.is_available()"),),
    "nn.functional.sigmoid_focal_loss": (Form("as called"),),
    **{
        f"vision.ops.{name}": (Form("as called"),)
        for name in ("nms", "roi_align", "RoIAlign", "deform_conv2d", "DeformConv2D")
    },
    "set_device": (
        Form("torch.set_default_device('cpu')", "device == 'cpu'"),
        Form("torch.set_default_device('cuda')", "device == 'gpu'"),
        Form("torch.set_default_device('cuda:0')", "device == 'gpu:0'"),
        Form("like_set_device(device)"),
    ),
    "save": (Form("torch.save(obj, path)"),),
    "load": (Form("torch.load(path, weights_only=True)"),),
    "is_tensor": (Form("="),),
    "static.amp.fp16_guard": (Form("nullcontext()"),),
    "get_device": (Form("like_get_device()"),),
    "device.get_device": (Form("like_get_device()"),),
    "distributed.get_world_size": (Form("like_world_size()"),),
    "distributed.get_rank": (Form("like_rank()"),),
    "dtype as text": (Form("str(x).replace('torch', 'paddle')"),),
    "utils.download.get_weights_path_from_url": (Form("= like_weights_path"),),
    "distributed.fleet.utils.recompute": (Form("="),),
    "io.DataLoader": (
        Form(
            "torch.utils.data.DataLoader(dataset, batch_sampler=batch_sampler, num_workers=num_workers, "
            "collate_fn=collate_fn, worker_init_fn=worker_init_fn)",
            "batch_sampler given, batch_sampler not none",
        ),
        Form(
            "torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=shuffle, num_workers=num_workers, "
            "collate_fn=collate_fn, drop_last=drop_last, timeout=timeout, worker_init_fn=worker_init_fn)",
        ),
    ),
    "io.Dataset": (Form("="),),
    "io.TensorDataset": (Form("torch.utils.data.TensorDataset(*tensors)"),),
    "io.random_split": (Form("="),),
    "amp.auto_cast": (Form("torch.autocast(torch.get_default_device().type, enabled=enable)"),),
    "Tensor": (Form("="),),
    **{name: (Form("="),) for name in DTYPES},
    **{name: (Form("="),) for name in _TYPES},
}

_LAYER_MEMBERS = {
    "add_sublayer": "add_sublayer",
    "add_parameter": "add_sublayer",
    "eval": "train and eval",
    "to": "float64 model",
    **{f"_{name}": "sublayers" for name in (*_KEPT, "data_format", "epsilon", "mean", "variance")},
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
    **dict.fromkeys((*DTYPES, *_TYPES, "Tensor", "is_tensor", "dtype as text"), "Tensor.dtype"),
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
    "regularizer.L2Decay": "optimizer.Momentum",
    "metric.Metric": "metric.Accuracy",
    **dict.fromkeys(("static.InputSpec", "jit.to_static"), "train and eval"),
    **dict.fromkeys(("amp.GradScaler", "amp.GradScaler.minimize"), "auto_cast"),
    **dict.fromkeys(("io.BatchSampler", "io.DistributedBatchSampler"), "BatchSampler"),
    **{f"io.{name}": "DataLoader" for name in _SAMPLERS},
    **{f"nn.{stack}": f"nn.{layer}" for stack, layer in _STACKS.items()},
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
    **dict.fromkeys((f"Tensor.{name}" for name in _KINDS), "Tensor.astype"),
    "Tensor.retain_grads": "gradient of an intermediate tensor",
    "get_default_dtype": "Tensor.dtype",
    "Tensor.view": "Tensor.reshape",
    "Tensor.multiply_": "Tensor.scale_",
    "Tensor.floor_": "floor",
    "Tensor.cuda": "Tensor.cpu",
    "jit.not_to_static": "train and eval",
    **dict.fromkeys((f"nn.init.{name}" for name in _FILLING), "nn.initializer.Constant"),
}
"""Names of Paddle's whose proof is another row, an idiom's or the function's."""

TWINS: Mapping[str, str] = {
    **_TYPES,
    **{name: name for name in (*DTYPES, "Tensor", "is_tensor", "no_grad", "get_default_dtype")},
    "distributed.fleet.utils.recompute": "utils.checkpoint.checkpoint",
    "ParamAttr": "like_paddle.ParamAttr",
    "vision.ops.ConvNormActivation": "like_paddle.ConvNormActivation",
    "grad": "autograd.grad",
    "jit.not_to_static": "like_paddle.as_it_is",
    **{f"nn.init.{name}": f"nn.init.{name}" for name in _FILLING},
    "optimizer.Optimizer": "optim.Optimizer",
    "optimizer.lr.LRScheduler": "like_paddle.LRScheduler",
    "metric.Metric": "like_paddle.Metric",
    "amp.GradScaler": "amp.GradScaler",
    **{f"io.{name}": f"utils.data.{twin}" for name, twin in _SAMPLERS.items()},
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
    "autograd.PyLayer": "write torch.autograd.Function, and ctx.saved_tensors without brackets",
    "Model": "write the training loop out",
    "summary": "see paddle2torch summary",
    "vision.datasets": "torchvision.datasets has it, with root= and train=",
    "vision.models": "port the file of the network, or take paddle.vision.models as a folder to port",
}
"""What to do about names that no row has; the beginning of a name counts."""

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
        *(f"nn.{name}" for name in ("LSTM", "GRU", "SimpleRNN", *_BUILT)),
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
