"""Faults of relative size 1e-7 and below: smaller than the float32 rounding that hides them."""

from tests.mutants.bugs.row import EDITED, convert, held, line
from tests.mutants.cases import Expected

BUGS = [
    convert(
        "plain-weight-scaled-2e-7",
        "tiny",
        ("scale", "conv2.weight", 1 + 2e-7),
        held("conv2", "Conv2d", "self.conv2 =", "weight", "slightly different"),
    ),
    convert(
        "vit-weight-scaled-2e-7",
        "tiny",
        ("scale", "blocks.1.mlp.fc1.weight", 1 + 2e-7),
        held("blocks.1.mlp.fc1", "Linear", "self.fc1 =", "weight", "slightly different"),
    ),
    convert(
        "plain-one-weight-one-ulp",
        "tiny",
        ("nudge", "conv3.weight"),
        held("conv3", "Conv2d", "self.conv3 =", "weight", "slightly different"),
    ),
    convert(
        "plain-dead-weight-one-ulp",
        "tiny",
        ("nudge", "fc3.weight"),
        held("fc3", "Linear", "self.fc3 =", "weight", "slightly different", shows="weights"),
        visible="nowhere",
    ),
    convert(
        "vit-one-weight-one-ulp",
        "tiny",
        ("nudge", "blocks.0.attn.qkv.weight"),
        held("blocks.0.attn.qkv", "Linear", "self.qkv =", "weight", "slightly different"),
    ),
    convert(
        "inception-one-weight-one-ulp",
        "tiny",
        ("nudge", "block2.p2_2.weight"),
        held("block2.p2_2", "Conv2d", "self.p2_2 =", "weight", "slightly different", shows="weights"),
        visible="nowhere",
    ),
    convert(
        "basic-variance-one-ulp",
        "tiny",
        ("nudge", "layer1.1.bn2.running_var"),
        held("layer1.1.bn2", "BatchNorm2d", "self.bn2 =", "running_var", "slightly different"),
    ),
    convert(
        "plain-weight-through-half",
        "precision",
        ("half", "fc1.weight"),
        held("fc1", "Linear", "self.fc1 =", "weight", "rounded to float16"),
    ),
    convert(
        "shuffle-bias-shifted",
        "tiny",
        ("shift", "tail.bias", 1e-6),
        held("tail", "Conv2d", "self.tail =", "bias", "slightly different"),
    ),
    line(
        "plain-eps-one-percent",
        "eps",
        "self.bn1 = nn.BatchNorm2d(8)",
        "self.bn1 = nn.BatchNorm2d(8, eps=1.01e-5)",
        Expected("bn1", "BatchNorm2d", EDITED, "attribute", "eps", 1e-05, 1.01e-05),
    ),
    line(
        "text-eps-bert",
        "eps",
        "nn.LayerNorm(12)",
        "nn.LayerNorm(12, eps=1e-12)",
        Expected("norm", "LayerNorm", EDITED, "attribute", "eps", 1e-05, 1e-12),
    ),
    line(
        "norms-gn-eps-one-percent",
        "eps",
        "nn.GroupNorm(2, 8)",
        "nn.GroupNorm(2, 8, eps=1.01e-5)",
        Expected("gn", "GroupNorm", EDITED, "attribute", "eps", 1e-05, 1.01e-05),
    ),
    line(
        "mlp-one-sixth",
        "constant",
        "x * 0.1666667",
        "x * (1 / 6)",
        Expected("", "scale or shift by a number", EDITED, "attribute", "scale", 0.1666667, 0.166666666667),
    ),
    line(
        "mlp-divided-by-six",
        "constant",
        "x * 0.1666667",
        "x / 6",
        Expected("", "scale or shift by a number", EDITED, "attribute", "scale", 0.1666667, 0.166666666667),
    ),
    line(
        "vit-scale-rounded",
        "constant",
        "(dim // heads) ** -0.5",
        "round((dim // heads) ** -0.5 + 2e-7, 8)",
        Expected("blocks.0.attn", "matmul", EDITED, "attribute", "scale", 0.5, 0.5000002, layers=2),
    ),
    line(
        "norms-slope-tiny",
        "LeakyReLU slope",
        "nn.LeakyReLU(0.1)",
        "nn.LeakyReLU(0.1000001)",
        Expected("leaky", "LeakyReLU", EDITED, "attribute", "slope", 0.1, 0.1000001),
    ),
    line(
        "siamese-half-precision",
        "precision",
        "return self.embed(x)",
        "return self.embed(x.half().to(x.dtype))",
        Expected("encoder", "cast", EDITED, "precision", "dtype", None, "float16"),
    ),
]
