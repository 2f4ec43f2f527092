"""Gradient clips."""

from __future__ import annotations

from typing import Any

from convert.rosetta.optimizers.common import TEN, TWO
from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap


def _clip(
    name: str, twin: str, exactness: Exactness, call: str, hook: str, argument: Argument, **more: Any
) -> Row:
    return Row(
        Kind.OPTIMIZER,
        f"nn.{name}",
        twin,
        exactness,
        arguments=(argument,),
        examples=(
            Example(
                TWO,
                f"paddle.optimizer.SGD(0.1, parameters, grad_clip=nn.{call})",
                "o = torch.optim.SGD(parameters, 0.1)\n"
                f"o.register_step_pre_hook(lambda *_: {hook} and None)\n"
                "o",
                steps=TEN,
            ),
        ),
        source=Source(
            f"nn/clip.py: {name}",
            f"nn/utils/clip_grad.py: {(twin or 'nn.utils.clip_grad_norm_').rpartition('.')[2]}",
        ),
        **more,
    )


CLIPS = (
    _clip(
        "ClipGradByGlobalNorm",
        "nn.utils.clip_grad_norm_",
        Exactness.NEAR,
        "ClipGradByGlobalNorm(0.5)",
        "nn.utils.clip_grad_norm_(parameters, 0.5)",
        Argument("clip_norm", "max_norm"),
        within=1e-6,
        traps=(
            Trap(
                "it is one norm of all gradients, not one each",
                naive="o = torch.optim.SGD(parameters, 0.1)\n"
                "o.register_step_pre_hook(lambda *_: [nn.utils.clip_grad_norm_(p, 0.5) for p in parameters] and None)\n"
                "o",
            ),
        ),
        reason="torch adds 1e-6 to the norm before it divides, Paddle nothing",
    ),
    Row(
        Kind.OPTIMIZER,
        "nn.ClipGradByNorm",
        "nn.utils.clip_grad_norm_",
        Exactness.NEAR,
        within=1e-5,
        arguments=(Argument("clip_norm", "max_norm", note="Paddle 3.3.1's kernel is for float32 only"),),
        examples=(
            Example(
                {"x": "float 3,4 constant"},
                "x = x.astype('float32')\nnn.ClipGradByNorm(0.5)([(x, x)])[0][1]",
                "p = torch.zeros(3, 4, dtype=torch.float32)\np.grad = x.float()\nnn.utils.clip_grad_norm_(p, 0.5)\np.grad",
            ),
        ),
        traps=(
            Trap(
                "it clips every gradient by its own norm: one call per parameter",
                naive="o = [torch.zeros(3, 4), torch.zeros(3)]\no[0].grad, o[1].grad = x.clone(), y.clone()\n"
                "nn.utils.clip_grad_norm_(o, 0.5)\n[p.grad for p in o]",
                example=Example(
                    {"x": "float 3,4 constant", "y": "float 3 constant"},
                    "x, y = x.astype('float32'), y.astype('float32')\n[g for _, g in nn.ClipGradByNorm(0.5)([(x, x), (y, y)])]",
                    "o = [torch.zeros(3, 4), torch.zeros(3)]\no[0].grad, o[1].grad = x.clone(), y.clone()\n"
                    "[nn.utils.clip_grad_norm_(p, 0.5) for p in o]\n[p.grad for p in o]",
                ),
            ),
        ),
        source=Source("nn/clip.py: ClipGradByNorm", "nn/utils/clip_grad.py: clip_grad_norm_"),
        reason="torch adds 1e-6 to the norm before it divides",
    ),
    _clip(
        "ClipGradByValue",
        "nn.utils.clip_grad_value_",
        Exactness.ALGEBRA,
        "ClipGradByValue(0.25)",
        "nn.utils.clip_grad_value_(parameters, 0.25)",
        Argument("max", "clip_value", note="and min: Paddle's default is -max, torch's always"),
        reason="clamps every entry",
    ),
)


ROWS: tuple[Row, ...] = CLIPS
