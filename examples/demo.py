"""The main job from end to end: `make demo`, or `python -m examples.demo`.

Two networks are trained in Paddle on real images and saved with `paddle.save`. Then the commands that
a user would type inspect, convert and prove them, and both sides classify the same test images. Ends
with exit code 1 if anything is not as promised.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from convert.models.registry import find_model
from examples.digits import TEST_IMAGES, Digits, load_digits, paddle_logits, torch_logits, train
from paddle2torch.console import stdout_console

FOLDER = Path("demo")
# Taken before Paddle is imported, which sets OMP_NUM_THREADS for every process started later.
ENVIRONMENT = dict(os.environ)
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One network of the demo: how it is trained, and the test accuracy it must reach."""

    model: str
    channels: int
    size: int
    optimizer: str
    learning_rate: float
    epochs: int
    promised_accuracy: float
    last_norm_scale: float = 1.0
    threads: int = 1

    @property
    def stem(self) -> str:
        """The files' path without an ending."""
        return (FOLDER / f"digits_{self.model}").as_posix()


# ResNet-50 has time for one pass over the images only. That is enough because each block starts almost
# as its own shortcut: the scale of its last BatchNorm is set to a tenth.
RECIPES = (
    Recipe(
        model="lenet",
        channels=1,
        size=28,
        optimizer="adam",
        learning_rate=0.01,
        epochs=14,
        promised_accuracy=0.95,
    ),
    Recipe(
        model="resnet50",
        channels=3,
        size=32,
        optimizer="momentum",
        learning_rate=0.02,
        epochs=1,
        promised_accuracy=0.70,
        last_norm_scale=0.1,
        threads=os.cpu_count() or 1,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the last screen shows of one network."""

    model: str
    tensors: int
    megabytes: float
    verdict: str
    paddle_accuracy: float
    torch_accuracy: float
    identical: int
    images: int
    difference: float


class DemoError(Exception):
    """A step did not do what the demo promises."""


def build(factory: str, **arguments: Any) -> Any:
    """Call "module:function"."""
    module, function = factory.split(":")
    return getattr(import_module(module), function)(**arguments)


def train_in_paddle(recipe: Recipe, digits: Digits, console: Console) -> np.ndarray:
    """Train, save and return the Paddle network's logits for the test images."""
    import paddle

    paddle.seed(0)
    spec = find_model(recipe.model)
    network = build(spec.paddle_factory, num_classes=CLASSES, in_channels=recipe.channels)
    for name, parameter in network.named_parameters():
        if name.endswith("conv2._batch_norm.weight"):
            parameter.set_value(parameter * recipe.last_norm_scale)
    started = time.perf_counter()
    steps = train(
        network,
        digits,
        optimizer=recipe.optimizer,
        learning_rate=recipe.learning_rate,
        epochs=recipe.epochs,
        threads=recipe.threads,
    )
    logits = paddle_logits(network, digits.test_images)
    accuracy = accuracy_of(logits, digits)
    paddle.save(network.state_dict(), f"{recipe.stem}.pdparams")
    console.print(
        f"[bold]{spec.title}[/] trained in Paddle at {recipe.size}x{recipe.size}: {steps} steps in "
        f"{time.perf_counter() - started:.0f} s, accuracy {accuracy:.1%} on {TEST_IMAGES} test images"
    )
    if accuracy < recipe.promised_accuracy:
        raise DemoError(f"{recipe.model} reached {accuracy:.1%}, less than {recipe.promised_accuracy:.0%}")
    return logits


def commands_for(recipe: Recipe) -> tuple[str, ...]:
    """The three commands of the README for one network."""
    return (
        f"paddle2torch inspect {recipe.stem}.pdparams",
        f"paddle2torch convert {recipe.stem}.pdparams --model {recipe.model} "
        f"--num-classes {CLASSES} -o {recipe.stem}.safetensors",
        f"paddle2torch parity {recipe.model} --num-classes {CLASSES} --weights {recipe.stem}.pdparams "
        f"--json {recipe.stem}.json",
    )


def run(command: str, console: Console) -> None:
    """Show a command, run it with this interpreter, and raise DemoError unless it exits with 0."""
    console.print(f"\n[bold cyan]$ {command}[/]", soft_wrap=True)
    program, *arguments = shlex.split(command)
    sys.stdout.flush()
    finished = subprocess.run([sys.executable, "-m", program, *arguments], check=False, env=ENVIRONMENT)
    code = finished.returncode
    if code:
        raise DemoError(f"`{command}` ended with exit code {code}")


def compare(recipe: Recipe, digits: Digits, expected: np.ndarray) -> Outcome:
    """Load the converted file strictly into torch and classify the same test images."""
    from safetensors.torch import load_file

    tensors = load_file(f"{recipe.stem}.safetensors")
    network = build(find_model(recipe.model).torch_factory, num_classes=CLASSES, in_channels=recipe.channels)
    network.load_state_dict(tensors, strict=True)
    actual = torch_logits(network, digits.test_images)
    verdict = str(json.loads(Path(f"{recipe.stem}.json").read_text())["verdict"])
    outcome = Outcome(
        model=recipe.model,
        tensors=len(tensors),
        megabytes=Path(f"{recipe.stem}.safetensors").stat().st_size / 1e6,
        verdict=verdict,
        paddle_accuracy=accuracy_of(expected, digits),
        torch_accuracy=accuracy_of(actual, digits),
        identical=int((expected.argmax(1) == actual.argmax(1)).sum()),
        images=len(expected),
        difference=float(abs(expected - actual).max() / abs(expected).max()),
    )
    if outcome.verdict != "EQUIVALENT":
        raise DemoError(f"the proof of {recipe.model} says {outcome.verdict}")
    if outcome.identical != outcome.images:
        raise DemoError(f"{recipe.model}: {outcome.images - outcome.identical} predictions differ")
    return outcome


def accuracy_of(logits: np.ndarray, digits: Digits) -> float:
    """The part of the test images whose largest logit is the right digit's."""
    return float((logits.argmax(1) == digits.test_labels).mean())


def show(outcomes: list[Outcome], seconds: float, console: Console) -> None:
    """The last screen."""
    table = Table(title="From Paddle to PyTorch", title_style="bold", caption=f"{seconds:.0f} s in all")
    table.add_column("")
    for outcome in outcomes:
        table.add_column(find_model(outcome.model).title, justify="right")
    rows = {
        "converted": lambda o: f"{o.tensors} tensors, {o.megabytes:.1f} MB",
        "verdict": lambda o: f"[bold green]{o.verdict}[/]",
        "accuracy in Paddle": lambda o: f"{o.paddle_accuracy:.1%}",
        "accuracy in PyTorch": lambda o: f"{o.torch_accuracy:.1%}",
        "identical predictions": lambda o: f"{o.identical} of {o.images}",
        "logits differ by": lambda o: f"{o.difference:.0e} (float32)",
    }
    for title, text in rows.items():
        table.add_row(title, *(text(outcome) for outcome in outcomes))
    console.print()
    console.print(table)
    files = "\n".join(f"demo/digits_{outcome.model}.safetensors" for outcome in outcomes)
    console.print(Panel.fit(files, title="ready for torch"))


def main() -> int:
    """Run the demo; 0 when every promise held, 1 otherwise."""
    # What Paddle says on import and at the first training step is no concern of the demo's.
    warnings.filterwarnings("ignore", message="No ccache found")
    warnings.filterwarnings("ignore", message="When training, we now always track global mean")
    console = stdout_console()
    started = time.perf_counter()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("digits_*"):
        old.unlink()
    outcomes = []
    try:
        console.print(
            "Trains two networks in Paddle on real images of digits, converts what paddle.save wrote, and proves "
            "that the PyTorch twins compute the same. A few minutes on two cores; files go to demo/.",
            soft_wrap=True,
        )
        for recipe in RECIPES:
            console.rule(f"{find_model(recipe.model).title}: train, inspect, convert, prove", style="dim")
            digits = load_digits(channels=recipe.channels, size=recipe.size)
            logits = train_in_paddle(recipe, digits, console)
            for command in commands_for(recipe):
                run(command, console)
            outcomes.append(compare(recipe, digits, logits))
            console.print()
    except DemoError as error:
        console.print(f"[bold red]demo: {error}[/]")
        return 1
    show(outcomes, time.perf_counter() - started, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
