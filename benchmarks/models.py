"""Forward time of each torch network, against its Paddle twin and against torchvision and timm.

Run `python -m benchmarks.models [MODEL ...]`. The contenders take turns within every round, so that a
busy machine slows all of them alike; the table shows each one's fastest round, and as ratio the median over
rounds. Our torch network should stay within 1.05 of the same architecture in torchvision or timm, where one of
them is installed.

Every ReLU writes to a new tensor here, in the others' networks too. Ours have to (Paddle's nn.ReLU has no
other way, and a proof compares what stands before and after each layer); in place saves memory traffic,
about a tenth of VGG-11's time on a CPU. `--in-place` leaves the others as they come.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from rich.table import Table

from convert.models.registry import ModelSpec, find_model
from paddle2torch.console import stdout_console

DEFAULT = ("lenet", "alexnet", "googlenet", "resnet18", "resnet50", "densenet121", "vgg16_features")
ALLOWED_RATIO = 1.05

# Where the same architecture is found elsewhere: (package, factory). GoogLeNet and AlexNet differ there.
ELSEWHERE: Mapping[str, Sequence[tuple[str, str]]] = {
    **{
        name: (("torchvision", f"torchvision.models:{name}"), ("timm", f"timm.models:{name}"))
        for name in (
            *(f"resnet{layers}" for layers in (18, 34, 50, 101, 152)),
            *(f"densenet{layers}" for layers in (121, 169, 201)),
        )
    },
    **{
        f"vgg{layers}{norm}_features": (("torchvision", f"torchvision.models:vgg{layers}{norm}"),)
        for layers in (11, 13, 16, 19)
        for norm in ("", "_bn")
    },
}


@cache
def usable(package: str) -> bool:
    """Whether `package` is there and can be imported (a torchvision of another torch build cannot)."""
    if find_spec(package) is None:
        return False
    try:
        import_module(package)
    except Exception as error:
        print(f"{package} is installed but cannot be imported ({error})", file=sys.stderr)
        return False
    return True


def build(factory: str, **arguments: Any) -> Any:
    """Call "module:function"."""
    module, function = factory.split(":")
    return getattr(import_module(module), function)(**arguments)


def torch_runner(
    factory: str, images: np.ndarray, *, in_place: bool = False, **arguments: Any
) -> Callable[[], Any]:
    """One forward pass in eval mode, ready to be timed."""
    import torch

    network = build(factory, **arguments).eval()
    for layer in network.modules():
        if hasattr(layer, "inplace") and not in_place:
            layer.inplace = False
    tensor = torch.from_numpy(images)

    def run() -> Any:
        with torch.inference_mode():
            return network(tensor)

    return run


def paddle_runner(factory: str, images: np.ndarray, **arguments: Any) -> Callable[[], Any]:
    """One forward pass in eval mode, ready to be timed."""
    import paddle

    network = build(factory, **arguments)
    network.eval()
    tensor = paddle.to_tensor(images)

    def run() -> Any:
        with paddle.no_grad():
            return network(tensor).numpy()

    return run


def contenders(spec: ModelSpec, batch: int, *, in_place: bool) -> dict[str, Callable[[], Any]]:
    """Everything that is timed for one model, by name."""
    shape = (batch, *spec.input_shape)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    arguments = dict(spec.defaults)
    found = {"torch": torch_runner(spec.torch_factory, images, **arguments)}
    if usable("paddle"):
        found["paddle"] = paddle_runner(spec.paddle_factory, images, **arguments)
    for package, factory in ELSEWHERE.get(spec.name, ()):
        if usable(package):
            found[package] = torch_runner(
                factory, images, in_place=in_place, num_classes=spec.defaults["num_classes"]
            )
    return found


def timed(runners: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each one in every round, after one round that does not count; the order rotates."""
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    names = list(runners)
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            started = time.perf_counter()
            runners[name]()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def slowdown(seconds: Mapping[str, list[float]]) -> float | None:
    """How much longer ours takes than the quicker of the other packages, None without one.

    The median over rounds: what disturbs a machine lasts longer than a round and slows both alike.
    """
    ratios = [
        statistics.median(
            ours / other for ours, other in zip(seconds["torch"], seconds[package], strict=True)
        )
        for package in ("torchvision", "timm")
        if package in seconds
    ]
    return max(ratios, default=None)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a torch network is slower than ALLOWED_RATIO allows, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("models", nargs="*", default=DEFAULT, metavar="MODEL")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of both frameworks")
    parser.add_argument("--in-place", action="store_true", help="let the others' ReLUs work in place")
    args = parser.parse_args(argv)
    warnings.filterwarnings("ignore", message="No ccache found")
    console = stdout_console()
    table = Table(title=f"forward, batch {args.batch}, {args.threads} thread(s), fastest of {args.rounds}")
    for title in ("model", "torch ms", "paddle ms", "torchvision ms", "timm ms", "ratio"):
        table.add_column(title, justify="left" if title == "model" else "right")
    too_slow = []
    for name in args.models:
        spec = find_model(name)
        runners = contenders(spec, args.batch, in_place=args.in_place)
        limit_threads(args.threads)
        seconds = timed(runners, args.rounds)
        ratio = slowdown(seconds)
        if ratio is not None and ratio > ALLOWED_RATIO:
            too_slow.append(name)
        cells = [
            f"{min(seconds[key]) * 1e3:.1f}" if key in seconds else ""
            for key in ("torch", "paddle", "torchvision", "timm")
        ]
        table.add_row(name, *cells, f"{ratio:.3f}" if ratio else "")
    console.print(table)
    if not any(usable(package) for package in ("torchvision", "timm")):
        console.print("neither torchvision nor timm can be used, so only the Paddle twin is compared")
    if too_slow:
        console.print(f"[red]slower than {ALLOWED_RATIO} times the other package: {', '.join(too_slow)}[/]")
    return 1 if too_slow else 0


def limit_threads(threads: int) -> None:
    """The same number of CPU threads for both frameworks (Paddle's import leaves one)."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(limits=threads)


if __name__ == "__main__":
    sys.exit(main())
