"""Evidence written by hand, closed after the test."""

from __future__ import annotations

import pytest

from tests.explain.evidence import Hand


@pytest.fixture
def hand(tmp_path):
    made = Hand(tmp_path)
    yield made
    made.close()
