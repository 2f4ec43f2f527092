"""Every command of the README runs, in an environment that installed this tree, and prints what is shown.

What counts as shown and as the same is in `docs/tools/blocks.py`, as for every page of the site.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from convert.models.registry import MODELS
from docs.tools.blocks import blocks
from docs.tools.pages import headings
from docs.tools.reader import Reader, page_examples
from tests.packaging.conftest import save_lenet
from tests.packaging.environments import ROOT, Environment, make_environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
BUILD_TOOLS = ("pip", "hatchling", "pytest")

EXAMPLES = sorted(page_examples(README), key=lambda example: not example.command.startswith("pip "))
"""In the README's order, but installed first: it opens with what the project does."""


@dataclass(frozen=True, kw_only=True)
class Visitor(Reader):
    """A reader with a checkout and an environment of their own, who stays offline and does not wait for the demo."""

    own: Environment
    checkout: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the README as it is written, but for what takes long or needs a network."""
        program, *arguments = shlex.split(command)
        if program == "make":
            # CI runs both targets for real; here it is enough that they exist and what they start.
            return self._start(["make", "-n", *arguments])
        if program == "pip":
            return self._start(
                [self.own.python, "-m", "pip", *arguments, "--no-index", "--no-build-isolation"]
            )
        return super().run(command)

    def _start(self, line: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            line,
            cwd=self.checkout,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """The environment has the frameworks but not this project: the README's own `pip install` adds it."""
    folder = tmp_path_factory.mktemp("readme")
    checkout, work = folder / "checkout", folder / "work"
    skipped = shutil.ignore_patterns(".*", "demo", "__pycache__", "tests", "build", "dist")
    shutil.copytree(ROOT, checkout, ignore=skipped)
    (work / "demo").mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "example", work / "docs" / "example")
    save_lenet(work / "demo" / "digits_lenet.pdparams")
    # Through the metadata of the installed project come its extras' own requirements, then itself is removed.
    environment = make_environment(folder / "venv", ["paddle2torch[all]", *BUILD_TOOLS])
    for link in next((environment.folder / "lib").glob("python*/site-packages")).glob("*paddle2torch*"):
        link.unlink()
    visitor = Visitor(work, environment.variables, own=environment, checkout=checkout)
    visitor.write(README)
    return visitor


@pytest.mark.slow
def test_every_command_prints_what_the_readme_shows(reader):
    for example in EXAMPLES:
        assert not (problem := reader.problem(example)), problem


def test_every_block_is_one_that_the_tests_run():
    found = blocks(README)
    assert README.count("```") == 2 * len(found)
    assert all(block.kind == "console" or block.file_name for block in found)
    assert [block.file_name for block in found if block.file_name] == ["test_port.py"]


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


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "README.zh-CN.md"]
)
def test_every_link_to_a_file_leads_somewhere(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_the_chinese_readme_has_the_same_headings_blocks_and_table():
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    assert headings(chinese) == headings(README)
    assert blocks(chinese) == blocks(README)
    table = re.compile(r"^\| .*", re.MULTILINE)
    assert [re.findall(r"[\d.]+", row) for row in table.findall(chinese)] == [
        re.findall(r"[\d.]+", row) for row in table.findall(README)
    ]
