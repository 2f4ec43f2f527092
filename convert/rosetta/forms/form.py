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
    "attributes given"        a ParamAttr of the file has a rate or decay of its own
    "name dotted"             text that is written in it has a dot
    "result unused"           the call stands alone: nothing takes what it gives
    "called given"            it is a call, not an attribute
    "written"                 the attribute is assigned to: `torch` is then `target = value`

A form that would write a longer expression twice is passed over. `refuse` is why there is no translation, and what to write. A name
`like_*` is a function of `torch_models.like_paddle`. The tests port the Paddle text of every example and run what comes out.
"""

from __future__ import annotations

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


INIT_FUNCTIONS = (
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


KEPT = (
    *("kernel_size", "stride", "padding", "dilation", "groups", "in_channels", "out_channels"),
    *("in_features", "out_features", "num_features", "output_size"),
)
"""What a layer keeps of its arguments: with a line in front in Paddle."""


DOWNSCALED = "mode == 'downscale_in_infer'"


def edges(n: int, *, mean: bool = False) -> tuple[Form, ...]:
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


BUILT = (
    *("SimpleRNNCell", "LSTMCell", "GRUCell", "MultiHeadAttention"),
    *("TransformerEncoderLayer", "TransformerDecoderLayer"),
)


STACKS = {
    "RNN": "LSTMCell",
    "BiRNN": "LSTMCell",
    "TransformerEncoder": "TransformerEncoderLayer",
    "TransformerDecoder": "TransformerDecoderLayer",
    "Transformer": "TransformerEncoderLayer",
}
"""Layers that are built and called otherwise in torch; of stacks, the row that proves them."""


SAMPLERS = {
    **{name: name for name in ("ConcatDataset", "ChainDataset", "IterableDataset", "RandomSampler")},
    **{name: name for name in ("Sampler", "Subset", "SubsetRandomSampler", "WeightedRandomSampler")},
    "SequenceSampler": "SequentialSampler",
    "get_worker_info": "get_worker_info",
}
"""Datasets and samplers that take the same in both."""


KINDS = ("float", "double", "half", "int", "long")
"""Methods for dtypes that Paddle has since 3.3, as torch does."""


TYPES = {
    **{f"_typing.Size{n}": f"nn.common_types._size_{n}_t" for n in (1, 2, 3, 4, 5, 6)},
    "_typing.ShapeLike": "Size",
    "_typing.DTypeLike": "dtype",
}
"""Names for annotations."""
