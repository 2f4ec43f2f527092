"""Short forms for the rows of the tables of styles."""

from collections.abc import Iterable

from tests.mutants.cases import Style

LEAVES = {
    "conv": {"weight": "weight", "bias": "bias"},
    "kernel": {"weight": "weight"},
    "norm": {
        "weight": "weight",
        "bias": "bias",
        "running_mean": "_mean",
        "running_var": "_variance",
    },
}


def style(name, kind, *edits, **more) -> Style:
    """Edits of the torch source that change nothing. The name starts with the network's."""
    return Style(name, name.split("-")[0], kind=kind, edits=tuple(edits), **more)


def paired(rows: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """(torch path, Paddle path, what it holds) rows as torch name -> Paddle name."""
    return {
        f"{torch_path}.{torch_leaf}": f"{paddle_path}.{paddle_leaf}"
        for torch_path, paddle_path, holds in rows
        for torch_leaf, paddle_leaf in LEAVES[holds].items()
    }
