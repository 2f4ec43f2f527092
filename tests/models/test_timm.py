"""The table of Paddle's zoo against timm's, which the guide shows, is what the check says."""

import pytest

from docs.tools.pages import DOCS
from tests.models.timm_pairs import PAIRS, QUICK, judged, row

ROWS = (DOCS / "guide" / "cases.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    "pair", [pair for pair in PAIRS if pair.paddle in QUICK], ids=lambda pair: pair.paddle
)
def test_the_guide_says_what_the_check_says(pair):
    assert row(pair, judged(pair)) in ROWS
