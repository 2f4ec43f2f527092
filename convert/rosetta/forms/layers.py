"""How layers of Paddle's are written in torch."""

from __future__ import annotations

from collections.abc import Mapping

from convert.rosetta.forms.form import BUILT, DOWNSCALED, KEPT, STACKS, Form, edges


def _images(like: str) -> tuple[Form, ...]:
    """A layer of images: with Paddle's own paddings or NHWC, ours; else the plain one."""
    return (
        Form(like, "data_format given, data_format not == 'NCHW'"),
        Form(like, "padding maybe str"),
        Form(like, "padding of 4"),
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


FORMS: Mapping[str, tuple[Form, ...]] = {
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
    "nn.Dropout": (Form("like_DownscaledDropout(p)", DOWNSCALED), Form("=")),
    **{f"nn.Pad{n}D": _pad(n) for n in (1, 2, 3)},
    "nn.Sequential": (Form("nn.Sequential(OrderedDict([rest]))", "* tuple"), Form("=")),
    "vision.ops.ConvNormActivation": (Form("="),),
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
    **{f"nn.Layer._{name}": (Form(f"x.{name}"),) for name in KEPT},
    "nn.Layer._data_format": (Form("x.data_format"),),
    "nn.Layer._epsilon": (Form("x.eps"),),
    "nn.Layer._mean": (Form("x.running_mean"),),
    "nn.Layer._variance": (Form("x.running_var"),),
    "nn.Layer._sub_layers": (Form("x._modules"),),
    **{
        f"{place}{name}": (*edges(n, mean="vg" in name), Form("="))
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
    "nn.FractionalMaxPool3D": (
        Form(
            refuse="torch wants a number for each image, channel and dimension: give it _random_samples",
            when="random_u given, random_u not none",
        ),
        Form("="),
    ),
    **{f"nn.{name}": (Form("as called"),) for name in (*BUILT, *STACKS)},
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
    "nn.Unfold": (
        Form(refuse="torch pads both sides alike: pad with F.pad in front of it", when="paddings of 4"),
        Form("="),
    ),
    "nn.Embedding": (
        Form("= like_Embedding", "padding_idx given, padding_idx not none"),
        Form("="),
    ),
    "nn.CrossEntropyLoss": (Form("== like_CrossEntropyLoss"),),
    "nn.CTCLoss": (
        Form(
            refuse="Paddle takes logits, torch the logarithms of probabilities: write F.ctc_loss of F.log_softmax"
        ),
    ),
    "nn.AdaptiveLogSoftmaxWithLoss": (
        Form(refuse="torch's head and tails are laid out otherwise: write it by hand"),
    ),
    "nn.Layer.to": (
        Form("x.to(dtype)", "dtype given, device absent"),
        Form("="),
    ),
    **{
        f"vision.ops.{name}": (Form("as called"),)
        for name in ("nms", "roi_align", "RoIAlign", "deform_conv2d", "DeformConv2D")
    },
}
