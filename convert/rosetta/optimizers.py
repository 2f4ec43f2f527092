"""Optimizers and gradient clips."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
    Row(
        Kind.OPTIMIZER,
        "optimizer.Momentum",
        "optim.SGD",
        Exactness.F32,
        arguments=(
            Argument("learning_rate", "lr", paddle_default=0.001, torch_default=0.001),
            Argument("momentum", "momentum", convert="f32", paddle_default=0.9, torch_default=0.0),
            Argument("weight_decay", "weight_decay", convert="f32", torch_default=0.0),
            Argument("use_nesterov", "nesterov", paddle_default=False, torch_default=False),
        ),
        traps=(
            Trap(
                "Paddle's default momentum is 0.9, torch's 0",
                naive="torch.optim.SGD(parameters, 0.1)",
            ),
        ),
        examples=(
            Example(
                {"parameters": "parameters 2,6"},
                "paddle.optimizer.Momentum(0.1, parameters=parameters)",
                "torch.optim.SGD(parameters, 0.1, momentum=f32(0.9))",
            ),
            Example(
                {"parameters": "parameters 2,6"},
                "paddle.optimizer.Momentum(0.1, 0.9, parameters, use_nesterov=True, weight_decay=1e-3)",
                "torch.optim.SGD(parameters, 0.1, momentum=f32(0.9), nesterov=True, weight_decay=f32(1e-3))",
            ),
        ),
        source=Source("optimizer/momentum.py: Momentum", "optim/sgd.py: SGD"),
        reason="v = mu v + g; p = p - lr v",
    ),
    Row(
        Kind.OPTIMIZER,
        "nn.ClipGradByGlobalNorm",
        "nn.utils.clip_grad_norm_",
        Exactness.NEAR,
        within=1e-6,
        arguments=(Argument("clip_norm", "max_norm"),),
        examples=(
            Example(
                {"parameters": "parameters 2,6"},
                "paddle.optimizer.SGD(0.1, parameters, grad_clip=nn.ClipGradByGlobalNorm(0.5))",
                "optimizer = torch.optim.SGD(parameters, 0.1)\n"
                "optimizer.register_step_pre_hook(lambda *_: nn.utils.clip_grad_norm_(parameters, 0.5) and None)\n"
                "optimizer",
            ),
        ),
        source=Source("nn/clip.py: ClipGradByGlobalNorm", "nn/utils/clip_grad.py: clip_grad_norm_"),
        reason="torch adds 1e-6 to the norm before it divides, Paddle nothing",
    ),
)
