"""Invisible in the forward pass: gradients that are cut, scaled, or go elsewhere."""

from functools import partial

from tests.mutants.bugs.row import EDITED, data
from tests.mutants.bugs.row import line as _line
from tests.mutants.cases import Expected

line = partial(_line, stage="backward", visible="gradients", mode="train", gradients=True)

BUGS = [
    line(
        "siamese-branch-detached",
        "detach",
        "b = self.encoder(right)",
        "b = self.encoder(right).detach()",
        Expected("", "detach", EDITED, "gradient", "detach", False, True, shows="gradients"),
    ),
    line(
        "pyramid-regression-detached",
        "detach",
        "self.reg(level)",
        "self.reg(level.detach())",
        Expected("", "detach", EDITED, "gradient", "detach", False, True, shows="gradients"),
    ),
    line(
        "shuffle-half-detached",
        "detach",
        "keep, y = torch.chunk(x, 2, dim=1)",
        "keep, y = torch.chunk(x, 2, dim=1)\n        keep = keep.detach()",
        Expected(
            "unit2",
            "detach",
            "keep = keep.detach()",
            "gradient",
            "detach",
            False,
            True,
            shows="gradients",
            layers=2,
        ),
    ),
    line(
        "bottleneck-shortcut-detached",
        "detach",
        "y = torch.add(short, y)",
        "y = torch.add(short.detach(), y)",
        Expected("bb_1_1", "detach", EDITED, "gradient", "detach", False, True, shows="gradients", layers=4),
    ),
    line(
        "unet-lateral-no-grad",
        "detach",
        "        y = self.fuse1(torch.cat([self.lateral(d1), y], dim=1))",
        "        with torch.no_grad():\n            side = self.lateral(d1)\n"
        "        y = self.fuse1(torch.cat([side, y], dim=1))",
        Expected(
            "lateral",
            "no_grad",
            "with torch.no_grad():",
            "gradient",
            "no_grad",
            False,
            True,
            shows="gradients",
        ),
    ),
    line(
        "basic-stem-no-grad",
        "detach",
        "x = self.stem(x)  #",
        "with torch.no_grad():\n            x = self.stem(x)  #",
        Expected(
            "stem.0",
            "no_grad",
            "with torch.no_grad():",
            "gradient",
            "no_grad",
            False,
            True,
            shows="gradients",
        ),
    ),
    line(
        "basic-identity-detached",
        "detach",
        "identity = x\n",
        "identity = x.detach()\n",
        Expected(
            "layer2.1", "detach", EDITED, "gradient", "detach", False, True, shows="gradients", layers=3
        ),
    ),
    line(
        "vit-attention-detached",
        "detach",
        "F.softmax(attn, dim=-1)",
        "F.softmax(attn, dim=-1).detach()",
        Expected(
            "blocks.1.attn", "detach", EDITED, "gradient", "detach", False, True, shows="gradients", layers=2
        ),
        mode="eval",
    ),
    line(
        "mlp-gate-detached",
        "detach",
        "torch.sigmoid(self.gate(x))",
        "torch.sigmoid(self.gate(x.detach()))",
        Expected("", "detach", EDITED, "gradient", "detach", False, True, shows="gradients"),
        mode="eval",
    ),
    line(
        "mobile-gate-detached",
        "detach",
        "s = self.avgpool(x)",
        "s = self.avgpool(x.detach())",
        Expected(
            "block3.se", "detach", EDITED, "gradient", "detach", False, True, shows="gradients", layers=3
        ),
        mode="eval",
    ),
    line(
        "text-query-detached",
        "detach",
        "F.softmax(self.query(x), dim=1)",
        "F.softmax(self.query(x), dim=1).data",
        Expected("", "detach", EDITED, "gradient", "detach", False, True, shows="gradients"),
    ),
    line(
        "norms-conv-frozen",
        "frozen",
        "        self.gn = nn.GroupNorm(2, 8)\n",
        "        self.gn = nn.GroupNorm(2, 8)\n        self.conv1.requires_grad_(False)\n",
        Expected(
            "conv1",
            "Conv2d",
            "self.conv1.requires_grad_(False)",
            "gradient",
            "trainable",
            True,
            False,
            shows="gradients",
        ),
    ),
    line(
        "basic-norm-frozen",
        "frozen",
        "        self.relu = nn.ReLU()\n",
        "        self.relu = nn.ReLU()\n        self.bn1.weight.requires_grad_(False)\n",
        Expected(
            "layer2.1.bn1",
            "BatchNorm2d",
            "self.bn1.weight.requires_grad_(False)",
            "gradient",
            "trainable",
            True,
            False,
            shows="gradients",
            layers=4,
        ),
    ),
    line(
        "pyramid-gradient-hook",
        "gradient scaled",
        "p3 = self.lat3(c3)\n",
        "p3 = self.lat3(c3)\n"
        "        if p3.requires_grad:\n            p3.register_hook(lambda grad: grad * 2)\n",
        Expected(
            "lat3",
            "Conv2d",
            "p3.register_hook(lambda grad: grad * 2)",
            "gradient",
            "hook",
            False,
            True,
            shows="gradients",
        ),
    ),
    line(
        "siamese-gradient-reversed",
        "gradient scaled",
        "a = self.encoder(left)\n",
        "a = self.encoder(left)\n        if a.requires_grad:\n            a.register_hook(torch.neg)\n",
        Expected(
            "encoder.embed",
            "Linear",
            "a.register_hook(torch.neg)",
            "gradient",
            "hook",
            False,
            True,
            shows="gradients",
        ),
    ),
    line(
        "text-padding-row-learns",
        "padding_idx",
        "nn.Embedding(20, 12, padding_idx=0)",
        "nn.Embedding(20, 12)",
        Expected("embed", "Embedding", EDITED, "attribute", "padding_idx", 0, None, shows="gradients"),
    ),
    data(
        "pyramid-detach-forgotten",
        "detach",
        Expected("", "detach", "self.cls(level)", "gradient", "detach", True, False, shows="gradients"),
        paddle=(("self.cls(level)", "self.cls(level.detach())"),),
        stage="backward",
        visible="gradients",
        mode="train",
        gradients=True,
    ),
    data(
        "norms-paddle-frozen",
        "frozen",
        Expected(
            "conv2",
            "Conv2d",
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2)",
            "gradient",
            "trainable",
            False,
            True,
            shows="gradients",
        ),
        paddle=(
            (
                "        self.inorm = nn.InstanceNorm2D(8)\n",
                "        self.inorm = nn.InstanceNorm2D(8)\n        self.conv2.weight.stop_gradient = True\n",
            ),
        ),
        stage="backward",
        visible="gradients",
        mode="train",
        gradients=True,
    ),
]
