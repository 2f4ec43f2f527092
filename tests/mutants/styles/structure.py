"""Other containers, names, definition orders and orders of execution; layers that do nothing."""

from tests.mutants.styles.row import paired, style

FEATURES = [("0", "conv1", "conv"), ("1", "bn1", "norm"), ("4", "conv2", "conv"), ("5", "bn2", "norm")]
FEATURES += [("7", "conv3", "kernel"), ("8", "bn3", "norm")]
SEQUENTIAL = [(f"features.{index}", paddle, holds) for index, paddle, holds in FEATURES]
SEQUENTIAL += [(f"classifier.{index}", f"fc{i}", "conv") for i, index in enumerate((1, 3, 6, 8), start=1)]
LISTS = [(f"convs.{i}", f"conv{i + 1}", "conv" if i < 2 else "kernel") for i in range(3)]
LISTS += [(f"norms.{i}", f"bn{i + 1}", "norm") for i in range(3)]
LISTS += [(f"linears.{i}", f"fc{i + 1}", "conv") for i in range(4)]


def _bottleneck(container: str) -> dict[str, str]:
    rows = []
    for i, name in enumerate(("bb_0_0", "bb_0_1", "bb_1_0", "bb_1_1")):
        for part in ("conv0", "conv1", "conv2", *(["short"] if name.endswith("_0") else [])):
            rows.append((f"{container}.{i}.{part}._conv", f"{name}.{part}._conv", "kernel"))
            rows.append((f"{container}.{i}.{part}._batch_norm", f"{name}.{part}._batch_norm", "norm"))
    return paired(rows)


def _inception() -> dict[str, str]:
    rows = [("backbone.0", "conv1", "conv"), ("backbone.3", "conv2", "conv"), ("head.2", "fc", "conv")]
    branches = (("1.0", "p1_1"), ("2.0", "p2_1"), ("2.2", "p2_2"), ("3.0", "p3_1"), ("3.2", "p3_2"))
    for index, block in ((5, "block1"), (7, "block2")):
        for branch, name in (*branches, ("4.1", "p4_2"), ("5.1", "p5_2")):
            rows.append((f"backbone.{index}.branch{branch}", f"{block}.{name}", "conv"))
    return paired(rows)


ADD_MODULE = '                self.add_module(f"bb_{stage}_{i}", block)\n'
APPEND = "                self.blocks.append(block)\n"
SHORTCUTS = [
    (f"layer2.0.short_{leaf}", f"layer2.0.downsample.{i}", holds)
    for leaf, i, holds in (("conv", 0, "kernel"), ("bn", 1, "norm"))
]

STYLES = [
    style("plain-sequential", "Sequential", source="plain_sequential", pairs=paired(SEQUENTIAL)),
    style("plain-lists", "ModuleList", source="plain_lists", pairs=paired(LISTS)),
    style(
        "plain-sequential-names-unknown",
        "names unknown",
        source="plain_sequential",
        pairs=paired(SEQUENTIAL),
        tell_pairs=False,
    ),
    style(
        "bottleneck-list-names-unknown",
        "names unknown",
        (ADD_MODULE, ""),
        ("self.blocks = []", "self.blocks = nn.ModuleList()"),
        pairs=_bottleneck("blocks"),
        tell_pairs=False,
    ),
    style(
        "basic-shortcut-names-unknown",
        "names unknown",
        ("self.downsample = nn.Sequential(", "self.projection = nn.Sequential("),
        ("self.downsample = None", "self.projection = None"),
        ("if self.downsample is not None", "if self.projection is not None"),
        ("self.downsample(x)", "self.projection(x)"),
        pairs={
            f"layer2.0.projection.{torch_name}": f"layer2.0.downsample.{paddle_name}"
            for torch_name, paddle_name in (
                ("0.weight", "0.weight"),
                ("1.weight", "1.weight"),
                ("1.bias", "1.bias"),
                ("1.running_mean", "1._mean"),
                ("1.running_var", "1._variance"),
            )
        },
        tell_pairs=False,
    ),
    style("plain-loops", "add_module", source="plain_loops"),
    style("plain-functional", "functional", source="plain_functional"),
    style("plain-functional-train", "functional", source="plain_functional", mode="train"),
    style(
        "plain-sequential-train",
        "Sequential",
        source="plain_sequential",
        pairs=paired(SEQUENTIAL),
        mode="train",
    ),
    style(
        "bottleneck-module-list",
        "ModuleList",
        (ADD_MODULE, ""),
        ("self.blocks = []", "self.blocks = nn.ModuleList()"),
        pairs=_bottleneck("blocks"),
    ),
    style(
        "bottleneck-sequential",
        "Sequential",
        (ADD_MODULE, ""),
        ("self.blocks = []", "blocks = []"),
        (APPEND, "                blocks.append(block)\n"),
        (
            "        self.pool2d_avg =",
            "        self.stages = nn.Sequential(*blocks)\n        self.pool2d_avg =",
        ),
        ("        for block in self.blocks:\n            y = block(y)  #", "        y = self.stages(y)  #"),
        pairs=_bottleneck("stages"),
    ),
    style(
        "bottleneck-setattr",
        "setattr",
        (ADD_MODULE, '                setattr(self, f"bb_{stage}_{i}", block)\n'),
    ),
    style(
        "bottleneck-register-module",
        "add_module",
        (ADD_MODULE, '                self.register_module(f"bb_{stage}_{i}", block)\n'),
    ),
    style(
        "basic-shortcut-attributes",
        "attributes",
        (
            "            self.downsample = nn.Sequential(\n"
            "                nn.Conv2d(cin, cout, 1, stride=stride, bias=False), nn.BatchNorm2d(cout)\n"
            "            )\n",
            "            self.short_conv = nn.Conv2d(cin, cout, 1, stride=stride, bias=False)\n"
            "            self.short_bn = nn.BatchNorm2d(cout)\n"
            "            self.downsample = True\n",
        ),
        ("identity = self.downsample(x)", "identity = self.short_bn(self.short_conv(x))"),
        pairs=paired(SHORTCUTS),
    ),
    style(
        "basic-separate-relus",
        "attributes",
        (
            "        self.relu = nn.ReLU()\n",
            "        self.relu1 = nn.ReLU()\n        self.relu2 = nn.ReLU(inplace=True)\n",
        ),
        ("self.relu(self.bn1", "self.relu1(self.bn1"),
        ("return self.relu(out)", "return self.relu2(out)"),
    ),
    style(
        "basic-shortcut-first",
        "execution order",
        (
            "        out = self.relu(self.bn1(self.conv1(x)))\n"
            "        out = self.bn2(self.conv2(out))\n"
            "        if self.downsample is not None:\n"
            "            identity = self.downsample(x)\n",
            "        if self.downsample is not None:\n"
            "            identity = self.downsample(x)\n"
            "        out = self.relu(self.bn1(self.conv1(x)))\n"
            "        out = self.bn2(self.conv2(out))\n",
        ),
    ),
    style("inception-branch-sequentials", "Sequential", source="inception_branches", pairs=_inception()),
    style(
        "inception-branches-backwards",
        "execution order",
        ("        p1 = F.relu(self.p1_1(x))\n", ""),
        ("        p2 = F.relu(self.p2_1(x))\n        p2 = F.relu(self.p2_2(p2))\n", ""),
        (
            "        return torch.cat",
            "        p2 = F.relu(self.p2_2(F.relu(self.p2_1(x))))\n"
            "        p1 = F.relu(self.p1_1(x))\n"
            "        return torch.cat",
        ),
    ),
    style(
        "plain-definition-order",
        "definition order",
        ("        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)\n        self.bn1 = nn.BatchNorm2d(8)\n", ""),
        ("        self.fc2 = nn.Linear(32, 32)\n", ""),
        (
            "        self.fc4 = nn.Linear(32, 10)\n",
            "        self.fc4 = nn.Linear(32, 10)\n"
            "        self.fc2 = nn.Linear(32, 32)\n"
            "        self.bn1 = nn.BatchNorm2d(8)\n"
            "        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)\n",
        ),
    ),
    style(
        "pyramid-definition-order",
        "definition order",
        (
            "        self.lat2 = nn.Conv2d(6, 6, 1)\n"
            "        self.lat3 = nn.Conv2d(6, 6, 1)\n"
            "        self.cls = Head(3)\n"
            "        self.reg = Head(4)\n",
            "        self.reg = Head(4)\n"
            "        self.cls = Head(3)\n"
            "        self.lat3 = nn.Conv2d(6, 6, 1)\n"
            "        self.lat2 = nn.Conv2d(6, 6, 1)\n",
        ),
    ),
    style(
        "pyramid-regression-first",
        "execution order",
        (
            "            scores.append(self.cls(level).flatten(2))\n"
            "            boxes.append(self.reg(level).flatten(2))\n",
            "            boxes.append(self.reg(level).flatten(2))\n"
            "            scores.append(self.cls(level).flatten(2))\n",
        ),
    ),
    style(
        "pyramid-levels-backwards",
        "execution order",
        ("in (p2, p3):", "in (p3, p2):"),
        ("torch.cat(scores, dim=2)", "torch.cat(scores[::-1], dim=2)"),
        ("torch.cat(boxes, dim=2)", "torch.cat(boxes[::-1], dim=2)"),
    ),
    style(
        "pyramid-module-dict",
        "ModuleDict",
        (
            "        self.cls = Head(3)\n        self.reg = Head(4)\n",
            '        self.heads = nn.ModuleDict({"cls": Head(3), "reg": Head(4)})\n',
        ),
        ("self.cls(level)", 'self.heads["cls"](level)'),
        ("self.reg(level)", 'self.heads["reg"](level)'),
        pairs=paired(
            (f"heads.{a}.{b}", f"{a}.{b}", "conv") for a in ("cls", "reg") for b in ("conv", "pred")
        ),
    ),
    style(
        "pyramid-keys-in-other-order",
        "outputs",
        (
            '{"scores": torch.sigmoid(scores), "boxes": torch.exp(boxes * 0.1)}',
            '{"boxes": torch.exp(boxes * 0.1), "scores": torch.sigmoid(scores)}',
        ),
    ),
    style(
        "siamese-list-of-outputs",
        "outputs",
        (
            "return distance, torch.sigmoid(similarity), a, b",
            "return [distance, torch.sigmoid(similarity), a, b]",
        ),
    ),
    style(
        "siamese-right-first",
        "execution order",
        (
            "        a = self.encoder(left)\n        b = self.encoder(right)\n",
            "        b = self.encoder(right)\n        a = self.encoder(left)\n",
        ),
    ),
    style(
        "vit-blocks-sequential",
        "Sequential",
        (
            "nn.ModuleList([Block(dim, heads) for _ in range(depth)])",
            "nn.Sequential(*[Block(dim, heads) for _ in range(depth)])",
        ),
        ("        for block in self.blocks:\n            x = block(x)\n", "        x = self.blocks(x)\n"),
    ),
    style("mha-ready-made-layer", "ready-made layer", source="mha_encoder_layer"),
    style(
        "unet-separate-pools",
        "attributes",
        (
            "        self.pool = nn.MaxPool2d(2)\n",
            "        self.pool1 = nn.MaxPool2d(2)\n"
            "        self.pool2 = nn.MaxPool2d(kernel_size=(2, 2), stride=(2, 2))\n"
            "        self.pool3 = nn.MaxPool2d(2)\n",
        ),
        ("self.pool(d1)", "self.pool1(d1)"),
        ("self.pool(d2)", "self.pool2(d2)"),
        ("self.pool(d3)", "self.pool3(d3)"),
    ),
    style(
        "plain-identities",
        "extra Identity",
        (
            "        self.drop = nn.Dropout(0.4)\n",
            "        self.drop = nn.Dropout(0.4)\n        self.nothing = nn.Identity()\n",
        ),
        ("x = self.bn2(self.conv2(x))", "x = self.nothing(self.bn2(self.nothing(self.conv2(x))))"),
        ("return self.fc4(x)", "return self.nothing(self.fc4(x))"),
    ),
    style(
        "basic-identity-shortcut",
        "extra Identity",
        ("        self.downsample = None\n", "        self.downsample = nn.Identity()\n"),
    ),
    style(
        "plain-dropout-in-eval",
        "dropout in eval",
        ("x = F.relu(self.fc1(x))", "x = F.dropout(F.relu(self.fc1(x)), 0.2, self.training)"),
    ),
    style(
        "inception-dropout-in-eval",
        "dropout in eval",
        (
            "        self.fc = nn.Linear(20, 3)\n",
            "        self.dropout = nn.Dropout(0.2)\n        self.fc = nn.Linear(20, 3)\n",
        ),
        ("return self.fc(x)", "return self.fc(self.dropout(x))"),
    ),
    style(
        "plain-dropout-left-out",
        "dropout in eval",
        ("        x = self.drop(x)\n", ""),
        ("        self.drop = nn.Dropout(0.4)\n", ""),
    ),
    style(
        "plain-unused-pool",
        "unused layer",
        ("        self.fc1 =", "        self.avgpool = nn.AdaptiveAvgPool2d(1)\n        self.fc1 ="),
    ),
    style(
        "plain-clones",
        "extra Identity",
        ("x = self.bn2(self.conv2(x))", "x = self.bn2(self.conv2(x.clone()).contiguous())"),
    ),
    style(
        "bottleneck-channels-last",
        "memory format",
        ("y = self.conv(inputs)", "y = self.conv(inputs.to(memory_format=torch.channels_last))"),
    ),
]
