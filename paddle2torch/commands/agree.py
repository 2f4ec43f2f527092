"""`paddle2torch agree`: a whole data set through both networks, and what a team signs: one HTML page and a JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from paddle2torch.cluster import add_ray_option
    from paddle2torch.training.options import add_checkpoint_options, add_image_options, add_network_options

    add_network_options(parser, framework=False)
    add_checkpoint_options(parser)
    parser.add_argument(
        "--torch-weights",
        metavar="FILE",
        help="of the torch side, where it is not to be converted from --weights on the way",
    )
    add_image_options(parser)
    how = parser.add_argument_group("running")
    how.add_argument(
        "-o", "--output", metavar="FOLDER", required=True, help="agree.html, agree.json; run again to go on"
    )
    for side in ("paddle", "torch"):
        how.add_argument(
            f"--{side}-python", metavar="PYTHON", help=f"another interpreter, which has {side} and numpy"
        )
    how.add_argument(
        "--shard", type=int, default=64, metavar="N", help="images that are handed out at once (default 64)"
    )
    add_ray_option(how)


def run(args: argparse.Namespace) -> int:
    """Compare, write and tell; 1 where something differs that rounding does not explain."""
    from convert.write.atomic import write_text
    from paddle2torch.console import fitted, progress_bar
    from paddle2torch.training.agree import Job, collect, judged
    from paddle2torch.training.agree_page import page, sentence
    from paddle2torch.training.metrics import TOP
    from paddle2torch.training.runner import told_skipped
    from paddle2torch.training.setting import at_least, batch_of, setting_of, workers_of
    from paddle2torch.training.shards import Cluster, Compute, Pool, here

    at_least(args.shard, 1, "--shard")
    batch = batch_of(args)
    args.framework = "both"
    _check_both(args)
    setting = setting_of(args)
    source = setting.open()
    classes = len(source.classes)
    networks = {side: setting.network(side, classes) for side in ("paddle", "torch")}
    weights = {"paddle": setting.weights, "torch": args.torch_weights or setting.weights}
    pythons = {side: python for side in networks if (python := getattr(args, f"{side}_python")) is not None}
    job = Job(networks, weights, source, setting.images, batch, args.shard, pythons)
    workers = workers_of(args, arrays=source.arrays is not None)
    compute: Compute = here
    if args.ray is not None:
        compute = Cluster(args.ray, max(1, workers))
    elif workers > 1:
        compute = Pool(workers)
    folder = Path(args.output)
    with progress_bar() as bar:
        task = bar.add_task("comparing", total=len(source))
        tally = collect(
            job, folder, compute, lambda done, total: bar.update(task, completed=done, total=total)
        )
        bar.update(task, description="looking closer")
        result = judged(job, tally)
    write_text(folder / "agree.json", json.dumps(result, indent=1, ensure_ascii=False), force=True)
    write_text(folder / "agree.html", page(job, result), force=True)
    if skipped := told_skipped(source):
        print(fitted(skipped))
    print(fitted(sentence(result)))
    for side in ("paddle", "torch"):
        five = f", {result['top5'][side]:.2%} among the first five" if classes > TOP else ""
        print(f"{side}: {result['accuracy'][side]:.2%} right{five}")
    differences: Any = result["differences"]
    told = f"logits differ by {differences['mean']:.1e} on average, by {differences['greatest']:.1e} at most"
    print(fitted(f"{told}; see {folder / 'agree.html'}"))
    return 0 if result["agrees"] else 1


def _check_both(args: argparse.Namespace) -> None:
    from paddle2torch.training.setting import frameworks_of, require_there

    if args.run is None:
        frameworks_of(args)
    if args.torch_weights is not None:
        require_there(args.torch_weights)
