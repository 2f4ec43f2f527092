"""Fresh environments in a moment and without a network: a bare venv into which installed packages are linked.

Only what the named requirements need, by the packages' own metadata, is linked. So an import of anything
that was not declared fails there, as it would for a user.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {
    name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "PYTEST"))
}


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def variables(self) -> dict[str, str]:
        """The process environment of somebody who activated it."""
        return CLEAN | {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self.folder),
        }

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in `cwd`."""
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=cwd,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def pip(self, *arguments: str, cwd: Path) -> None:
        """Run the tests' own pip for the environment, offline."""
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "--quiet", *arguments],
            cwd=cwd,
            check=True,
            timeout=300,
        )


def make_environment(folder: Path, requirements: Iterable[str]) -> Environment:
    """A virtual environment that holds what `requirements` need, linked from the one that runs the tests."""
    venv.create(folder, with_pip=False, symlinks=True)
    environment = Environment(folder)
    packages = next((folder / "lib").glob("python*/site-packages"))
    for found in closure(requirements):
        _link(found, packages)
    return environment


def closure(requirements: Iterable[str]) -> Iterator[Distribution]:
    """The installed distributions that `requirements` need, each once, and what those need in turn."""
    visited: dict[str, set[str]] = {}
    pending = [Requirement(text) for text in requirements]
    while pending:
        wanted = pending.pop()
        name = canonicalize_name(wanted.name)
        is_new = name not in visited
        if not is_new and wanted.extras <= visited[name]:
            continue
        visited.setdefault(name, set()).update(wanted.extras)
        found = distribution(wanted.name)
        if is_new:
            yield found
        for text in found.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)
            ):
                pending.append(needed)


def _link(found: Distribution, packages: Path) -> None:
    tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
    for top in tops:
        target = packages / top
        if not target.exists():
            target.symlink_to(Path(str(found.locate_file(top))).resolve())
