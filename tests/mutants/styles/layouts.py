"""Spellings of hard sigmoids and squares, in a network whose two sides share no spelling anyway."""

from tests.mutants.styles.row import style

BY_HAND = "x = x * torch.clamp(x * 0.2 + 0.5, 0.0, 1.0)"

STYLES = [
    style("modulated-hard-sigmoid-of-five", "hardsigmoid", (BY_HAND, "x = x * ((x + 2.5).clamp(0, 5) / 5)")),
    style("modulated-square-by-hand", "reformulated", ("w.square().sum", "(w * w).sum")),
]
