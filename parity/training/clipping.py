"""Two clippings of the same gradients."""

from __future__ import annotations

from dataclasses import dataclass, field

from parity.limits import RECOMPUTED
from parity.ops.table import clip_epsilon

LARGE = 1e6
"""Times as large as they are, gradients are clipped by any threshold in use."""


@dataclass
class Clipped:
    """Two clippings of the same gradients: norms before and after, and (relative gap, norm before) of each weight."""

    norms: dict[str, float] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    @property
    def worst(self) -> float:
        return max((gap for gap, _ in self.gaps), default=0.0)

    def by_constant(self, clip: str) -> bool:
        """Whether what torch adds to a norm before it divides by it explains every gap."""
        room = 1.1 * clip_epsilon()
        return "Norm" in clip and all(
            gap <= RECOMPUTED + room / (self.norms["raw"] if "Global" in clip else norm)
            for gap, norm in self.gaps
            if norm
        )


def clip_fix(clip: str) -> str:
    value = clip.partition("(")[2].rstrip(")") or "value"
    if clip.startswith("ClipGradByValue"):
        code = f"torch.nn.utils.clip_grad_value_(model.parameters(), {value})"
    elif clip.startswith("ClipGradByNorm"):
        code = f"for p in model.parameters(): torch.nn.utils.clip_grad_norm_([p], {value})"
    else:
        code = f"torch.nn.utils.clip_grad_norm_(model.parameters(), {value})"
    return f"{code} before optimizer.step(); for a check in a function that optimizer.register_step_pre_hook takes and that returns None"
