"""SGD and Momentum, with parameter groups, weight decay and ParamAttr."""

from __future__ import annotations

from dataclasses import replace

from convert.rosetta.optimizers.common import (
    CLIP,
    DECAY,
    MULTI_PRECISION,
    NAME,
    PARAMETERS,
    RATE,
    TEN,
    TWO,
    optimizer,
    regularized,
    ten_steps,
    with_attribute,
)
from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap

SGD = optimizer(
    "SGD",
    "SGD",
    Exactness.ALGEBRA,
    ("SGD(0.1, parameters)", "SGD(parameters, 0.1)"),
    ("SGD(0.1, parameters, weight_decay=0.3)", "SGD(parameters, 0.1, weight_decay=0.3)"),
    (
        "SGD(0.1, parameters, weight_decay=paddle.regularizer.L2Decay(0.3))",
        "SGD(parameters, 0.1, weight_decay=0.3)",
    ),
    (
        "SGD(0.1, [{'params': parameters[:1], 'learning_rate': 0.5}, {'params': parameters[1:], 'weight_decay': 0.25}])",
        "SGD([{'params': parameters[:1], 'lr': 0.05}, {'params': parameters[1:], 'weight_decay': 0.25}], 0.1)",
    ),
    arguments=(RATE, PARAMETERS, DECAY, CLIP, MULTI_PRECISION, NAME),
    traps=(
        Trap(
            "a parameter group's learning_rate is a multiplier of the optimizer's in Paddle, the rate itself in torch",
            naive="torch.optim.SGD([{'params': parameters[:1], 'lr': 0.5}, {'params': parameters[1:]}], 0.1)",
            example=Example(
                TWO,
                "paddle.optimizer.SGD(0.1, [{'params': parameters[:1], 'learning_rate': 0.5}, {'params': parameters[1:]}])",
                "torch.optim.SGD([{'params': parameters[:1], 'lr': 0.05}, {'params': parameters[1:]}], 0.1)",
                steps=TEN,
            ),
        ),
        Trap(
            "ParamAttr(learning_rate=0.5) is a multiplier too: a group with 0.5 * lr",
            naive=ten_steps("SGD(parameters, 0.1)"),
            example=Example(
                TWO,
                with_attribute("learning_rate=0.5", "SGD(0.1, new)"),
                ten_steps("SGD(parameters, 0.05)"),
                backward=False,
            ),
        ),
        regularized(
            "SGD(0.1, new, weight_decay=0.25)",
            "SGD(parameters, 0.1, weight_decay=0.5)",
            "SGD(parameters, 0.1, weight_decay=0.25)",
            "a ParamAttr's regularizer replaces the optimizer's weight decay",
        ),
        Trap(
            "L1Decay has no twin: add the sign to the gradient",
            naive="torch.optim.SGD(parameters, 0.1, weight_decay=0.25)",
            example=Example(
                TWO,
                "paddle.optimizer.SGD(0.1, parameters, weight_decay=paddle.regularizer.L1Decay(0.25))",
                "o = torch.optim.SGD(parameters, 0.1)\n"
                "o.register_step_pre_hook(lambda *_: [p.grad.add_(0.25 * p.detach().sign()) for p in parameters] and None)\n"
                "o",
                steps=TEN,
            ),
        ),
        Trap(
            "the rate comes first in Paddle, the parameters in torch",
            naive="torch.optim.SGD(0.1, parameters)",
        ),
    ),
    reason="p = p - lr (g + decay p)",
)


MOMENTUM = optimizer(
    "Momentum",
    "SGD",
    Exactness.F32,
    ("Momentum(0.1, parameters=parameters)", "SGD(parameters, 0.1, momentum=f32(0.9))"),
    (
        "Momentum(0.1, 0.9, parameters, use_nesterov=True, weight_decay=1e-3)",
        "SGD(parameters, 0.1, momentum=f32(0.9), nesterov=True, weight_decay=f32(1e-3))",
    ),
    arguments=(
        RATE,
        Argument("momentum", "momentum", convert="f32", paddle_default=0.9, torch_default=0.0),
        PARAMETERS,
        replace(DECAY, convert="f32"),
        Argument("use_nesterov", "nesterov", paddle_default=False, torch_default=False),
        Argument(
            "rescale_grad", None, values={1.0: None}, paddle_default=1.0, note="multiplies the gradient"
        ),
        CLIP,
        MULTI_PRECISION,
        NAME,
    ),
    traps=(
        Trap("Paddle's default momentum is 0.9, torch's 0", naive="torch.optim.SGD(parameters, 0.1)"),
        regularized(
            "Momentum(0.1, 0.5, new, weight_decay=0.25)",
            "SGD(parameters, 0.1, momentum=0.5, weight_decay=0.5)",
            "SGD(parameters, 0.1, momentum=0.5, weight_decay=0.25)",
            "a ParamAttr's regularizer replaces the optimizer's weight decay",
        ),
    ),
    reason="v = mu v + g; p = p - lr v; mu and the decay are float32 attributes",
)


ROWS: tuple[Row, ...] = (SGD, MOMENTUM)
