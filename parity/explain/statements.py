"""Statements of the user's source around a line: the loop, the block, the call that sets a flag. "" where the source cannot be read."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

WITHOUT_GRADIENT = frozenset({"no_grad", "inference_mode", "set_grad_enabled"})


def loop_around(line: str) -> str:
    """The line that begins the innermost loop around a line."""
    path, number = parts(line)
    return _innermost(path, (n for n in _around(path, number) if isinstance(n, ast.For)))


def collected(line: str) -> str:
    """The line that puts something into a list that a line reads, in the same function; "" if none does, or several do."""
    return _put_into(line, set(_names(line)))


def put_in_list(line: str) -> str:
    """The same, of a list over which the line runs: what it does, it does to all of it."""
    path, number = parts(line)
    statements = [n for n in ast.walk(_tree("".join(linecache.getlines(path)))) if isinstance(n, ast.stmt)]
    loops = [
        node.iter
        for statement in statements
        if statement.lineno <= number <= (statement.end_lineno or 0)
        for node in ast.walk(statement)
        if isinstance(node, (ast.For, ast.comprehension)) and _holds(node, number)
    ]
    return _put_into(line, {n.id for loop in loops for n in ast.walk(loop) if isinstance(n, ast.Name)})


def _holds(node: ast.For | ast.comprehension, number: int) -> bool:
    at = node if isinstance(node, ast.For) else node.iter
    return at.lineno <= number <= (at.end_lineno or 0)


def _put_into(line: str, names: set[str]) -> str:
    path, number = parts(line)
    functions = [n for n in _around(path, number) if isinstance(n, ast.FunctionDef)]
    found = {
        node.lineno
        for node in (ast.walk(functions[-1]) if functions else ())
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("append", "extend", "insert")
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in names
    }
    return f"{path}:{found.pop()}" if len(found) == 1 else ""


def hands_on(line: str) -> bool:
    """Whether a line takes several results of a call whose arguments they were: `h, c = step(x, h, c)`."""
    path, number = parts(line)
    for node in ast.walk(_tree("".join(linecache.getlines(path)))):
        if isinstance(node, ast.Assign) and node.lineno <= number <= (node.end_lineno or 0):
            made = {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            calls = (n for n in ast.walk(node.value) if isinstance(n, ast.Call))
            given = ({a.id for a in call.args if isinstance(a, ast.Name)} for call in calls)
            return any(len(made & names) > 1 for names in given)
    return False


def block_around(line: str, calls: frozenset[str]) -> str:
    """The line of the innermost `with` around a line that calls one of these."""
    path, number = parts(line)
    blocks = (n for n in _around(path, number) if isinstance(n, ast.With))
    return _innermost(path, (n for n in blocks if any(_calls(item.context_expr, calls) for item in n.items)))


def flag_set(made: str, path: str, calls: frozenset[str]) -> str:
    """The line that calls one of these on what a layer is kept as, in the class that makes the layer on the line `made`."""
    file, number = parts(made)
    name = path.rpartition(".")[2]
    classes = [n for n in _around(file, number) if isinstance(n, ast.ClassDef)]
    for node in ast.walk(classes[-1]) if classes else ():
        if _calls(node, calls) and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner: ast.AST = node.func.value
            while isinstance(owner, ast.Attribute):
                if owner.attr == name:
                    return f"{file}:{node.lineno}"
                owner = owner.value
    return ""


def in_another_order(line: str, other: str) -> bool:
    """Whether two lines speak of the same names, and in another order. What only one of them names does not count."""
    ours, theirs = _names(line), _names(other)
    shared = set(ours) & set(theirs)
    first, second = ([name for name in names if name in shared] for names in (ours, theirs))
    return first != second and sorted(first) == sorted(second)


def _names(line: str) -> list[str]:
    """What the statement that a line begins reads, in order; of a compound one, what stands before its block."""
    path, number = parts(line)
    statement = next(
        (
            node
            for node in ast.walk(_tree("".join(linecache.getlines(path))))
            if isinstance(node, ast.stmt) and _head(node)[0] <= number <= _head(node)[1]
        ),
        None,
    )
    if statement is None:
        return []
    last = _head(statement)[1]
    found = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.lineno <= last]
    return [
        n.id for n in sorted(found, key=lambda n: (n.lineno, n.col_offset)) if isinstance(n.ctx, ast.Load)
    ]


def _head(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement without those of its block."""
    body = getattr(node, "body", None)
    end = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
    return node.lineno, max(end, node.lineno)


def number_given(line: str, value: float | None = None) -> str:
    """The line that gives the one number of the object's that a line computes with: `self.scale = 0.5`, or the default of its argument.

    value: the number, if it is known: a default that is another one did not give it.
    """
    path, number = parts(line)
    classes = [n for n in _around(path, number) if isinstance(n, ast.ClassDef)]
    statement = (
        next((n for n in ast.walk(classes[-1]) if isinstance(n, ast.stmt) and _is_on(n, number)), None)
        if classes
        else None
    )
    if statement is None:
        return ""
    passed = {id(n.func) for n in ast.walk(statement) if isinstance(n, ast.Call)}
    # What is made of it on the line itself, `self.scale**2`, is given there.
    passed |= {
        id(side) for n in ast.walk(statement) if isinstance(n, ast.BinOp) for side in _beside_a_constant(n)
    }
    names = Counter(
        n.attr
        for n in ast.walk(statement)
        if _is_own(n) and id(n) not in passed and isinstance(n, ast.Attribute)
    )
    # Twice on a line, it is the line that takes it too often.
    given = [
        at
        for name, times in names.items()
        if times == 1 and (at := _assigned(classes[-1], name, value)) is not None
    ]
    return f"{path}:{given[0]}" if len(given) == 1 else ""


def _beside_a_constant(node: ast.BinOp) -> list[ast.expr]:
    sides = [node.left, node.right]
    return sides if any(isinstance(side, ast.Constant) for side in sides) else []


def _is_on(node: ast.stmt, number: int) -> bool:
    simple = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)
    return isinstance(node, simple) and node.lineno <= number <= (node.end_lineno or 0)


def _is_own(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _assigned(owner: ast.ClassDef, name: str, number: float | None) -> int | None:
    """Where a class gives itself a plain number, or numbers, of this name."""
    for function in (n for n in owner.body if isinstance(n, ast.FunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(
                _is_own(t) and getattr(t, "attr", "") == name for t in node.targets
            ):
                value = node.value
                if isinstance(value, ast.Name):
                    return _default(function, value.id, number)
                makes = any(
                    isinstance(n, ast.Attribute) and n.attr in ("nn", "Parameter") for n in ast.walk(value)
                )
                return (
                    None
                    if makes
                    or not isinstance(value, (ast.Constant, ast.BinOp, ast.Tuple, ast.List, ast.Call))
                    else node.lineno
                )
    return None


def _default(function: ast.FunctionDef, name: str, number: float | None) -> int | None:
    """The line of an argument's default, which is this number."""
    arguments = function.args
    defaults = dict(zip([a.arg for a in arguments.args][::-1], arguments.defaults[::-1], strict=False))
    if name not in defaults:
        return None
    default = defaults[name]
    another = number is not None and isinstance(default, ast.Constant) and default.value != number
    return None if another else default.lineno


def parts(line: str) -> tuple[str, int]:
    """Path and number of "net.py:12"; 0 without a number."""
    path, _, number = line.rpartition(":")
    return path, int(number) if number.isdigit() else 0


def _around(path: str, number: int) -> Iterator[ast.stmt]:
    """Statements that hold a line, and do not begin with it; outer ones first."""
    tree = _tree("".join(linecache.getlines(path)))
    found = (
        n for n in ast.walk(tree) if isinstance(n, ast.stmt) and n.lineno < number <= (n.end_lineno or 0)
    )
    yield from sorted(found, key=lambda node: node.lineno)


@lru_cache(maxsize=16)
def _tree(source: str) -> ast.Module:
    """A file as syntax, empty where it has none: every finding asks about the same few."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _innermost(path: str, found: Iterator[ast.stmt]) -> str:
    nodes = list(found)
    return f"{path}:{nodes[-1].lineno}" if nodes else ""


def _calls(node: ast.AST, names: frozenset[str]) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr in names
    return isinstance(called, ast.Name) and called.id in names
