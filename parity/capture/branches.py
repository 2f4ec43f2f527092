"""The branches of a model's code that depend on what it is given: those that no run enters compute nothing that was compared."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Any, NamedTuple

from parity.capture.options import Options
from parity.capture.source import is_machinery, own_classes

SETTLED = frozenset(
    {"training", "is_scripting", "is_tracing", "is_exporting", "is_compiling", "is_in_onnx_export"}
    | {"in_dynamic_mode", "in_dygraph_mode", "in_dynamic_or_pir_mode", "__version__"}
)
"""Names of what a check settles itself, or the machine: the mode, which a report names, and that a model runs as it is written."""

STEADY = frozenset({"self", *dir(builtins)})
"""What is called to ask what a model is made of, and gives the same answer each time."""

LONGEST = 60
"""A question is told up to so many letters."""


class Branch(NamedTuple):
    """One side of an `if`: the lines of its question, those of what it does, and how it reads. method: it is in a class."""

    asked: range
    body: range
    told: str
    method: bool


@contextmanager
def branches_of(modules: Iterable[Any], found: dict[str, bool], options: Options) -> Iterator[None]:
    """Within, the branches that are reached in the files of the modules' classes: "file:line (`if ...`)" -> whether one was entered.

    Only where a model runs freely and in float64, as every input does once.

    Says nothing while a debugger or a coverage measurement watches the thread: there is one place for such a function.
    """
    one_of_each = {type(module): module for module in modules}.values()
    files = {file for module in one_of_each for cls in own_classes(module) for file in _files(cls)}
    branches = {file: _branches("".join(linecache.getlines(file))) for file in files}
    found_any = any(branch.method for told in branches.values() for branch in told)
    free = options.forcing is None and options.precision == "float64"
    if not (found_any and free) or sys.gettrace() is not None:
        yield
        return
    ran: dict[str, set[int]] = {file: set() for file in branches}

    def each_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            ran[frame.f_code.co_filename].add(frame.f_lineno)
        return each_line

    def each_call(frame: FrameType, _event: str, _: Any) -> Any:
        return each_line if frame.f_code.co_filename in ran else None

    sys.settrace(each_call)
    try:
        yield
    finally:
        sys.settrace(None)
        for file, lines in ran.items():
            for branch in branches[file]:
                if not lines.isdisjoint(branch.asked):
                    place = f"{file}:{branch.told}"
                    found[place] = found.get(place, False) or not lines.isdisjoint(branch.body)


@lru_cache(maxsize=1024)
def _files(cls: type) -> frozenset[str]:
    """Where the methods of a class stand, but for what is installed: nobody is going to edit that."""
    methods = [inspect.unwrap(value) for value in vars(cls).values() if inspect.isfunction(value)]
    files = {method.__code__.co_filename for method in methods if inspect.isfunction(method)}
    return frozenset(file for file in files if not (is_machinery(file) or "site-packages" in file))


@lru_cache(maxsize=64)
def _branches(source: str) -> tuple[Branch, ...]:
    """Those of a file whose question may come out otherwise for the same model in the same mode."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ()
    return tuple(
        branch
        for function, cls in _functions(tree, None)
        for changing in [_changing(cls)]
        for depends in [_given(function, changing)]
        for node in _own(function)
        if isinstance(node, ast.If) and _open(node.test, depends, changing)
        for branch in _sides(node, method=cls is not None)
    )


def _functions(
    node: ast.AST, cls: ast.ClassDef | None
) -> Iterator[tuple[ast.FunctionDef, ast.ClassDef | None]]:
    """Every function that runs once a model is made, with the class that it is in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and child.name != "__init__":
            yield child, cls
        yield from _functions(child, child if isinstance(child, ast.ClassDef) else cls)


def _changing(cls: ast.ClassDef | None) -> frozenset[str]:
    """The attributes that the methods of a class set, but for those that make it."""
    body = () if cls is None else cls.body
    methods = (one for one in body if isinstance(one, ast.FunctionDef) and one.name != "__init__")
    return frozenset(
        one.attr
        for method in methods
        for one in ast.walk(method)
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
    )


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Everything in a function but what is in functions inside it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _own(child)


def _given(function: ast.FunctionDef, changing: frozenset[str]) -> set[str]:
    """The names in a function that hold what it is given, or what is made of that."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    arguments += [one for one in (function.args.vararg, function.args.kwarg) if one is not None]
    depends = {one.arg for one in arguments} - {"self", "cls"}
    before = -1
    while before != len(depends):
        before = len(depends)
        for node in _own(function):
            value = getattr(node, "iter", None) if isinstance(node, ast.For) else getattr(node, "value", None)
            targets = [*getattr(node, "targets", ()), *filter(None, [getattr(node, "target", None)])]
            if targets and isinstance(value, ast.expr) and _open(value, depends, changing):
                stored = (one for target in targets for one in ast.walk(target))
                depends |= {
                    one.id for one in stored if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
                }
    return depends


def _open(value: ast.expr, depends: set[str], changing: frozenset[str]) -> bool:
    """Whether an expression may come out otherwise for the same model in the same mode."""
    inside = list(ast.walk(value))
    names = {one.id for one in inside if isinstance(one, ast.Name)}
    attributes = {one.attr for one in inside if isinstance(one, ast.Attribute)}
    if (names | attributes) & SETTLED:
        return False
    asks = any(isinstance(one, ast.Call) and _root(one.func) not in STEADY for one in inside)
    return asks or bool(names & depends or attributes & changing)


def _root(value: ast.expr) -> str:
    """The name that `name.attribute.attribute` begins with."""
    while isinstance(value, ast.Attribute | ast.Subscript | ast.Call):
        value = value.func if isinstance(value, ast.Call) else value.value
    return value.id if isinstance(value, ast.Name) else ""


def _sides(node: ast.If, *, method: bool) -> Iterator[Branch]:
    """What an `if` does and what its `else` does, where that stands in lines of its own and computes something."""
    asked = range(node.lineno, node.body[0].lineno)
    question = ast.unparse(node.test)
    question = question if len(question) <= LONGEST else f"{question[: LONGEST - 3]}..."
    for body, text in ((node.body, f"if {question}"), (node.orelse, f"else of if {question}")):
        chained = body is node.orelse and len(body) == 1 and isinstance(body[0], ast.If)
        if asked and body and not chained and not all(isinstance(one, ast.Raise | ast.Pass) for one in body):
            lines = range(body[0].lineno, (body[-1].end_lineno or 0) + 1)
            told = f"{asked.start if body is node.body else lines.start} (`{text}`)"
            yield Branch(asked, lines, told, method)
