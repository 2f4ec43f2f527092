"""Learning rate schedulers. torch's take the optimizer, whose rate is the first argument of Paddle's."""

from __future__ import annotations

from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

RATE = Argument("learning_rate", None, note="the rate of torch's optimizer")
LAST = Argument("last_epoch", "last_epoch", paddle_default=-1, torch_default=-1)
VERBOSE = Argument("verbose", None, paddle_default=False)
REST = (LAST, VERBOSE)
LAMBDA = "torch.optim.lr_scheduler.LambdaLR(optimizer({}), lambda t: {})"


def _row(
    name: str, twin: str, *pairs: tuple[str, str], exactness: Exactness = Exactness.ALGEBRA, **more: Any
) -> Row:
    """`pairs` are the calls without the module's name; with no twin torch's is the rate and LambdaLR's factor at step t."""
    shown = tuple(
        Example(
            {},
            f"paddle.optimizer.lr.{p}",
            f"torch.optim.lr_scheduler.{t}" if twin else LAMBDA.format(*t.split(" | ")),
        )
        for p, t in pairs
    )
    if not twin:
        more.setdefault("remedy", "LambdaLR with the formula")
    return Row(
        Kind.SCHEDULER,
        f"optimizer.lr.{name}",
        f"optim.lr_scheduler.{twin}" if twin else "",
        exactness if twin else Exactness.NONE,
        examples=more.pop("examples", shown),
        source=Source(f"optimizer/lr.py: {name}", f"optim/lr_scheduler.py: {twin or 'LambdaLR'}"),
        **more,
    )


LOSSES = "= [3.0, 2.0, 2.0, 2.0, 1.9999, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1]"
WHO_STEPS = Trap(
    "opt.step() does not advance the scheduler in either framework: scheduler.step() does, once an epoch or once a batch as the loop has it",
    naive="s = torch.optim.lr_scheduler.StepLR(optimizer(0.5), 1, 0.5)\n[s.optimizer.step() for _ in range(3)]\ns.get_last_lr()[0]",
    example=Example(
        {},
        "s = paddle.optimizer.lr.StepDecay(0.5, 1, 0.5)\n[s.step() for _ in range(3)]\ns()",
        "s = torch.optim.lr_scheduler.StepLR(optimizer(0.5), 1, 0.5)\n[(s.optimizer.step(), s.step()) for _ in range(3)]\ns.get_last_lr()[0]",
    ),
)

ROWS: tuple[Row, ...] = (
    _row(
        "StepDecay",
        "StepLR",
        ("StepDecay(0.5, step_size=3, gamma=0.8)", "StepLR(optimizer(0.5), step_size=3, gamma=0.8)"),
        arguments=(
            RATE,
            Argument("step_size", "step_size"),
            Argument("gamma", "gamma", paddle_default=0.1, torch_default=0.1),
            *REST,
        ),
        traps=(WHO_STEPS,),
        reason="rate * gamma ** (epoch // step_size)",
    ),
    _row(
        "MultiStepDecay",
        "MultiStepLR",
        ("MultiStepDecay(0.5, [2, 5, 7], gamma=0.5)", "MultiStepLR(optimizer(0.5), [2, 5, 7], gamma=0.5)"),
        arguments=(
            RATE,
            Argument("milestones", "milestones"),
            Argument("gamma", "gamma", paddle_default=0.1, torch_default=0.1),
            *REST,
        ),
        reason="rate * gamma ** (milestones passed)",
    ),
    _row(
        "ExponentialDecay",
        "ExponentialLR",
        ("ExponentialDecay(0.5, gamma=0.9)", "ExponentialLR(optimizer(0.5), gamma=0.9)"),
        arguments=(RATE, Argument("gamma", "gamma"), *REST),
        reason="rate * gamma ** epoch",
    ),
    _row(
        "NaturalExpDecay",
        "ExponentialLR",
        ("NaturalExpDecay(0.5, gamma=0.1)", "ExponentialLR(optimizer(0.5), gamma=np.exp(-0.1))"),
        arguments=(RATE, Argument("gamma", "gamma", convert="exp(-gamma)"), *REST),
        traps=(
            Trap(
                "gamma is an exponent here: exp(-gamma) is torch's",
                naive="torch.optim.lr_scheduler.ExponentialLR(optimizer(0.5), gamma=0.1)",
            ),
        ),
        reason="rate * exp(-gamma * epoch)",
    ),
    _row(
        "InverseTimeDecay",
        "",
        ("InverseTimeDecay(0.5, gamma=0.1)", "0.5 | 1 / (1 + 0.1 * t)"),
        arguments=(RATE, Argument("gamma", None), *REST),
        reason="rate / (1 + gamma * epoch)",
    ),
    _row(
        "NoamDecay",
        "",
        ("NoamDecay(64, 4, 2.0)", "2.0 | 64**-0.5 * min(max(t, 1) ** -0.5, t * 4**-1.5)"),
        arguments=(
            Argument("d_model", None),
            Argument("warmup_steps", None),
            Argument("learning_rate", None, paddle_default=1.0),
            *REST,
        ),
        traps=(
            Trap(
                "the first rate, of epoch 0, is 0 in Paddle: many ports count from 1",
                naive=LAMBDA.format("2.0", "64**-0.5 * min((t + 1) ** -0.5, (t + 1) * 4**-1.5)"),
            ),
        ),
        reason="rate * d_model ** -0.5 * min(epoch ** -0.5, epoch * warmup ** -1.5)",
    ),
    _row(
        "PiecewiseDecay",
        "",
        ("PiecewiseDecay([3, 6], [0.5, 0.25, 0.01])", "1.0 | [0.5, 0.25, 0.01][(t >= 3) + (t >= 6)]"),
        arguments=(Argument("boundaries", None), Argument("values", None), *REST),
        traps=(
            Trap(
                "the new value holds from the boundary on, not after it",
                naive=LAMBDA.format("1.0", "[0.5, 0.25, 0.01][(t > 3) + (t > 6)]"),
            ),
        ),
        remedy="LambdaLR on an optimizer of rate 1; MultiStepLR where the values fall by one factor",
        reason="values[boundaries passed]",
    ),
    _row(
        "PolynomialDecay",
        "",
        (
            "PolynomialDecay(0.5, 8, end_lr=0.01, power=2.0)",
            "0.5 | ((0.5 - 0.01) * (1 - min(t, 8) / 8) ** 2 + 0.01) / 0.5",
        ),
        (
            "PolynomialDecay(0.5, 4, end_lr=0.01, power=2.0, cycle=True)",
            "0.5 | ((0.5 - 0.01) * (1 - t / (4 * max(-(-t // 4), 1))) ** 2 + 0.01) / 0.5",
        ),
        arguments=(
            RATE,
            Argument("decay_steps", None, note="PolynomialLR: total_iters"),
            Argument("end_lr", None, paddle_default=0.0001, note="PolynomialLR has none: 0"),
            Argument("power", None, paddle_default=1.0),
            Argument("cycle", None, paddle_default=False),
            *REST,
        ),
        traps=(
            Trap(
                "PolynomialLR ends at 0, Paddle's at 0.0001 by default",
                naive="torch.optim.lr_scheduler.PolynomialLR(optimizer(0.5), 8, power=1.0)",
                example=Example(
                    {},
                    "paddle.optimizer.lr.PolynomialDecay(0.5, 8)",
                    LAMBDA.format("0.5", "((0.5 - 1e-4) * (1 - min(t, 8) / 8) + 1e-4) / 0.5"),
                ),
            ),
        ),
        remedy="LambdaLR with the formula; PolynomialLR where end_lr is 0",
        reason="(rate - end) * (1 - epoch / steps) ** power + end",
    ),
    _row(
        "LinearWarmup",
        "",
        ("LinearWarmup(0.5, 4, 0.0, 0.5)", "0.5 | min(t / 4, 1)"),
        (
            "LinearWarmup(paddle.optimizer.lr.ExponentialDecay(0.5, 0.9), 4, 0.1, 0.5)",
            "0.5 | (0.1 + 0.4 * t / 4) / 0.5 if t < 4 else 0.9 ** (t - 4)",
        ),
        arguments=(
            Argument(
                "learning_rate",
                None,
                note="a number or another scheduler, whose epoch 0 is the end of the warmup",
            ),
            Argument("warmup_steps", None),
            Argument("start_lr", None),
            Argument("end_lr", None),
            *REST,
        ),
        traps=(
            Trap(
                "torch's LinearLR cannot start at 0",
                naive="torch.optim.lr_scheduler.LinearLR(optimizer(0.5), start_factor=0.0, total_iters=4)",
            ),
            Trap(
                "the schedule behind it begins when the warmup ends: it is not shortened by it",
                naive=LAMBDA.format("0.5", "(0.1 + 0.4 * t / 4) / 0.5 if t < 4 else 0.9 ** t"),
                example=Example(
                    {},
                    "paddle.optimizer.lr.LinearWarmup(paddle.optimizer.lr.ExponentialDecay(0.5, 0.9), 4, 0.1, 0.5)",
                    LAMBDA.format("0.5", "(0.1 + 0.4 * t / 4) / 0.5 if t < 4 else 0.9 ** (t - 4)"),
                ),
            ),
        ),
        remedy="LambdaLR; SequentialLR of LinearLR and the other one where start_lr > 0",
        reason="start + (end - start) * epoch / warmup_steps, then the other schedule",
    ),
    _row(
        "LambdaDecay",
        "LambdaLR",
        ("LambdaDecay(0.5, lambda t: 0.95**t)", "LambdaLR(optimizer(0.5), lambda t: 0.95**t)"),
        arguments=(RATE, Argument("lr_lambda", "lr_lambda"), *REST),
        reason="rate * lr_lambda(epoch)",
    ),
    _row(
        "MultiplicativeDecay",
        "MultiplicativeLR",
        (
            "MultiplicativeDecay(0.5, lambda t: 0.9 if t % 2 else 1.0)",
            "MultiplicativeLR(optimizer(0.5), lambda t: 0.9 if t % 2 else 1.0)",
        ),
        arguments=(RATE, Argument("lr_lambda", "lr_lambda"), *REST),
        reason="the last rate * lr_lambda(epoch)",
    ),
    _row(
        "CosineAnnealingDecay",
        "CosineAnnealingLR",
        ("CosineAnnealingDecay(0.5, 5)", "CosineAnnealingLR(optimizer(0.5), 5)"),
        (
            "CosineAnnealingDecay(0.5, 20, eta_min=0.01)",
            "CosineAnnealingLR(optimizer(0.5), 20, eta_min=0.01)",
        ),
        arguments=(
            RATE,
            Argument("T_max", "T_max"),
            Argument("eta_min", "eta_min", paddle_default=0, torch_default=0),
            *REST,
        ),
        reason="the same recursion: it rises again after T_max",
    ),
    _row(
        "CosineAnnealingWarmRestarts",
        "CosineAnnealingWarmRestarts",
        ("CosineAnnealingWarmRestarts(0.5, 3)", "CosineAnnealingWarmRestarts(optimizer(0.5), 3)"),
        (
            "CosineAnnealingWarmRestarts(0.5, 2, T_mult=2, eta_min=0.01)",
            "CosineAnnealingWarmRestarts(optimizer(0.5), 2, T_mult=2, eta_min=0.01)",
        ),
        arguments=(
            RATE,
            Argument("T_0", "T_0"),
            Argument("T_mult", "T_mult", paddle_default=1, torch_default=1),
            Argument("eta_min", "eta_min", paddle_default=0, torch_default=0),
            *REST,
        ),
        reason="the cosine starts again every T_0 * T_mult ** i epochs",
    ),
    _row(
        "LinearLR",
        "LinearLR",
        ("LinearLR(0.5, 5)", "LinearLR(optimizer(0.5), total_iters=5)"),
        (
            "LinearLR(0.5, 5, 0.25, 0.75)",
            "LinearLR(optimizer(0.5), start_factor=0.25, end_factor=0.75, total_iters=5)",
        ),
        arguments=(
            RATE,
            Argument("total_steps", "total_iters", torch_default=5, note="second in Paddle, fourth in torch"),
            Argument("start_factor", "start_factor", paddle_default=1 / 3, torch_default=1 / 3),
            Argument("end_factor", "end_factor", paddle_default=1.0, torch_default=1.0),
            *REST,
        ),
        traps=(
            Trap(
                "the second argument is total_steps, torch's start_factor",
                naive="torch.optim.lr_scheduler.LinearLR(optimizer(0.5), 5)",
            ),
        ),
        reason="the factor goes linearly from start to end",
    ),
    _row(
        "OneCycleLR",
        "OneCycleLR",
        (
            "OneCycleLR(0.5, 14)",
            "OneCycleLR(optimizer(0.1), 0.5, 14, final_div_factor=0.5 / 25 / 1e-4, cycle_momentum=False)",
        ),
        (
            "OneCycleLR(0.5, 14, divide_factor=10.0, end_learning_rate=0.01, phase_pct=0.4, anneal_strategy='linear', three_phase=True)",
            "OneCycleLR(optimizer(0.1), 0.5, 14, div_factor=10.0, final_div_factor=0.05 / 0.01, pct_start=0.4, "
            "anneal_strategy='linear', three_phase=True, cycle_momentum=False)",
        ),
        arguments=(
            Argument("max_learning_rate", "max_lr"),
            Argument("total_steps", "total_steps"),
            Argument("divide_factor", "div_factor", paddle_default=25.0, torch_default=25.0),
            Argument(
                "end_learning_rate",
                "final_div_factor",
                convert="max / divide_factor / end",
                paddle_default=1e-4,
                torch_default=1e4,
            ),
            Argument("phase_pct", "pct_start", paddle_default=0.3, torch_default=0.3),
            Argument("anneal_strategy", "anneal_strategy", paddle_default="cos", torch_default="cos"),
            Argument("three_phase", "three_phase", paddle_default=False, torch_default=False),
            Argument(
                None,
                "cycle_momentum",
                torch_default=True,
                note="torch moves the momentum too (and raises where the optimizer has none), unless False",
            ),
            *REST,
        ),
        traps=(
            Trap(
                "the end is a rate in Paddle, a divisor of the initial rate in torch",
                naive="torch.optim.lr_scheduler.OneCycleLR(optimizer(0.1), 0.5, 14, cycle_momentum=False)",
            ),
        ),
        reason="up to the maximum in phase_pct of the steps, then down",
    ),
    _row(
        "CyclicLR",
        "CyclicLR",
        ("CyclicLR(0.1, 0.5, 3)", "CyclicLR(optimizer(0.1), 0.1, 0.5, 3, cycle_momentum=False)"),
        (
            "CyclicLR(0.1, 0.5, 2, 3, mode='triangular2')",
            "CyclicLR(optimizer(0.1), 0.1, 0.5, 2, 3, mode='triangular2', cycle_momentum=False)",
        ),
        (
            "CyclicLR(0.1, 0.5, 3, mode='exp_range', exp_gamma=0.9)",
            "CyclicLR(optimizer(0.1), 0.1, 0.5, 3, mode='exp_range', gamma=0.9, cycle_momentum=False)",
        ),
        arguments=(
            Argument("base_learning_rate", "base_lr"),
            Argument("max_learning_rate", "max_lr"),
            Argument("step_size_up", "step_size_up", torch_default=2000),
            Argument("step_size_down", "step_size_down"),
            Argument("mode", "mode", paddle_default="triangular", torch_default="triangular"),
            Argument("exp_gamma", "gamma", paddle_default=1.0, torch_default=1.0),
            Argument("scale_fn", "scale_fn"),
            Argument("scale_mode", "scale_mode", paddle_default="cycle", torch_default="cycle"),
            Argument(None, "cycle_momentum", torch_default=True),
            *REST,
        ),
        reason="a triangle between the two rates",
    ),
    _row(
        "ReduceOnPlateau",
        "ReduceLROnPlateau",
        examples=(
            Example(
                {"metrics": LOSSES},
                "paddle.optimizer.lr.ReduceOnPlateau(0.5, patience=2, factor=0.5)",
                "torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer(0.5), patience=2, factor=0.5)",
            ),
            Example(
                {"metrics": LOSSES},
                "paddle.optimizer.lr.ReduceOnPlateau(0.5, 'max', 0.5, 1, 0.1, 'abs', 2, 0.1)",
                "torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer(0.5), 'max', 0.5, 1, 0.1, 'abs', 2, 0.1)",
            ),
        ),
        arguments=(
            RATE,
            Argument("mode", "mode", paddle_default="min", torch_default="min"),
            Argument("factor", "factor", paddle_default=0.1, torch_default=0.1),
            Argument("patience", "patience", paddle_default=10, torch_default=10),
            Argument("threshold", "threshold", paddle_default=1e-4, torch_default=1e-4),
            Argument("threshold_mode", "threshold_mode", paddle_default="rel", torch_default="rel"),
            Argument("cooldown", "cooldown", paddle_default=0, torch_default=0),
            Argument("min_lr", "min_lr", paddle_default=0, torch_default=0),
            Argument("epsilon", "eps", paddle_default=1e-8, torch_default=1e-8),
            VERBOSE,
        ),
        reason="the same rule: more than `patience` epochs without an improvement",
    ),
)
