"""Other styles of the two networks that were added after the checker had met all others."""

from tests.mutants.styles.row import style

PARTITION = "y = y.reshape(b, count, size, count, size, c).permute(0, 1, 3, 2, 4, 5)"
STYLES = [
    style(
        "swin-roll-by-slices",
        "roll",
        (
            "y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))",
            "s = self.shift\n"
            "            y = torch.cat([y[:, s:], y[:, :s]], dim=1)\n"
            "            y = torch.cat([y[:, :, s:], y[:, :, :s]], dim=2)",
        ),
        hard=True,
    ),
    style(
        "swin-roll-twice",
        "roll",
        (
            "y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))",
            "y = y.roll(-self.shift, 1).roll(-self.shift, 2)",
        ),
    ),
    style(
        "swin-roll-wrapped",
        "roll",
        ("shifts=(-self.shift, -self.shift)", "shifts=(side - self.shift, side - self.shift)"),
    ),
    style(
        "swin-partition-unfold",
        "permute",
        (PARTITION, "y = y.unflatten(2, (count, size)).unflatten(1, (count, size)).transpose(2, 3)"),
    ),
    style(
        "swin-table-embedding", "embedding", ("self.table[self.index]", "F.embedding(self.index, self.table)")
    ),
    style(
        "swin-table-index-select",
        "embedding",
        ("self.table[self.index]", "torch.index_select(self.table, 0, self.index)"),
    ),
    style(
        "swin-scale-after",
        "constants",
        ("qkv[0] * self.scale, qkv[1], qkv[2]", "qkv[0], qkv[1], qkv[2]"),
        (
            "attn = torch.matmul(q, k.transpose(-2, -1))",
            "attn = torch.matmul(q, k.transpose(-2, -1)) * self.scale",
        ),
        hard=True,
    ),
    style(
        "swin-ready-attention",
        "attention",
        ("        attn = torch.matmul(q, k.transpose(-2, -1))\n", ""),
        ("q, k, v = qkv[0] * self.scale, qkv[1], qkv[2]", "q, k, v = qkv.unbind(0)"),
        ("        attn = attn + bias.unsqueeze(0)\n", "        bias = bias.unsqueeze(0)\n"),
        (
            "            attn = attn.reshape(b // count, count, self.heads, n, n) + mask.unsqueeze(1).unsqueeze(0)\n"
            "            attn = attn.reshape(-1, self.heads, n, n)\n"
            "        attn = F.softmax(attn, dim=-1)\n"
            "        y = torch.matmul(attn, v).permute",
            "            bias = (bias + mask.unsqueeze(1)).repeat(b // count, 1, 1, 1)\n"
            "        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).permute",
        ),
        hard=True,
    ),
    style(
        "swin-merge-by-reshape",
        "slice",
        (
            "        x0 = x[:, 0::2, 0::2]\n"
            "        x1 = x[:, 1::2, 0::2]\n"
            "        x2 = x[:, 0::2, 1::2]\n"
            "        x3 = x[:, 1::2, 1::2]\n"
            "        x = torch.cat([x0, x1, x2, x3], dim=-1).reshape(b, -1, 4 * c)",
            "        half = self.side // 2\n"
            "        x = x.reshape(b, half, 2, half, 2, c).permute(0, 1, 3, 4, 2, 5).reshape(b, -1, 4 * c)",
        ),
        hard=True,
    ),
    style(
        "swin-mean-for-pool",
        "mean",
        (
            "        x = self.norm(x).transpose(1, 2)\n        x = F.adaptive_avg_pool1d(x, 1).flatten(1)\n",
            "        x = self.norm(x).mean(dim=1)\n",
        ),
    ),
    style(
        "swin-addcmul",
        "reformulated",
        (
            "x + self.gamma * self.fc2(F.gelu(self.fc1(self.norm2(x))))",
            "torch.addcmul(x, self.gamma, self.fc2(F.gelu(self.fc1(self.norm2(x)))))",
        ),
        hard=True,
    ),
    style("swin-times-one", "constants", ("return x + self.gamma *", "return x + 1.0 * self.gamma *")),
    style(
        "aspp-branches-backwards",
        "execution order",
        (
            "        outputs = [branch(x) for branch in self.branches]\n        pooled = self.image(x)\n",
            "        pooled = self.image(x)\n"
            "        outputs = [branch(x) for branch in reversed(self.branches)][::-1]\n",
        ),
    ),
    style(
        "aspp-expand-for-interpolate",
        "interpolate",
        (
            'F.interpolate(pooled, size=size, mode="bilinear", align_corners=False)',
            "pooled.expand(-1, -1, *size)",
        ),
        hard=True,
    ),
    style("aspp-max-values", "max", ("torch.amax(x, dim=1, keepdim=True)", "x.max(1, keepdim=True)[0]")),
    style("aspp-pad-function", "padding", ("self.stem(self.pad(x))", "self.stem(F.pad(x, [0, 1, 0, 1]))")),
    style(
        "aspp-mish-by-hand",
        "silu",
        (
            "F.mish(self.stem_norm(self.stem(self.pad(x))))",
            "self.stem_norm(self.stem(self.pad(x)))\n        x = x * torch.tanh(F.softplus(x))",
        ),
        hard=True,
    ),
    style(
        "aspp-normalize-by-hand",
        "normalize",
        ("F.normalize(vector, dim=1)", "(vector / vector.norm(dim=1, keepdim=True).clamp(min=1e-12))"),
        hard=True,
    ),
    style(
        "aspp-shuffle-function",
        "shuffle",
        ("self.shuffle(self.expand(x))", "F.pixel_shuffle(self.expand(x), 2)"),
    ),
    style(
        "aspp-shuffle-by-hand",
        "shuffle",
        (
            "self.shuffle(self.expand(x))",
            "self.expand(x).unflatten(1, (4, 2, 2)).permute(0, 1, 4, 2, 5, 3)"
            ".reshape(-1, 4, 2 * x.shape[2], 2 * x.shape[3])",
        ),
        hard=True,
    ),
    style(
        "aspp-sum-order", "sum", ("F.softplus(maps).sum(dim=[2, 3])", "F.softplus(maps).flatten(2).sum(-1)")
    ),
    style(
        "aspp-temperature-first",
        "multiply",
        (
            "F.normalize(vector, dim=1) * torch.exp(self.temperature)",
            "self.temperature.exp() * F.normalize(vector, dim=-1)",
        ),
    ),
    style(
        "fusion-another-order",
        "order",
        (
            "self.bid(x) + self.b3(self.k3(x)) + self.b1(self.k1(x))",
            "self.b1(self.k1(x)) + (self.bid(x) + self.b3(self.k3(x)))",
        ),
        ("F.relu(low + F.relu(self.down(high)))", "F.relu_(F.relu(self.down(high)).add_(low))"),
    ),
    style(
        "gan-pads-by-function",
        "pad",
        ("self.c1(self.pad(x))", 'self.c1(nn.functional.pad(x, (3, 3, 3, 3), "reflect"))'),
    ),
    style(
        "bifpn-stacked",
        "sum",
        (
            "        x = sum(share[i] * feature for i, feature in enumerate(features))\n",
            "        x = share[0] * features[0] + share[1] * features[1]\n"
            "        if len(features) > 2:\n"
            "            x = x + features[2] * share[2]\n",
        ),
        ("F.relu(self.share)", "torch.clamp(self.share, min=0)"),
    ),
]
