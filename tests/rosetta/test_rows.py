"""Every row of the Rosetta table, proven in both frameworks; generated from the table."""

from __future__ import annotations

import inspect
import re
from typing import Any

import paddle
import pytest
import torch

from convert.rosetta.rows import COMPARE, Exactness, Kind, Row
from convert.rosetta.table import TABLE
from parity.rosetta.prove import prove

ROWS = [pytest.param(row, id=f"{row.kind.value}-{row.paddle}".replace(" ", "_")) for row in TABLE]


@pytest.mark.parametrize("row", ROWS)
def test_what_a_row_claims_is_measured(row: Row) -> None:
    proof = prove(row)
    assert not proof.failures, "\n".join(proof.failures)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_complete(row: Row) -> None:
    assert row.examples
    assert row.reason
    assert row.source.paddle
    assert row.source.torch
    assert bool(row.remedy) == (row.exactness is Exactness.NONE)
    assert all(entry.why for entry in (*row.parameters, *row.generated))
    assert all(example.compare in COMPARE for example in row.examples)


def _resolve(root: Any, dotted: str) -> Any:
    for word in dotted.split("."):
        root = getattr(root, word)
    return root


@pytest.mark.parametrize("row", [p for p in ROWS if p.values[0].kind is not Kind.IDIOM])  # type: ignore[attr-defined]
def test_names_of_a_row_exist_in_both_frameworks(row: Row) -> None:
    assert _resolve(paddle, row.paddle) is not None
    if row.torch and not row.torch.startswith(("torchvision.", "PIL.")):
        assert _resolve(torch, row.torch) is not None


def _signature(value: Any) -> set[str] | None:
    """The argument names, or None where they are not written in Python (or are `*args`)."""
    try:
        parameters = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return None
    open_ended = any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values())
    return None if open_ended else set(parameters)


@pytest.mark.parametrize("row", [p for p in ROWS if p.values[0].kind not in (Kind.IDIOM, Kind.LAYER)])  # type: ignore[attr-defined]
def test_arguments_of_a_row_exist_in_both_frameworks(row: Row) -> None:
    paddle_names = _signature(_resolve(paddle, row.paddle))
    torch_names = (
        _signature(_resolve(torch, row.torch)) if row.torch and "torchvision" not in row.torch else None
    )
    for argument in row.arguments:
        assert argument.paddle is None or paddle_names is None or argument.paddle in paddle_names
        assert argument.torch is None or torch_names is None or argument.torch in torch_names


def test_no_row_is_written_twice() -> None:
    pairs = [(row.paddle, row.torch) for row in TABLE]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("row", ROWS)
def test_an_argument_is_called_float32_only_where_a_row_shows_it(row: Row) -> None:
    """The proof rounds these arguments in torch: one that Paddle keeps in float64 would be an error of 1e-9 itself."""
    kept = [argument for argument in row.arguments if argument.convert in ("f32", "1 - f32")]
    assert not kept or row.exactness not in (Exactness.BIT, Exactness.ALGEBRA)
    texts = [example.torch for example in row.examples]
    if row.kind is Kind.OPTIMIZER and row.torch:
        for argument in kept:
            shown = rf"\b{argument.torch}\s*=\s*\(?[^)]*f32\("
            assert any(re.search(shown, text) for text in texts), argument.paddle
