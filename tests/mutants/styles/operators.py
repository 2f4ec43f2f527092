"""The same operators spelled otherwise: functional, method, in-place, operator, other but equal arguments."""

from tests.mutants.styles.row import style

STYLES = [
    style(
        "plain-relu-methods",
        "relu",
        ("x = F.relu(self.bn1(self.conv1(x)))", "x = self.bn1(self.conv1(x)).relu()"),
        ("x = F.relu(x)\n", "x = torch.relu(x)\n"),
        ("x = F.relu(self.fc1(x))", "x = self.fc1(x).relu_()"),
        ("x = F.relu(self.fc2(x))", "x = torch.clamp(self.fc2(x), min=0)"),
    ),
    style(
        "plain-relu-in-place",
        "relu",
        ("self.relu3 = nn.ReLU()", "self.relu3 = nn.ReLU(inplace=True)"),
        ("x = F.relu(x)\n", "F.relu_(x)\n"),
        ("x = F.relu(self.fc1(x))", "x = F.relu(self.fc1(x), inplace=True)"),
    ),
    style(
        "plain-relu-in-place-train",
        "relu",
        ("self.relu3 = nn.ReLU()", "self.relu3 = nn.ReLU(inplace=True)"),
        ("x = F.relu(x)\n", "F.relu_(x)\n"),
        mode="train",
        gradients=True,
    ),
    style(
        "plain-relu-maximum",
        "relu",
        ("x = F.relu(x)\n", "x = torch.maximum(x, torch.zeros_like(x))\n"),
        hard=True,
    ),
    style("plain-view", "flatten", ("torch.flatten(x, 1)", "x.view(x.size(0), -1)")),
    style("plain-reshape-batch", "flatten", ("torch.flatten(x, 1)", "x.reshape(len(x), 8 * 5 * 5)")),
    style(
        "plain-flatten-layer",
        "flatten",
        ("        self.fc1 =", "        self.flatten = nn.Flatten()\n        self.fc1 ="),
        ("torch.flatten(x, 1)", "self.flatten(x)"),
    ),
    style("plain-flatten-twice", "flatten", ("torch.flatten(x, 1)", "x.flatten(2).flatten(1)")),
    style(
        "plain-linear-functions",
        "linear",
        ("self.fc1(x)", "F.linear(x, self.fc1.weight, self.fc1.bias)"),
        ("self.fc2(x)", "x @ self.fc2.weight.t() + self.fc2.bias"),
        ("self.fc3(x)", "torch.addmm(self.fc3.bias, x, self.fc3.weight.T)"),
    ),
    style(
        "plain-raw-matmul",
        "linear",
        (
            "        self.fc2 = nn.Linear(32, 32)\n",
            "        self.kernel = nn.Parameter(torch.zeros(32, 32))\n"
            "        self.offset = nn.Parameter(torch.zeros(32))\n",
        ),
        ("self.fc2(x)", "torch.matmul(x, self.kernel) + self.offset"),
        pairs={"kernel": "fc2.weight", "offset": "fc2.bias"},
    ),
    style(
        "plain-pad-then-convolve",
        "padding",
        ("self.conv2 = nn.Conv2d(8, 8, 3, padding=1)", "self.conv2 = nn.Conv2d(8, 8, 3)"),
        ("self.conv2(x)", "self.conv2(F.pad(x, (1, 1, 1, 1)))"),
    ),
    style(
        "plain-zero-pad-layer",
        "padding",
        (
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)",
            "self.pad = nn.ZeroPad2d(1)\n        self.conv2 = nn.Conv2d(8, 8, 3)",
        ),
        ("self.conv2(x)", "self.conv2(self.pad(x))"),
    ),
    style(
        "plain-padding-same",
        "padding",
        ("self.conv2 = nn.Conv2d(8, 8, 3, padding=1)", 'self.conv2 = nn.Conv2d(8, 8, 3, padding="same")'),
    ),
    style(
        "plain-tuples",
        "arguments",
        ("nn.MaxPool2d(2, 2)", "nn.MaxPool2d((2, 2), stride=(2, 2), padding=(0, 0))"),
        (
            "self.conv2 = nn.Conv2d(8, 8, 3, padding=1)",
            "self.conv2 = nn.Conv2d(8, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        ),
    ),
    style(
        "plain-pool-with-indices",
        "pool",
        ("x = self.pool1(x)", "x, _ = F.max_pool2d(x, 2, return_indices=True)"),
    ),
    style(
        "plain-relu-after-pool",
        "reordered",
        ("x = F.relu(self.bn1(self.conv1(x)))", "x = self.bn1(self.conv1(x))"),
        ("x = self.pool1(x)", "x = F.relu(self.pool1(x))"),
        hard=True,
    ),
    style("bottleneck-plus", "add", ("y = torch.add(short, y)", "y = short + y")),
    style("bottleneck-add-in-place", "add", ("y = torch.add(short, y)", "y += short")),
    style(
        "bottleneck-add-method",
        "add",
        ("y = torch.add(short, y)", "y = y.add_(short)"),
        ("return F.relu(y)", "return y.relu_()"),
    ),
    style("bottleneck-add-commuted", "add", ("y = torch.add(short, y)", "y = torch.add(y, short, alpha=1)")),
    style(
        "bottleneck-mean-for-pool",
        "mean",
        ("y = self.pool2d_avg(y)\n        y = torch.reshape(y, [y.shape[0], -1])", "y = y.mean([2, 3])"),
    ),
    style(
        "bottleneck-mean-mean",
        "mean",
        ("y = self.pool2d_avg(y)\n        y = torch.reshape(y, [y.shape[0], -1])", "y = y.mean(3).mean(2)"),
        hard=True,
    ),
    style(
        "bottleneck-functional-pool",
        "mean",
        ("self.pool2d_avg(y)", "F.adaptive_avg_pool2d(y, (1, 1))"),
        ("torch.reshape(y, [y.shape[0], -1])", "y.squeeze(-1).squeeze(-1)"),
    ),
    style(
        "basic-pool-for-mean",
        "mean",
        ("x = torch.mean(x, dim=[2, 3])", "x = torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1)"),
    ),
    style(
        "basic-sum-over-count",
        "mean",
        ("x = torch.mean(x, dim=[2, 3])", "x = x.sum(dim=(2, 3)) / (x.shape[2] * x.shape[3])"),
        hard=True,
    ),
    style(
        "basic-mean-keepdim",
        "mean",
        ("torch.mean(x, dim=[2, 3])", "x.mean(dim=(-2, -1), keepdim=True).flatten(1)"),
    ),
    style("basic-commuted", "add", ("out = out + identity", "out = identity + out")),
    style(
        "inception-concat-in-steps",
        "concat",
        (
            "return torch.cat([p1, p2, p3, p4, p5], dim=1)",
            "y = torch.cat([p1, p2], dim=1)\n"
            "        y = torch.cat([y, p3], dim=1)\n"
            "        return torch.cat([y, torch.cat([p4, p5], dim=1)], dim=1)",
        ),
    ),
    style(
        "inception-concat-names",
        "concat",
        ("torch.cat([p1, p2, p3, p4, p5], dim=1)", "torch.concatenate((p1, p2, p3, p4, p5), axis=-3)"),
    ),
    style(
        "inception-functional-pools",
        "pool",
        ("self.p4_1(x)", "F.max_pool2d(x, 3, 1, 1)"),
        ("self.p5_1(x)", "F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)"),
    ),
    style(
        "inception-padded-pool",
        "pool",
        ("self.p4_1(x)", 'F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=float("-inf")), 3, 1)'),
        hard=True,
    ),
    style(
        "mobile-relu6-hardtanh",
        "relu6",
        ("8, 3, 1, act=nn.ReLU6", "8, 3, 1, act=lambda: nn.Hardtanh(0.0, 6.0)"),
    ),
    style(
        "mobile-relu6-clamp",
        "relu6",
        (
            "class SqueezeExcite",
            "class Clamp(nn.Module):\n"
            "    def forward(self, x):\n"
            "        return x.clamp(0, 6)\n"
            "\n"
            "\n"
            "class SqueezeExcite",
        ),
        ("8, 3, 1, act=nn.ReLU6", "8, 3, 1, act=Clamp"),
    ),
    style(
        "mobile-hardswish-by-hand",
        "hardswish",
        (
            "x = self.stem_act(self.stem_bn(self.stem(x)))",
            "x = self.stem_bn(self.stem(x))\n        x = x * F.relu6(x + 3) / 6",
        ),
    ),
    style(
        "mobile-hardsigmoid-by-hand",
        "hardsigmoid",
        ("self.gate(self.expand(s))", "F.relu6(self.expand(s) + 3) / 6"),
        hard=True,
    ),
    style(
        "mobile-hardsigmoid-literal",
        "hardsigmoid",
        ("self.gate(self.expand(s))", "torch.clamp(self.expand(s) * 0.1666667 + 0.5, 0.0, 1.0)"),
    ),
    style("mobile-gate-first", "multiply", ("return x * s", "return torch.mul(s, x)")),
    style("mobile-gate-expanded", "multiply", ("return x * s", "return x * s.expand_as(x)")),
    style("mobile-squeeze-mean", "mean", ("s = self.avgpool(x)", "s = x.mean(dim=(2, 3), keepdim=True)")),
    style(
        "unet-upsample-layers",
        "interpolate",
        (
            "        self.head = nn",
            '        self.grow2 = nn.Upsample(size=(10, 10), mode="bilinear", align_corners=True)\n'
            '        self.grow1 = nn.Upsample(scale_factor=2, mode="nearest")\n'
            "        self.head = nn",
        ),
        ('F.interpolate(y, size=[10, 10], mode="bilinear", align_corners=True)', "self.grow2(y)"),
        ('F.interpolate(y, scale_factor=2, mode="nearest")', "self.grow1(y)"),
    ),
    style(
        "unet-size-from-skip",
        "interpolate",
        ("size=[10, 10]", "size=d2.shape[-2:]"),
        ("scale_factor=2", "size=(20, 20)"),
    ),
    style(
        "unet-repeat-for-nearest",
        "interpolate",
        (
            'F.interpolate(y, scale_factor=2, mode="nearest")',
            "y.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)",
        ),
        hard=True,
    ),
    style("unet-crop-narrow", "crop", ("d3[:, :, :4, :4]", "d3.narrow(2, 0, 4).narrow(3, 0, 4)")),
    style("unet-crop-negative", "crop", ("d3[:, :, :4, :4]", "d3[..., :-1, :-1]")),
    style("unet-crop-pad", "crop", ("d3[:, :, :4, :4]", "F.pad(d3, (0, -1, 0, -1))"), hard=True),
    style(
        "unet-sigmoid-by-hand",
        "sigmoid",
        ("torch.sigmoid(self.head(y))", "1 / (1 + torch.exp(-self.head(y)))"),
        hard=True,
    ),
    style(
        "unet-sigmoid-layer",
        "sigmoid",
        ("        self.head = nn", "        self.sigmoid = nn.Sigmoid()\n        self.head = nn"),
        ("torch.sigmoid(self.head(y))", "self.sigmoid(self.head(y))"),
    ),
    style(
        "vit-ready-attention",
        "attention",
        (
            "        attn = torch.matmul(q, k.transpose(-2, -1)) * self.scale\n"
            "        attn = F.softmax(attn, dim=-1)\n"
            "        y = torch.matmul(attn, v)\n",
            "        y = F.scaled_dot_product_attention(q, k, v)\n",
        ),
    ),
    style(
        "vit-ready-attention-scale",
        "attention",
        (
            "        attn = torch.matmul(q, k.transpose(-2, -1)) * self.scale\n"
            "        attn = F.softmax(attn, dim=-1)\n"
            "        y = torch.matmul(attn, v)\n",
            "        y = F.scaled_dot_product_attention(q, k, v, dropout_p=0.0, scale=self.scale)\n",
        ),
    ),
    style(
        "vit-ready-attention-train",
        "attention",
        (
            "        attn = torch.matmul(q, k.transpose(-2, -1)) * self.scale\n"
            "        attn = F.softmax(attn, dim=-1)\n"
            "        y = torch.matmul(attn, v)\n",
            "        y = F.scaled_dot_product_attention(q, k, v)\n",
        ),
        mode="train",
        gradients=True,
    ),
    style(
        "vit-einsum",
        "attention",
        ("torch.matmul(q, k.transpose(-2, -1))", 'torch.einsum("bhqd,bhkd->bhqk", q, k)'),
        ("torch.matmul(attn, v)", 'torch.einsum("bhqk,bhkd->bhqd", attn, v)'),
    ),
    style(
        "vit-matmul-operators",
        "attention",
        ("torch.matmul(q, k.transpose(-2, -1))", "q @ k.mT"),
        ("torch.matmul(attn, v)", "attn @ v"),
        ("F.softmax(attn, dim=-1)", "attn.softmax(-1)"),
    ),
    style(
        "vit-bmm",
        "attention",
        (
            "        attn = torch.matmul(q, k.transpose(-2, -1)) * self.scale\n",
            "        attn = torch.bmm(q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2))\n"
            "        attn = attn.unflatten(0, (b, -1)) * self.scale\n",
        ),
    ),
    style("vit-unbind", "split", ("q, k, v = qkv[0], qkv[1], qkv[2]", "q, k, v = qkv.unbind(0)")),
    style("vit-tuple-unpacking", "split", ("q, k, v = qkv[0], qkv[1], qkv[2]", "q, k, v = qkv")),
    style(
        "vit-chunk",
        "split",
        (
            "        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads)\n"
            "        qkv = qkv.permute(2, 0, 3, 1, 4)\n"
            "        q, k, v = qkv[0], qkv[1], qkv[2]\n",
            "        q, k, v = self.qkv(x).chunk(3, dim=-1)\n"
            "        q, k, v = (t.view(b, n, self.heads, -1).transpose(1, 2) for t in (q, k, v))\n",
        ),
    ),
    style(
        "vit-split-sizes",
        "split",
        (
            "        qkv = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads)\n"
            "        qkv = qkv.permute(2, 0, 3, 1, 4)\n"
            "        q, k, v = qkv[0], qkv[1], qkv[2]\n",
            "        q, k, v = torch.split(self.qkv(x), [c, c, c], dim=2)\n"
            "        q = q.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3)\n"
            "        k = k.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3)\n"
            "        v = v.reshape(b, n, self.heads, -1).permute(0, 2, 1, 3)\n",
        ),
    ),
    style(
        "vit-scale-on-query",
        "constants",
        (
            "torch.matmul(q, k.transpose(-2, -1)) * self.scale",
            "torch.matmul(q * self.scale, k.transpose(-2, -1))",
        ),
        hard=True,
    ),
    style("vit-scale-as-division", "constants", ("* self.scale", "/ (c // self.heads) ** 0.5")),
    style("vit-scale-literal", "constants", ("* self.scale", "* 0.5")),
    style(
        "vit-softmax-layer",
        "softmax",
        ("        self.proj =", "        self.softmax = nn.Softmax(dim=-1)\n        self.proj ="),
        ("F.softmax(attn, dim=-1)", "self.softmax(attn)"),
    ),
    style("vit-softmax-positive-axis", "softmax", ("F.softmax(attn, dim=-1)", "torch.softmax(attn, dim=3)")),
    style(
        "vit-permutes",
        "permute",
        ("x.flatten(2).transpose(1, 2)", "x.permute(0, 2, 3, 1).reshape(x.shape[0], -1, x.shape[1])"),
        ("y.transpose(1, 2)", "y.permute(0, 2, 1, 3)"),
        ("k.transpose(-2, -1)", "k.swapaxes(2, 3)"),
    ),
    style(
        "vit-token-repeated",
        "expand",
        ("self.cls_token.expand(x.shape[0], -1, -1)", "self.cls_token.repeat(x.shape[0], 1, 1)"),
    ),
    style(
        "vit-token-broadcast",
        "expand",
        ("self.cls_token.expand(x.shape[0], -1, -1)", "self.cls_token + torch.zeros_like(x[:, :1])"),
        hard=True,
    ),
    style(
        "vit-norm-after-selection",
        "reordered",
        (
            "        x = self.norm(x)\n        return self.head(x[:, 0])",
            "        return self.head(self.norm(x[:, 0]))",
        ),
        hard=True,
    ),
    style("vit-select", "slice", ("self.head(x[:, 0])", "self.head(x.select(1, 0))")),
    style("vit-slice-squeeze", "slice", ("self.head(x[:, 0])", "self.head(x[:, :1].squeeze(1))")),
    style(
        "vit-norm-function",
        "functional",
        (
            "        x = self.norm(x)\n",
            "        x = F.layer_norm(x, (12,), self.norm.weight, self.norm.bias, 1e-6)\n",
        ),
    ),
    style(
        "vit-gelu-by-hand",
        "gelu",
        (
            "x = self.drop(self.act(self.fc1(x)))",
            "x = self.fc1(x)\n        x = self.drop(0.5 * x * (1 + torch.erf(x / 2**0.5)))",
        ),
        hard=True,
    ),
    style("vit-gelu-function", "gelu", ("self.act(self.fc1(x))", 'F.gelu(self.fc1(x), approximate="none")')),
    style("mha-by-hand", "attention", source="mha_by_hand"),
    style("mha-weights-asked-for", "attention", (", need_weights=False", "")),
    style(
        "mha-sequence-first",
        "attention",
        (
            "self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)",
            "self.self_attn = nn.MultiheadAttention(dim, heads)",
        ),
        ("self.self_attn(x, x, x, need_weights=False)[0]", "self.attend(x.transpose(0, 1)).transpose(0, 1)"),
        (
            "        return self.norm2(x + y)\n",
            "        return self.norm2(x + y)\n"
            "\n"
            "    def attend(self, x):\n"
            "        return self.self_attn(x, x, x, need_weights=False)[0]\n",
        ),
    ),
    style(
        "norms-functions",
        "functional",
        (
            "self.leaky(self.gn(self.conv1(x)))",
            "F.leaky_relu(F.group_norm(self.conv1(x), 2, self.gn.weight, self.gn.bias), 0.1)",
        ),
        (
            "self.prelu(self.inorm(self.conv2(x)))",
            "F.prelu(F.instance_norm(self.conv2(x), weight=self.inorm.weight, bias=self.inorm.bias),"
            " self.prelu.weight)",
        ),
        ("self.lrn(self.conv3(x))", "F.local_response_norm(self.conv3(x), 5, 0.05, 0.75, 1.5)"),
    ),
    style(
        "norms-silu-by-hand",
        "silu",
        ("x = F.silu(self.conv4(x))", "x = self.conv4(x)\n        x = x * torch.sigmoid(x)"),
    ),
    style(
        "norms-leaky-where",
        "leaky",
        (
            "x = self.leaky(self.gn(self.conv1(x)))",
            "x = self.gn(self.conv1(x))\n        x = torch.where(x > 0, x, x * 0.1)",
        ),
        hard=True,
    ),
    style(
        "norms-activation-layers",
        "attributes",
        (
            "        self.fc = nn",
            "        self.elu, self.tanh, self.softmax = nn.ELU(0.5), nn.Tanh(), nn.Softmax(dim=1)\n"
            "        self.fc = nn",
        ),
        ("F.elu(self.lrn(self.conv3(x)), alpha=0.5)", "self.elu(self.lrn(self.conv3(x)))"),
        ("torch.tanh(self.fc(x))", "self.tanh(self.fc(x))"),
        ("F.softmax(self.out(x), dim=-1)", "self.softmax(self.out(x))"),
    ),
    style("siamese-difference-turned", "reordered", ("torch.abs(a - b)", "(b - a).abs()"), hard=True),
    style(
        "siamese-subtract-function",
        "subtract",
        ("torch.abs(a - b)", "torch.sub(a, b).abs_()"),
        ("a * b", "torch.mul(b, a)"),
    ),
    style(
        "siamese-one-batch",
        "batch joined",
        (
            "        a = self.encoder(left)\n        b = self.encoder(right)\n",
            "        a, b = self.encoder(torch.cat([left, right])).chunk(2)\n",
        ),
        hard=True,
    ),
    style("pyramid-division", "constants", ("boxes * 0.1", "boxes / 10")),
    style("pyramid-constant-first", "constants", ("torch.exp(boxes * 0.1)", "(0.1 * boxes).exp()")),
    style(
        "pyramid-cast",
        "cast",
        ("c1 = F.relu(self.c1(x))", "c1 = F.relu(self.c1(x)).float().to(x.dtype)"),
        hard=True,
        tolerance=1e-5,
    ),
    style("mlp-gate-reformulated", "reformulated", ("g * y + (1 - g) * x", "x + g * (y - x)"), hard=True),
    style("mlp-lerp", "reformulated", ("g * y + (1 - g) * x", "torch.lerp(x, y, g)"), hard=True),
    style(
        "mlp-addcmul",
        "reformulated",
        ("x = g * y + (1 - g) * x", "x = torch.addcmul((1 - g) * x, g, y)"),
        hard=True,
    ),
    style("mlp-gate-commuted", "commuted", ("g * y + (1 - g) * x", "x * (1.0 - g) + y * g")),
    style(
        "mlp-methods",
        "methods",
        ("torch.tanh(self.bn2(self.fc2(x)))", "self.bn2(self.fc2(x)).tanh()"),
        ("torch.sigmoid(self.gate(x))", "F.sigmoid(self.gate(x))"),
    ),
    style("text-max-values", "max", ("y.amax(dim=2)", "torch.max(y, dim=2).values")),
    style("text-max-pair", "max", ("peak = y.amax(dim=2)", "peak, _ = y.max(-1)")),
    style("text-adaptive-max", "max", ("y.amax(dim=2)", "F.adaptive_max_pool1d(y, 1).squeeze(2)")),
    style(
        "text-pooled-by-matmul",
        "einsum",
        ("(x * weights).sum(dim=1)", "(weights.transpose(1, 2) @ x).squeeze(1)"),
        hard=True,
    ),
    style(
        "text-pooled-by-einsum",
        "einsum",
        ("(x * weights).sum(dim=1)", 'torch.einsum("btd,bto->bd", x, weights)'),
        hard=True,
    ),
    style(
        "text-log-of-softmax",
        "softmax",
        (
            "F.log_softmax(self.fc(torch.cat([peak, pooled], dim=1)), dim=-1)",
            "torch.log(F.softmax(self.fc(torch.cat([peak, pooled], dim=1)), dim=-1))",
        ),
        hard=True,
    ),
    style(
        "text-positions-as-buffer",
        "embedding",
        (
            "        self.norm = nn",
            '        self.register_buffer("steps", torch.arange(9), persistent=False)\n'
            "        self.norm = nn",
        ),
        ("torch.arange(tokens.shape[1], device=tokens.device)", "self.steps"),
    ),
    style(
        "text-embedding-function",
        "embedding",
        ("self.embed(tokens)", "F.embedding(tokens, self.embed.weight, padding_idx=0)"),
    ),
    style(
        "shuffle-ready-made",
        "shuffle",
        (
            "return channel_shuffle(torch.cat([keep, y], dim=1), 2)",
            "return F.channel_shuffle(torch.cat([keep, y], dim=1), 2)",
        ),
    ),
    style(
        "shuffle-views",
        "shuffle",
        (
            "    x = x.reshape(n, groups, c // groups, h, w)\n"
            "    x = x.permute(0, 2, 1, 3, 4)\n"
            "    return x.reshape(n, c, h, w)\n",
            "    x = x.view(n, groups, -1, h, w)\n"
            "    x = torch.transpose(x, 1, 2).contiguous()\n"
            "    return x.view(n, -1, h, w)\n",
        ),
    ),
    style(
        "shuffle-stack",
        "shuffle",
        (
            "return channel_shuffle(torch.cat([keep, y], dim=1), 2)",
            "return torch.stack([keep, y], dim=2).flatten(1, 2)",
        ),
        hard=True,
    ),
    style("shuffle-split", "split", ("torch.chunk(x, 2, dim=1)", "torch.split(x, x.shape[1] // 2, dim=1)")),
    style(
        "shuffle-slices",
        "split",
        ("torch.chunk(x, 2, dim=1)", "x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]"),
    ),
    style("shuffle-narrow", "split", ("torch.chunk(x, 2, dim=1)", "x.narrow(1, 0, 4), x.narrow(1, 4, 4)")),
    style(
        "shuffle-swish-by-hand",
        "silu",
        ("x = F.silu(self.stem(x))", "x = self.stem(x)\n        x = torch.sigmoid(x) * x"),
    ),
    style("shuffle-flatten-for-squeeze", "flatten", ("x.squeeze((2, 3))", "x.flatten(1)")),
    style("shuffle-index-for-squeeze", "flatten", ("x.squeeze((2, 3))", "x[..., 0, 0]")),
]
