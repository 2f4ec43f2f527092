"""The result of a check and the ways to show it."""

from parity.report.model import Case, Report

__all__ = ["Case", "Report"]
