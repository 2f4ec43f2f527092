"""Real reports, made once for a test process, and the browser that shows them."""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import paddle
import torch

import parity
from parity.report.report import Report
from tests.report import chromium
from tests.report.nets import paddle_net, torch_net


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:When training, we now always track"))


IMAGE = np.random.default_rng(0).standard_normal((2, 3, 10, 10), dtype=np.float32)
VECTOR = np.random.default_rng(0).standard_normal((2, 6), dtype=np.float32)


def pair(name: str, torch_name: str = ""):
    """Both models with equal weights (all of them random, so that mistakes show)."""
    paddle.seed(0)
    torch.manual_seed(0)
    paddle_model = getattr(paddle_net, name)()
    torch_model = getattr(torch_net, torch_name or name)()
    rng = np.random.default_rng(1)
    with torch.no_grad():
        names = {"running_mean": "_mean", "running_var": "_variance"}
        state = dict(paddle_model.state_dict())
        for key, value in torch_model.state_dict().items():
            stem, _, last = key.rpartition(".")
            if last == "num_batches_tracked":
                continue
            low = -1.0 if value.dim() > 1 or last == "bias" else 0.5
            array = rng.uniform(low, 1.0, tuple(value.shape)).astype(np.float32)
            value.copy_(torch.from_numpy(array))
            transposed = value.dim() == 2
            state[f"{stem}.{names.get(last, last)}"].set_value(array.T.copy() if transposed else array)
    return paddle_model, torch_model


@pytest.fixture(scope="session")
def equivalent() -> Report:
    return parity.check(*pair("Net"), IMAGE)


@pytest.fixture(scope="session")
def different() -> Report:
    return parity.check(*pair("Net", "Faulty"), IMAGE)


@pytest.fixture(scope="session")
def hostile() -> Report:
    return parity.check(*pair("Hostile"), VECTOR)


@pytest.fixture(scope="session")
def inconclusive() -> Report:
    return parity.check(*pair("Silent"), VECTOR)


@pytest.fixture(scope="session")
def two_modes(different: Report) -> Report:
    trained = parity.check(*pair("Net", "Faulty"), IMAGE, mode="train")
    return replace(different, cases=(*different.cases, *trained.cases))


@pytest.fixture(scope="session")
def large(different: Report, equivalent: Report) -> Report:
    """As many rows as four runs of ResNet-152, every one with all its numbers."""
    judgement = copy.copy(different.cases[0].judgement)
    faulty, right = judgement.rows, equivalent.cases[0].judgement.rows
    judgement.rows = [
        replace(
            (faulty if i % 50 < len(faulty) else right)[i % min(len(faulty), len(right))],
            torch_layer=f"layer{i // 128}.{i // 10}.convolution{i}",
            paddle_layer=f"res{i // 128}.{i // 10}.convolution{i}",
        )
        for i in range(514)
    ]
    cases = [replace(different.cases[0], name=f"run {n}", judgement=judgement) for n in range(4)]
    return replace(different, cases=tuple(cases))


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    if chromium.PROGRAM is None:
        pytest.skip("Chromium is not installed; `apt-get install chromium` brings it")
    started = chromium.Chromium(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def page(tmp_path):
    """Writes a report where the browser finds it."""

    def write(report: Report) -> Path:
        path = tmp_path / "report.html"
        path.write_text(report.to_html(), encoding="utf-8")
        return path

    return write
