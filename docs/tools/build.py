"""Build the site: `python -m docs.tools.build` (`make docs`).

Makes `build/docs` out of the pages in docs/, the executed notebooks and the reference pages that come from the
code, and lets MkDocs build `site/` from it, strictly: a warning is an error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import yaml

from docs.tools import api, rosetta
from docs.tools.notebooks import execute, to_markdown
from docs.tools.pages import DOCS, NOTEBOOKS, PAGES, ROOT, RUN, twin
from docs.tools.reader import Reader

LANGUAGES = {"en": "", "zh": ".zh"}
FIGURES = {"gradients.svg": "python gradients.py"}
"""A figure of the guide -> the command of the guide that draws it."""


def make_tree(tree: Path, work: Path, proofs: rosetta.Proofs) -> None:
    """Everything that MkDocs reads, in `tree`; commands run in `work`, and what lies there is not made again."""
    shutil.rmtree(tree, ignore_errors=True)
    for page in PAGES:
        for path in (page, twin(page)):
            _copy(path, tree / path.relative_to(DOCS))
    shutil.copytree(DOCS / "assets", tree / "assets")
    for figure, command in FIGURES.items():
        if not (work / figure).exists():
            reader = Reader(work)
            for page in RUN:
                reader.write(page.read_text(encoding="utf-8"))
            finished = reader.run(command)
            if finished.returncode:
                raise SystemExit(f"{command} failed:\n{finished.stderr}")
        _copy(work / figure, tree / "guide" / figure)
    for path in NOTEBOOKS:
        folder = tree / "notebooks"
        folder.mkdir(exist_ok=True)
        notebook = execute(path, work)
        for language, suffix in LANGUAGES.items():
            texts = nbformat.read(path if language == "en" else twin(path), as_version=4)
            (folder / f"{path.stem}{suffix}.md").write_text(
                to_markdown(notebook, texts, path.stem, folder), encoding="utf-8"
            )
    for language, suffix in LANGUAGES.items():
        for name, pages in (("api", api.pages(language)), ("rosetta", rosetta.pages(language, proofs))):
            for file, text in pages.items():
                target = tree / "reference" / name / Path(file).with_suffix(f"{suffix}.md")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")


def write_config(folder: Path, tree: Path, site: Path) -> Path:
    """The configuration of this tree: mkdocs.yml with the generated pages in its navigation."""
    base = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    config = {
        "INHERIT": os.path.relpath(ROOT / "mkdocs.yml", folder),
        "docs_dir": os.path.relpath(tree, folder),
        "site_dir": os.path.relpath(site, folder),
        "theme": {"custom_dir": os.path.relpath(DOCS / "theme", folder)},
        "nav": _navigation(base["nav"], tree),
    }
    path = folder / "mkdocs.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def _navigation(entry: Any, tree: Path) -> Any:
    """The navigation with a folder, `name/`, replaced by its pages."""
    if isinstance(entry, list):
        return [_navigation(item, tree) for item in entry]
    if isinstance(entry, dict):
        return {title: _navigation(item, tree) for title, item in entry.items()}
    if not entry.endswith("/"):
        return entry
    pages = sorted(p.name for p in (tree / entry).glob("*.md") if not p.stem.endswith(".zh"))
    return [f"{entry}index.md", *(f"{entry}{name}" for name in pages if name != "index.md")]


def build(site: Path, folder: Path, work: Path, proofs: rosetta.Proofs | None = None) -> None:
    """Build `site`; intermediate files lie in `folder`. A warning of MkDocs ends the program.

    `proofs`: measurements of the Rosetta table; without them they are made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_tree(folder / "docs", work, rosetta.measure() if proofs is None else proofs)
    config = write_config(folder, folder / "docs", site)
    # Not --quiet: MkDocs counts only the warnings that it prints.
    finished = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=dict(os.environ) | {"NO_MKDOCS_2_WARNING": "1"},
    )
    if finished.returncode:
        said = [line for line in finished.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))]
        raise SystemExit("\n".join(said) or finished.stderr)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def main() -> None:
    """Build into site/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=ROOT / "site")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        build(args.site.resolve(), ROOT / "build" / "site", Path(work))
    print(
        f"{args.site}: open index.html, or run `python -m http.server --directory {args.site}` for the search"
    )


if __name__ == "__main__":
    main()
