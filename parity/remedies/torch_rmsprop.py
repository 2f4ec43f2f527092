"""A torch optimizer that steps as Paddle's RMSProp does.

Paddle divides by sqrt(v + eps), torch by sqrt(v) + eps, and Paddle's momentum gathers steps (with the learning rate of
their time), torch's gradients (`phi/kernels/impl/rmsprop_kernel_impl.h`, `torch/optim/rmsprop.py`). No setting of
torch's makes the two equal. The state's names are torch's where it holds the same; `steps` is another thing than
torch's momentum_buffer.

    optimizer = RMSProp(model.parameters(), lr=0.01, alpha=0.95, momentum=0.9)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from parity.remedies.torch_stepping import Stepping


class RMSProp(Stepping):
    """Paddle's RMSProp under torch's names: `alpha` is Paddle's rho; the defaults are Paddle's."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        alpha: float = 0.95,
        eps: float = 1e-6,
        momentum: float = 0.0,
        centered: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum, "centered": centered}
        super().__init__(params, {**options, "weight_decay": weight_decay})

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        gradient = parameter.grad + group["weight_decay"] * parameter
        state = self.state[parameter]
        for name in ("square_avg", "grad_avg", "steps"):
            if name not in state:
                state[name] = torch.zeros_like(parameter)
        alpha = group["alpha"]
        square = state["square_avg"].mul_(alpha).addcmul_(gradient, gradient, value=1.0 - alpha)
        if group["centered"]:
            mean = state["grad_avg"].mul_(alpha).add_(gradient, alpha=1.0 - alpha)
            square = square - mean * mean
        step = gradient / (square + group["eps"]).sqrt()
        state["steps"].mul_(group["momentum"]).add_(step, alpha=float(group["lr"]))
        parameter.sub_(state["steps"])
