"""Run the pages' commands and write down what came out: `python -m docs.tools.refresh [PAGE ...]`.

Without names every page is run. The guide is one story, so a page needs those before it:
`--work FOLDER` keeps the folder that they worked in. The Chinese twin gets the English page's blocks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from docs.tools.blocks import FENCE, blocks
from docs.tools.pages import PAGES, RUN, twin
from docs.tools.reader import Reader


def synchronized(chinese: str, english: str) -> str:
    """The Chinese page with the English page's code blocks. Raises ValueError unless there are as many."""
    found = blocks(english)
    if len(blocks(chinese)) != len(found):
        raise ValueError(f"{len(blocks(chinese))} code blocks; the English page has {len(found)}")
    texts = iter(found)
    return FENCE.sub(lambda _: "```{0.kind}\n{0.text}```".format(next(texts)), chinese)


def main() -> int:
    """0 when every page could be refreshed, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="names such as `port`; default: all")
    parser.add_argument("--work", type=Path, help="the folder to work in; default: a new one")
    args = parser.parse_args()
    chosen = [page for page in RUN if not args.pages or page.stem in args.pages]
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        work = (args.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        Reader(work).copy_examples()
        for page in chosen:
            try:
                text = Reader(work).refreshed(page.read_text(encoding="utf-8"))
            except LookupError as error:
                print(f"{page.name}: {error}", file=sys.stderr)
                failed = 1
            else:
                page.write_text(text, encoding="utf-8")
    for page in PAGES:
        if twin(page).exists():
            try:
                text = synchronized(twin(page).read_text(encoding="utf-8"), page.read_text(encoding="utf-8"))
            except ValueError as error:
                print(f"{twin(page).name}: {error}", file=sys.stderr)
                failed = 1
            else:
                twin(page).write_text(text, encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main())
