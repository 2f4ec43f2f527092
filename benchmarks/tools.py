"""This checker beside the tools that people use today, on the same ports: `python -m benchmarks.tools`.

The ports are the forward cases of the test corpus (`tests/mutants`): one planted mistake each, or none but another
style. Every tool answers one question of each: are the two models the same? A tool that can name a place is right if
the place is that of the mistake. Each case runs in a forked child, so nothing leaks from one to the next.

The other tools do not belong to the project's environment: install them into one of your own, beside this project,

    pip install 'padiff==0.2.0' pyyaml reprod-log paddle2onnx onnx onnx2torch

and what is missing is left out and named. Written for Linux (it forks).

    python -m benchmarks.tools                    # all tools, every case
    python -m benchmarks.tools --every 5          # every fifth case
    python -m benchmarks.tools --onnx             # paddle2onnx + onnx2torch on VGG-16 and ResNet-50 instead
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import importlib.util
import inspect
import io
import itertools
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 120.0
"""Seconds after which a tool has failed to answer a case."""


@dataclass(frozen=True)
class Answer:
    """What a tool said of one port; `place` is whether it named the right place, None where it names none."""

    same: bool | None
    place: bool | None
    seconds: float


@dataclass(frozen=True)
class Tool:
    """A way to compare: its name, the package that it needs, and the function that asks it."""

    name: str
    package: str
    ask: Callable[[object, object, object], tuple[bool, bool | None]]


def ours(case, pair, images) -> tuple[bool, bool | None]:
    """`paddle2torch.check`, default options."""
    import paddle2torch
    from tests.mutants.judge import in_place

    report = paddle2torch.check(pair.paddle, pair.torch, images)
    wanted = getattr(case, "expected", ())
    place = bool(wanted and report.findings) and in_place(wanted[0], report.findings[0])
    return report.verdict.name == "EQUIVALENT", place


def padiff(options: Mapping[str, object]):
    """PaDiff: forward only, on the weights as they are. It prints a stack; its line in the port is its answer."""

    def ask(case, pair, images) -> tuple[bool, bool | None]:
        import paddle
        import padiff as tool
        import torch

        first = [next(iter(inspect.signature(m.forward).parameters)) for m in (pair.paddle, pair.torch)]
        inputs = ({first[0]: paddle.to_tensor(images)}, {first[1]: torch.from_numpy(images)})
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            same = tool.auto_diff(
                pair.paddle,
                pair.torch,
                inputs,
                auto_weights=False,
                options={"diff_phase": "forward", **options},
            )
        return bool(same), _names_the_place(printed.getvalue(), case, pair)

    return ask


def _names_the_place(text: str, case, pair) -> bool:
    """Generously: the first line of the port in the torch stack was edited, or mentions the layer at fault."""
    from tests.mutants.build import edited_lines

    source = Path(inspect.getfile(type(pair.torch))).name
    stack = text.partition("Torch  Stacks")[2].splitlines()
    for above, below in itertools.pairwise(stack):
        found = re.search(rf"/{re.escape(source)}: (\d+)", above)
        if found:
            if case.edits and int(found[1]) in edited_lines(case):
                return True
            layers = {one.layer.rpartition(".")[2] for one in getattr(case, "expected", ())}
            return any(re.search(rf"\b{re.escape(layer)}\b", below) for layer in layers - {""})
    return False


def outputs_within(threshold: float, how: str):
    """Final outputs only: the largest difference (a script's allclose), or the mean one as reprod_log has it."""

    def ask(case, pair, images) -> tuple[bool, bool | None]:
        import numpy as np

        expected, actual = _outputs(pair, images)
        if how == "reprod_log":
            from reprod_log import ReprodDiffHelper, ReprodLogger

            helper, infos = ReprodDiffHelper(), []
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
                for name, array in (("paddle", expected), ("torch", actual)):
                    logger = ReprodLogger()
                    logger.add("logits", array)
                    logger.save(f"{folder}/{name}.npy")
                    infos.append(helper.load_info(f"{folder}/{name}.npy"))
                helper.compare_info(*infos)
                helper.report(path=f"{folder}/report.log", diff_method="mean", diff_threshold=threshold)
                same = "diff check passed" in Path(folder, "report.log").read_text()
            return same, None
        same = expected.shape == actual.shape and np.allclose(actual, expected, rtol=0, atol=threshold)
        return bool(same), None

    return ask


def _outputs(pair, images):
    import paddle
    import torch

    with torch.no_grad(), paddle.no_grad():
        return pair.paddle(paddle.to_tensor(images)).numpy(), pair.torch(torch.from_numpy(images)).numpy()


TOOLS = (
    Tool("paddle2torch", "paddle2torch", ours),
    Tool("PaDiff, defaults", "padiff", padiff({})),
    Tool("PaDiff, strict 1e-4", "padiff", padiff({"compare_mode": "strict", "atol": 1e-4, "rtol": 1e-4})),
    Tool("reprod_log 1e-6", "reprod-log", outputs_within(1e-6, "reprod_log")),
    Tool("reprod_log 1e-4", "reprod-log", outputs_within(1e-4, "reprod_log")),
    Tool("allclose, atol 1e-3", "numpy", outputs_within(1e-3, "script")),
    Tool("allclose, atol 1e-5", "numpy", outputs_within(1e-5, "script")),
)


def corpus(every: int) -> tuple[list, list]:
    """Bugs that the outputs of an eval run show, and correct ports: one input, one output, no pairs told."""
    from tests.mutants.bugs import ALL as BUGS
    from tests.mutants.networks import NETWORKS
    from tests.mutants.styles import ALL as STYLES

    def plain(case) -> bool:
        forward = case.mode == "eval" and not (case.gradients or case.steps or case.pairs)
        return forward and len(NETWORKS[case.network].inputs) == 1

    bugs = [bug for bug in BUGS if plain(bug) and bug.visible == "outputs"]
    styles = [style for style in STYLES if plain(style) and not style.hard]
    return bugs[::every], styles[::every]


def single_output(pair, images) -> bool:
    """Whether both models return one tensor: what every tool takes."""
    try:
        return all(hasattr(o, "shape") for o in _outputs(pair, images))
    except AttributeError:
        return False


def _answer(tool: str, name: str, pipe) -> None:
    """In the child: build the pair, ask the tool, send what it said."""
    warnings.simplefilter("ignore")
    from tests.mutants.build import build
    from tests.mutants.run import CASES

    case = CASES[name]
    pair = build(case)
    pair.paddle.eval()
    pair.torch.eval()
    images = pair.inputs[0]
    if not single_output(pair, images):
        pipe.send("other outputs")
        return
    start = time.perf_counter()
    try:
        same, place = next(t for t in TOOLS if t.name == tool).ask(case, pair, images)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
        return
    pipe.send(Answer(same, place, time.perf_counter() - start))


def ask_all(tool: Tool, names: list[str]) -> dict[str, Answer | str]:
    """One tool over all cases; a string says why there is no answer. Runs in a process of its own (see `main`)."""
    warnings.simplefilter("ignore")
    if tool.package == "padiff":
        import padiff  # noqa: F401  (it patches both frameworks and must come first)
    import paddle  # noqa: F401
    import torch

    torch.set_num_threads(1)
    fork, answers = multiprocessing.get_context("fork"), {}
    for name in names:
        here, there = fork.Pipe(duplex=False)
        child = fork.Process(target=_answer, args=(tool.name, name, there))
        child.start()
        there.close()
        try:
            answers[name] = here.recv() if here.poll(TIMEOUT) else "no answer in time"
        except EOFError:
            answers[name] = "crashed"
        child.kill()
        child.join()
    return answers


def summary(tool: Tool, bugs: list[str], styles: list[str], answers: Mapping[str, Answer | str]) -> str:
    told = {name: answer for name, answer in answers.items() if isinstance(answer, Answer)}
    caught = [told[name] for name in bugs if name in told and not told[name].same]
    alarms = sum(name in told and not told[name].same for name in styles)
    places = sum(bool(answer.place) for answer in caught)
    asked = [sum(answers[n] != "other outputs" for n in names) for names in (bugs, styles)]
    failed = sum(isinstance(a, str) and a != "other outputs" for a in answers.values())
    named = "names none" if any(a.place is None for a in told.values()) else f"{places} of {asked[0]}"
    seconds = statistics.median(a.seconds for a in told.values()) if told else float("nan")
    return (
        f"| {tool.name} | {version(tool.package)} | {len(caught)} of {asked[0]} | {named} | {alarms} of {asked[1]} "
        f"| {failed} | {seconds:.2f} |"
    )


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


ONNX = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, paddle, torch
name, folder = sys.argv[1], sys.argv[2]
import paddle_models.vgg, paddle_models.resnet
paddle.seed(0)
model = {"vgg16": paddle_models.vgg.vgg16, "resnet50": paddle_models.resnet.resnet50}[name](num_classes=1000)
model.eval()
images = np.random.default_rng(0).standard_normal((2, 3, 224, 224)).astype("float32")
start = time.perf_counter()
try:
    import torchvision
except RuntimeError:  # its compiled operators are for another build of torch; nothing here needs them
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import paddle2onnx, onnx2torch
paddle.jit.save(model, f"{folder}/net", input_spec=[paddle.static.InputSpec([None, 3, 224, 224], "float32")])
program = next(p for p in (f"{folder}/net.json", f"{folder}/net.pdmodel") if __import__("os").path.exists(p))
paddle2onnx.export(program, f"{folder}/net.pdiparams", save_file=f"{folder}/net.onnx", opset_version=13)
ported = onnx2torch.convert(f"{folder}/net.onnx")
seconds = time.perf_counter() - start
ported.eval()
with torch.no_grad(), paddle.no_grad():
    expected, actual = model(paddle.to_tensor(images)).numpy(), ported(torch.from_numpy(images)).numpy()
trainable = sum(p.numel() for p in ported.parameters())
total = sum(int(np.prod(p.shape)) for p in model.parameters())
kept = len(set(model.state_dict()) & set(ported.state_dict()))
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"| {name} | {np.abs(actual - expected).max() / np.abs(expected).max():.1e} | {trainable / 1e6:.1f} of {total / 1e6:.1f} M "
      f"| {kept} of {len(model.state_dict())} | {seconds:.0f} s | {int(peak) / 1024:.0f} MB |", flush=True)
"""


def onnx() -> int:
    """What the way through ONNX leaves of a model."""
    missing = [p for p in ("paddle2onnx", "onnx2torch") if not version(p)]
    if missing:
        print(f"not installed: {', '.join(missing)}; see the first lines of {__file__}")
        return 2
    print(f"paddle2onnx {version('paddle2onnx')} + onnx2torch {version('onnx2torch')}\n")
    print("| network | float32 output, max rel | values that can be trained | names kept | time | peak |")
    print("|---|---|---|---|---|---|")
    for name in ("resnet50", "vgg16"):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", ONNX, name, folder], capture_output=True, text=True, check=False
            )
            rows = [line for line in done.stdout.splitlines() if line.startswith(f"| {name}")]
            print(rows[0] if rows else f"| {name} | failed: {done.stderr.strip().splitlines()[-1]} | | | | |")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="every N-th case of the corpus")
    parser.add_argument("--only", action="append", help="tools whose name contains this (repeatable)")
    parser.add_argument("--verbose", action="store_true", help="name what was missed and what alarmed")
    parser.add_argument("--onnx", action="store_true")
    arguments = parser.parse_args()
    if arguments.onnx:
        return onnx()
    bugs, styles = ([case.name for case in cases] for cases in corpus(arguments.every))
    print(f"{datetime.date.today()}: {len(bugs)} bugs, {len(styles)} correct ports in other styles\n")
    print("| tool | version | bugs flagged | right place | false alarms | no answer | s a case |")
    print("|---|---|---|---|---|---|---|")
    for tool in TOOLS:
        if arguments.only and not any(part in tool.name for part in arguments.only):
            continue
        module = "reprod_log" if tool.package == "reprod-log" else tool.package
        if importlib.util.find_spec(module) is None:
            print(f"| {tool.name} | not installed | | | | | |")
            continue
        # A process of its own: PaDiff patches both frameworks when it is imported.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            answers = pool.apply(_ask_in_child, (tool.name, [*bugs, *styles]))
        print(summary(tool, bugs, styles, answers), flush=True)
        if arguments.verbose:
            _tell(bugs, styles, answers)
    return 0


def _ask_in_child(name: str, names: list[str]) -> dict[str, Answer | str]:
    multiprocessing.current_process()._config["daemon"] = False  # its children do the work
    with open(os.devnull, "w") as nothing:  # Paddle tells on stderr that this process was ended
        os.dup2(nothing.fileno(), sys.stderr.fileno())
    return ask_all(next(t for t in TOOLS if t.name == name), names)


def _tell(bugs: list[str], styles: list[str], answers: Mapping[str, Answer | str]) -> None:
    for name, answer in answers.items():
        if isinstance(answer, str):
            print(f"  {name}: {answer[:150]}")
        elif bool(answer.same) != (name in styles):
            print(f"  {name}: {'missed' if name in bugs else 'alarm'}")


if __name__ == "__main__":
    sys.exit(main())
