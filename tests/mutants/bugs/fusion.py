"""Mistakes in fusing a pyramid with normalized weights."""

from tests.mutants.bugs.row import line

BUGS = [
    line("bifpn-share-relu-missing", "activation missing", "share = F.relu(self.share)", "share = self.share", "down4:.*relu.*", "relu", visible="nowhere"),
    line("bifpn-share-eps", "eps", "eps=1e-4", "eps=1e-3", "down4:.*", "shift: torch has 0.001"),
    line(
        "bifpn-share-softmax",
        "activation kind",
        "        share = F.relu(self.share)\n        share = share / (torch.sum(share) + self.eps)\n",
        "        share = torch.softmax(self.share, dim=0)\n",
        "down4:softmax",
        "softmax",
    ),
    line("bifpn-pool-kernel", "pool kernel", "F.max_pool2d(o4, 3, 2, 1)", "F.max_pool2d(o4, 2, 2)", ":.*pool.*", "kernel_size"),
    line("bifpn-other-skip", "wiring", "self.up4(p4, t4,", "self.up4(t4, t4,", "up4:mul", "wired"),
    line("bifpn-shares-crossed", "swapped inputs", "self.up4(p4, t4,", "self.up4(t4, p4,", "up4:mul", "swap|wired"),
    line("bifpn-norm-momentum", "momentum", "momentum=0.01", "momentum=0.99", "down4.conv.norm", "momentum", visible="nowhere"),
]  # fmt: skip
