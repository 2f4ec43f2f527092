"""Short forms for the rows of the tables."""

from dataclasses import replace

from tests.mutants.cases import Bug, Expected
from tests.mutants.weights import PADDLE_NAMES

EDITED = "the edited line"
"""As the line of an expected finding: what the (first) edit writes."""


def line(name, kind, old, new, *expected: Expected, **more) -> Bug:
    """One line of the torch source written wrongly. The name starts with the network's."""
    edits = ((old, new), *more.pop("also", ()))
    placed = [replace(one, line=new.strip()) if one.line == EDITED else one for one in expected]
    return data(name, kind, *placed, edits=edits, **more)


def data(name, kind, *expected: Expected, **more) -> Bug:
    return Bug(name, name.split("-")[0], kind=kind, expected=expected, **more)


def convert(name, kind, operation, *expected: Expected, **more) -> Bug:
    """A mistake in the converted weights."""
    weights = (operation,) if isinstance(operation[0], str) else tuple(operation)
    return data(name, kind, *expected, weights=weights, stage="conversion", **more)


def held(layer, operator, at, leaf, holds, **more) -> Expected:
    """A weight or buffer of a layer that holds something else; `at` is a piece of the line that makes the layer."""
    name = f"{layer}.{PADDLE_NAMES.get(leaf, leaf)}"
    return Expected(layer, operator, at, "weight", f"{layer}.{leaf}", name, holds, **more)
