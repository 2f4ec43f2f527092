"""Normalization with the wrong configuration, or missing."""

from tests.mutants.bugs.row import EDITED, data, line
from tests.mutants.cases import Expected

NOWHERE = {"visible": "nowhere"}

BUGS = [
    line(
        "plain-bn-eps",
        "eps",
        "self.bn2 = nn.BatchNorm2d(8)",
        "self.bn2 = nn.BatchNorm2d(8, eps=1e-3)",
        Expected("bn2", "BatchNorm2d", EDITED, "attribute", "eps", 1e-05, 0.001),
    ),
    line(
        "mobile-bn-eps-default",
        "eps",
        "nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout, eps=1e-3)",
        "nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout)",
        Expected("block1.project.1", "BatchNorm2d", EDITED, "attribute", "eps", 0.001, 1e-05, layers=3),
    ),
    line(
        "bottleneck-bn-eps-everywhere",
        "eps",
        "nn.BatchNorm2d(num_filters)",
        "nn.BatchNorm2d(num_filters, eps=1e-3)",
        Expected("conv._batch_norm", "BatchNorm2d", EDITED, "attribute", "eps", 1e-05, 0.001, layers=15),
    ),
    line(
        "vit-ln-eps-default",
        "eps",
        "self.norm2 = nn.LayerNorm(dim, eps=1e-6)",
        "self.norm2 = nn.LayerNorm(dim)",
        Expected("blocks.0.norm2", "LayerNorm", EDITED, "attribute", "eps", 1e-06, 1e-05, layers=2),
    ),
    line(
        "norms-in-eps",
        "eps",
        "affine=True)",
        "affine=True, eps=1e-3)",
        Expected("inorm", "InstanceNorm2d", EDITED, "attribute", "eps", 1e-05, 0.001),
    ),
    line(
        "plain-bn-momentum-copied",
        "momentum",
        "self.bn2 = nn.BatchNorm2d(8)",
        "self.bn2 = nn.BatchNorm2d(8, momentum=0.9)",
        Expected("bn2", "BatchNorm2d", EDITED, "attribute", "momentum", 0.9, 0.1, shows="training"),
        **NOWHERE,
    ),
    line(
        "mlp-bn-momentum",
        "momentum",
        "self.bn1 = nn.BatchNorm1d(16)",
        "self.bn1 = nn.BatchNorm1d(16, momentum=0.01)",
        Expected("bn1", "BatchNorm1d", EDITED, "attribute", "momentum", 0.9, 0.99, shows="training"),
        **NOWHERE,
    ),
    line(
        "basic-bn-momentum-cumulative",
        "momentum",
        "self.bn1 = nn.BatchNorm2d(cout)",
        "self.bn1 = nn.BatchNorm2d(cout, momentum=None)",
        Expected(
            "layer1.0.bn1",
            "BatchNorm2d",
            EDITED,
            "attribute",
            "momentum",
            0.9,
            None,
            shows="training",
            layers=4,
        ),
        **NOWHERE,
    ),
    line(
        "plain-bn-batch-statistics",
        "training flag",
        "self.bn2 = nn.BatchNorm2d(8)",
        "self.bn2 = nn.BatchNorm2d(8, track_running_stats=False)",
        Expected(
            "bn2", "BatchNorm2d", "track_running_stats=False", "attribute", "track_running_stats", True, False
        ),
    ),
    line(
        "plain-bn-functional-training",
        "training flag",
        "x = self.relu3(self.bn3(self.conv3(x)))",
        "x = self.conv3(x)\n"
        "        x = F.batch_norm(x, self.bn3.running_mean, self.bn3.running_var,"
        " self.bn3.weight, self.bn3.bias, training=True)\n"
        "        x = self.relu3(x)",
        Expected(
            "",
            "BatchNorm2d",
            "x = F.batch_norm(x, self.bn3.running_mean",
            "attribute",
            "training",
            False,
            True,
        ),
    ),
    line(
        "siamese-bn-frozen",
        "training flag",
        "        self.embed = nn.Linear(10, 10)\n",
        "        self.embed = nn.Linear(10, 10)\n\n"
        "    def train(self, mode=True):\n"
        "        super().train(mode)\n"
        "        self.bn2.eval()\n"
        "        return self\n",
        Expected("encoder.bn2", "BatchNorm2d", "self.bn2.eval()", "attribute", "training", True, False),
        mode="train",
    ),
    data(
        "basic-global-statistics",
        "training flag",
        Expected(
            "layer1.0.bn2",
            "BatchNorm2d",
            "self.bn2 = nn.BatchNorm2d(cout)",
            "attribute",
            "training",
            False,
            True,
            layers=4,
        ),
        paddle=(
            ("self.bn2 = nn.BatchNorm2D(cout)", "self.bn2 = nn.BatchNorm2D(cout, use_global_stats=True)"),
        ),
        mode="train",
    ),
    line(
        "norms-gn-groups",
        "groups",
        "nn.GroupNorm(2, 8)",
        "nn.GroupNorm(4, 8)",
        Expected("gn", "GroupNorm", EDITED, "attribute", "groups", 2, 4),
    ),
    line(
        "norms-in-not-affine",
        "affine",
        "nn.InstanceNorm2d(8, affine=True)",
        "nn.InstanceNorm2d(8)",
        Expected("inorm", "InstanceNorm2d", EDITED, "attribute", "affine", True, False),
    ),
    line(
        "norms-lrn-k-default",
        "scale",
        "beta=0.75, k=1.5",
        "beta=0.75",
        Expected(
            "lrn",
            "LocalResponseNorm",
            "nn.LocalResponseNorm(5, alpha=0.05, beta=0.75)",
            "attribute",
            "k",
            1.5,
            1,
        ),
    ),
    line(
        "norms-lrn-size",
        "kernel",
        "nn.LocalResponseNorm(5",
        "nn.LocalResponseNorm(3",
        Expected("lrn", "LocalResponseNorm", EDITED, "attribute", "size", 5, 3),
    ),
    line(
        "basic-bn-missing-in-shortcut",
        "layer missing",
        "stride=stride, bias=False), nn.BatchNorm2d(cout)\n",
        "stride=stride, bias=False)\n",
        Expected(
            "layer2.0.downsample.1",
            "BatchNorm2d",
            "self.downsample = nn.Sequential(",
            "missing",
            "",
            "BatchNorm2d `layer2.0.downsample.1`",
            None,
        ),
    ),
    line(
        "mlp-bn-missing",
        "layer missing",
        "torch.tanh(self.bn2(self.fc2(x)))",
        "torch.tanh(self.fc2(x))",
        Expected("bn2", "BatchNorm1d", EDITED, "missing", "", "BatchNorm1d `bn2`", None),
    ),
    line(
        "vit-final-norm-missing",
        "layer missing",
        "        x = self.norm(x)\n",
        "",
        Expected("norm", "LayerNorm", "return self.head(x[:, 0])", "missing", "", "LayerNorm `norm`", None),
    ),
    line(
        "text-norm-missing",
        "layer missing",
        "x = self.norm(x)",
        "x = x * 1",
        Expected(
            "norm",
            "LayerNorm",
            "y = F.gelu(self.conv(x.transpose(1, 2)))",
            "missing",
            "",
            "LayerNorm `norm`",
            None,
        ),
    ),
    line(
        "inception-conv-missing",
        "layer missing",
        "x = F.relu(self.conv2(x))",
        "x = F.relu(x)",
        Expected("conv2", "Conv2d", EDITED, "missing", "", "Conv2d `conv2`", None),
    ),
    line(
        "unet-lateral-missing",
        "layer missing",
        "self.lateral(d1), y",
        "d1, y",
        Expected("lateral", "Conv2d", EDITED, "missing", "", "Conv2d `lateral`", None),
    ),
]
