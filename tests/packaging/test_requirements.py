"""`constraints.txt` says exactly what `make env` installs."""

from __future__ import annotations

from importlib.metadata import requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.environments import ROOT, closure


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = [line.split("==") for line in lines]
    assert len(lines) == len({canonicalize_name(name) for name, _ in pinned})
    return {canonicalize_name(name): number for name, number in pinned}


GPU_BINARIES = ("nvidia-", "cuda-", "triton")
"""What torch brings along where pip finds its CUDA build; its own metadata pins these."""


def _installed() -> dict[str, str]:
    found = {canonicalize_name(d.name): d.version for d in closure(["paddle2torch[dev]"])}
    del found["paddle2torch"]
    return {name: number for name, number in found.items() if not name.startswith(GPU_BINARIES)}


def test_everything_that_is_needed_is_pinned_and_nothing_else():
    assert _pins().keys() == _installed().keys()


def test_the_pins_are_what_these_tests_run_with():
    public = {name: number.split("+")[0] for name, number in _installed().items()}
    assert _pins() == public


def test_the_pins_lie_in_the_ranges_of_the_project():
    pins = _pins()
    for text in requires("paddle2torch"):
        needed = Requirement(text)
        if needed.name not in ("paddle2torch", "ray"):  # Ray: an extra that no test environment has
            assert pins[canonicalize_name(needed.name)] in needed.specifier, text


def test_the_installed_version_is_the_written_one():
    import paddle2torch

    assert version("paddle2torch") == paddle2torch.__version__
