"""A torch optimizer that steps as Paddle's Lamb does; torch has none.

Adam's step plus decay, scaled for every tensor by |weights| / |step| (You et al. 2019;
`phi/kernels/impl/lamb_kernel_impl.h`): the ratio is 1 where either norm is zero, and without decay unless
`always_adapt`. The state's names are those of torch's Adam.

    optimizer = Lamb(model.parameters(), lr=0.01, weight_decay=0.01)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from parity.remedies.torch_stepping import Stepping


class Lamb(Stepping):
    """Paddle's Lamb under torch's names: `weight_decay` is lamb_weight_decay; the defaults are Paddle's."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        always_adapt: bool = False,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "always_adapt": always_adapt})

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        (beta1, beta2), decay = group["betas"], group["weight_decay"]
        state["step"] += 1
        count = float(state["step"])
        state["exp_avg"].mul_(beta1).add_(gradient, alpha=1.0 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1.0 - beta2)
        mean = state["exp_avg"] / (1.0 - beta1**count)
        step = mean / ((state["exp_avg_sq"] / (1.0 - beta2**count)).sqrt() + group["eps"]) + decay * parameter
        ratio = 1.0
        if decay > 0 or group["always_adapt"]:
            norms = float(parameter.norm()), float(step.norm())
            ratio = norms[0] / norms[1] if min(norms) > 0 else 1.0
        parameter.sub_(step, alpha=float(group["lr"]) * ratio)
