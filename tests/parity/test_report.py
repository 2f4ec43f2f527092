"""The report as text and as JSON: strict, readable, with places a person can open."""

import io
import json
import re
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from rich.console import Console

import parity
from parity.report.text import show
from tests.parity.pairs import small


def text_of(report: parity.Report, *, width: int = 160, **options) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(report, console, **options)
    return console.file.getvalue()


def strict(report: parity.Report) -> dict:
    """The JSON text as a stranger's parser reads it: no NaN, no Infinity."""
    text = json.dumps(report.to_json(), allow_nan=False)
    return json.loads(text, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def right() -> parity.Report:
    return parity.check(*small())


@pytest.fixture(scope="module")
def wrong() -> parity.Report:
    paddle_model, torch_model, inputs = small()
    torch_model.bn.eps = 0.1
    with torch.no_grad():
        torch_model.fc.weight.copy_(torch_model.fc.weight.T.clone())
    return parity.check(paddle_model, torch_model, inputs)


def test_json_holds_verdict_findings_and_every_layer(right, wrong):
    assert strict(right)["verdict"] == "EQUIVALENT"
    data = strict(wrong)
    assert data["verdict"] == "DIFFERENT"
    assert [f["layer"] for f in data["findings"]] == ["bn", "fc"]
    assert all(f["cause"] and f["fix"] and f["evidence"] for f in data["findings"])
    assert [row["operator"] for row in data["cases"][0]["layers"]][:2] == ["Conv2d", "BatchNorm2d"]
    assert {"python", "numpy", "paddle", "torch"} <= set(data["environment"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_json_is_strict_when_the_numbers_are_not_finite(value):
    paddle_model, torch_model, inputs = small()
    with torch.no_grad():
        torch_model.fc.bias[0] = value
    data = strict(parity.check(paddle_model, torch_model, inputs))
    assert data["verdict"] == "DIFFERENT"


def test_json_is_strict_for_names_and_attributes_of_every_kind():
    class InPaddle(paddle.nn.Layer):
        def forward(self, x):
            return {"<b>&'\"": x[:, ::2], 3: (x.sum(1), None)}

    class InTorch(torch.nn.Module):
        def forward(self, x):
            return {"<b>&'\"": x[:, ::2], 3: (x.sum(1), None)}

    report = parity.check(InPaddle(), InTorch(), np.ones((2, 4), np.float32))
    assert report, str(report)
    assert len(strict(report)["cases"][0]["outputs"]) == 2


def test_the_text_names_the_layers_that_differ_by_themselves(wrong):
    lines = text_of(wrong).splitlines()
    rows = [line.split() for line in lines if line.endswith("  different")]
    assert [row[0] for row in rows] == ["bn", "fc"]
    assert lines[0] == lines[-1]
    assert lines[0].startswith("DIFFERENT: 2 findings")


def test_the_text_shows_values_apart_and_the_fix(wrong):
    text = text_of(wrong)
    assert "fix:     BatchNorm2d(..., eps=1e-05)" in text
    line = next(line for line in text.splitlines() if "paddle value" in line)
    values = [part.split()[2].rstrip(",;") for part in line.split(", ") if "paddle value" in part]
    assert len(values[0]) > 6


def test_paths_below_the_current_directory_are_relative(wrong, monkeypatch):
    here = Path(__file__).parent
    monkeypatch.chdir(here)
    assert "torch:   pairs.py:" in text_of(wrong)
    assert str(here) not in str(wrong)
    monkeypatch.chdir(here / "..")
    assert "torch:   parity/pairs.py:" in text_of(wrong)


def test_the_text_fits_its_width(wrong):
    for width in (80, 160):
        lines = [line for line in text_of(wrong, width=width).splitlines() if line.startswith("   ")]
        assert lines
        assert max(map(len, lines)) <= width


def test_equal_layers_are_left_out_unless_asked_for(right):
    short, long = text_of(right), text_of(right, every_layer=True)
    assert len(long.splitlines()) > len(short.splitlines())
    assert all(row.torch_layer in long for row in right.layers)


def test_names_with_markup_are_shown_as_they_are():
    class Named(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.add_module("[red]x[/red]", torch.nn.Linear(3, 3))

        def forward(self, x):
            return getattr(self, "[red]x[/red]")(x)

    class InPaddle(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.add_sublayer("[red]x[/red]", paddle.nn.Linear(3, 3))

        def forward(self, x):
            return getattr(self, "[red]x[/red]")(x)

    report = parity.check(InPaddle(), Named(), np.ones((2, 3), np.float32))
    assert not report
    assert "[red]x[/red]" in text_of(report)


def test_an_empty_report_is_inconclusive():
    report = parity.Report("a", "b", ())
    assert report.verdict is parity.Verdict.INCONCLUSIVE
    assert not report
    assert "nothing was compared" in str(report)
    assert strict(report)["verdict"] == "INCONCLUSIVE"


def test_the_last_lines_say_what_to_do_next_and_the_verdict(right, wrong):
    def last(report, **options) -> list[str]:
        return text_of(report, width=300, **options).rstrip().splitlines()[-2:]

    step, verdict = last(wrong, more=" --html FILE shows more.")
    assert re.fullmatch(r"next: .*change .*:\d+\. .*un the check again\. --html FILE shows more\.", step)
    assert verdict.startswith("DIFFERENT")
    assert not last(right)[0].startswith("next: ")
