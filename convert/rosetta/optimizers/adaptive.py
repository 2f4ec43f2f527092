"""Adam and its relatives."""

from __future__ import annotations

from convert.rosetta.optimizers.common import (
    BETAS,
    CLIP,
    DECAY,
    EPSILON,
    FLOAT32_BETAS,
    L2,
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

ADAM = optimizer(
    "Adam",
    "Adam",
    Exactness.ALGEBRA,
    ("Adam(0.1, parameters=parameters)", "Adam(parameters, 0.1)"),
    (
        "Adam(0.1, 0.8, 0.95, 1e-3, parameters, weight_decay=0.3)",
        "Adam(parameters, 0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.3)",
    ),
    ("Adam(0.1, parameters=parameters, amsgrad=True)", "Adam(parameters, 0.1, amsgrad=True)"),
    arguments=(
        RATE,
        *BETAS,
        EPSILON,
        PARAMETERS,
        DECAY,
        CLIP,
        Argument("lazy_mode", None, values={False: None}, paddle_default=False, note="sparse gradients only"),
        MULTI_PRECISION,
        Argument("use_multi_tensor", "foreach", paddle_default=False),
        Argument("amsgrad", "amsgrad", paddle_default=False, torch_default=False),
        NAME,
    ),
    traps=(
        Trap(
            "its weight decay goes through the gradient in both: it is not AdamW",
            naive="torch.optim.AdamW(parameters, 0.1, weight_decay=0.25)",
            example=Example(
                TWO,
                "paddle.optimizer.Adam(0.1, parameters=parameters, weight_decay=0.25)",
                "torch.optim.Adam(parameters, 0.1, weight_decay=0.25)",
                steps=TEN,
            ),
        ),
        regularized(
            "Adam(0.1, parameters=new, weight_decay=0.25)",
            "Adam(parameters, 0.1, weight_decay=0.5)",
            "Adam(parameters, 0.1, weight_decay=0.25)",
            "a ParamAttr's regularizer replaces the optimizer's weight decay",
        ),
    ),
    reason="m / (1 - beta1 ** t) / (sqrt(v / (1 - beta2 ** t)) + eps)",
)


ADAMW = optimizer(
    "AdamW",
    "AdamW",
    Exactness.F32,
    ("AdamW(0.1, parameters=parameters)", "AdamW(parameters, 0.1, weight_decay=f32(0.01))"),
    (
        "AdamW(0.1, 0.8, 0.95, 1e-3, parameters, weight_decay=0.3)",
        "AdamW(parameters, 0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=f32(0.3))",
    ),
    (
        "AdamW(0.1, parameters=parameters, weight_decay=0.3, apply_decay_param_fun=lambda name: name == parameters[0].name)",
        "AdamW([{'params': parameters[:1]}, {'params': parameters[1:], 'weight_decay': 0.0}], 0.1, weight_decay=f32(0.3))",
    ),
    arguments=(
        RATE,
        *BETAS,
        EPSILON,
        PARAMETERS,
        Argument("weight_decay", "weight_decay", convert="f32", paddle_default=0.01, torch_default=0.01),
        Argument("lr_ratio", None, note="a multiplier per parameter: torch's groups"),
        Argument("apply_decay_param_fun", None, note="by the parameter's automatic name: torch's groups"),
        CLIP,
        Argument("amsgrad", "amsgrad", paddle_default=False, torch_default=False),
        MULTI_PRECISION,
        NAME,
    ),
    traps=(
        Trap(
            "Adam with weight decay is not AdamW",
            naive="torch.optim.Adam(parameters, 0.1, weight_decay=f32(0.01))",
        ),
        Trap(
            "a ParamAttr's regularizer is added to the decay here (in SGD, Momentum and Adam it replaces it)",
            naive=ten_steps("AdamW(parameters, 0.1, weight_decay=0.25)"),
            example=Example(
                TWO,
                with_attribute(L2, "AdamW(0.1, parameters=new, weight_decay=0.25)"),
                "o = torch.optim.AdamW(parameters, 0.1, weight_decay=0.25)\n"
                "for _ in range(10):\n"
                "    o.zero_grad()\n"
                "    sum((p * p).sum() + p.sum() + 0.25 * (p * p).sum() for p in parameters).backward()\n"
                "    o.step()\n"
                "[p.detach() for p in parameters]",
                backward=False,
            ),
        ),
    ),
    reason="p = p (1 - lr decay), then Adam; the decay is a float32 attribute",
)


ADAMAX = optimizer(
    "Adamax",
    "Adamax",
    Exactness.NEAR,
    ("Adamax(0.1, parameters=parameters)", "Adamax(parameters, 0.1, betas=(f32(0.9), f32(0.999)))"),
    (
        "Adamax(0.1, 0.5, 0.75, parameters=parameters, weight_decay=0.25)",
        "Adamax(parameters, 0.1, betas=(0.5, 0.75), weight_decay=0.25)",
    ),
    within=1e-6,
    arguments=(RATE, *FLOAT32_BETAS, EPSILON, PARAMETERS, DECAY, CLIP, NAME),
    traps=(
        Trap(
            "the default rates differ: 0.001 and 0.002",
            naive="torch.optim.Adamax(parameters, betas=(f32(0.9), f32(0.999)))",
            example=Example(
                TWO,
                "paddle.optimizer.Adamax(parameters=parameters)",
                "torch.optim.Adamax(parameters, 0.001, betas=(f32(0.9), f32(0.999)))",
                steps=TEN,
            ),
        ),
    ),
    reason="Paddle adds epsilon to the decayed infinity norm, torch to the new gradient's size",
)


ADAGRAD = optimizer(
    "Adagrad",
    "Adagrad",
    Exactness.F32,
    ("Adagrad(0.1, parameters=parameters)", "Adagrad(parameters, 0.1, eps=f32(1e-6))"),
    (
        "Adagrad(0.1, 0.05, parameters, weight_decay=0.3, initial_accumulator_value=0.5)",
        "Adagrad(parameters, 0.1, eps=f32(0.05), weight_decay=0.3, initial_accumulator_value=0.5)",
    ),
    arguments=(
        Argument("learning_rate", "lr", torch_default=0.01),
        Argument("epsilon", "eps", convert="f32", paddle_default=1e-6, torch_default=1e-10),
        PARAMETERS,
        DECAY,
        CLIP,
        NAME,
        Argument(
            "initial_accumulator_value", "initial_accumulator_value", paddle_default=0.0, torch_default=0.0
        ),
    ),
    traps=(Trap("the default epsilon is 1e-6, torch's 1e-10", naive="torch.optim.Adagrad(parameters, 0.1)"),),
    reason="s = s + g g; p = p - lr g / (sqrt(s) + eps)",
)


ADADELTA = optimizer(
    "Adadelta",
    "Adadelta",
    Exactness.F32,
    ("Adadelta(0.1, parameters=parameters)", "Adadelta(parameters, 0.1, rho=f32(0.95), eps=f32(1e-6))"),
    (
        "Adadelta(0.1, 0.05, 0.8, parameters, weight_decay=0.3)",
        "Adadelta(parameters, 0.1, rho=f32(0.8), eps=f32(0.05), weight_decay=0.3)",
    ),
    arguments=(
        Argument("learning_rate", "lr", paddle_default=0.001, torch_default=1.0),
        Argument("epsilon", "eps", convert="f32", paddle_default=1e-6, torch_default=1e-6),
        Argument("rho", "rho", convert="f32", paddle_default=0.95, torch_default=0.9),
        PARAMETERS,
        DECAY,
        CLIP,
        NAME,
    ),
    traps=(Trap("the default rho is 0.95, torch's 0.9", naive="torch.optim.Adadelta(parameters, 0.1)"),),
    reason="both keep running squares of gradients and of updates, epsilon inside both roots",
)


NADAM = optimizer(
    "NAdam",
    "NAdam",
    Exactness.F32,
    (
        "NAdam(0.1, parameters=parameters)",
        "NAdam(parameters, 0.1, betas=(f32(0.9), f32(0.999)), momentum_decay=f32(0.004))",
    ),
    (
        "NAdam(0.1, 0.5, 0.75, 0.125, 0.25, parameters, weight_decay=0.3)",
        "NAdam(parameters, 0.1, betas=(0.5, 0.75), eps=0.125, momentum_decay=0.25, weight_decay=0.3)",
    ),
    arguments=(
        Argument("learning_rate", "lr", paddle_default=0.002, torch_default=0.002),
        *FLOAT32_BETAS,
        EPSILON,
        Argument(
            "momentum_decay", "momentum_decay", convert="f32", paddle_default=0.004, torch_default=0.004
        ),
        PARAMETERS,
        DECAY,
        CLIP,
        NAME,
    ),
    reason="Adam with Nesterov's momentum",
)


RADAM = optimizer(
    "RAdam",
    "RAdam",
    Exactness.F32,
    ("RAdam(0.1, parameters=parameters)", "RAdam(parameters, 0.1, betas=(f32(0.9), f32(0.999)))"),
    (
        "RAdam(0.1, 0.5, 0.75, 0.125, parameters, weight_decay=0.3)",
        "RAdam(parameters, 0.1, betas=(0.5, 0.75), eps=0.125, weight_decay=0.3)",
    ),
    arguments=(RATE, *FLOAT32_BETAS, EPSILON, PARAMETERS, DECAY, CLIP, NAME),
    reason="Adam whose step is rectified once the variance can be told",
)


RPROP = optimizer(
    "Rprop",
    "Rprop",
    Exactness.ALGEBRA,
    ("Rprop(0.1, parameters=parameters)", "Rprop(parameters, 0.1, step_sizes=(1e-5, 50))"),
    (
        "Rprop(0.1, (0.0625, 0.25), parameters, (0.25, 1.5))",
        "Rprop(parameters, 0.1, etas=(0.25, 1.5), step_sizes=(0.0625, 0.25))",
    ),
    arguments=(
        Argument("learning_rate", "lr", paddle_default=0.001, torch_default=0.01),
        Argument("learning_rate_range", "step_sizes", paddle_default=(1e-5, 50), torch_default=(1e-6, 50)),
        PARAMETERS,
        Argument("etas", "etas", paddle_default=(0.5, 1.2), torch_default=(0.5, 1.2)),
        CLIP,
        MULTI_PRECISION,
        NAME,
    ),
    reason="step sizes that grow while the gradient keeps its sign",
)


LBFGS = optimizer(
    "LBFGS",
    "LBFGS",
    Exactness.ALGEBRA,
    (
        "LBFGS(0.5, max_iter=3, parameters=parameters)",
        "LBFGS(parameters, 0.5, max_iter=3)",
    ),
    (
        "LBFGS(1.0, max_iter=4, history_size=3, line_search_fn='strong_wolfe', parameters=parameters)",
        "LBFGS(parameters, 1.0, max_iter=4, history_size=3, line_search_fn='strong_wolfe')",
    ),
    arguments=(
        Argument("learning_rate", "lr", paddle_default=1.0, torch_default=1.0),
        Argument("max_iter", "max_iter", paddle_default=20, torch_default=20),
        Argument("max_eval", "max_eval"),
        Argument("tolerance_grad", "tolerance_grad", paddle_default=1e-7, torch_default=1e-7),
        Argument("tolerance_change", "tolerance_change", paddle_default=1e-9, torch_default=1e-9),
        Argument("history_size", "history_size", paddle_default=100, torch_default=100),
        Argument("line_search_fn", "line_search_fn"),
        PARAMETERS,
        Argument("weight_decay", None),
        CLIP,
        NAME,
    ),
    reason="the same code, ported from torch",
)


ROWS: tuple[Row, ...] = (ADAM, ADAMW, ADAMAX, ADAGRAD, ADADELTA, NADAM, RADAM, RPROP, LBFGS)
