"""`Report`: the results of a check, and the ways to show them."""

from __future__ import annotations

from typing import Any

from parity.results.results import Results


class Report(Results):
    """The result of `parity.check`. True in a boolean context only when EQUIVALENT."""

    def __repr__(self) -> str:
        from parity.report.text import brief

        return brief(self)

    def __str__(self) -> str:
        from parity.report.text import summary

        return summary(self)

    def to_json(self) -> dict[str, Any]:
        """The whole report as JSON-ready data; `parity/report/schema.json` is its schema."""
        from parity.report.json import to_json

        return to_json(self)

    def to_html(self) -> str:
        """One self-contained page: verdict, findings with both sources, plot, both graphs, every layer."""
        from parity.report.html import to_html

        return to_html(self)

    def to_junit(self) -> str:
        """JUnit XML: a test case a layer, so that a CI system shows them."""
        from parity.report.junit import to_junit

        return to_junit(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from parity.report.html import to_notebook

        return to_notebook(self)
