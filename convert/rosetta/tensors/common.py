"""Short forms for rows about tensors: most are one call, one file in each framework and one reason."""

from __future__ import annotations

from typing import Literal

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

AXIS = Argument("axis", "dim", note="an int, a list or None in both")
X_INPUT = Argument("x", "input")
NO_TWIN = "no twin"
PADDLE_ELSEWHERE = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "tanh"), "_paddle_docs"),
    **dict.fromkeys(("erfinv", "lgamma", "outer", "kron"), "tensor/math"),
    "permute": "tensor/linalg",
    "swapaxes": "tensor/__init__",
}
"""Functions that stand in another file than their neighbours."""
TORCH_ELSEWHERE = {
    "meshgrid": "functional.py",
    "index_put": "_tensor_docs.py",
    "vector_norm": "linalg/__init__.py",
    "masked_fill": "_tensor_docs.py",
}
KEEPDIM = Argument("keepdim", "keepdim", paddle_default=False, torch_default=False)

Compare = Literal["values", "dtype", "shape", "distribution"]


def case(
    paddle: str, torch: str, *, backward: bool = True, compare: Compare = "values", **inputs: str
) -> Example:
    """An example whose inputs are keywords: `case("paddle.exp(x)", "torch.exp(x)", x="float 2,3")`."""
    return Example(inputs, paddle, torch, backward=backward, compare=compare)


def function(
    paddle: str,
    torch: str,
    where: str,
    reason: str,
    *examples: Example,
    exactness: Exactness = Exactness.BIT,
    arguments: tuple[Argument, ...] = (),
    traps: tuple[Trap, ...] = (),
    within: float = 0.0,
    remedy: str = "",
    kind: Kind = Kind.FUNCTION,
    torch_where: str = "",
) -> Row:
    """The row of a function of the root; `where` is Paddle's file, `tensor/math.py` without its ending."""
    name = paddle.rpartition(".")[2]
    twin = torch.rpartition(".")[2]
    documented = (
        "_tensor_docs.py" if torch.startswith("Tensor.") else TORCH_ELSEWHERE.get(twin, "_torch_docs.py")
    )
    return Row(
        kind,
        paddle,
        torch,
        exactness,
        arguments=arguments,
        traps=traps,
        examples=examples,
        within=within,
        remedy=remedy,
        source=Source(
            f"{PADDLE_ELSEWHERE.get(name, where)}.py: {name}",
            torch_where or (f"{documented}: {twin}" if twin else NO_TWIN),
        ),
        reason=reason,
    )
