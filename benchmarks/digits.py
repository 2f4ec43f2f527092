"""LeNet on scikit-learn's digits, three seeds in each framework: do both learn as much? `python -m benchmarks.digits`.

Each framework draws its own weights, so the runs are not the same; their accuracies are compared by the standard error of their
difference. Exit code 1 where it is larger than that.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

from paddle2torch.training.recipe import Images, Network, Recipe
from paddle2torch.training.record import EPOCHS, rows
from paddle2torch.training.runner import open_images, run_recipe

SEEDS = (0, 1, 2)
EPOCHS_EACH = 12


def accuracy(framework: str, seed: int) -> float:
    """On the 360 test images at the end of `paddle2torch train lenet --optimizer adam --lr 0.003 --epochs 12 --seed SEED`."""
    references = {side: f"{side}_models.lenet:lenet" for side in ("paddle", "torch")}
    network = Network(framework, references, {"num_classes": 10, "in_channels": 1}, "lenet")
    images = Images("digits", 1, train_transforms="resize:28x28", transforms="resize:28x28")
    recipe = Recipe(
        network, images, tuple("0123456789"), optimizer="adam", rate=0.003, epochs=EPOCHS_EACH, seed=seed
    )
    with tempfile.TemporaryDirectory() as folder:
        run_recipe(recipe, open_images(images), Path(folder), quiet=True)
        return float(rows(Path(folder) / EPOCHS)[-1]["test_accuracy"])


def main() -> int:
    """Print the table."""
    warnings.simplefilter("ignore")
    found = {}
    for framework in ("paddle", "torch"):
        found[framework] = np.array([accuracy(framework, seed) for seed in SEEDS])
        shown = "  ".join(f"{value:.2%}" for value in found[framework])
        print(f"{framework:<8}{shown}   mean {found[framework].mean():.2%}", flush=True)
    pooled = np.mean([values.mean() for values in found.values()])
    count = 360 * len(SEEDS)
    error = float(np.sqrt(2 * pooled * (1 - pooled) / count))
    difference = float(abs(found["paddle"].mean() - found["torch"].mean()))
    print(f"difference {difference:.2%}, its standard error {error:.2%}")
    return int(difference > error)


if __name__ == "__main__":
    sys.exit(main())
