"""Batches depend on the seed, the epoch and the place of an image, and on nothing else."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from paddle2torch.training.errors import BadImageError, TrainingError
from paddle2torch.training.pipeline import Batches
from paddle2torch.training.sources import open_source
from paddle2torch.training.transforms import IMAGENET, read_pipeline


@pytest.fixture
def folder(tmp_path, picture):
    for seed in range(10):
        picture(tmp_path / "abc"[seed % 3] / f"{seed}.png", seed=seed, size=(24 + seed, 20 + seed))
    return open_source(str(tmp_path))


AUGMENTED = read_pipeline("scale:18-20 random-crop:16 flip:0.5 colour:0.4", IMAGENET)


def test_workers_make_what_one_process_makes(folder):
    with (
        Batches(folder, AUGMENTED, 4, seed=3, shuffle=True) as alone,
        Batches(folder, AUGMENTED, 4, seed=3, shuffle=True, workers=2) as pool,
    ):
        for epoch in (0, 1):
            expected, actual = list(alone.epoch(epoch)), list(pool.epoch(epoch))
            assert [len(batch.labels) for batch in actual] == [4, 4, 2]
            for one, other in zip(expected, actual, strict=True):
                assert np.array_equal(one.images, other.images)
                assert np.array_equal(one.labels, folder.labels[one.indices])
                assert np.array_equal(one.indices, other.indices)
        (rest,) = pool.epoch(1, start=2)
        assert np.array_equal(rest.images, actual[2].images)


def test_epochs_and_seeds_differ_in_order_and_in_what_is_drawn(folder):
    def first(seed, epoch, shuffle=True):
        return next(Batches(folder, AUGMENTED, 10, seed=seed, shuffle=shuffle).epoch(epoch))

    assert first(0, 0).indices.tolist() != first(0, 1).indices.tolist() != first(1, 0).indices.tolist()
    assert first(0, 0, shuffle=False).indices.tolist() == list(range(10))
    assert not np.array_equal(first(0, 0, shuffle=False).images, first(0, 1, shuffle=False).images)


def test_arrays_of_floats_are_given_as_they_are(tmp_path):
    rows = np.random.default_rng(0).random((5, 7))
    np.savez(tmp_path / "rows.npz", images=rows, labels=[0, 1, 0, 1, 0])
    source = open_source(str(tmp_path / "rows.npz"), channels=7)
    (batch,) = Batches(source, AUGMENTED, 5).epoch()
    assert np.array_equal(batch.images, rows.astype(np.float32))


def test_sizes_that_make_no_batch_are_told_with_the_image(folder):
    uncropped = read_pipeline("resize:16", IMAGENET)
    small = read_pipeline("random-crop:22", IMAGENET)
    with pytest.raises(TrainingError, match=r"png comes out as \[3, .*; end the transforms with a crop"):
        list(Batches(folder, uncropped, 10).epoch())
    with pytest.raises(TrainingError, match=r"a/0\.png: an image of 20x24 has no window of 22x22"):
        list(Batches(folder, small, 10).epoch())


def test_a_broken_image_and_a_killed_worker_end_a_run_with_a_sentence(folder):
    with Batches(folder, AUGMENTED, 2, workers=1) as batches:
        (folder.root / folder.names[4]).write_bytes(b"nothing")
        with pytest.raises(BadImageError, match="cannot be read as an image"):
            list(batches.epoch())
        coming = batches.epoch()
        next(coming)
        for process in batches._executor()._processes.values():
            os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TrainingError, match="was ended from outside"):
            list(coming)
