"""The port as a page: both files beside each other, each change with the row of the table that it comes from."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Mapping, Sequence

from convert.rosetta.rows import Row
from convert.rosetta.table import TABLE
from paddle2torch.port.definitions import MARK
from paddle2torch.port.files import Done
from paddle2torch.version import __version__

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1b1f24; background: #fff }
table { border-collapse: collapse; width: 100%; table-layout: fixed }
td { font: 12px/1.45 ui-monospace, monospace; white-space: pre-wrap; vertical-align: top; padding: 0 .5rem; overflow-wrap: anywhere }
td.n { width: 3rem; color: #6e7781; text-align: right } td.r { width: 14rem; font-family: inherit; font-size: 11px }
tr.changed td.p { background: #ffebe9 } tr.changed td.t { background: #e6ffec } tr.left td.t { background: #fff8c5 }
th { text-align: left; padding: .3rem .5rem } h2 { margin-top: 2rem } dt { font-weight: 600; margin-top: .6rem }
"""


def page(done: Sequence[Done]) -> str:
    """An HTML page of all ports; the rows that were used stand at its end, and each change links to its own."""
    rows: dict[str, Row] = {}
    parts = [_file(each, rows) for each in done if each.ported.changed]
    names = {row.paddle: row for row in TABLE}
    listed = "".join(_row(names[name]) for name in sorted(rows))
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        f'<meta name="generator" content="paddle2torch {__version__} port"><title>Port</title>'
        f"<style>{_STYLE}</style></head><body><h1>Paddle and its port</h1>{''.join(parts)}"
        f"<h2>Rows of the Rosetta table</h2><dl>{listed}</dl></body></html>\n"
    )


def _file(done: Done, rows: dict[str, Row]) -> str:
    before, after = done.ported.before.splitlines(), done.ported.text.splitlines()
    reasons = _reasons(done, rows)
    body = []
    for tag, i, j in _pairs(before, after):
        left = html.escape(before[i]) if i is not None else ""
        right = html.escape(after[j]) if j is not None else ""
        kind = "left" if j is not None and after[j].lstrip().startswith(MARK) else tag
        why = "".join(
            f'<a href="#{html.escape(name)}">{html.escape(name)}</a> '
            for name in reasons.get(-1 if i is None else i, ())
        )
        body.append(
            f'<tr class="{kind}"><td class=n>{"" if i is None else i + 1}</td><td class=p>{left}</td>'
            f"<td class=n>{'' if j is None else j + 1}</td><td class=t>{right}</td><td class=r>{why}</td></tr>"
        )
    heads = "<tr><th class=n></th><th>Paddle</th><th class=n></th><th>torch</th><th>row</th></tr>"
    return f"<h2>{html.escape(str(done.source))}</h2><table>{heads}{''.join(body)}</table>"


def _pairs(before: list[str], after: list[str]) -> Iterator[tuple[str, int | None, int | None]]:
    """Lines beside each other: their numbers, or None where one side has none."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        for k in range(max(b - a, d - c)):
            yield (
                "same" if tag == "equal" else "changed",
                a + k if a + k < b else None,
                c + k if c + k < d else None,
            )


def _reasons(done: Done, rows: dict[str, Row]) -> Mapping[int, list[str]]:
    """The rows behind the changes of each line of the source."""
    names = {row.paddle: row for row in TABLE}
    found: dict[int, list[str]] = {}
    for change, line in done.ported.places():
        row = names.get(change)
        if row is not None:
            rows[change] = row
            if change not in found.setdefault(line, []):
                found[line].append(change)
    return found


def _row(row: Row) -> str:
    example = row.examples[0]
    return (
        f'<dt id="{html.escape(row.paddle)}">{html.escape(row.paddle)} &rarr; {html.escape(row.torch or row.remedy)}</dt>'
        f"<dd>{html.escape(row.reason)} ({html.escape(row.exactness.value)})<br>"
        f"<code>{html.escape(example.paddle)}</code><br><code>{html.escape(example.torch)}</code></dd>"
    )
