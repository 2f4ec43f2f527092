"""Short forms for the rows of the tables."""

from tests.mutants.cases import Bug


def _several(value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def line(name, kind, old, new, where, cause, **more) -> Bug:
    """One line of the torch source written wrongly. The name starts with the network's."""
    edits = ((old, new), *more.pop("also", ()))
    return data(name, kind, where, cause, edits=edits, **more)


def data(name, kind, where, cause, **more) -> Bug:
    return Bug(name, name.split("-")[0], kind=kind, where=_several(where), cause=_several(cause), **more)


def convert(name, kind, operation, where, cause, **more) -> Bug:
    """A mistake in the converted weights."""
    weights = (operation,) if isinstance(operation[0], str) else tuple(operation)
    return data(name, kind, where, cause, weights=weights, stage="conversion", **more)
