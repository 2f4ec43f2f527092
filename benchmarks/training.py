"""What `train` costs beside a bare loop, and how many images a second its pipeline makes: `python -m benchmarks.training`.

The loops are compared by processor time on one thread, which other programs on the machine do not change much; pipelines by
the clock, taking turns, with two processes each. The last table is what a plan for a cluster starts from.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

from paddle2torch.training.agree import Job, Judge
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.recipe import Images, Network, Recipe
from paddle2torch.training.runner import Parts, open_images, pipeline_of, run_recipe
from paddle2torch.training.sources import open_source
from paddle2torch.training.transforms import IMAGENET

STEPS = 10
ROUNDS = 3
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")


def recipe(framework: str) -> Recipe:
    """ResNet-18 on digits of 32x32."""
    references = {side: f"{side}_models.resnet:resnet18" for side in ("paddle", "torch")}
    network = Network(framework, references, {"num_classes": 10, "in_channels": 1}, "resnet18")
    images = Images("digits", 1, train_transforms="resize:32x32", transforms="resize:32x32")
    return Recipe(network, images, tuple("0123456789"), batch=32, rate=0.01)


def bare_paddle(one: Recipe, data: Batches) -> None:
    """What one would write by hand."""
    import paddle

    from paddle2torch.training.network_paddle import build

    model = build(one.network)
    optimizer = paddle.optimizer.Momentum(one.rate, 0.9, parameters=model.parameters(), weight_decay=0.0)
    criterion = paddle.nn.CrossEntropyLoss()
    model.train()
    for batch in data.epoch(0):
        loss = criterion(model(paddle.to_tensor(batch.images)), paddle.to_tensor(batch.labels))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()


def bare_torch(one: Recipe, data: Batches) -> None:
    """What one would write by hand."""
    import torch

    from paddle2torch.training.network_torch import build

    model = build(one.network)
    optimizer = torch.optim.SGD(model.parameters(), one.rate, 0.9)
    criterion = torch.nn.CrossEntropyLoss()
    model.train()
    for batch in data.epoch(0):
        loss = criterion(model(torch.from_numpy(batch.images)), torch.from_numpy(batch.labels))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def spent(work: Callable[[], Any]) -> float:
    """Processor seconds."""
    before = time.process_time()
    work()
    return time.process_time() - before


def loops() -> None:
    """Ours beside a bare loop, the least of some rounds each."""
    import paddle  # noqa: F401
    import torch

    torch.set_num_threads(1)
    whole = open_images(recipe("paddle").images)
    parts = Parts(whole.train.chosen(range(32 * STEPS)), whole.test.chosen(range(1)))
    print(f"{'loop':<10}{'bare, s':>10}{'train, s':>10}{'ratio':>8}")
    for side, bare in (("paddle", bare_paddle), ("torch", bare_torch)):
        one = recipe(side)
        data = Batches(
            parts.train, pipeline_of(one.images, one.images.train_transforms), one.batch, shuffle=True
        )
        by_hand, ours = [], []
        for number in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                by_hand.append(spent(lambda one=one, data=data, bare=bare: bare(one, data)))
                place = Path(folder) / str(number)
                ours.append(spent(lambda one=one, place=place: _without_saving(one, parts, place)))
        print(
            f"{side:<10}{min(by_hand):>10.2f}{min(ours):>10.2f}{min(ours) / min(by_hand):>8.3f}", flush=True
        )


def _without_saving(one: Recipe, parts: Parts, place: Path) -> None:
    """The steps alone: a bare loop saves and evaluates nothing."""
    from paddle2torch.training.run import Run

    kept = Run.save
    Run.save = lambda *_: None  # type: ignore[method-assign]
    try:
        run_recipe(one, parts, place, quiet=True)
    finally:
        Run.save = kept  # type: ignore[method-assign]


def folder_of_photographs(folder: Path, copies: int) -> None:
    """JPEG photographs of 512 pixels in class folders."""
    for name in PHOTOGRAPHS:
        with Image.open(Path(skimage.data.data_dir) / name) as image:
            photograph = image.convert("RGB").resize((512, 384))
        place = folder / name.partition(".")[0]
        place.mkdir(parents=True)
        for number in range(copies):
            photograph.save(place / f"{number:03}.jpg", quality=90)


def pipelines() -> None:
    """Images a second with two processes: ours and torchvision's loader."""
    from tests.convert.zoo import zoo

    zoo("torchvision")
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder_of_photographs(folder, 64)
        source = open_source(str(folder))
        text = "resize:256 random-crop:224 flip:0.5"
        ours = Batches(
            source,
            pipeline_of(replace(recipe("torch").images, mean=IMAGENET.mean, std=IMAGENET.std), text),
            32,
            shuffle=True,
            workers=2,
        )
        steps = [
            transforms.Resize(256),
            transforms.RandomCrop(224),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET.mean, IMAGENET.std),
        ]
        theirs = DataLoader(
            ImageFolder(str(folder), transforms.Compose(steps)),
            32,
            shuffle=True,
            num_workers=2,
            persistent_workers=True,
        )
        rates: dict[str, list[float]] = {"ours": [], "torchvision": []}
        with ours:
            for number in range(ROUNDS + 1):
                for name, batches in (("ours", ours.epoch(number)), ("torchvision", theirs)):
                    started = time.perf_counter()
                    for _ in batches:
                        pass
                    if number:  # the first round starts the processes
                        rates[name].append(len(source) / (time.perf_counter() - started))
        print("\n" + f"{'pipeline, two processes':<26}{'images/s':>10}")
        for name, found in rates.items():
            print(f"{name:<26}{np.median(found):>10.0f}", flush=True)


def plan() -> None:
    """Processor seconds of an image in `agree`, both networks and the reading of it."""
    with tempfile.TemporaryDirectory() as temporary:
        import paddle

        from paddle2torch.training.network_paddle import build

        folder = Path(temporary)
        folder_of_photographs(folder / "images", 8)
        print("\n" + f"{'agree, 224x224':<26}{'s/image':>10}{'start, s':>10}")
        for name in ("resnet18", "resnet50"):
            references = {side: f"{side}_models.resnet:{name}" for side in ("paddle", "torch")}
            networks = {side: Network(side, references, {"num_classes": 4}, name) for side in references}
            paddle.save(build(networks["paddle"]).state_dict(), str(folder / f"{name}.pdparams"))
            weights = dict.fromkeys(references, str(folder / f"{name}.pdparams"))
            images = Images(
                "photographs",
                3,
                transforms="resize:256 center-crop:224",
                mean=IMAGENET.mean,
                std=IMAGENET.std,
            )
            job = Job(networks, weights, open_source(str(folder / "images")), images, batch=16, shard=16)
            judges: list[Judge] = []
            start = spent(lambda judges=judges, job=job: judges.append(Judge(job)))
            each = spent(lambda judges=judges: judges[0].rows(0)) / 16
            print(f"{name:<26}{each:>10.3f}{start:>10.1f}", flush=True)


def main() -> None:
    """Print the three tables."""
    argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__).parse_args()
    warnings.simplefilter("ignore")
    loops()
    pipelines()
    plan()


if __name__ == "__main__":
    main()
