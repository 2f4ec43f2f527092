"""Invisible in the forward pass: gradients that are cut, scaled, or go elsewhere."""

from functools import partial

from tests.mutants.bugs.row import data
from tests.mutants.bugs.row import line as _line

line = partial(_line, stage="backward", visible="gradients", mode="train", gradients=True)
CUT = "detach|gradient|no_grad|cut|stop"

BUGS = [
    line(
        "siamese-branch-detached",
        "detach",
        "b = self.encoder(right)",
        "b = self.encoder(right).detach()",
        (":detach", "encoder.embed", "encoder*"),
        CUT,
    ),
    line(
        "pyramid-regression-detached",
        "detach",
        "self.reg(level)",
        "self.reg(level.detach())",
        (":detach", "reg.conv", "reg*"),
        CUT,
    ),
    line(
        "shuffle-half-detached",
        "detach",
        "keep, y = torch.chunk(x, 2, dim=1)",
        "keep, y = torch.chunk(x, 2, dim=1)\n        keep = keep.detach()",
        ("unit2:detach|.*split.*|chunk", "unit1:detach|.*split.*|chunk"),
        CUT,
    ),
    line(
        "bottleneck-shortcut-detached",
        "detach",
        "y = torch.add(short, y)",
        "y = torch.add(short.detach(), y)",
        ("bb_*:detach|add", "bb_*_0.short*"),
        CUT,
    ),
    line(
        "unet-lateral-no-grad",
        "detach",
        "        y = self.fuse1(torch.cat([self.lateral(d1), y], dim=1))",
        "        with torch.no_grad():\n            side = self.lateral(d1)\n"
        "        y = self.fuse1(torch.cat([side, y], dim=1))",
        ("lateral", ":detach|cat|concat.*|.*grad.*"),
        CUT,
    ),
    line(
        "basic-stem-no-grad",
        "detach",
        "x = self.stem(x)  #",
        "with torch.no_grad():\n            x = self.stem(x)  #",
        ("stem*", ":.*grad.*|detach"),
        CUT,
    ),
    line(
        "basic-identity-detached",
        "detach",
        "identity = x\n",
        "identity = x.detach()\n",
        ("layer1.*:detach|add", "layer2.1:detach|add"),
        CUT,
    ),
    line(
        "vit-attention-detached",
        "detach",
        "F.softmax(attn, dim=-1)",
        "F.softmax(attn, dim=-1).detach()",
        ("blocks.1.attn:detach|softmax", "blocks.0.attn:detach|softmax"),
        CUT,
        mode="eval",
    ),
    line(
        "mlp-gate-detached",
        "detach",
        "torch.sigmoid(self.gate(x))",
        "torch.sigmoid(self.gate(x.detach()))",
        (":detach", "gate"),
        CUT,
        mode="eval",
    ),
    line(
        "mobile-gate-detached",
        "detach",
        "s = self.avgpool(x)",
        "s = self.avgpool(x.detach())",
        ("block*.se:detach", "block*.se.avgpool"),
        CUT,
        mode="eval",
    ),
    line(
        "text-query-detached",
        "detach",
        "F.softmax(self.query(x), dim=1)",
        "F.softmax(self.query(x), dim=1).data",
        (":detach|softmax|data|.*grad.*", "query"),
        CUT,
    ),
    line(
        "norms-conv-frozen",
        "frozen",
        "        self.gn = nn.GroupNorm(2, 8)\n",
        "        self.gn = nn.GroupNorm(2, 8)\n        self.conv1.requires_grad_(False)\n",
        "conv1",
        "grad|frozen|train",
    ),
    line(
        "basic-norm-frozen",
        "frozen",
        "        self.relu = nn.ReLU()\n",
        "        self.relu = nn.ReLU()\n        self.bn1.weight.requires_grad_(False)\n",
        "layer*.bn1",
        "grad|frozen|train",
    ),
    line(
        "pyramid-gradient-hook",
        "gradient scaled",
        "p3 = self.lat3(c3)\n",
        "p3 = self.lat3(c3)\n"
        "        if p3.requires_grad:\n            p3.register_hook(lambda grad: grad * 2)\n",
        ("lat3", ":hook|.*grad.*|interp.*|.*nearest.*"),
        "grad|hook",
    ),
    line(
        "siamese-gradient-reversed",
        "gradient scaled",
        "a = self.encoder(left)\n",
        "a = self.encoder(left)\n        if a.requires_grad:\n            a.register_hook(torch.neg)\n",
        ("encoder.embed", "encoder", ":hook|.*grad.*|abs|sub.*|mul.*"),
        "grad|hook",
    ),
    line(
        "text-padding-row-learns",
        "padding_idx",
        "nn.Embedding(20, 12, padding_idx=0)",
        "nn.Embedding(20, 12)",
        "embed",
        "padding_idx",
    ),
    data(
        "pyramid-detach-forgotten",
        "detach",
        (":detach", "cls.conv", "cls*"),
        CUT,
        paddle=(("self.cls(level)", "self.cls(level.detach())"),),
        stage="backward",
        visible="gradients",
        mode="train",
        gradients=True,
    ),
    data(
        "norms-paddle-frozen",
        "frozen",
        "conv2",
        "grad|frozen|train",
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
