"""The same with slice assignments, einsum, masked_fill, gather and ready-made normalization."""

import torch
import torch.nn.functional as F
from torch import nn


def temporal_shift(x, n_segment, fold_div=4):
    nt, c, h, w = x.size()
    x = x.view(nt // n_segment, n_segment, c, h, w)
    fold = c // fold_div
    out = torch.zeros_like(x)
    out[:, 1:, :fold] = x[:, :-1, :fold]
    out[:, :-1, fold : 2 * fold] = x[:, 1:, fold : 2 * fold]
    out[:, :, 2 * fold :] = x[:, :, 2 * fold :]
    return out.view(nt, c, h, w)


class NonLocal(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.theta = nn.Conv2d(c, c // 2, 1)
        self.phi = nn.Conv2d(c, c // 2, 1)
        self.g = nn.Conv2d(c, c // 2, 1)
        self.out = nn.Conv2d(c // 2, c, 1)

    def forward(self, x):
        q, k, v = self.theta(x).flatten(2), self.phi(x).flatten(2), self.g(x).flatten(2)
        attn = torch.einsum("bci,bcj->bij", q, k).softmax(-1)
        y = torch.einsum("bij,bcj->bci", attn, v)
        return self.out(y.view(y.size(0), -1, *x.shape[2:])) + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.shifted = nn.Conv2d(8, 8, 3, 1, 1)
        self.nl = NonLocal(8)
        self.register_buffer(
            "sobel", torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])[None, None]
        )
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1), persistent=False)
        self.fc = nn.Linear(8, 6)

    def forward(self, x, ids):
        gray = (x * self.luma).sum(1, keepdim=True)
        edge = F.conv2d(gray, self.sobel, padding=1)
        y = self.stem(x).masked_fill(edge.abs() <= 1.0, 0.0)
        y = F.relu(self.shifted(temporal_shift(y, 4)))
        y = self.nl(y)
        if min(y.shape[-2:]) > 4:
            y = F.max_pool2d(y, 2)
        y = y.flatten(2)
        y = F.leaky_relu(y, 0.3)
        feat = y.cumsum(-1).amax(-1) + y.mean(-1)
        feat = F.normalize(feat)
        logits = self.fc(feat)
        picked = logits.gather(1, ids[:, None])
        margin = logits.clone()
        margin[torch.arange(ids.numel()), ids] -= 0.4
        a, b = feat[:2], feat[2:4]
        return margin, picked, torch.norm(a - b + 1e-6, dim=1), logits.sort(1, descending=True)[0]


def build():
    return Net()
