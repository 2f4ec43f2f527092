"""Which pages there are, in the order in which somebody with one model to port needs them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE = tuple(
    DOCS / "guide" / f"{name}.md"
    for name in (
        "install",
        "differences",
        "port",
        "translate",
        "mistakes",
        "checkpoints",
        "report",
        "cases",
        "rounding",
        "training",
        "finetune",
        "cluster",
        "environments",
        "adding",
    )
)
RUN = (*GUIDE, DOCS / "schema.md", DOCS / "architecture.md")
"""The pages with commands. One reader follows them in this order, in one folder: a page may use the files of those
before it."""
PAGES = (DOCS / "index.md", *RUN)
NOTEBOOKS = (DOCS / "notebooks" / "port.ipynb", DOCS / "notebooks" / "report.ipynb")


def twin(page: Path) -> Path:
    """The Chinese page of an English one."""
    return page.with_suffix(f".zh{page.suffix}")


def headings(page: str) -> list[int]:
    """The levels of a page's headings, in order."""
    outside = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    return [len(level) for level in re.findall(r"^(#+) ", outside, re.MULTILINE)]
