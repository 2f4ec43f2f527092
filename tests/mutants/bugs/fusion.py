"""Mistakes in fusing a pyramid with normalized weights."""

from tests.mutants.bugs.row import EDITED, line
from tests.mutants.cases import Expected

BUGS = [
    line("bifpn-share-relu-missing", "activation missing", "share = F.relu(self.share)", "share = self.share", Expected("down4", "ReLU", "share = share / (torch.sum(share) + self.eps)", "missing", "", "ReLU", None, shows="nothing", layers=4), visible="nowhere"),
    line("bifpn-share-eps", "eps", "eps=1e-4", "eps=1e-3", Expected("down4", "scale or shift by a number", "eps=1e-3):", "attribute", "shift", 0.0001, 0.001, layers=4)),
    line(
        "bifpn-share-softmax",
        "activation kind",
        "        share = F.relu(self.share)\n        share = share / (torch.sum(share) + self.eps)\n",
        "        share = torch.softmax(self.share, dim=0)\n",
        Expected("down4", "Softmax", EDITED, "computed", "", "ReLU -> sum(axes=(0,)) -> x + 0.0001 -> div", "Softmax(axis=-1)", layers=4),
    ),
    line("bifpn-pool-kernel", "pool kernel", "F.max_pool2d(o4, 3, 2, 1)", "F.max_pool2d(o4, 2, 2)", Expected("", "MaxPool2d", EDITED, "attribute", "kernel_size", (3, 3), (2, 2))),
    line("bifpn-other-skip", "wiring", "self.up4(p4, t4,", "self.up4(t4, t4,", Expected("up4", "mul", EDITED, "wiring", "", "the output of Conv2d `c4`", "the output of BatchNorm2d `down4.conv.norm`")),
    line("bifpn-shares-crossed", "swapped inputs", "self.up4(p4, t4,", "self.up4(t4, p4,", Expected("up4", "mul", EDITED, "exchanged", "", "the output of slice [0]", "the output of slice [1]")),
    line("bifpn-norm-momentum", "momentum", "momentum=0.01", "momentum=0.99", Expected("down4.conv.norm", "BatchNorm2d", EDITED, "attribute", "momentum", 0.99, 0.01, shows="training", layers=4), visible="nowhere"),
]  # fmt: skip
