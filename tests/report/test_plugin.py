"""The fixture and the marker in a user's own pytest: one run in a process of its own, the others beside us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODELS = """
import warnings
import numpy as np
import pytest
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

class P(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 3)
    def forward(self, x):
        return paddle.nn.functional.leaky_relu(self.fc(x), 0.01)

class T(torch.nn.Module):
    def __init__(self, slope=0.01):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
        self.slope = slope
    def forward(self, x):
        return torch.nn.functional.leaky_relu(self.fc(x), self.slope)

def pair(slope=0.01):
    p, t = P(), T(slope)
    p.fc.weight.set_value(t.fc.weight.detach().numpy().T.copy())
    p.fc.bias.set_value(t.fc.bias.detach().numpy())
    return p, t

X = np.random.default_rng(0).standard_normal((5, 4), dtype=np.float32)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def start(test: str, *options: str, own_process: bool = False):
        pytester.makepyfile(MODELS + test)
        arguments = ("-p", "paddle2torch.pytest_plugin", "-p", "no:xdist", *options)
        if own_process:
            return pytester.runpytest_subprocess(*arguments, timeout=300)
        return pytester.runpytest_inprocess(*arguments)

    return start


def test_an_equivalent_pair_passes_and_returns_its_report(run, pytester):
    result = run(
        """
def test_port(paddle_parity):
    report = paddle_parity(*pair(), X)
    assert report.verdict.value == "EQUIVALENT"
""",
        own_process=True,
    )
    result.assert_outcomes(passed=1)
    (report,) = pytester.path.glob(".pytest_cache/d/parity/*.html")
    assert "EQUIVALENT" in report.read_text(encoding="utf-8")


def test_a_failure_is_short_and_names_the_full_report(run, pytester):
    result = run(
        """
@pytest.mark.parametrize("name", ["a/b", "a:b"])
def test_port(paddle_parity, name):
    paddle_parity(*pair(0.2), X)
""",
        "--parity-report",
        "reports",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["DIFFERENT: 1 finding*", "*slope: torch has 0.2, Paddle has 0.01*", "*fix: *"]
    )
    assert "Traceback" not in result.stdout.str()
    named = {line.split(": ", 1)[1] for line in result.outlines if line.startswith("full report: ")}
    assert len(named) == 2
    for path in named:
        assert "DIFFERENT" in (pytester.path / path).read_text(encoding="utf-8")


def test_without_a_cache_the_message_says_how_to_get_a_report(run):
    result = run(
        "def test_port(paddle_parity):\n    paddle_parity(*pair(0.2), X)\n", "-p", "no:cacheprovider"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["full report: not written*--parity-report DIR"])


def test_the_marker_runs_every_device_and_precision_and_skips_what_is_absent(run):
    import paddle
    import torch

    result = run(
        """
@pytest.mark.paddle_parity(device=["cpu", "cuda", ("cpu", "cuda")], precision=["float64", "float32"])
def test_port(paddle_parity):
    paddle_parity(*pair(), X)

@pytest.mark.paddle_parity(device="cuda")
def test_own(paddle_parity_device):
    assert paddle_parity_device == "cuda"

def test_where_they_lie(paddle_parity, paddle_parity_device):
    assert paddle_parity_device is None
    paddle_parity(*pair(), X)
""",
        "-rs",
        "--strict-markers",
        "-v",
    )
    both = paddle.device.is_compiled_with_cuda() and torch.cuda.is_available()
    passed = 3 + 3 * both + 2 * torch.cuda.is_available()
    result.assert_outcomes(passed=passed, skipped=8 - passed)
    result.stdout.fnmatch_lines(["*test_port[[]cpu-cuda-float64[]]*"])
    if passed < 8:
        result.stdout.fnmatch_lines(["SKIPPED*device cuda: this *"])


def test_a_float32_output_that_rounding_does_not_explain_fails(run):
    result = run("""
@pytest.mark.paddle_parity(precision=["float64", "float32"])
def test_port(paddle_parity, monkeypatch):
    import parity.checker
    real = parity.checker.check
    def further_apart(*arguments, **options):
        report = real(*arguments, **options)
        from dataclasses import replace
        for case in report.cases:
            for path, d in case.judgement.outputs32.items():
                case.judgement.outputs32[path] = replace(d, max_rel=0.5)
        return report
    monkeypatch.setattr(parity.checker, "check", further_apart)
    paddle_parity(*pair(), X)
""")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*differs by 5.0e-01 in float32*"])


def test_a_wrong_marker_says_what_is_known(run):
    result = run("""
@pytest.mark.paddle_parity(device="tpu")
def test_port(paddle_parity):
    pass
""")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*device 'tpu' is not one of cpu, cuda*"])


def test_loading_the_plugin_imports_no_framework():
    code = (
        "import sys, paddle2torch.pytest_plugin as _; "
        "print(*{'numpy', 'torch', 'paddle', 'jinja2', 'convert', 'parity'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""
