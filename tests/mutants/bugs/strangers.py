"""Bugs of networks that were added after the checker had met all before: a test of generality."""

from functools import partial

from tests.mutants.bugs.row import EDITED, line
from tests.mutants.cases import Expected

back = partial(line, stage="backward", visible="gradients", mode="train", gradients=True)

FUSION = [
    line(
        "fusion-branch-missing",
        "branch missing",
        "self.bid(x) + ",
        "",
        Expected(
            "r",
            "add",
            "return F.relu(self.b3(self.k3(x)) + self.b1(self.k1(x)))",
            "missing",
            "",
            "BatchNorm2d `r.bid` -> add",
            None,
            layers=2,
        ),
    ),
    line(
        "fusion-norms-swapped",
        "swapped layers",
        "self.b3(self.k3(x)) + self.b1(self.k1(x))",
        "self.b1(self.k3(x)) + self.b3(self.k1(x))",
        Expected(
            "r.b3",
            "BatchNorm2d",
            EDITED,
            "exchanged",
            "",
            "the output of Conv2d `r.k3`",
            "the output of Conv2d `r.k1`",
            layers=2,
        ),
    ),
    line(
        "fusion-mode",
        "interpolation",
        'mode="nearest"',
        'mode="bilinear"',
        Expected("", "interpolate", EDITED, "attribute", "mode", "nearest", "bilinear"),
    ),
    line(
        "fusion-other-input",
        "wiring",
        "self.lat(low)",
        "self.lat(F.relu(self.down(high)))",
        Expected(
            "lat",
            "Conv2d",
            EDITED,
            "wiring",
            "",
            "the output of ReLU `low` after BatchNorm2d `low.b3`",
            "the output of ReLU after Conv2d `down`",
        ),
    ),
    line(
        "fusion-relu-missing",
        "activation missing",
        "F.relu(low + F.relu(self.down(high)))",
        "F.relu(low + self.down(high))",
        Expected("", "ReLU", EDITED, "missing", "", "ReLU", None),
    ),
    line(
        "fusion-sum-axis",
        "axis",
        "(u * u).sum(2,",
        "(u * u).sum(1,",
        Expected("", "sum", EDITED, "attribute", "axes", (2,), (1,)),
    ),
    line(
        "fusion-constant",
        "constant",
        "/ (1 + n)",
        "/ (1.5 + n)",
        Expected("", "scale or shift by a number", EDITED, "attribute", "shift", 1.0, 1.5),
    ),
    line(
        "fusion-root-missing",
        "layer missing",
        "/ torch.sqrt(n + 1e-8)",
        "/ (n + 1e-8)",
        Expected("", "sqrt", EDITED, "missing", "", "sqrt", None),
    ),
    line(
        "fusion-pool-kind",
        "pool kind",
        "F.max_pool2d(h2, 2)",
        "F.avg_pool2d(h2, 2)",
        Expected(
            "",
            "AvgPool2d",
            EDITED,
            "substituted",
            "",
            "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)), ceil_mode=False, dilation=(1, 1))",
            "AvgPool2d(kernel_size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)), ceil_mode=False, exclusive=True, divisor=None)",
        ),
    ),
    line(
        "fusion-shared-head-input",
        "wiring",
        "for f in (h2, F",
        "for f in (high, F",
        Expected(
            "head",
            "Conv2d",
            EDITED,
            "wiring",
            "",
            "the output of ReLU after BatchNorm2d `r.b3`",
            "the output of ReLU `r` after BatchNorm2d `r.b3`",
        ),
    ),
]

GAN = [
    line(
        "gan-zero-padding",
        "padding mode",
        "nn.ReflectionPad2d(3)",
        "nn.ZeroPad2d(3)",
        Expected("pad", "pad", EDITED, "attribute", "mode", "reflect", "constant"),
    ),
    line(
        "gan-replicate",
        "padding mode",
        'padding_mode="reflect"',
        'padding_mode="replicate"',
        Expected("r1", "Conv2d", EDITED, "attribute", "padding_mode", "reflect", "replicate"),
    ),
    line(
        "gan-running-statistics",
        "layer kind",
        "self.n3 = nn.InstanceNorm2d(8, affine=True)",
        "self.n3 = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)",
        Expected("n3", "InstanceNorm2d", EDITED, "attribute", "track_running_stats", False, True),
        unloaded=("n3.running*",),
    ),
    line(
        "gan-batch-norm",
        "layer kind",
        "self.n1 = nn.InstanceNorm2d(6, affine=True)",
        "self.n1 = nn.BatchNorm2d(6)",
        Expected("n1", "BatchNorm2d", EDITED, "substituted", "", "InstanceNorm2d `n1`", "BatchNorm2d `n1`"),
        unloaded=("n1.running*",),
        pairs={"n1.weight": "n1.scale"},
    ),
    line(
        "gan-sigmoid-for-tanh",
        "activation kind",
        "torch.tanh",
        "torch.sigmoid",
        Expected("", "Sigmoid", EDITED, "substituted", "", "Tanh", "Sigmoid"),
    ),
]

BUGS = FUSION + GAN
