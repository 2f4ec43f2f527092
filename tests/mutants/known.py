"""Cases that the checker does not answer rightly yet, and why. A case that it learns fails here, strictly."""

GAPS = {
    "bottleneck-pool-padding+adaptive-pool-kind+bias-not-loaded": (
        "the first mistake leaves a 4x4 map where Paddle has 5x5, and the kind of the pool behind it is not compared"
    ),
}
"""Case name -> reason."""
