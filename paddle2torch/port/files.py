"""Reading what is to be ported and writing the ports: files, notebooks, folders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from paddle2torch.port.package import Package, module_of
from paddle2torch.port.source import NotPython, Ported

CELL = "# paddle2torch cell "
"""A line between two cells of a notebook while it is ported as one file."""
MAGIC = "# paddle2torch magic "
"""What stands in front of a line that is no Python but IPython's."""
SKIPPED = ("__pycache__", ".ipynb_checkpoints")


@dataclass(frozen=True)
class Done:
    """One file: where it came from, where it goes (None: nowhere), and its port."""

    source: Path
    target: Path | None
    ported: Ported
    text: str
    """What is written: of a notebook its JSON."""


def sources(path: Path) -> list[Path]:
    """The files below a path, or itself.

    Raises:
        ConvertError: if there is none.
    """
    if path.is_dir():
        found = sorted(
            p for kind in ("*.py", "*.ipynb") for p in path.rglob(kind) if not set(p.parts) & set(SKIPPED)
        )
        if not found:
            raise ConvertError(f"{path}: no .py or .ipynb file is below it; name the folder with the sources")
        return found
    if not path.exists():
        raise ConvertError(f"{path}: no such file; name a .py file, a notebook or a folder")
    if path.suffix not in (".py", ".ipynb"):
        raise ConvertError(f"{path}: is not Python source; name a .py file, a .ipynb notebook or a folder")
    return [path]


def check_targets(source: Path, output: Path | None, files: Sequence[Path], *, force: bool) -> None:
    """Raise ConvertError where the ports cannot be written, before anything is read."""
    from convert.write.atomic import check_target, same_file

    if output is None:
        return
    if not source.is_dir():
        if same_file(source, output):
            raise ConvertError(f"{output}: is the source itself; choose another name for the port")
        check_target(output, force=force)
        return
    here, there = source.resolve(), output.resolve()
    if here == there or here in there.parents:
        raise ConvertError(
            f"{output}: lies in {source}, which would be ported into itself; choose a folder outside of it"
        )
    if output.exists() and not output.is_dir():
        raise ConvertError(f"{output}: is a file, and {source} a folder; name a folder")
    taken = [target for file in files if (target := output / file.relative_to(source)).exists()]
    if taken and not force:
        raise ConvertError(f"{taken[0]}: exists already; --force replaces it")


def port_all(source: Path, output: Path | None, *, standalone: bool = False) -> list[Done]:
    """The ports of a file or of all files of a folder, which know each other. Nothing is written.

    Raises:
        ConvertError: if a file is no Python 3 or cannot be read.
    """
    from paddle2torch.port.standalone import included

    package, names = Package(), {}
    originals: dict[Path, str] = {}
    for path in sources(source):
        text = originals[path] = read(path)
        name = module_of(path) or (path.parent.resolve().name,)
        with _told(path):
            code = joined(text, path) if path.suffix == ".ipynb" else text
            if "paddle" in code or path.name == "__init__.py" or source.is_dir():
                package.add(name, code, is_package=path.name == "__init__.py")
                names[path] = name
    package.learn()
    done = []
    for path, text in originals.items():
        target = None if output is None else output / path.relative_to(source) if source.is_dir() else output
        if path not in names:
            done.append(Done(path, target, Ported(text, text), text))
            continue
        ported = package.sources[names[path]].written()
        if standalone:
            ported = replace(ported, text=included(ported.text))
        written = text
        if ported.changed:
            written = separated(text, ported.text) if path.suffix == ".ipynb" else ported.text
        done.append(Done(path, target, ported, written))
    return done


class _told:
    """Says of which file an error speaks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, NotPython):
            raise ConvertError(f"{self.path}: {error}") from None


def read(path: Path) -> str:
    """The text of a source file, with the ends of its lines as they are.

    Raises:
        ConvertError: if it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConvertError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConvertError(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8 first") from None


def write(done: Sequence[Done], *, force: bool) -> None:
    """Write every port to its target."""
    from convert.write.atomic import write_text

    for each in done:
        if each.target is not None:
            each.target.parent.mkdir(parents=True, exist_ok=True)
            write_text(each.target, each.text, force=force)


# --- notebooks ---


def _cells(text: str, path: Path) -> Any:
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        return notebook, [cell for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise ConvertError(f"{path}: is no notebook of version 4; save it again with Jupyter") from None


def joined(text: str, path: Path) -> str:
    """The code cells as one source; what is IPython's is behind a comment."""
    _, cells = _cells(text, path)
    parts = []
    for number, cell in enumerate(cells):
        code = "".join(cell["source"])
        whole = code.lstrip().startswith("%%") and not code.lstrip().startswith(("%%time", "%%capture"))
        lines = [MAGIC + line if whole or _is_magic(line) else line for line in code.splitlines()]
        parts.append("\n".join([f"{CELL}{number}", *lines]))
    return "\n".join(parts) + "\n"


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!")) or line.rstrip().endswith("?")


def separated(text: str, code: str) -> str:
    """The notebook `text` with the cells of the ported `code`."""
    notebook, cells = _cells(text, Path())
    bodies: dict[int, list[str]] = {}
    current = 0
    for line in code.splitlines():
        if line.startswith(CELL):
            current = int(line.removeprefix(CELL))
        else:
            bodies.setdefault(current, []).append(line.replace(MAGIC, "", 1))
    for number, cell in enumerate(cells):
        lines = bodies.get(number, [])
        while lines and not lines[-1].strip() and "".join(cell["source"])[-1:] != "\n":
            lines.pop()
        cell["source"] = [line + "\n" for line in lines[:-1]] + lines[-1:]
    indent = 1 if text.startswith("{\n ") and not text.startswith("{\n  ") else 2
    return json.dumps(notebook, ensure_ascii=False, indent=indent) + ("\n" if text.endswith("\n") else "")
