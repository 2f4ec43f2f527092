"""`paddle2torch evaluate`: loss and accuracy of a checkpoint on a data set: one window, ten, several scales, or dense."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from convert.errors import ConvertError
from convert.names import counted


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.training.options import add_checkpoint_options, add_image_options, add_network_options

    add_network_options(parser)
    add_checkpoint_options(parser)
    add_image_options(parser)
    how = parser.add_argument_group("evaluation")
    how.add_argument(
        "--ten-crop",
        action="store_true",
        help="corners, middle and their mirror images; probabilities are averaged",
    )
    how.add_argument(
        "--scales", metavar="S,S,...", help="shorter sides, such as 256,384,512; probabilities are averaged"
    )
    how.add_argument(
        "--dense", action="store_true", help="of our VGGs: the fully convolutional twin on the whole image"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a sentence")


def run(args: argparse.Namespace) -> int:
    """Print the score."""
    from paddle2torch.console import fitted
    from paddle2torch.training.evaluate import evaluate, ways
    from paddle2torch.training.metrics import TOP
    from paddle2torch.training.runner import told_skipped
    from paddle2torch.training.setting import batch_of, frameworks_for, setting_of, workers_of

    if args.dense and args.ten_crop:
        raise ConvertError(
            "--dense and --ten-crop: dense evaluation takes every window already; give one of them"
        )
    if args.transforms is not None and (args.dense or args.ten_crop or args.scales):
        raise ConvertError(
            "--transforms says all that is done to an image; leave --dense, --ten-crop and --scales out"
        )
    batch = batch_of(args)
    (framework,) = frameworks_for(args)
    setting = setting_of(args)
    source = setting.open()
    network = setting.network(framework, len(source.classes))
    scales = _scales(args.scales)
    started = time.perf_counter()
    score = evaluate(
        network,
        setting.weights,
        source,
        setting.images,
        ways(setting.images, setting.size, scales=scales, ten=args.ten_crop, dense=args.dense),
        dense=args.dense,
        batch=batch,
        workers=workers_of(args, arrays=source.arrays is not None),
    )
    seconds = time.perf_counter() - started
    if args.json:
        found: dict[str, Any] = {
            "framework": framework,
            **vars(score),
            "error": score.error,
            "seconds": seconds,
        }
        print(json.dumps({**found, "skipped": dict(source.skipped)}, indent=2))
        return 0
    if skipped := told_skipped(source):
        print(fitted(skipped))
    five = f", among the first five {score.top5:.2%}" if len(source.classes) > TOP else ""
    told = f"accuracy {score.accuracy:.2%} (standard error {score.error:.2%}){five}, loss {score.loss:.4f}"
    print(fitted(f"{counted(score.count, 'image')} in {framework}: {told}; {seconds:.1f} s"))
    return 0


def _scales(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (0,)
    if min(found) < 1:
        raise ConvertError(f"--scales {text}: write sizes of the shorter side, such as 256,384,512")
    return found
