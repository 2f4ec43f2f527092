"""A torch optimizer that steps as Paddle's ASGD does, which is not torch's.

Paddle's goes along the mean of the last `batch_num` gradients (stochastic average gradient: Schmidt et al. 2017;
python/paddle/optimizer/asgd.py, `phi/kernels/cpu/asgd_kernel.cc`); torch's is Polyak's averaging of the weights.

    optimizer = ASGD(model.parameters(), lr=0.01, batch_num=4)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from parity.remedies.torch_stepping import Stepping


class ASGD(Stepping):
    """Paddle's ASGD under torch's names: `lr` is Paddle's learning_rate; the defaults are Paddle's.

    It keeps the last `batch_num` gradients of every parameter, and their sum.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 0.001, batch_num: int = 1, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "batch_num": batch_num, "weight_decay": weight_decay})

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        assert parameter.grad is not None
        gradient, count = parameter.grad + group["weight_decay"] * parameter, group["batch_num"]
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["total"] = torch.zeros_like(parameter)
            state["gradients"] = torch.zeros(
                (count, *parameter.shape), dtype=parameter.dtype, device=parameter.device
            )
        oldest = state["gradients"][int(state["step"]) % count]
        state["step"] += 1
        state["total"].sub_(oldest).add_(gradient)
        oldest.copy_(gradient)
        parameter.sub_(state["total"], alpha=float(group["lr"]) / min(int(state["step"]), count))
