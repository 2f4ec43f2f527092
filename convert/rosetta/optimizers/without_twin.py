"""Optimizers whose torch namesake computes something else: a small class is the twin."""

from __future__ import annotations

from convert.rosetta.optimizers.common import CLIP, MULTI_PRECISION, NAME, TEN, TWO, optimizer
from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap

RMS = "from parity.remedies.torch_rmsprop import RMSProp\n"


RMSPROP = optimizer(
    "RMSProp",
    "",
    Exactness.NONE,
    ("RMSProp(0.01, parameters=parameters)", RMS + "RMSProp(parameters, 0.01, f32(0.95), f32(1e-6))"),
    (
        "RMSProp(0.01, 0.9, 0.01, 0.8, True, parameters)",
        RMS + "RMSProp(parameters, 0.01, f32(0.9), f32(0.01), f32(0.8), centered=True)",
    ),
    file="rmsprop",
    arguments=(
        Argument("learning_rate", None),
        Argument("rho", None, convert="f32", paddle_default=0.95, note="torch.optim.RMSprop: alpha=0.99"),
        Argument(
            "epsilon",
            None,
            convert="f32",
            paddle_default=1e-6,
            note="torch.optim.RMSprop: eps=1e-8, outside the root",
        ),
        Argument("momentum", None, paddle_default=0.0),
        Argument("centered", None, paddle_default=False),
        Argument("parameters", None),
        Argument("weight_decay", None),
        CLIP,
        NAME,
    ),
    traps=(
        Trap(
            "torch adds epsilon after the root, Paddle before: the bigger epsilon, the further apart",
            naive="torch.optim.RMSprop(parameters, 0.01, alpha=0.95, eps=0.01)",
            example=Example(
                TWO,
                "paddle.optimizer.RMSProp(0.01, epsilon=0.01, parameters=parameters)",
                RMS + "RMSProp(parameters, 0.01, f32(0.95), f32(0.01))",
                steps=TEN,
            ),
        ),
        Trap(
            "the defaults differ: rho 0.95 and alpha 0.99, 1e-6 and 1e-8",
            naive="torch.optim.RMSprop(parameters, 0.01)",
        ),
    ),
    remedy="parity.remedies.torch_rmsprop.RMSProp; torch.optim.RMSprop(alpha=rho, eps=sqrt(epsilon)) comes near where the gradients are small",
    reason="g / sqrt(v + eps); torch divides by sqrt(v) + eps",
)


AVERAGED = "from parity.remedies.torch_asgd import ASGD\n"


ASGD = optimizer(
    "ASGD",
    "",
    Exactness.NONE,
    ("ASGD(0.1, 1, parameters)", AVERAGED + "ASGD(parameters, 0.1)"),
    ("ASGD(0.05, 3, parameters)", AVERAGED + "ASGD(parameters, 0.05, batch_num=3)"),
    file="asgd",
    arguments=(
        Argument("learning_rate", None, paddle_default=0.001),
        Argument("batch_num", None, paddle_default=1),
        Argument("parameters", None),
        Argument("weight_decay", None),
        CLIP,
        MULTI_PRECISION,
        NAME,
    ),
    traps=(
        Trap(
            "torch's ASGD is another algorithm: averaged SGD (Polyak); Paddle's averages the last gradients (SAG)",
            naive="torch.optim.ASGD(parameters, 0.05)",
            example=Example(
                TWO,
                "paddle.optimizer.ASGD(0.05, 3, parameters)",
                AVERAGED + "ASGD(parameters, 0.05, batch_num=3)",
                steps=TEN,
            ),
        ),
    ),
    remedy="parity.remedies.torch_asgd.ASGD; with batch_num=1 it is SGD",
    reason="p = p - lr / n * (sum of the last batch_num gradients)",
)


LAYERWISE = "from parity.remedies.torch_lamb import Lamb\n"


LAMB = optimizer(
    "Lamb",
    "",
    Exactness.NONE,
    (
        "Lamb(0.1, parameters=parameters)",
        LAYERWISE + "Lamb(parameters, 0.1, (f32(0.9), f32(0.999)), f32(1e-6), f32(0.01))",
    ),
    (
        "Lamb(0.1, 0.3, 0.8, 0.95, 1e-3, parameters)",
        LAYERWISE + "Lamb(parameters, 0.1, (f32(0.8), f32(0.95)), f32(1e-3), f32(0.3))",
    ),
    within=1e-7,
    file="optimizer",
    arguments=(
        Argument("learning_rate", None, paddle_default=0.001),
        Argument("lamb_weight_decay", None, convert="f32", paddle_default=0.01),
        Argument("beta1", None, convert="f32", paddle_default=0.9),
        Argument("beta2", None, convert="f32", paddle_default=0.999),
        Argument("epsilon", None, convert="f32", paddle_default=1e-6),
        Argument("parameters", None),
        CLIP,
        Argument("exclude_from_weight_decay_fn", None),
        Argument("always_adapt", None, paddle_default=False),
        MULTI_PRECISION,
        NAME,
    ),
    traps=(Trap("AdamW lacks the trust ratio", naive="torch.optim.AdamW(parameters, 0.1, eps=1e-6)"),),
    remedy="parity.remedies.torch_lamb.Lamb: Adam's step plus decay, scaled by |p| / |step|",
    reason="layer-wise adaptive moments (You et al. 2019); 3e-8 stay in float64 whichever constants are rounded",
)


ROWS: tuple[Row, ...] = (RMSPROP, ASGD, LAMB)
