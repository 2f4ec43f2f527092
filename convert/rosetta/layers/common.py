"""Parameters and arguments that many layers share."""

from __future__ import annotations

from convert.rosetta.rows import TRANSPOSE, Argument, Parameter

SAME_WEIGHT = Parameter("weight", "weight")
SAME_BIAS = Parameter("bias", "bias")
LINEAR_WEIGHT = Parameter(
    "weight",
    "weight",
    TRANSPOSE,
    "Paddle's Linear keeps [in, out] for x @ W, torch's [out, in] for x @ W.T",
)
EPSILON = Argument(
    "epsilon",
    "eps",
    convert="f32",
    paddle_default=1e-5,
    torch_default=1e-5,
    note="Paddle stores it as float32, so float64 parity needs float(numpy.float32(epsilon))",
)
NO_WEIGHT_ATTR = Argument(
    "weight_attr",
    None,
    note="False means no weight; a ParamAttr may carry an initializer, a regularizer or a rate",
)
BIAS_ATTR = Argument("bias_attr", "bias", convert="is not False", paddle_default=None, torch_default=True)
NAME = Argument("name", None)
DATA_FORMAT = Argument(
    "data_format",
    None,
    values={"NCHW": None},
    paddle_default="NCHW",
    note="torch modules take NCHW only: permute the input of an NHWC layer, its weight is the same",
)
