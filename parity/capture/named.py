"""The numbers that a model's own code compares sizes with, or cuts by: what it does from there on, no other size shows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from parity.capture.source import definition, own_classes

LEAST, MOST = 2, 512
"""Zero and one stand everywhere, and a model that treats larger sizes apart is not run on them."""

CUTTING = frozenset({"split", "chunk", "range"})
"""What is called with a number of steps at a time."""

FINEST, FARTHEST = 2.0**10, 1e6
"""Numbers that a comparison names are tried where no formula rounds them: so many parts of one, and up to so large."""


class _Asked(NamedTuple):
    """A number that code names, or the name that it has there; far: what is done beyond it counts, and not on it."""

    what: int | str
    far: bool


def numbers_named(module: Any) -> set[int]:
    """The sizes that a module's classes name, outside of what makes the module: as numbers, or as what is set to one."""
    found = set()
    for cls in own_classes(module):
        for one in _named(cls):
            number = one.what if isinstance(one.what, int) else _held(one.what, module, cls)
            # Far beyond a limit shows more than right behind it: a second tile, a window that no longer sees all.
            found |= set() if number is None else {number + 1, 2 * number + 1} if one.far else {number}
    return {number for number in found if LEAST <= number <= MOST}


def edges_named(module: Any) -> set[float]:
    """The numbers in the methods of a module's classes that floats hold without rounding, outside of what makes the module."""
    return {number for cls in own_classes(module) for number in _edges(cls)}


def _held(name: str, module: Any, cls: type) -> int | None:
    """What an attribute or a name of the file is set to, if that is a whole number."""
    attribute = name.removeprefix("self.")
    held = getattr(module, attribute, None) if attribute != name else _globals(cls).get(name)
    return held if type(held) is int else None


def _globals(cls: type) -> Mapping[str, Any]:
    return vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}


@lru_cache(maxsize=1024)
def _edges(cls: type) -> frozenset[float]:
    numbers = {
        float(one.value)
        for method in _methods(cls)
        for one in ast.walk(method)
        if isinstance(one, ast.Constant) and isinstance(one.value, (int, float)) and abs(one.value) < FARTHEST
    }
    return frozenset(number for number in numbers if abs(number) > 1 and (number * FINEST).is_integer())


@lru_cache(maxsize=1024)
def _named(cls: type) -> frozenset[_Asked]:
    return frozenset(
        _Asked(defaults.get(one.what, one.what) if isinstance(one.what, str) else one.what, one.far)
        for method in _methods(cls)
        for defaults in [dict(_defaults(method.args))]
        for node in ast.walk(method)
        for one in _asked(node)
    )


def _methods(cls: type) -> list[ast.FunctionDef]:
    found = definition(cls)
    methods = () if found is None else (f for f in found.body if isinstance(f, ast.FunctionDef))
    return [method for method in methods if method.name != "__init__"]


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, int]]:
    by_place = [*arguments.posonlyargs, *arguments.args][::-1]
    for one, value in (
        *zip(by_place, arguments.defaults[::-1], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ):
        if isinstance(value, ast.Constant) and type(value.value) is int:
            yield one.arg, value.value


def _asked(node: ast.AST) -> Iterator[_Asked]:
    """The sizes on which a question comes out as on no smaller one; none where it is about the layer itself or a rank."""
    if isinstance(node, ast.If | ast.IfExp):
        # `if n % 8` asks without comparing.
        divided = [n for n in ast.walk(node.test) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mod)]
        for one in divided:
            yield from (_Asked(number, False) for number in _numbers(one) if _of_the_input(one))
    elif isinstance(node, ast.Compare) and _of_the_input(node):
        limit = not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.Constant):
                yield from (_Asked(number, limit) for number in _numbers(side))
            else:
                yield from (_Asked(number, False) for number in _numbers(side))
                yield from (_Asked(name, limit) for name in _names(side))
    elif isinstance(node, ast.Call) and _of_the_input(node):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        bound = called in ("min", "max") and isinstance(node.func, ast.Name)
        for argument in node.args if bound or called in CUTTING else ():
            if isinstance(argument, ast.Constant) and type(argument.value) is int:
                yield _Asked(argument.value, True)
            yield from (_Asked(name, True) for name in _names(argument))


def _of_the_input(node: ast.AST) -> bool:
    inside = list(ast.walk(node))
    ranks = any(isinstance(one, ast.Attribute) and one.attr in ("ndim", "dim") for one in inside)
    return not ranks and any(isinstance(one, ast.Name) and one.id != "self" for one in inside)


def _numbers(node: ast.AST) -> Iterator[int]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and type(inner.value) is int:
            yield inner.value


def _names(node: ast.AST) -> Iterator[str]:
    """`self.limit` or a plain name that stands alone."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        yield f"self.{node.attr}"
