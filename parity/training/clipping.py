"""Two clippings of the same gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from parity.align.weights import WeightPair
from parity.capture.training import Settings, Trainer
from parity.limits import RECOMPUTED, UPDATE_CONSTANT
from parity.ops.table import clip_epsilon, float32
from parity.results.finding import Subject
from parity.trace.values import Array
from parity.training.record import Claim, Claims, Clipped, Given, Remark, StepRecord

LARGE = 1e6
"""Times as large as they are, gradients are clipped by any threshold in use."""

Gradients = Mapping[str, Array]


def explain(given: Given, step: StepRecord, claims: Claims) -> Iterator[Claim]:
    """What both clips make of Paddle's gradients, where that is not the same."""
    enlarged = len(step.clippings) > 1
    if not step.clippings or (found := step.clippings[-1]).worst <= RECOMPUTED:
        return
    evidence = {
        **{f"gradient norm, {key}": norm for key, norm in found.norms.items()},
        "step": step.number + 1,
    }
    clip, norms = step.paddle.clip, found.norms
    if step.torch.hooks and by_constant(found, clip):
        if not claims.of(Remark.CLIP_CONSTANT):
            yield Claim(Remark.CLIP_CONSTANT, evidence=evidence, details=found.worst)
        return
    if claims.of(Subject.CLIPPING):
        return
    missing = clip and abs(norms["torch"] - norms["raw"]) <= RECOMPUTED * norms["raw"]
    yield Claim(
        Subject.CLIPPING,
        values=(clip or None, None if missing else "a pre-step hook"),
        evidence={**evidence, "relative difference": found.worst},
        details=(norms, enlarged),
    )


def by_constant(found: Clipped, clip: str) -> bool:
    """Whether what torch adds to a norm before it divides by it explains every gap."""
    room = 1.1 * clip_epsilon()
    return "Norm" in clip and all(
        gap <= RECOMPUTED + room / (found.norms["raw"] if "Global" in clip else norm)
        for gap, norm in found.gaps
        if norm
    )


def compared(
    twins: Sequence[WeightPair],
    paddle: Trainer,
    torch: Trainer,
    gradients: tuple[Gradients, Gradients],
    clipped: Gradients,
    *,
    first: bool,
) -> list[Clipped]:
    """Both clippings of the same `gradients` (as Paddle's and as torch's); `clipped`, what Paddle makes of them.

    In the first step, where these gradients are too small to be clipped, gradients of the same directions that are
    not show it.
    """
    raw, as_torch = gradients
    found = [_gap(twins, raw, clipped, torch.clipped(as_torch))]
    if found[0].worst <= RECOMPUTED and first and (paddle.settings().clip or torch.settings().hooks):
        large, as_torch = ({name: LARGE * g for name, g in side.items()} for side in gradients)
        found.append(_gap(twins, large, paddle.clipped(large), torch.clipped(as_torch)))
    return found


def room(paddle: Settings, torch: Settings, gradients: Gradients) -> float:
    """How far an update may be off by constants: by torch's beside the norm too, where its own step clips."""
    norm = np.sqrt(sum(float((array**2).sum()) for array in gradients.values()))
    constants = [UPDATE_CONSTANT]
    if torch.custom and not torch.hooks and paddle.clip and norm:
        constants.append(float(1.1 * clip_epsilon() / norm))
    if (
        torch.custom and paddle.rule == "lamb"
    ):  # which keeps its betas in float32, and torch's are as they are written
        settings = next(iter(paddle.parameters.values()), {})
        betas = [settings[name] for name in ("beta1", "beta2") if name in settings]
        constants.append(1.1 * sum(abs(float32(beta) - beta) / (1.0 - beta) for beta in betas))
    return max(constants)


def _gap(twins: Sequence[WeightPair], raw: Gradients, expected: Gradients, actual: Gradients) -> Clipped:
    found, squares = Clipped(), {"raw": 0.0, "paddle": 0.0, "torch": 0.0}
    for twin in twins:
        r, e, a = twin.paddle.read(raw), twin.paddle.read(expected), twin.torch.read(actual)
        if r is None or e is None or a is None:
            continue
        for key, array in (("raw", r), ("paddle", e), ("torch", a)):
            squares[key] += float((array**2).sum())
        scale = float(np.abs(e).max(initial=0.0))
        if scale:
            gap = float(np.abs(a - e).max(initial=0.0)) / scale
            found.gaps.append((gap, float(np.sqrt((r**2).sum()))))
    found.norms = {key: float(np.sqrt(value)) for key, value in squares.items()}
    return found
