"""Somebody who follows a page to the letter: writes its files, types its commands, looks at what comes out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docs.tools.blocks import FENCE, Block, Example, blocks, examples, missing, render, updated
from docs.tools.pages import DOCS

TIMEOUT = 300


def variables() -> dict[str, str]:
    """The process environment of somebody who activated the environment of this interpreter."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PIP_", "PYTHON", "COVERAGE"))}
    return kept | {"PATH": path, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Reader:
    """A reader with a folder to work in."""

    work: Path
    environment: Mapping[str, str] = field(default_factory=variables)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as it is written."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.work,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def copy_examples(self) -> None:
        """Put what the pages take from a checkout into the folder."""
        shutil.copytree(DOCS / "example", self.work / "docs" / "example", dirs_exist_ok=True)

    def write(self, page: str) -> None:
        """Write the files that the page's blocks are."""
        for block in blocks(page):
            if block.file_name:
                (self.work / block.file_name).write_text(block.text, encoding="utf-8")

    def printed(self, finished: subprocess.CompletedProcess[str]) -> list[str]:
        """The lines that a terminal shows; of what goes to stderr only what a refused command says."""
        text = finished.stdout + (finished.stderr if finished.returncode == 2 else "")
        return text.replace(f"{self.work}/", "").splitlines()

    def problem(self, example: Example) -> str:
        """What is wrong with an example: "" when the command prints what is shown."""
        finished = self.run(example.command)
        output = f"$ {example.command}\n{finished.stdout}\n{finished.stderr}"
        if finished.returncode != example.exit_code:
            return f"exit code {finished.returncode}, not {example.exit_code}\n{output}"
        lost = missing(example.shown, self.printed(finished))
        return f"not in the output:\n{lost}\n{output}" if lost else ""

    def refreshed(self, page: str) -> str:
        """The page with the outputs that come out now. Raises LookupError where a shown line has no successor."""
        self.write(page)

        def again(match: re.Match[str]) -> str:
            block = Block(*match.groups())
            if block.kind != "console":
                return match[0]
            return f"```console\n{render([self._refreshed(example) for example in examples(block)])}```"

        return FENCE.sub(again, page)

    def _refreshed(self, example: Example) -> Example:
        finished = self.run(example.command)
        output = f"$ {example.command}\n{finished.stdout}\n{finished.stderr}"
        try:
            again = Example(example.command, updated(example.shown, self.printed(finished)))
        except LookupError as error:
            raise LookupError(f"nothing for {error} in\n{output}") from None
        if finished.returncode != again.exit_code:
            raise LookupError(f"exit code {finished.returncode}, not {again.exit_code}\n{output}")
        return again


def page_examples(page: str) -> Iterator[Example]:
    """Every command of a page, in order."""
    for block in blocks(page):
        if block.kind == "console":
            yield from examples(block)
