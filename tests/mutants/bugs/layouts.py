"""Bugs in networks whose two sides share neither layout nor spelling: where no operator has a counterpart nearby."""

from tests.mutants.bugs.row import EDITED, line
from tests.mutants.cases import Expected

DETECTOR = [
    line(
        "detector-stride",
        "constant",
        "(4, 2)",
        "(2, 4)",
        Expected("", "scale or shift by a number", "self.strides = (2, 4)", "attribute", "scale", 4, 2),
    ),
    line(
        "detector-half",
        "constant",
        "centre + size / 2)",
        "centre + size)",
        Expected("", "scale or shift by a number", EDITED, "missing", "", "x * 0.5", None),
    ),
    line(
        "detector-no-exp",
        "activation kind",
        ".exp()",
        ".sigmoid()",
        Expected(
            "", "Sigmoid", "size = y[..., 2:4].sigmoid() * self.anchors[i]", "computed", "", "exp", "Sigmoid"
        ),
    ),
    line(
        "detector-objectness",
        "slice",
        "confidence[..., :1]",
        "confidence[..., -1:]",
        Expected(
            "",
            "slice",
            EDITED,
            "computed",
            "",
            "permute((0, 3, 4, 1, 2)) of shape [2, 3, 8, 4, 6] -> slice [0:2, 0:4, 0:6, 0:3, 4:5]",
            "slice [0:2, 0:3, 0:4, 0:6, 3:4]",
        ),
    ),
    line(
        "detector-no-objectness",
        "branch missing",
        " * confidence[..., :1]",
        "",
        Expected("", "mul", "score = confidence[..., 1:]", "missing", "", "mul", None),
    ),
    line(
        "detector-corners",
        "layer missing",
        "centre - size / 2, centre + size / 2",
        "centre, size",
        Expected("", "concat", EDITED, "computed", "", "x * 0.5", "concat(axis=4)"),
    ),
    line(
        "detector-slope",
        "LeakyReLU slope",
        "LeakyReLU(0.1,",
        "LeakyReLU(0.01,",
        Expected("stem.act", "LeakyReLU", EDITED, "attribute", "slope", 0.1, 0.01, layers=4),
    ),
    line(
        "detector-anchors",
        "constant",
        "* self.anchors[i]",
        "* self.anchors[1 - i]",
        Expected("", "mul", EDITED, "computed", "", "mul by `anchors` [0]", "mul by `anchors` [1]"),
    ),
]

MODULATED = [
    line(
        "modulated-demodulation",
        "mean axis",
        "dim=[2, 3, 4]",
        "dim=[1, 3, 4]",
        Expected(
            "conv1",
            "normalize (unit length)",
            EDITED,
            "attribute",
            "axes",
            (-3, -2, -1),
            (-4, -2, -1),
            layers=2,
        ),
    ),
    line(
        "modulated-sum",
        "reduction",
        ".sum(dim=",
        ".mean(dim=",
        Expected(
            "conv1",
            "RMSNorm",
            "w = w * (w.square().mean(",
            "substituted",
            "",
            "normalize (unit length)(p=2, axes=(-3, -2, -1), denominator=sqrt(sum + 1e-08))",
            "RMSNorm(axes=(-3, -2, -1), eps=1e-08, denominator=sqrt(variance + eps))",
            layers=2,
        ),
    ),
    line(
        "modulated-unbiased",
        "statistics wrong",
        "unbiased=False",
        "unbiased=True",
        Expected("stem", "variance", EDITED, "attribute", "correction", 0, 1),
    ),
    line(
        "modulated-slope",
        "hardsigmoid slope",
        "x * 0.2 + 0.5",
        "x / 6 + 0.5",
        Expected(
            "",
            "Hardswish",
            EDITED,
            "attribute",
            "formula",
            "x * 1 * clip(0.2 * x + 0.5, 0, 1)",
            "x * 1 * clip(0.166667 * x + 0.5, 0, 1)",
        ),
    ),
    line(
        "modulated-eps",
        "eps",
        "keepdim=True) + 1e-8).rsqrt()\n    x",
        "keepdim=True) + 1e-4).rsqrt()\n    x",
        Expected(
            "conv1",
            "normalize (unit length)",
            "w = w * (w.square().sum(",
            "attribute",
            "denominator",
            "sqrt(sum + 1e-08)",
            "sqrt(sum + 0.0001)",
            layers=2,
        ),
    ),
    line(
        "modulated-gain",
        "scale",
        ".mul(math.sqrt(2))",
        "",
        Expected(
            "",
            "scale or shift by a number",
            "x = F.leaky_relu(self.conv1(x, style), 0.2)",
            "missing",
            "",
            "x * 1.414213562",
            None,
        ),
    ),
]

INDEX = [
    line(
        "index-shift",
        "roll",
        "out[:, 1:, :fold] = x[:, :-1, :fold]",
        "out[:, :-1, :fold] = x[:, 1:, :fold]",
        Expected(
            "",
            "setitem",
            EDITED,
            "order",
            "",
            "out[:, 1:, :fold] = x[:, :-1, :fold]",
            "out[:, :-1, :fold] = x[:, 1:, :fold]",
        ),
    ),
    line(
        "index-colours",
        "constant",
        "[0.299, 0.587, 0.114]",
        "[0.114, 0.587, 0.299]",
        Expected("", "mul", EDITED, "weight", "luma", (0.299, 0.587, 0.114), (0.114, 0.587, 0.299)),
    ),
    line(
        "index-einsum",
        "permute order",
        '"bij,bcj->bci"',
        '"bji,bcj->bci"',
        Expected("nl", "einsum", EDITED, "computed", "", "permute((0, 2, 1)) of shape [4, 4, 100]", "einsum"),
    ),
    line(
        "index-slope",
        "LeakyReLU slope",
        "F.leaky_relu(y, 0.3)",
        "F.leaky_relu(y, 0.1)",
        Expected("", "LeakyReLU", EDITED, "attribute", "slope", 0.3, 0.1),
    ),
    line(
        "index-cumsum",
        "axis",
        "y.cumsum(-1)",
        "y.cumsum(1)",
        Expected("", "cumsum", EDITED, "attribute", "axis", 2, 1),
    ),
    line(
        "index-normalize",
        "normalize",
        "F.normalize(feat)",
        "F.normalize(feat, p=1)",
        Expected("", "normalize (unit length)", EDITED, "attribute", "p", 2.0, 1.0),
    ),
    line(
        "index-descending",
        "order",
        "sort(1, descending=True)",
        "sort(1)",
        Expected("", "sort", EDITED, "attribute", "descending", True, False),
    ),
]

BUGS = [*DETECTOR, *MODULATED, *INDEX]
