"""Bugs in networks whose two sides share neither layout nor spelling: where no operator has a counterpart nearby."""

from tests.mutants.bugs.row import line

ANY = (":.*", ".*:.*", "")

DETECTOR = [
    line("detector-stride", "constant", "(4, 2)", "(2, 4)", ANY, r"x \* 2.*x \* 4"),
    line("detector-half", "constant", "centre + size / 2)", "centre + size)", ANY, "add"),
    line("detector-no-exp", "activation kind", ".exp()", ".sigmoid()", ANY, "Sigmoid.*exp"),
    line("detector-objectness", "slice", "confidence[..., :1]", "confidence[..., -1:]", ANY, r"slice .*3:4"),
    line("detector-no-objectness", "branch missing", " * confidence[..., :1]", "", ANY, "mul"),
    line(
        "detector-corners",
        "layer missing",
        "centre - size / 2, centre + size / 2",
        "centre, size",
        ANY,
        "concat",
    ),
    line("detector-slope", "LeakyReLU slope", "LeakyReLU(0.1,", "LeakyReLU(0.01,", ("stem.act",), "slope"),
    line(
        "detector-anchors",
        "constant",
        "* self.anchors[i]",
        "* self.anchors[1 - i]",
        ANY,
        "mul|constant|slice",
    ),
]

MODULATED = [
    line(
        "modulated-demodulation",
        "mean axis",
        "dim=[2, 3, 4]",
        "dim=[1, 3, 4]",
        ("conv1:.*", "conv1"),
        "ax[ei]s",
    ),
    line("modulated-sum", "reduction", ".sum(dim=", ".mean(dim=", ("conv1:.*", "conv1"), "sum"),
    line(
        "modulated-unbiased", "statistics wrong", "unbiased=False", "unbiased=True", ("stem:.*", "stem"), "."
    ),
    line("modulated-slope", "hardsigmoid slope", "x * 0.2 + 0.5", "x / 6 + 0.5", ANY, r"clip\(0\.2 \*"),
    line(
        "modulated-eps",
        "eps",
        "keepdim=True) + 1e-8).rsqrt()\n    x",
        "keepdim=True) + 1e-4).rsqrt()\n    x",
        ("conv1:.*", "conv1"),
        "1e-08",
    ),
    line("modulated-gain", "scale", ".mul(math.sqrt(2))", "", ANY, r"1\.414"),
]

INDEX = [
    line(
        "index-shift",
        "roll",
        "out[:, 1:, :fold] = x[:, :-1, :fold]",
        "out[:, :-1, :fold] = x[:, 1:, :fold]",
        ANY,
        "shift",
    ),
    line("index-colours", "constant", "[0.299, 0.587, 0.114]", "[0.114, 0.587, 0.299]", ANY, "mul|0.299"),
    line("index-einsum", "permute order", '"bij,bcj->bci"', '"bji,bcj->bci"', ("nl:.*",), "order|permute"),
    line("index-slope", "LeakyReLU slope", "F.leaky_relu(y, 0.3)", "F.leaky_relu(y, 0.1)", ANY, "0.3"),
    line("index-cumsum", "axis", "y.cumsum(-1)", "y.cumsum(1)", ANY, "axis"),
    line("index-normalize", "normalize", "F.normalize(feat)", "F.normalize(feat, p=1)", ANY, "p: torch"),
    line("index-descending", "order", "sort(1, descending=True)", "sort(1)", ANY, "descending"),
]

BUGS = [*DETECTOR, *MODULATED, *INDEX]
