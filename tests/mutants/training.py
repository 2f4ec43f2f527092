"""Training recipes for both sides: the right ones, and those with one setting lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import paddle
import torch

LABELS = np.array([1, 0, 2, 1, 0, 2], np.int64)


@dataclass(frozen=True)
class Recipe:
    """`paddle` and `torch` build an optimizer from a model; the losses take the model's output."""

    paddle: object
    torch: object
    paddle_loss: object
    torch_loss: object


def _tensors(output):
    if isinstance(output, dict):
        return list(output.values())
    return list(output) if isinstance(output, (list, tuple)) else [output]


def paddle_square(output):
    return sum((tensor**2).mean() for tensor in _tensors(output))


def torch_square(output):
    return sum((tensor**2).mean() for tensor in _tensors(output))


def paddle_entropy(output):
    return paddle.nn.functional.cross_entropy(output, paddle.to_tensor(LABELS[: output.shape[0]]))


def labels(output):
    return torch.from_numpy(LABELS[: output.shape[0]]).to(output.device)


def torch_entropy(output):
    return torch.nn.functional.cross_entropy(output, labels(output))


def torch_entropy_summed(output):
    return torch.nn.functional.cross_entropy(output, labels(output), reduction="sum")


def torch_entropy_smooth(output):
    return torch.nn.functional.cross_entropy(output, labels(output), label_smoothing=0.1)


def torch_entropy_softmax(output):
    return torch.nn.functional.cross_entropy(torch.softmax(output, dim=1), labels(output))


@dataclass(frozen=True)
class PaddleOptimizer:
    kind: str
    options: tuple = ()
    clip: float | None = None

    def __call__(self, model):
        options = dict(self.options)
        if self.clip is not None:
            options["grad_clip"] = paddle.nn.ClipGradByGlobalNorm(self.clip)
        return getattr(paddle.optimizer, self.kind)(parameters=model.parameters(), **options)


@dataclass(frozen=True)
class TorchOptimizer:
    kind: str
    options: tuple = ()
    clip: float | None = None
    select: str = "all"

    def __call__(self, model):
        optimizer = getattr(torch.optim, self.kind)(self._groups(model), **dict(self.options))
        if self.clip is not None:
            optimizer.register_step_pre_hook(self._clip)
        return optimizer

    def _groups(self, model):
        if self.select == "first":
            return [p for name, p in model.named_parameters() if not name.startswith("score")]
        if self.select == "no decay on vectors":
            vectors = [p for p in model.parameters() if p.ndim == 1]
            others = [p for p in model.parameters() if p.ndim != 1]
            return [{"params": others}, {"params": vectors, "weight_decay": 0.0}]
        return model.parameters()

    def _clip(self, optimizer, args, kwargs):
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, self.clip)


def _options(**values):
    return tuple(values.items())


P_MOMENTUM = PaddleOptimizer("Momentum", _options(learning_rate=0.01, momentum=0.9, weight_decay=0.01))
P_ADAM = PaddleOptimizer("Adam", _options(learning_rate=0.01))
P_ADAMW = PaddleOptimizer("AdamW", _options(learning_rate=0.01, weight_decay=0.1))
P_CLIP = PaddleOptimizer("SGD", _options(learning_rate=0.1), clip=0.01)


def _momentum(select="all", **changes):
    options = {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.01} | changes
    return TorchOptimizer("SGD", tuple(options.items()), select=select)


def _adam(kind="Adam", **changes):
    return TorchOptimizer(kind, tuple(({"lr": 0.01} | changes).items()))


def _square(paddle_side, torch_side):
    return Recipe(paddle_side, torch_side, paddle_square, torch_square)


CORRECT = {
    "momentum": _square(P_MOMENTUM, _momentum()),
    "adam": _square(P_ADAM, _adam()),
    "adamw": _square(P_ADAMW, _adam("AdamW", weight_decay=0.1)),
    "clip": _square(P_CLIP, TorchOptimizer("SGD", _options(lr=0.1), clip=0.01)),
    "entropy": Recipe(P_MOMENTUM, _momentum(), paddle_entropy, torch_entropy),
}
WRONG = {
    "momentum-decay-dropped": _square(P_MOMENTUM, _momentum(weight_decay=0)),
    "momentum-decay-larger": _square(P_MOMENTUM, _momentum(weight_decay=0.1)),
    "momentum-dropped": _square(P_MOMENTUM, _momentum(momentum=0)),
    "nesterov-extra": _square(P_MOMENTUM, _momentum(nesterov=True)),
    "dampening": _square(P_MOMENTUM, _momentum(dampening=0.1)),
    "rate-larger": _square(P_MOMENTUM, _momentum(lr=0.1)),
    "no-decay-on-vectors": _square(P_MOMENTUM, _momentum("no decay on vectors")),
    "head-not-optimized": _square(P_MOMENTUM, _momentum("first")),
    "adam-for-adamw": _square(P_ADAMW, _adam(weight_decay=0.1)),
    "adam-betas": _square(P_ADAM, _adam(betas=(0.5, 0.999))),
    "adam-eps": _square(P_ADAM, _adam(eps=1e-3)),
    "amsgrad": _square(P_ADAM, _adam(amsgrad=True)),
    "clip-missing": _square(P_CLIP, TorchOptimizer("SGD", _options(lr=0.1))),
    "loss-summed": Recipe(P_MOMENTUM, _momentum(), paddle_entropy, torch_entropy_summed),
    "label-smoothing": Recipe(P_MOMENTUM, _momentum(), paddle_entropy, torch_entropy_smooth),
    "double-softmax": Recipe(P_MOMENTUM, _momentum(), paddle_entropy, torch_entropy_softmax),
}
RECIPES = CORRECT | WRONG
