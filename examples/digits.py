"""Real images for the demo, and a network trained on them in Paddle.

scikit-learn's 1797 scanned digits (8x8 grey values, no download), enlarged by repeating pixels. The
last 360 of a fixed shuffle are the test images and are never trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

TEST_IMAGES = 360
BATCH = 32


@dataclass(frozen=True)
class Digits:
    """Images [N, channels, size, size] float32, labels [N] int64, split into train and test."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_digits(*, channels: int, size: int) -> Digits:
    """The digits enlarged to `size` (a multiple of 8, or up to 7 pixels of border) in `channels`."""
    from sklearn.datasets import load_digits as load

    source = load()
    factor, border = divmod(size, 8)
    images = np.kron(source.images / 16, np.ones((1, factor, factor)))
    before = border // 2
    images = np.pad(images, ((0, 0), (before, border - before), (before, border - before)))
    images = ((images - images.mean()) / images.std()).astype(np.float32)
    images = np.repeat(images[:, None], channels, axis=1)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], source.target[order].astype(np.int64)
    return Digits(images[:-TEST_IMAGES], labels[:-TEST_IMAGES], images[-TEST_IMAGES:], labels[-TEST_IMAGES:])


@contextmanager
def _progress(title: str, total: int) -> Iterator[Any]:
    from paddle2torch.console import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


def train(
    network: Any, digits: Digits, *, optimizer: str, learning_rate: float, epochs: int, threads: int
) -> int:
    """Train a Paddle network in place with cross entropy; return the number of steps taken.

    The rate rises for the first 30 % of the steps and falls to almost nothing after that.
    """
    import paddle
    from threadpoolctl import threadpool_limits

    steps_an_epoch = len(digits.train_images) // BATCH
    steps = epochs * steps_an_epoch
    schedule = paddle.optimizer.lr.OneCycleLR(learning_rate, total_steps=steps + 1, phase_pct=0.3)
    if optimizer == "adam":
        stepper = paddle.optimizer.Adam(schedule, parameters=network.parameters())
    else:
        stepper = paddle.optimizer.Momentum(
            schedule, 0.9, parameters=network.parameters(), weight_decay=0.001
        )
    loss_of = paddle.nn.CrossEntropyLoss()
    random = np.random.default_rng(1)
    network.train()
    # Importing Paddle limits its CPU kernels to one thread, whatever the machine has.
    with threadpool_limits(limits=threads), _progress("training in Paddle", steps) as advance:
        for _ in range(epochs):
            order = random.permutation(len(digits.train_images))
            for chosen in np.split(order[: steps_an_epoch * BATCH], steps_an_epoch):
                logits = network(paddle.to_tensor(digits.train_images[chosen]))
                loss = loss_of(logits, paddle.to_tensor(digits.train_labels[chosen]))
                loss.backward()
                stepper.step()
                stepper.clear_grad()
                schedule.step()
                advance()
    network.eval()
    return steps


def paddle_logits(network: Any, images: np.ndarray) -> np.ndarray:
    """What a Paddle network answers in eval mode, [N, classes]."""
    import paddle

    network.eval()
    with paddle.no_grad():
        return np.concatenate(
            [network(paddle.to_tensor(batch)).numpy() for batch in np.array_split(images, 6)]
        )


def torch_logits(network: Any, images: np.ndarray) -> np.ndarray:
    """What a torch network answers in eval mode, [N, classes]."""
    import torch

    network.eval()
    with torch.no_grad():
        return np.concatenate(
            [network(torch.from_numpy(batch)).numpy() for batch in np.array_split(images, 6)]
        )
