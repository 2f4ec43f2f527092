"""Every command of the README runs, in an environment that installed this tree, and prints what is shown.

In a console block a line starting with `$ ` is a command and the lines below it, if any, are its output: `...`
alone stands for any lines, at the end of a line for its rest. Rounding errors differ from machine to machine,
so numbers such as 1.3e-15 need not be the same digits; nor does the space between words count.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from convert.registry import MODELS
from tests.packaging.conftest import save_lenet
from tests.packaging.environments import ROOT, Environment, make_environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BUILD_TOOLS = ("pip", "hatchling", "pytest")
EXIT_CODES = {"DIFFERENT": 1, "INCONCLUSIVE": 3}


@dataclass(frozen=True)
class Example:
    """A command and the output that the README shows for it."""

    command: str
    shown: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        verdict = self.shown[-1].split(":")[0] if self.shown else ""
        return EXIT_CODES.get(verdict, 0)


def _examples() -> list[Example]:
    found = []
    for kind, text in BLOCK.findall(README):
        if kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = part.rstrip("\n").split("\n")
                found.append(Example(command, tuple(shown)))
    return found


EXAMPLES = sorted(_examples(), key=lambda example: not example.command.startswith("pip "))
"""In the README's order, but installed first: it opens with what the project does."""


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the README: a checkout, an environment and a folder to work in."""

    environment: Environment
    checkout: Path
    work: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the README as it is written, but offline and without waiting for the demo."""
        program, *arguments = shlex.split(command)
        place = self.work
        if program == "make":
            # CI runs both targets for real; here it is enough that they exist and what they start.
            line, place = ["make", "-n", *arguments], self.checkout
        elif program == "pip":
            line = [self.environment.python, "-m", "pip", *arguments, "--no-index", "--no-build-isolation"]
            place = self.checkout
        else:
            line = [str(self.environment.bin / program), *arguments]
        return subprocess.run(
            line,
            cwd=place,
            env=self.environment.variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The environment has the frameworks but not this project: the README's own `pip install` adds it."""
    folder = tmp_path_factory.mktemp("readme")
    checkout, work = folder / "checkout", folder / "work"
    skipped = shutil.ignore_patterns(".*", "demo", "__pycache__", "tests", "build", "dist")
    shutil.copytree(ROOT, checkout, ignore=skipped)
    (work / "demo").mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "example", work / "docs" / "example")
    save_lenet(work / "demo" / "digits_lenet.pdparams")
    for name, text in _files():
        (work / name).write_text(text)
    # Through the metadata of the installed project come its extras' own requirements, then itself is removed.
    environment = make_environment(folder / "venv", ["paddle2torch[all]", *BUILD_TOOLS])
    for link in next((environment.folder / "lib").glob("python*/site-packages")).glob("*paddle2torch*"):
        link.unlink()
    return Reader(environment, checkout, work)


def _files() -> list[tuple[str, str]]:
    """The Python blocks that start with their file's name."""
    blocks = [text for kind, text in BLOCK.findall(README) if kind == "python"]
    return [(text.splitlines()[0].removeprefix("# "), text) for text in blocks]


@pytest.mark.slow
def test_every_command_prints_what_the_readme_shows(reader):
    for example in EXAMPLES:
        finished = reader.run(example.command)
        output = f"$ {example.command}\n{finished.stdout}\n{finished.stderr}"
        assert finished.returncode == example.exit_code, output
        printed = finished.stdout.replace(f"{reader.work}/", "").splitlines()
        assert not _missing(example.shown, printed), (
            f"not in the output:\n{_missing(example.shown, printed)}\n{output}"
        )


def _missing(shown: tuple[str, ...], printed: list[str]) -> str:
    """The first shown line that the output lacks at its place; "" when it has them all, or nothing is shown."""
    if not shown:
        return ""
    position, free = 0, False
    for line in shown:
        if line == "...":
            free = True
            continue
        candidates = range(position, len(printed) if free else min(position + 1, len(printed)))
        found = next((i for i in candidates if _same(line, printed[i])), None)
        if found is None:
            return line
        position, free = found + 1, False
    return "" if free or position == len(printed) else f"the output goes on: {printed[position]}"


def _same(shown: str, printed: str) -> bool:
    shown, printed = (
        re.sub(r"\s+", " ", re.sub(r"\d\.\d+e[-+]\d\d", "#", line.strip())) for line in (shown, printed)
    )
    return printed.startswith(shown[:-3].rstrip()) if shown.endswith("...") else printed == shown


def test_the_comparison_of_outputs_notices_a_difference():
    printed = ["first 1.0e-15", "second", "third"]
    assert not _missing(("first 2.0e-16", "...", "third"), printed)
    assert not _missing(("first...", "..."), printed)
    assert _missing(("second", "..."), printed) == "second"
    assert _missing(("...", "fourth"), printed) == "fourth"
    assert "goes on" in _missing(("first 1.0e-15",), printed)
    assert not _missing((), printed)


def test_every_block_is_one_that_the_tests_run():
    assert {kind for kind, _ in BLOCK.findall(README)} == {"console", "python"}
    assert README.count("```") == 2 * len(BLOCK.findall(README))
    assert [name for name, _ in _files()] == ["test_port.py"]


def test_the_readme_shows_the_two_commands_and_what_the_demo_runs():
    from examples.demo import RECIPES, commands_for

    shown = [example.command for example in EXAMPLES]
    assert {"make demo", "make test"} <= set(shown)
    assert set(commands_for(RECIPES[0])) <= set(shown)


def test_the_model_table_is_the_registry():
    rows = []
    for family in dict.fromkeys(spec.family for spec in MODELS.values()):
        specs = [spec for spec in MODELS.values() if spec.family == family]
        names = ", ".join(f"`{spec.name}`" for spec in specs)
        sizes = ", ".join(dict.fromkeys("x".join(map(str, spec.input_shape)) for spec in specs))
        rows.append(f"| {family} | {names} | {sizes} |")
    assert "\n".join(rows) in README, "the table should be:\n" + "\n".join(rows)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md"])
def test_every_link_to_a_file_leads_somewhere(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []
