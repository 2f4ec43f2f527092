"""What the optimizers here have in common: one update for every parameter that has a gradient."""

from __future__ import annotations

from typing import Any

import torch


class Stepping(torch.optim.Optimizer):
    """A torch optimizer that is told by the update of one parameter."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update every parameter that has a gradient; closure: computes the loss anew, which is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        """Change a parameter by its gradient, with the options of its group."""
        raise NotImplementedError
