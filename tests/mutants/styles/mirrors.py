"""The networks' own twins: evaluated, trained, differentiated, and after some optimizer steps."""

from tests.mutants.cases import Style
from tests.mutants.networks import NETWORKS

WITH_DROPOUT = {"plain", "mobile", "vit", "mlp", "aspp"}
TRAINED = {
    "bottleneck": "momentum",
    "siamese": "momentum",
    "pyramid": "adam",
    "text": "adam",
    "norms": "adamw",
    "mha": "clip",
    "inception": "entropy",
    "vit": "entropy",
}

STYLES = [
    *(Style(f"{name}-twin", name, kind="mirror") for name in NETWORKS),
    *(Style(f"{name}-twin-train", name, kind="mirror", mode="train") for name in NETWORKS),
    *(
        Style(
            f"{name}-twin-gradients",
            name,
            kind="mirror",
            mode="eval" if name in WITH_DROPOUT else "train",
            gradients=True,
        )
        for name in NETWORKS
    ),
    *(
        Style(f"{name}-twin-{recipe}", name, kind="mirror", mode="train", steps=3, recipe=recipe)
        for name, recipe in TRAINED.items()
    ),
]
