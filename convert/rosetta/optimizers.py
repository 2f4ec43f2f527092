"""Optimizers and gradient clips: `parameters` after ten or more steps on a small loss."""

from __future__ import annotations

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
    convert="f32",
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
    Argument("beta1", "betas", convert="f32", paddle_default=0.9, note="betas=(beta1, beta2)"),
    Argument("beta2", "betas", convert="f32", paddle_default=0.999),
)


def _row(
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
                TWO, f"paddle.optimizer.{p}", t if t.startswith("class ") else f"torch.optim.{t}", steps=TEN
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
L2, L1 = "regularizer=paddle.regularizer.L2Decay(0.5)", "regularizer=paddle.regularizer.L1Decay(0.1)"


def _attribute(attr: str, optimizer: str, loss: str = "") -> str:
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


def _plain(optimizer: str) -> str:
    """The same ten steps in torch."""
    return (
        f"o = torch.optim.{optimizer}\n"
        + "for _ in range(10):\n"
        + "    o.zero_grad()\n"
        + "    sum((p * p).sum() + p.sum() for p in parameters).backward()\n"
        + "    o.step()\n"
        + "[p.detach() for p in parameters]"
    )


def _regularized(name: str, theirs: str, mine: str, naive: str, text: str) -> Trap:
    return Trap(
        text,
        naive=_plain(naive),
        example=Example(TWO, _attribute(L2, theirs), _plain(mine), backward=False),
    )


HALF = "weight_decay=0.25"
SGD = _row(
    "SGD",
    "SGD",
    Exactness.ALGEBRA,
    ("SGD(0.1, parameters)", "SGD(parameters, 0.1)"),
    ("SGD(0.1, parameters, weight_decay=0.25)", "SGD(parameters, 0.1, weight_decay=0.25)"),
    (
        "SGD(0.1, parameters, weight_decay=paddle.regularizer.L2Decay(0.25))",
        "SGD(parameters, 0.1, weight_decay=0.25)",
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
            naive=_plain("SGD(parameters, 0.1)"),
            example=Example(
                TWO,
                _attribute("learning_rate=0.5", "SGD(0.1, new)"),
                _plain("SGD(parameters, 0.05)"),
                backward=False,
            ),
        ),
        _regularized(
            "SGD",
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

MOMENTUM = _row(
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
        DECAY,
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
        _regularized(
            "Momentum",
            "Momentum(0.1, 0.5, new, weight_decay=0.25)",
            "SGD(parameters, 0.1, momentum=0.5, weight_decay=0.5)",
            "SGD(parameters, 0.1, momentum=0.5, weight_decay=0.25)",
            "a ParamAttr's regularizer replaces the optimizer's weight decay",
        ),
    ),
    reason="v = mu v + g; p = p - lr v; mu and the decay are float32 attributes",
)

ADAM = _row(
    "Adam",
    "Adam",
    Exactness.ALGEBRA,
    ("Adam(0.1, parameters=parameters)", "Adam(parameters, 0.1)"),
    (
        "Adam(0.1, 0.8, 0.95, 1e-3, parameters, weight_decay=0.25)",
        "Adam(parameters, 0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.25)",
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
        _regularized(
            "Adam",
            "Adam(0.1, parameters=new, weight_decay=0.25)",
            "Adam(parameters, 0.1, weight_decay=0.5)",
            "Adam(parameters, 0.1, weight_decay=0.25)",
            "a ParamAttr's regularizer replaces the optimizer's weight decay",
        ),
    ),
    reason="m / (1 - beta1 ** t) / (sqrt(v / (1 - beta2 ** t)) + eps)",
)

ADAMW = _row(
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
            naive=_plain("AdamW(parameters, 0.1, weight_decay=0.25)"),
            example=Example(
                TWO,
                _attribute(L2, "AdamW(0.1, parameters=new, weight_decay=0.25)"),
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

ADAMAX = _row(
    "Adamax",
    "Adamax",
    Exactness.NEAR,
    ("Adamax(0.1, parameters=parameters)", "Adamax(parameters, 0.1, betas=(f32(0.9), f32(0.999)))"),
    (
        "Adamax(0.1, 0.5, 0.75, parameters=parameters, weight_decay=0.25)",
        "Adamax(parameters, 0.1, betas=(0.5, 0.75), weight_decay=0.25)",
    ),
    within=1e-6,
    arguments=(RATE, *BETAS, EPSILON, PARAMETERS, DECAY, CLIP, NAME),
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

ADAGRAD = _row(
    "Adagrad",
    "Adagrad",
    Exactness.F32,
    ("Adagrad(0.1, parameters=parameters)", "Adagrad(parameters, 0.1, eps=f32(1e-6))"),
    (
        "Adagrad(0.1, 0.05, parameters, weight_decay=0.25, initial_accumulator_value=0.5)",
        "Adagrad(parameters, 0.1, eps=f32(0.05), weight_decay=0.25, initial_accumulator_value=0.5)",
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

ADADELTA = _row(
    "Adadelta",
    "Adadelta",
    Exactness.F32,
    ("Adadelta(0.1, parameters=parameters)", "Adadelta(parameters, 0.1, rho=f32(0.95), eps=f32(1e-6))"),
    (
        "Adadelta(0.1, 0.05, 0.8, parameters, weight_decay=0.25)",
        "Adadelta(parameters, 0.1, rho=f32(0.8), eps=f32(0.05), weight_decay=0.25)",
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

RMS = (
    "class RMSProp(torch.optim.Optimizer):\n"
    "    def __init__(self, params, lr, rho=0.95, eps=1e-6, momentum=0.0, centered=False):\n"
    "        super().__init__(params, dict(lr=lr))\n"
    "        self.state_of = lambda p: self.state[p] or self.state[p].update(\n"
    "            v=torch.zeros_like(p), g=torch.zeros_like(p), m=torch.zeros_like(p)) or self.state[p]\n"
    "        self.rho, self.eps, self.mu, self.centered = f32(rho), f32(eps), f32(momentum), centered\n"
    "    @torch.no_grad()\n"
    "    def step(self):\n"
    "        for group in self.param_groups:\n"
    "            for p in group['params']:\n"
    "                s = self.state_of(p)\n"
    "                s['v'].mul_(self.rho).addcmul_(p.grad, p.grad, value=1 - self.rho)\n"
    "                s['g'].mul_(self.rho).add_(p.grad, alpha=1 - self.rho)\n"
    "                v = s['v'] - s['g'] ** 2 if self.centered else s['v']\n"
    "                s['m'].mul_(self.mu).add_(p.grad / (v + self.eps).sqrt(), alpha=group['lr'])\n"
    "                p.sub_(s['m'])\n"
)
RMSPROP = _row(
    "RMSProp",
    "",
    Exactness.NONE,
    ("RMSProp(0.01, parameters=parameters)", RMS + "RMSProp(parameters, 0.01)"),
    (
        "RMSProp(0.01, 0.9, 0.01, 0.8, True, parameters)",
        RMS + "RMSProp(parameters, 0.01, rho=0.9, eps=0.01, momentum=0.8, centered=True)",
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
                RMS + "RMSProp(parameters, 0.01, eps=0.01)",
                steps=TEN,
            ),
        ),
        Trap(
            "the defaults differ: rho 0.95 and alpha 0.99, 1e-6 and 1e-8",
            naive="torch.optim.RMSprop(parameters, 0.01)",
        ),
    ),
    remedy="a small optimizer; torch.optim.RMSprop(alpha=rho, eps=sqrt(epsilon)) comes near where the gradients are small",
    reason="g / sqrt(v + eps); torch divides by sqrt(v) + eps",
)

NADAM = _row(
    "NAdam",
    "NAdam",
    Exactness.F32,
    (
        "NAdam(0.1, parameters=parameters)",
        "NAdam(parameters, 0.1, betas=(f32(0.9), f32(0.999)), momentum_decay=f32(0.004))",
    ),
    (
        "NAdam(0.1, 0.5, 0.75, 0.125, 0.25, parameters, weight_decay=0.25)",
        "NAdam(parameters, 0.1, betas=(0.5, 0.75), eps=0.125, momentum_decay=0.25, weight_decay=0.25)",
    ),
    arguments=(
        Argument("learning_rate", "lr", paddle_default=0.002, torch_default=0.002),
        *BETAS,
        EPSILON,
        Argument("momentum_decay", "momentum_decay", paddle_default=0.004, torch_default=0.004),
        PARAMETERS,
        DECAY,
        CLIP,
        NAME,
    ),
    reason="Adam with Nesterov's momentum",
)

RADAM = _row(
    "RAdam",
    "RAdam",
    Exactness.F32,
    ("RAdam(0.1, parameters=parameters)", "RAdam(parameters, 0.1, betas=(f32(0.9), f32(0.999)))"),
    (
        "RAdam(0.1, 0.5, 0.75, 0.125, parameters, weight_decay=0.25)",
        "RAdam(parameters, 0.1, betas=(0.5, 0.75), eps=0.125, weight_decay=0.25)",
    ),
    arguments=(RATE, *BETAS, EPSILON, PARAMETERS, DECAY, CLIP, NAME),
    reason="Adam whose step is rectified once the variance can be told",
)

RPROP = _row(
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

AVERAGED = (
    "class ASGD(torch.optim.Optimizer):\n"
    "    def __init__(self, params, lr, batch_num=1):\n"
    "        super().__init__(params, dict(lr=lr))\n"
    "        self.n, self.t = batch_num, 0\n"
    "    @torch.no_grad()\n"
    "    def step(self):\n"
    "        for group in self.param_groups:\n"
    "            for p in group['params']:\n"
    "                s = self.state[p]\n"
    "                s.setdefault('y', torch.zeros(self.n, *p.shape))\n"
    "                s.setdefault('d', torch.zeros_like(p))\n"
    "                s['d'].add_(p.grad - s['y'][self.t % self.n])\n"
    "                s['y'][self.t % self.n] = p.grad\n"
    "                p.sub_(s['d'], alpha=group['lr'] / min(self.t + 1, self.n))\n"
    "        self.t += 1\n"
)
ASGD = _row(
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
    remedy="a small optimizer; with batch_num=1 it is SGD",
    reason="p = p - lr / n * (sum of the last batch_num gradients)",
)

LAYERWISE = (
    "class Lamb(torch.optim.Optimizer):\n"
    "    def __init__(self, params, lr, decay=0.01, betas=(0.9, 0.999), eps=1e-6):\n"
    "        super().__init__(params, dict(lr=lr))\n"
    "        self.decay, self.betas, self.eps, self.t = f32(decay), [f32(b) for b in betas], f32(eps), 0\n"
    "    @torch.no_grad()\n"
    "    def step(self):\n"
    "        self.t += 1\n"
    "        a, b = self.betas\n"
    "        for group in self.param_groups:\n"
    "            for p in group['params']:\n"
    "                s = self.state[p]\n"
    "                m = s.setdefault('m', torch.zeros_like(p)).mul_(a).add_(p.grad, alpha=1 - a)\n"
    "                v = s.setdefault('v', torch.zeros_like(p)).mul_(b).addcmul_(p.grad, p.grad, value=1 - b)\n"
    "                r = m / (1 - a ** self.t) / ((v / (1 - b ** self.t)).sqrt() + self.eps) + self.decay * p\n"
    "                p.sub_(r, alpha=group['lr'] * float(p.norm() / r.norm()))\n"
)
LAMB = _row(
    "Lamb",
    "",
    Exactness.NONE,
    ("Lamb(0.1, parameters=parameters)", LAYERWISE + "Lamb(parameters, 0.1)"),
    (
        "Lamb(0.1, 0.3, 0.8, 0.95, 1e-3, parameters)",
        LAYERWISE + "Lamb(parameters, 0.1, 0.3, (0.8, 0.95), 1e-3)",
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
    remedy="a small optimizer: Adam's step plus decay, scaled by |p| / |step|",
    reason="layer-wise adaptive moments (You et al. 2019); 3e-8 stay in float64 whichever constants are rounded",
)

LBFGS = _row(
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

ROWS: tuple[Row, ...] = (
    SGD,
    MOMENTUM,
    ADAM,
    ADAMW,
    ADAMAX,
    ADAGRAD,
    ADADELTA,
    RMSPROP,
    NADAM,
    RADAM,
    RPROP,
    ASGD,
    LAMB,
    LBFGS,
    *CLIPS,
)
