"""What people use today, on the same ports: which planted mistakes are noticed, which correct ports raise an alarm.

    python -m benchmarks.compare_tools [--python PYTHON] [--json FILE]

The ports are those of `tests/mutants` on three networks: single mistakes that show forward in eval mode, and correct
ports that are written differently. PaDiff and reprod_log run in PYTHON, an environment that has them beside both frameworks;
a tool that is not there is said to be absent. Each tool gets the same models, with the same weights. Each runs in its own process,
because PaDiff must be imported before the frameworks, which it patches.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import inspect
import io
import json
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

NETWORKS = ("plain", "bottleneck", "basic")
DISTRIBUTIONS = {"padiff": "padiff", "reprod_log": "reprod-log"}


def by_hand(pair: Any) -> bool:
    """The script that everybody writes: both outputs in float32, `allclose` with 1e-5."""
    import numpy as np

    return all(np.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(*outputs(pair), strict=True))


def reprod_log(pair: Any) -> bool:
    """reprod_log as its guide shows it: the outputs are logged, their mean difference is held against 1e-6."""
    from reprod_log import ReprodDiffHelper

    expected, actual = outputs(pair)
    helper = ReprodDiffHelper()
    helper.compare_info(*({f"output_{i}": a for i, a in enumerate(side)} for side in (expected, actual)))
    report = Path("diff.txt")
    report.unlink(missing_ok=True)
    helper.report(path=str(report))
    return "diff check passed" in report.read_text(encoding="utf-8")


def padiff(pair: Any) -> bool:
    """PaDiff with its default options, but on the weights that the port has."""
    return _padiff(pair, {})


def padiff_strict(pair: Any) -> bool:
    """PaDiff elementwise with 1e-4."""
    return _padiff(pair, {"atol": 1e-4, "rtol": 1e-4, "compare_mode": "strict"})


def _padiff(pair: Any, options: dict[str, Any]) -> bool:
    import paddle
    import torch
    from padiff import auto_diff

    inputs = tuple(
        dict(zip(inspect.signature(model.forward).parameters, map(make, pair.inputs), strict=False))
        for model, make in ((pair.paddle, paddle.to_tensor), (pair.torch, torch.from_numpy))
    )
    return bool(
        auto_diff(
            pair.paddle, pair.torch, inputs, auto_weights=False, options={"diff_phase": "forward", **options}
        )
    )


def ours(pair: Any) -> bool:
    """`paddle2torch.check` as it is."""
    import paddle2torch

    return bool(paddle2torch.check(pair.paddle, pair.torch, pair.inputs))


TOOLS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "script, allclose 1e-5": ("", by_hand),
    "reprod_log, default (mean, 1e-6)": ("reprod_log", reprod_log),
    "PaDiff, default": ("padiff", padiff),
    "PaDiff, strict, 1e-4": ("padiff", padiff_strict),
    "paddle2torch": ("", ours),
}
"""Title -> the module that must be there, and what says whether a port passes."""
ONNX = "paddle2onnx + onnx2torch"
"""Converts a network, and cannot check one: measured apart."""


def outputs(pair: Any) -> tuple[list[Any], list[Any]]:
    """What both models answer in float32 and in eval mode."""
    import paddle
    import torch

    with paddle.no_grad(), torch.no_grad():
        expected = pair.paddle(*map(paddle.to_tensor, pair.inputs))
        actual = pair.torch(*map(torch.from_numpy, pair.inputs))
    return tuple(
        [a.numpy() for a in (x if isinstance(x, (list, tuple)) else [x])] for x in (expected, actual)
    )


def run_tool(title: str) -> dict[str, Any]:
    """Every port through one tool, in this process."""
    module, passes = TOOLS[title]
    if module:
        importlib.import_module(module)
    from tests.mutants.bugs import ALL as BUGS
    from tests.mutants.build import build
    from tests.mutants.styles import ALL as STYLES

    bugs = [b for b in BUGS if b.network in NETWORKS and b.stage == "forward" and b.mode == "eval"]
    bugs = [b for b in bugs if not (b.steps or b.gradients)]
    styles = [
        s for s in STYLES if s.network in NETWORKS and s.mode == "eval" and not (s.steps or s.gradients)
    ]
    counts = {
        "bugs": len(bugs),
        "flagged": 0,
        "correct": len(styles),
        "alarms": 0,
        "errors": 0,
        "seconds": 0.0,
    }
    for case in (*bugs, *styles):
        pair = build(case)
        pair.paddle.eval()
        pair.torch.eval()
        started = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                passed = passes(pair)
        except Exception as error:
            logging.debug("%s: %s", case.name, error)
            passed = False
            counts["errors"] += 1
        counts["seconds"] += time.process_time() - started
        if not passed:
            counts["flagged" if case in bugs else "alarms"] += 1
    version = importlib.metadata.version(DISTRIBUTIONS[module]) if module else ""
    return {"tool": title, "version": version, **counts}


def through_onnx() -> dict[str, Any]:
    """ResNet-18 by paddle2onnx and onnx2torch: what comes out is a torch network, but is it yours?"""
    import numpy as np
    import onnx2torch
    import paddle
    import torch

    from paddle_models.resnet import resnet18
    from torch_models.resnet import resnet18 as by_us

    paddle.seed(0)
    expected = resnet18(num_classes=10)
    expected.eval()
    images = np.random.default_rng(0).standard_normal((1, 3, 64, 64)).astype(np.float32)
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        spec = paddle.static.InputSpec(list(images.shape), "float32", "x")
        paddle.onnx.export(expected, "through", input_spec=[spec], opset_version=13)
        actual = onnx2torch.convert("through.onnx").eval()
    seconds = time.perf_counter() - started
    with paddle.no_grad(), torch.no_grad():
        wanted = expected(paddle.to_tensor(images)).numpy()
        apart = abs(wanted - actual(torch.from_numpy(images)).numpy()).max() / abs(wanted).max()
    ours_keys, theirs = by_us(num_classes=10).state_dict(), actual.state_dict()
    parameters = {name for name, _ in by_us(num_classes=10).named_parameters()}
    trained = sum(p.numel() for p in actual.parameters())
    return {
        "tool": ONNX,
        "version": f"{importlib.metadata.version('paddle2onnx')} + {importlib.metadata.version('onnx2torch')}",
        "seconds": seconds,
        "apart": float(apart),
        "names_kept": len(parameters & set(theirs)),
        "names": len(parameters),
        "trainable": trained,
        "should_be": sum(t.numel() for k, t in ours_keys.items() if k in parameters),
    }


def main() -> None:
    """Run every tool in its own process and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has the tools")
    parser.add_argument("--json", type=Path, help="write the numbers")
    parser.add_argument("--tool", choices=[*TOOLS, ONNX], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.tool:
        warnings.simplefilter("ignore")
        print(json.dumps(through_onnx() if args.tool == ONNX else run_tool(args.tool)))
        return
    root = str(Path(__file__).resolve().parents[1])
    rows = []
    for title in (*TOOLS, ONNX):
        with tempfile.TemporaryDirectory() as folder:
            code = (
                f"import sys; sys.path.insert(0, {root!r}); from benchmarks.compare_tools import main; main()"
            )
            finished = subprocess.run(
                [args.python, "-c", code, "--tool", title],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
        lines = finished.stdout.splitlines()
        rows.append(json.loads(lines[-1]) if finished.returncode == 0 else {"tool": title, "absent": True})
        if "absent" in rows[-1]:
            print(finished.stderr.strip().splitlines()[-1], file=sys.stderr)
    print(f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {sys.version.split()[0]}")
    print("| tool | mistakes noticed | alarms on correct ports | CPU seconds a port |\n|---|---|---|---|")
    for row in rows:
        if "absent" in row:
            print(f"| {row['tool']} | not run: absent | | |")
            continue
        if row["tool"] == ONNX:
            print(
                f"\n{ONNX} {row['version']}, ResNet-18: {row['seconds']:.1f} s, output {row['apart']:.0e} apart; "
                f"{row['names_kept']} of {row['names']} parameter names kept, {row['trainable']:,} of "
                f"{row['should_be']:,} values trainable"
            )
            continue
        each = row["seconds"] / (row["bugs"] + row["correct"])
        title = f"{row['tool']} {row['version']}".strip()
        print(
            f"| {title} | {row['flagged']} of {row['bugs']} | {row['alarms']} of {row['correct']} | {each:.2f} |"
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
