"""Ports whose parameters are laid out otherwise: fused, split, folded. The function is the same."""

from tests.mutants.cases import Part
from tests.mutants.styles.row import style

BLOCKS = ("blocks.0.attn", "blocks.1.attn")
PADDLE_SPLIT = (
    (
        "        self.qkv = nn.Linear(dim, dim * 3)\n",
        "        self.q = nn.Linear(dim, dim)\n"
        "        self.k = nn.Linear(dim, dim)\n"
        "        self.v = nn.Linear(dim, dim)\n",
    ),
    (
        "        qkv = self.qkv(x).reshape([b, n, 3, self.heads, c // self.heads])\n"
        "        qkv = qkv.transpose([2, 0, 3, 1, 4])\n"
        "        q, k, v = qkv[0], qkv[1], qkv[2]\n",
        "        shape = [b, n, self.heads, c // self.heads]\n"
        "        q = self.q(x).reshape(shape).transpose([0, 2, 1, 3])\n"
        "        k = self.k(x).reshape(shape).transpose([0, 2, 1, 3])\n"
        "        v = self.v(x).reshape(shape).transpose([0, 2, 1, 3])\n",
    ),
)
TORCH_SPLIT = (
    (
        "        self.qkv = nn.Linear(dim, dim * 3)\n",
        "        self.q = nn.Linear(dim, dim)\n"
        "        self.k = nn.Linear(dim, dim)\n"
        "        self.v = nn.Linear(dim, dim)\n",
    ),
    (
        "        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads)\n"
        "        qkv = qkv.permute(2, 0, 3, 1, 4)\n"
        "        q, k, v = qkv[0], qkv[1], qkv[2]\n",
        "        q = self.q(x).view(b, n, self.heads, -1).transpose(1, 2)\n"
        "        k = self.k(x).view(b, n, self.heads, -1).transpose(1, 2)\n"
        "        v = self.v(x).view(b, n, self.heads, -1).transpose(1, 2)\n",
    ),
)
LEAVES = ("weight", "bias")

STYLES = [
    style("vit-both-split", "split weights", *TORCH_SPLIT, paddle=PADDLE_SPLIT),
    style(
        "vit-qkv-fused",
        "fused weights",
        paddle=PADDLE_SPLIT,
        pairs={
            f"{block}.qkv.{leaf}": tuple(f"{block}.{which}.{leaf}" for which in "qkv")
            for block in BLOCKS
            for leaf in LEAVES
        },
        hard=True,
    ),
    style(
        "vit-qkv-split",
        "split weights",
        *TORCH_SPLIT,
        pairs={
            f"{block}.{which}.{leaf}": Part(f"{block}.qkv.{leaf}", i, 3)
            for block in BLOCKS
            for i, which in enumerate("qkv")
            for leaf in LEAVES
        },
        hard=True,
    ),
    style(
        "inception-entry-fused",
        "fused weights",
        (
            "        self.p1_1 = nn.Conv2d(c0, 4, 1)\n        self.p2_1 = nn.Conv2d(c0, 4, 1)\n",
            "        self.entry = nn.Conv2d(c0, 8, 1)\n",
        ),
        (
            "        p1 = F.relu(self.p1_1(x))\n        p2 = F.relu(self.p2_1(x))\n",
            "        p1, p2 = F.relu(self.entry(x)).chunk(2, dim=1)\n",
        ),
        pairs={
            f"{block}.entry.{leaf}": (f"{block}.p1_1.{leaf}", f"{block}.p2_1.{leaf}")
            for block in ("block1", "block2")
            for leaf in LEAVES
        },
        hard=True,
    ),
    style(
        "plain-norm-folded",
        "folded",
        (
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)\n        self.bn2 = nn.BatchNorm2d(8)\n",
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)\n",
        ),
        ("x = self.bn2(self.conv2(x))", "x = self.conv2(x)"),
        weights=(("fold", "conv2", "bn2", 1e-5),),
        hard=True,
        note=("Conv2d `conv2`: Paddle's BatchNorm is folded into its weights",),
        tolerance=1e-6,
    ),
    style(
        "basic-norm-folded",
        "folded",
        (
            "nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()",
            "nn.Conv2d(3, 6, 3, padding=1), nn.Identity(), nn.ReLU()",
        ),
        weights=(("fold", "stem.0", "stem.1", 1e-5),),
        unloaded=("stem.0.bias",),
        hard=True,
        note=("Conv2d `stem.0`: Paddle's BatchNorm is folded into its weights",),
        tolerance=1e-6,
    ),
    style(
        "shuffle-norm-folded",
        "folded",
        (
            "self.dw = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)\n"
            "        self.bn2 = nn.BatchNorm2d(half)\n",
            "self.dw = nn.Conv2d(half, half, 3, padding=1, groups=half)\n",
        ),
        ("y = self.bn2(self.dw(y))", "y = self.dw(y)"),
        weights=(("fold", "unit1.dw", "unit1.bn2", 1e-5), ("fold", "unit2.dw", "unit2.bn2", 1e-5)),
        unloaded=("unit*.dw.bias",),
        hard=True,
        note=tuple(
            f"Conv2d `{unit}.dw`: Paddle's BatchNorm is folded into its weights"
            for unit in ("unit1", "unit2")
        ),
        tolerance=1e-6,
    ),
]
