"""Arguments and texts that many optimizers share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

TWO = {"parameters": "parameters 2,6"}


TEN = 10


RATE = Argument("learning_rate", "lr", paddle_default=0.001, torch_default=0.001)


PARAMETERS = Argument(
    "parameters", "params", note="the third or later argument in Paddle, the first in torch"
)


DECAY = Argument(
    "weight_decay",
    "weight_decay",
    torch_default=0.0,
    note="a number, L2Decay(number) or L1Decay(number); torch's is the number of L2Decay",
)


CLIP = Argument("grad_clip", None, note="torch: nn.utils.clip_grad_* between backward and step")


MULTI_PRECISION = Argument(
    "multi_precision",
    None,
    paddle_default=False,
    note="float32 masters of float16 parameters; torch keeps float32 parameters",
)


NAME = Argument("name", None)


EPSILON = Argument("epsilon", "eps", paddle_default=1e-8, torch_default=1e-8)


BETAS = (
    Argument("beta1", "betas", paddle_default=0.9, note="betas=(beta1, beta2)"),
    Argument("beta2", "betas", paddle_default=0.999),
)


FLOAT32_BETAS = tuple(replace(beta, convert="f32") for beta in BETAS)


def optimizer(
    name: str, twin: str, exactness: Exactness, *pairs: tuple[str, str], file: str = "", **more: Any
) -> Row:
    """`pairs` are Paddle's and torch's constructor calls, without the `paddle.optimizer.` and `torch.optim.` before them."""
    return Row(
        Kind.OPTIMIZER,
        f"optimizer.{name}",
        f"optim.{twin}" if twin else "",
        exactness,
        examples=tuple(
            Example(
                TWO,
                f"paddle.optimizer.{p}",
                t if t.startswith(("class ", "from ")) else f"torch.optim.{t}",
                steps=TEN,
            )
            for p, t in pairs
        ),
        source=Source(
            f"optimizer/{name.lower()}.py: {name}",
            f"optim/{file or twin.lower()}.py: {twin or 'Optimizer'}",
        ),
        **more,
    )


ATTRIBUTE = "[paddle.create_parameter([6], attr=paddle.ParamAttr(initializer=nn.initializer.Assign(p), {}), dtype=p.dtype) for p in parameters]"


CREATED = "new = " + ATTRIBUTE + "\n"


L2 = "regularizer=paddle.regularizer.L2Decay(0.5)"


def with_attribute(attr: str, optimizer: str) -> str:
    """Ten steps of a Paddle optimizer on parameters that a ParamAttr made."""
    return (
        CREATED.format(attr)
        + f"o = paddle.optimizer.{optimizer}\n"
        + "for _ in range(10):\n"
        + "    o.clear_grad()\n"
        + "    sum((p * p).sum() + p.sum() for p in new).backward()\n"
        + "    o.step()\n"
        + "[p.detach() for p in new]"
    )


def ten_steps(optimizer: str) -> str:
    """The same ten steps in torch."""
    return (
        f"o = torch.optim.{optimizer}\n"
        + "for _ in range(10):\n"
        + "    o.zero_grad()\n"
        + "    sum((p * p).sum() + p.sum() for p in parameters).backward()\n"
        + "    o.step()\n"
        + "[p.detach() for p in parameters]"
    )


def regularized(theirs: str, mine: str, naive: str, text: str) -> Trap:
    return Trap(
        text,
        naive=ten_steps(naive),
        example=Example(TWO, with_attribute(L2, theirs), ten_steps(mine), backward=False),
    )
