"""The numbers that a model's own code compares sizes with: what it does from there on, no other size shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from parity.capture.source import definition, own_classes

LEAST, MOST = 2, 512
"""Zero and one stand everywhere, and a model that treats larger sizes apart is not run on them."""


def numbers_named(module: Any) -> set[int]:
    """The numbers that a module's classes name, outside of what makes the module."""
    return {number for cls in own_classes(module) for number in _named(cls)}


@lru_cache(maxsize=1024)
def _named(cls: type) -> frozenset[int]:
    found = definition(cls)
    methods = () if found is None else (f for f in found.body if isinstance(f, ast.FunctionDef))
    return frozenset(
        number
        for method in methods
        if method.name != "__init__"
        for node in ast.walk(method)
        for number in _asked(node)
        if LEAST <= number <= MOST
    )


def _asked(node: ast.AST) -> Iterator[int]:
    """The sizes on which a question comes out as on no smaller one; none where it is about the layer itself or a rank."""
    if isinstance(node, ast.If | ast.IfExp):
        # `if n % 8` asks without comparing.
        divided = [n for n in ast.walk(node.test) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod)]
        yield from (number for one in divided if _of_the_input(one) for number in _numbers(one))
    elif isinstance(node, ast.Compare) and _of_the_input(node):
        # Far beyond a limit shows more than right behind it: a second tile, a window that no longer sees all.
        limit = not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        for side in (node.left, *node.comparators):
            far = limit and isinstance(side, ast.Constant)
            yield from (2 * number + 1 if far else number for number in _numbers(side))
    elif (
        isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("min", "max") and _of_the_input(node)
    ):
        yield from (
            2 * one.value + 1 for one in node.args if isinstance(one, ast.Constant) and type(one.value) is int
        )


def _of_the_input(node: ast.AST) -> bool:
    inside = list(ast.walk(node))
    ranks = any(isinstance(one, ast.Attribute) and one.attr in ("ndim", "dim") for one in inside)
    return not ranks and any(isinstance(one, ast.Name) and one.id != "self" for one in inside)


def _numbers(node: ast.AST) -> Iterator[int]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and type(inner.value) is int:
            yield inner.value
