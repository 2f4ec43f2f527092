"""Everything that may differ between a network's two files, as data, each row with its reason.

`translate` applies the rows to a Paddle file; the result must be the torch file to the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`paddle` (a regular expression) becomes `torch` in the twin, because of `reason`."""

    paddle: str
    torch: str
    reason: str


ROWS = (
    Row(r"^import paddle$", "import torch", "the package"),
    Row(r"^import paddle\.nn\.functional as F$", "import torch.nn.functional as F", "the package"),
    Row(r"^from paddle import nn$", "from torch import nn", "the package"),
    Row(
        r"^from paddle\.distributed\.fleet\.utils import recompute$",
        "from torch.utils.checkpoint import checkpoint",
        "recomputing in backward lives elsewhere",
    ),
    Row(r"\brecompute\(", "checkpoint(", "recomputing in backward has another name"),
    Row(r"\bnn\.Layer\b", "nn.Module", "the base class of a network"),
    Row(
        r"\bnn\.(Conv|BatchNorm|MaxPool|AvgPool|AdaptiveAvgPool)(\d)D\b",
        r"nn.\1\2d",
        "the case of the D",
    ),
    Row(r"\bbias_attr=False\b", "bias=False", "Paddle's attr arguments also take initialisers"),
    Row(r"\badd_sublayer\(", "add_module(", "registering a layer under a computed name"),
    Row(r"\bpaddle\.(flatten|add)\b", r"torch.\1", "the package"),
    Row(r"\bpaddle\.concat\((.*), axis=", r"torch.cat(\1, dim=", "axis is dim, concat is cat"),
)

# What only one of the two files says: lines of the Paddle file -> lines of its twin.
HELPER = "\nfrom torch_models.like_paddle import init_like_paddle"
DEFAULT_INIT = "these initialisers are Paddle's defaults; torch must be told"
PASSAGES = (
    Row(
        """        uniform = nn.initializer.Uniform(-stdv, stdv)
        self.out = nn.Linear(num_channels, num_classes, weight_attr=paddle.ParamAttr(initializer=uniform))
""",
        """        self.out = nn.Linear(num_channels, num_classes)
        init_like_paddle(self)
        nn.init.uniform_(self.out.weight, -stdv, stdv)
""",
        "Paddle initialises through the layer's argument, torch after its construction",
    ),
)
# The call stands at the end of the constructor of each network that has a builder.
TORCH_ONLY_LINES = {
    "        init_like_paddle(self)": DEFAULT_INIT,
    "from torch_models.like_paddle import init_like_paddle": DEFAULT_INIT,
}


def translate(paddle_source: str) -> str:
    """The torch file that a Paddle file calls for, without the lines of TORCH_ONLY_LINES."""
    for passage in PASSAGES:
        paddle_source = paddle_source.replace(passage.paddle, passage.torch)
    lines = []
    for line in paddle_source.splitlines():
        for row in ROWS:
            line = re.sub(row.paddle, row.torch, line)  # noqa: PLW2901 (each row continues where the last ended)
        lines.append(line)
    return "\n".join(lines) + "\n"
