"""The mistakes of the torch ResNet in the tutorial that started the project, one at a time."""

from tests.mutants.bugs.row import EDITED, data, line
from tests.mutants.cases import Expected

BUGS = [
    line(
        "bottleneck-convolutions-keep-bias",
        "bias",
        "            bias=False,\n",
        "",
        Expected("conv._conv", "Conv2d", "self._conv = nn.Conv2d(", "slot", "bias", False, True, layers=15),
        unloaded=("*._conv.bias",),
    ),
    line(
        "bottleneck-blocks-in-plain-list",
        "not registered",
        '                self.add_module(f"bb_{stage}_{i}", block)\n',
        "",
        Expected("blocks[0]", "registration", "self.blocks = []", "registration", "blocks", shows="weights"),
    ),
    line(
        "bottleneck-extra-batchnorm1d",
        "layer extra",
        "        self.out = nn.Linear(16, 4)\n",
        "        self.bn1 = nn.BatchNorm1d(16)\n        self.out = nn.Linear(16, 4)\n",
        Expected(
            "bn1", "BatchNorm1d", "self.bn1 = nn.BatchNorm1d(16)", "extra", "", None, "BatchNorm1d `bn1`"
        ),
        also=(("return self.out(y)", "y = self.bn1(y)\n        return self.out(y)"),),
        unloaded=("bn1.*",),
    ),
    data(
        "bottleneck-leaky-for-relu",
        "activation kind",
        Expected(
            "conv",
            "LeakyReLU",
            "y = F.leaky_relu(y, negative_slope=0.1)",
            "substituted",
            "",
            "ReLU",
            "LeakyReLU(slope=0.1)",
            layers=9,
        ),
        edits=(("            y = F.relu(y)\n", "            y = F.leaky_relu(y, negative_slope=0.1)\n"),),
    ),
    line(
        "bottleneck-relu-twice",
        "activation extra",
        "        y = self.pool2d_avg(y)\n",
        "        y = F.relu(self.pool2d_avg(y) - 0.1)\n",
        Expected("", "ReLU", EDITED, "extra", "", None, "x - 0.1 -> ReLU"),
    ),
    line(
        "bottleneck-stride-in-first-convolution",
        "stride",
        'self.conv0 = ConvBNLayer(num_channels, num_filters, 1, act="relu")',
        'self.conv0 = ConvBNLayer(num_channels, num_filters, 1, stride=stride, act="relu")',
        Expected("bb_1_0.conv0._conv", "Conv2d", EDITED, "attribute", "stride", (1, 1), (2, 2)),
        Expected(
            "bb_1_0.conv1._conv", "Conv2d", "num_filters, 3, act", "attribute", "stride", (2, 2), (1, 1)
        ),
        also=(("num_filters, 3, stride=stride, act", "num_filters, 3, act"),),
    ),
]
