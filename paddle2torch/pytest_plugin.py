"""For a user's own tests: `paddle_parity`, which asserts that two models compute the same.

    def test_my_port(paddle_parity):
        paddle_parity(PaddleNet(), TorchNet(), inputs)

    @pytest.mark.paddle_parity(device=["cpu", "cuda", ("cpu", "cuda")], precision=["float64", "float32"])
    def test_my_port_everywhere(paddle_parity): ...  # a pair is (Paddle's device, torch's)

pytest loads this module in every run of an environment that has paddle2torch, so it imports nothing but
pytest until a test asks for the fixture: a project may have a `convert` or a `parity` of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from paddle2torch.packages import take

if TYPE_CHECKING:
    from parity.report.report import Report

DEVICES = ("cpu", "cuda")
PRECISIONS = ("float64", "float32")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("paddle2torch").addoption(
        "--parity-report",
        metavar="DIR",
        type=Path,
        help="write the HTML report of every paddle_parity call into DIR (default: pytest's cache)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "paddle_parity(device=['cpu', 'cuda', ('cpu', 'cuda')], precision=['float64', 'float32']): run the test for each "
        "of them; one that this machine lacks is skipped",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for every device and precision that the marker names."""
    marker = metafunc.definition.get_closest_marker("paddle_parity")
    if marker is None:
        return
    unknown = sorted(set(marker.kwargs) - {"device", "precision"})
    if unknown or marker.args:
        pytest.fail(
            f"{metafunc.definition.nodeid}: paddle_parity takes device= and precision=, not {unknown or marker.args}",
            pytrace=False,
        )
    for name, known in (("device", DEVICES), ("precision", PRECISIONS)):
        if name not in marker.kwargs:
            continue
        values = _listed(marker.kwargs[name])
        for value in values:
            if not all(str(part).partition(":")[0] in known for part in _parts(value)):
                pytest.fail(
                    f"{metafunc.definition.nodeid}: {name} {value!r} is not one of {', '.join(known)}",
                    pytrace=False,
                )
        fixture = f"paddle_parity_{name}"
        if fixture not in metafunc.fixturenames:
            metafunc.fixturenames.append(fixture)
        metafunc.parametrize(
            fixture, values, indirect=True, ids=["-".join(_parts(value)) for value in values]
        )


def _listed(value: str | Iterable[Any]) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def _parts(value: Any) -> tuple[Any, ...]:
    """A device or a precision, or the two of a pair (Paddle's device, torch's)."""
    return value if isinstance(value, tuple) else (value,)


@pytest.fixture
def paddle_parity_device(request: pytest.FixtureRequest) -> Any:
    """The device of this test, or the pair of devices, that the marker names, and None (where the models lie) without.

    Skips the test where a device is absent.
    """
    device = getattr(request, "param", None)
    reason = _why_no(device)
    if reason:
        pytest.skip(reason)
    return device


@pytest.fixture
def paddle_parity_precision(request: pytest.FixtureRequest) -> str:
    """ "float64" (the exact verdict) or "float32" (besides, the float32 outputs must be close to it)."""
    return str(getattr(request, "param", "float64"))


@pytest.fixture
def paddle_parity(
    request: pytest.FixtureRequest, paddle_parity_device: Any, paddle_parity_precision: str
) -> Callable[..., Report]:
    """`parity.assert_equivalent(paddle_model, torch_model, inputs, **options)` with a full report on disk.

    The failure message is short and ends with the path of the HTML report.
    """
    folder = _folder(request.config)
    calls = 0

    def check(paddle_model: Any, torch_model: Any, inputs: Any, **options: Any) -> Report:
        __tracebackhide__ = True
        _load()
        from parity.checker import check

        nonlocal calls
        calls += 1
        report = check(paddle_model, torch_model, inputs, **{"device": paddle_parity_device, **options})
        written = _write(report, folder, request.node.nodeid, calls)
        problem = "" if report else str(report)
        if not problem and paddle_parity_precision == "float32":
            problem = _float32_problem(report)
        if problem:
            pytest.fail(f"{problem}\nfull report: {written}", pytrace=False)
        return report

    return check


def _load() -> None:
    """Import our packages; the test fails in one sentence where the user's own have taken their names."""
    try:
        take()
    except ImportError as error:
        pytest.fail(str(error), pytrace=False)


def _folder(config: pytest.Config) -> Path | None:
    """Where reports go; None if there is no place for them."""
    given: Path | None = config.getoption("--parity-report")
    if given is not None:
        return given
    cache = getattr(config, "cache", None)
    return None if cache is None else Path(cache.mkdir("parity"))


def _write(report: Report, folder: Path | None, test: str, call: int) -> str:
    """Write the report of the n-th call in a test; returns its path, or why there is none."""
    if folder is None:
        return "not written, as pytest runs without a cache; give --parity-report DIR"
    from convert.errors import Paddle2TorchError
    from convert.write.atomic import write_text

    path = folder / f"{_file_name(test)}{f'-{call}' if call > 1 else ''}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, report.to_html(), force=True)
    except (OSError, Paddle2TorchError) as error:
        return f"not written ({error})"
    return str(path)


def _file_name(test: str) -> str:
    """A test's id as a file name: readable, and still unique when two ids differ only in odd characters."""
    name = re.sub(r"[^\w.\-\[\]]+", "-", test.replace("::", "-").replace("/", "-"), flags=re.ASCII)
    if name == test.replace("::", "-").replace("/", "-") and len(name) < LONGEST:
        return name
    import hashlib

    return f"{name[:LONGEST]}-{hashlib.sha256(test.encode()).hexdigest()[:8]}"


LONGEST = 160
"""Characters of a report's file name; file systems take 255 bytes."""


def _float32_problem(report: Report) -> str:
    """What is wrong with the float32 outputs of an EQUIVALENT report, or "".

    Each side's float32 run may be as far from float64 as it is; together they cannot be further apart than
    the sum, taken where the network is worst.
    """
    for case in report.cases:
        rows = case.judgement.rows
        noise = sum(
            max((getattr(row, f"noise_{side}") for row in rows), default=0.0) for side in ("paddle", "torch")
        )
        for path, d in case.judgement.outputs32.items():
            if not d.comparable:
                return f"{path} cannot be compared in float32 ({case.name}, {case.mode}): {d.problem}"
            if d.max_rel > noise + report.worst:
                return (
                    f"{path} differs by {d.max_rel:.1e} in float32 ({case.name}, {case.mode}), more than both "
                    f"frameworks' own rounding, {noise:.1e}; in float64 the models are equivalent"
                )
    return ""


def _why_no(device: Any) -> str:
    """Why this device, or this pair of devices, cannot be used, or ""."""
    if device is None:
        return ""
    _load()
    from parity.capture import paddle, torch
    from parity.errors import ParityError

    first, last = _parts(device)[0], _parts(device)[-1]
    try:
        paddle.check_device(first)
        torch.check_device(last)
    except ParityError as error:
        return str(error)
    return ""
