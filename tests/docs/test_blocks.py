"""What counts as the same output, and what does not."""

from __future__ import annotations

import pytest

from docs.tools.blocks import Block, Example, examples, missing, render, same, updated


def test_the_comparison_of_outputs_notices_a_difference():
    printed = ["first 1.0e-15", "second", "third"]
    assert not missing(("first 2.0e-16", "...", "third"), printed)
    assert not missing(("first...", "..."), printed)
    assert missing(("second", "..."), printed) == "second"
    assert missing(("...", "fourth"), printed) == "fourth"
    assert "goes on" in missing(("first 1.0e-15",), printed)
    assert not missing((), printed)


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("off by 2.1e-15", "off by 0.0e+00", True),  # rounding of float64
        ("off by 3.1e-05", "off by 5.9e-05", True),
        ("off by 3.1e-05", "off by 5.9e-02", False),
        ("off by 5.6e-01", "off by 0.0e+00", False),
        ("worst 1.5e-12 of ...", "worst 2.25e-12 of the scale", True),
        ("worst 1.5e-12 of ...", "worst 2.5e-12 for the scale", False),
        ("a  table │ row", "a table │ row", True),
        ("53 operators...", "54 operators compared", False),
    ],
)
def test_numbers_must_agree_in_size_only(shown, printed, alike):
    assert same(shown, printed) is alike


def test_a_command_goes_on_after_a_backslash():
    block = Block("console", "$ ls \\\n    -l\nfile\n$ pwd\n")
    assert examples(block) == [Example("ls \\\n    -l", ("file",)), Example("pwd", ())]
    assert render(examples(block)) == block.text


@pytest.mark.parametrize(
    ("command", "shown", "code"),
    [
        ("paddle2torch parity x", ("...", "DIFFERENT: 1 finding"), 1),
        ("paddle2torch parity x", ("INCONCLUSIVE: nothing compared", "..."), 3),
        ("paddle2torch parity x", ("paddle2torch parity: no such file", "..."), 2),
        ("paddle2torch parity x", ("EQUIVALENT: same",), 0),
        ("python verdict.py", ("DIFFERENT",), 0),
        ("diff one other", ("1c1",), 1),
    ],
)
def test_the_exit_code_follows_from_what_is_shown(command, shown, code):
    assert Example(command, shown).exit_code == code


def test_an_update_keeps_what_was_left_out():
    printed = ["one 2", "two", "three 3.0e-05", "four"]
    assert updated(("...", "three 4.0e-05", "..."), printed) == ("...", "three 3.0e-05", "...")
    assert updated(("one...", "..."), printed) == ("one...", "...")
    with pytest.raises(LookupError, match="five"):
        updated(("...", "five"), printed)
