"""Notebooks: committed without outputs, run when the site is built or tested, shown as pages with their plots."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from docs.tools.reader import variables

KERNEL = "python3"
MIME = (("image/svg+xml", "svg"), ("image/png", "png"))


def execute(path: Path, work: Path) -> Any:
    """The notebook with its outputs, run in `work`. Raises CellExecutionError where a cell raises."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name=KERNEL,
        resources={"metadata": {"path": str(work)}},
        extra_arguments=["--log-level=ERROR"],
    )
    before = dict(os.environ)
    os.environ.update(variables())
    try:
        return client.execute()
    finally:
        os.environ.clear()
        os.environ.update(before)


def to_markdown(notebook: Any, texts: Any, name: str, folder: Path) -> str:
    """A page: the Markdown cells of `texts`, the code and outputs of `notebook`; images go into `folder`."""
    parts: list[str] = []
    for number, (cell, told) in enumerate(zip(notebook.cells, texts.cells, strict=True)):
        if cell.cell_type == "markdown":
            parts.append(told.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            parts += _output(output, f"{name}-{number}", folder)
    return "\n\n".join(parts) + "\n"


def _output(output: Any, stem: str, folder: Path) -> list[str]:
    if output.output_type == "stream":
        # What the frameworks say on import is not the notebook's output.
        return [f"```text\n{output.text.rstrip()}\n```"] if output.name == "stdout" else []
    data = output.get("data", {})
    for mime, ending in MIME:
        if mime in data:
            content = data[mime]
            raw = content.encode() if ending == "svg" else base64.b64decode(content)
            (folder / f"{stem}.{ending}").write_bytes(raw)
            return [f"![]({stem}.{ending})"]
    if "text/plain" in data:
        return [f"```text\n{re.sub(chr(27) + r'[^m]*m', '', data['text/plain'])}\n```"]
    return []
