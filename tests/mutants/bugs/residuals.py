"""Residuals that are missing, scaled or taken from elsewhere; outputs; layers that nobody registered."""

from tests.mutants.bugs.row import EDITED, data, line
from tests.mutants.cases import Expected

RESIDUALS = [
    line(
        "bottleneck-residual-missing",
        "residual",
        "        y = torch.add(short, y)\n",
        "",
        Expected("bb_0_0", "add", "return F.relu(y)", "missing", "", "add", None, layers=4),
    ),
    line(
        "mobile-residual-missing",
        "residual",
        "            y = x + y\n",
        "            y = y * 1\n",
        Expected("block1", "add", "return y", "missing", "", "add", None, layers=2),
    ),
    line(
        "vit-residual-missing",
        "residual",
        "return x + self.mlp(self.norm2(x))",
        "return self.mlp(self.norm2(x))",
        Expected("blocks.0", "add", EDITED, "missing", "", "add", None, layers=2),
    ),
    line(
        "pyramid-topdown-missing",
        "residual",
        'self.lat2(c2) + F.interpolate(p3, size=c2.shape[2:], mode="nearest")',
        "self.lat2(c2)",
        Expected(
            "",
            "add",
            EDITED,
            "missing",
            "",
            "interpolate(mode=nearest, output_size=(5, 5), align_corners=False) -> add",
            None,
        ),
    ),
    line(
        "basic-residual-after-first-conv",
        "residual",
        "        out = self.bn2(self.conv2(out))\n",
        "        identity = out\n        out = self.bn2(self.conv2(out))\n",
        Expected(
            "layer1.0",
            "add",
            "out = out + identity",
            "wiring",
            "",
            "the output of ReLU `stem.2` after BatchNorm2d `stem.1`",
            "the output of ReLU `layer1.0.relu` after BatchNorm2d `layer1.0.bn1`",
            # layer2.0 takes its shortcut anew behind the mistake.
            layers=3,
        ),
    ),
    line(
        "vit-residual-after-norm",
        "residual",
        "x = x + self.attn(self.norm1(x))",
        "x = self.norm1(x)\n        x = x + self.attn(x)",
        Expected(
            "blocks.0",
            "add",
            "x = x + self.attn(x)",
            "wiring",
            "",
            "the output of add",
            "the output of LayerNorm `blocks.0.norm1`",
            layers=2,
        ),
    ),
    line(
        "vit-post-norm",
        "residual",
        "x = x + self.attn(self.norm1(x))",
        "x = self.norm1(x + self.attn(x))",
        Expected(
            "blocks.0.norm1",
            "LayerNorm",
            EDITED,
            "wiring",
            "",
            "the output of add",
            "the output of add `blocks.0`",
            layers=2,
        ),
    ),
    line(
        "basic-residual-subtracted",
        "residual",
        "out = out + identity",
        "out = out - identity",
        Expected("layer1.0", "sub", EDITED, "substituted", "", "add", "sub", layers=4),
    ),
    line(
        "basic-residual-scaled",
        "residual",
        "out = out + identity",
        "out = out + 0.5 * identity",
        Expected("layer1.0", "scale or shift by a number", EDITED, "extra", "", None, "x * 0.5", layers=4),
    ),
    line(
        "mobile-gate-added",
        "residual",
        "return x * s",
        "return x + s",
        Expected("block1.se", "add", EDITED, "substituted", "", "mul", "add", layers=3),
    ),
    line(
        "siamese-product-for-sum",
        "residual",
        "distance, a * b]",
        "distance, a + b]",
        Expected("", "add", EDITED, "substituted", "", "mul", "add"),
    ),
    line(
        "siamese-abs-missing",
        "activation missing",
        "torch.abs(a - b)",
        "a - b",
        Expected("", "abs", EDITED, "missing", "", "abs", None),
    ),
    line(
        "vit-position-missing",
        "residual",
        "        x = x + self.pos_embed\n",
        "",
        Expected("", "add", "for block in self.blocks:", "missing", "", "add of `pos_embed`", None),
    ),
]

OUTPUTS = [
    line(
        "siamese-outputs-swapped",
        "output order",
        "similarity), a, b",
        "similarity), b, a",
        Expected(
            "",
            "output",
            "torch.sigmoid(similarity), b, a",
            "exchanged",
            "output[2]",
            "the first output of Linear `encoder.embed`",
            "the second output of Linear `encoder.embed`",
        ),
    ),
    line(
        "siamese-output-missing",
        "output order",
        "torch.sigmoid(similarity), a, b",
        "torch.sigmoid(similarity), a",
        Expected("", "output", EDITED, "output", "output[3]", True, False),
    ),
    line(
        "pyramid-output-missing",
        "output order",
        ', "boxes": torch.exp(boxes * 0.1)}',
        "}",
        Expected(
            "", "output", 'return {"scores": torch.sigmoid(scores)}', "output", "output['boxes']", True, False
        ),
    ),
    data(
        "siamese-hidden-in-list",
        "not registered",
        Expected(
            "heads[0]",
            "registration",
            "self.heads = [nn.Linear(20, 1)]",
            "registration",
            "heads",
            shows="weights",
        ),
        edits=(
            ("self.score = nn.Linear(20, 1)", "self.heads = [nn.Linear(20, 1)]"),
            ("self.score(torch", "self.heads[0](torch"),
        ),
        weights=(("into", "heads", 0, "score"),),
        visible="nowhere",
    ),
    data(
        "plain-hidden-in-list",
        "not registered",
        Expected(
            "tail[0]",
            "registration",
            "self.tail = [nn.Linear(32, 32)]",
            "registration",
            "tail",
            shows="weights",
        ),
        edits=(
            ("self.fc3 = nn.Linear(32, 32)", "self.tail = [nn.Linear(32, 32)]"),
            ("F.relu(self.fc3(x))", "F.relu(self.tail[0](x))"),
        ),
        weights=(("into", "tail", 0, "fc3"),),
        visible="nowhere",
    ),
    data(
        "plain-norm-hidden-in-list",
        "not registered",
        Expected(
            "norms[0]",
            "registration",
            "self.norms = [nn.BatchNorm2d(8)]",
            "registration",
            "norms",
            shows="weights",
        ),
        edits=(
            ("self.bn3 = nn.BatchNorm2d(8)", "self.norms = [nn.BatchNorm2d(8)]"),
            ("self.bn3(self.conv3(x))", "self.norms[0](self.conv3(x))"),
        ),
        weights=(("into", "norms", 0, "bn3"),),
    ),
]

BUGS = RESIDUALS + OUTPUTS
