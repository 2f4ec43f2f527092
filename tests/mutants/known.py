"""What is known to be told wrongly, and why. Held strictly: a case that gets right fails until its entry is gone."""

from collections.abc import Mapping

KNOWN: Mapping[str, tuple[str, ...]] = {
    "one argument is told as several findings, of what follows from it": ("vit-head-count",),
    "the line is where a number is used, not where it is made or given": (
        "swin-mask-value",
        "swin-bias-transposed",
        "shuffle-shuffle-groups",
    ),
    "two calls, inputs or slices are named alike, so which of them is meant is not told": (
        "pyramid-level-order",
        "detector-anchors",
    ),
    "what differs is told with all that stands around it, or only a part of it": (
        "unet-skip-from-wrong-level",
        "modulated-unbiased",
        "index-colours",
        "index-shift",
    ),
    "a mistake that is known by itself is in it": ("shuffle-shuffle-groups+leaky-slope-default",),
}
"""Reason -> cases. Every one of them is noticed; what is wrong is where or what the report says."""

REASONS = {name: reason for reason, names in KNOWN.items() for name in names}
"""Case -> reason."""

if len(REASONS) != sum(map(len, KNOWN.values())):
    raise ValueError("a case is known for two reasons")
