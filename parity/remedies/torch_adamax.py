"""A torch Adamax that steps as Paddle's does.

Both divide the first moment by a running infinity norm and add eps to keep it from zero: Paddle to the decayed norm
(`phi/kernels/impl/adamax_kernel_impl.h`), torch to the size of the new gradient. Where gradients are as small as eps, or
zero for a while, the steps differ by as much as they are large, and no setting of torch's optimizer changes that. This
one does. Its state has torch's names, so that state dicts fit both ways.

    optimizer = Adamax(model.parameters(), lr=0.01)
"""

from __future__ import annotations

from typing import Any

import torch

from parity.remedies.torch_stepping import Stepping


class Adamax(Stepping, torch.optim.Adamax):
    """torch.optim.Adamax with Paddle's norm: max(beta2 * norm + eps, |gradient|)."""

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_inf"] = torch.zeros_like(parameter)
        beta1, beta2 = group["betas"]
        sign = -1.0 if group["maximize"] else 1.0
        gradient = sign * gradient + group["weight_decay"] * parameter
        state["step"] += 1
        state["exp_avg"].lerp_(gradient, 1.0 - beta1)
        norm = state["exp_inf"].mul_(beta2).add_(group["eps"])
        torch.maximum(norm, gradient.abs(), out=norm)
        rate = float(group["lr"]) / (1.0 - beta1 ** float(state["step"]))
        parameter.addcdiv_(state["exp_avg"], norm, value=-rate)
