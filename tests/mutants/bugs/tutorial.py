"""The mistakes of the torch ResNet in the tutorial that started the project, one at a time."""

from tests.mutants.bugs.row import data, line

BUGS = [
    line(
        "bottleneck-convolutions-keep-bias",
        "bias",
        "            bias=False,\n",
        "",
        "conv._conv",
        "bias",
        unloaded=("*._conv.bias",),
    ),
    line(
        "bottleneck-blocks-in-plain-list",
        "not registered",
        '                self.add_module(f"bb_{stage}_{i}", block)\n',
        "",
        ("bb_0_0*", "blocks*", "*:.*"),
        "regist|list|state.?dict",
    ),
    line(
        "bottleneck-extra-batchnorm1d",
        "layer extra",
        "        self.out = nn.Linear(16, 4)\n",
        "        self.bn1 = nn.BatchNorm1d(16)\n        self.out = nn.Linear(16, 4)\n",
        ("bn1",),
        "batch_?norm|bn1",
        also=(("return self.out(y)", "y = self.bn1(y)\n        return self.out(y)"),),
        unloaded=("bn1.*",),
    ),
    data(
        "bottleneck-leaky-for-relu",
        "activation kind",
        ("conv*:.*relu", "conv._batch_norm:.*relu"),
        "leaky|slope",
        edits=(("            y = F.relu(y)\n", "            y = F.leaky_relu(y, negative_slope=0.1)\n"),),
    ),
    line(
        "bottleneck-relu-twice",
        "activation extra",
        "        y = self.pool2d_avg(y)\n",
        "        y = F.relu(self.pool2d_avg(y) - 0.1)\n",
        (":relu|sub.*|add|mul.*", "pool2d_avg:.*"),
        "sub|relu|0\\.1",
    ),
    line(
        "bottleneck-stride-in-first-convolution",
        "stride",
        'self.conv0 = ConvBNLayer(num_channels, num_filters, 1, act="relu")',
        'self.conv0 = ConvBNLayer(num_channels, num_filters, 1, stride=stride, act="relu")',
        ("bb_1_0.conv0._conv", "bb_1_0.conv1._conv"),
        "stride",
        also=(("num_filters, 3, stride=stride, act", "num_filters, 3, act"),),
    ),
]
