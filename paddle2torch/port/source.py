"""One file: read, walked until nothing new is learnt, written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from paddle2torch.port.calls import Change
from paddle2torch.port.imports import Resolver
from paddle2torch.port.names import Names, additional
from paddle2torch.port.statements import Walk
from paddle2torch.port.templates import code_of
from paddle2torch.port.values import Class, Function, Scope

WALKS = 2
"""Walks that only learn, before the one that writes: what is passed to a function stands behind it in a file as often as before."""


class NotPython(ValueError):
    """The source cannot be read; the message has the line."""


@dataclass(frozen=True)
class Left:
    """One place that is still Paddle: its line in the source, what stands there and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True)
class Ported:
    """A file in torch. `left` is what was not translated, `changes` what was, with the row that says so."""

    text: str
    before: str
    left: tuple[Left, ...] = ()
    changes: tuple[Change, ...] = ()
    tree: cst.Module | None = None
    """The source as it was read."""

    def places(self) -> list[tuple[str, int]]:
        """The row behind each change, and the line of the source that it is in, from 0."""
        if self.tree is None:
            return []
        found = MetadataWrapper(self.tree, unsafe_skip_copy=True).resolve(PositionProvider)
        return [(c.row, found[c.before].start.line - 1) for c in self.changes if c.before in found]

    @property
    def changed(self) -> bool:
        return self.text != self.before

    @property
    def lines_changed(self) -> int:
        """Lines of the source that are other ones now, or gone."""
        import difflib

        matcher = difflib.SequenceMatcher(
            None, self.before.splitlines(), self.text.splitlines(), autojunk=False
        )
        return sum(max(b - a, d - c) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal")


@dataclass
class Source:
    """A file on its way: walked again and again, until its neighbours have told what they know."""

    text: str
    module: str = ""
    resolve: Resolver = lambda module, level: None
    own: dict[int, Class | Function] = field(default_factory=dict)
    known: Scope = field(default_factory=Scope)
    plan: Names = field(default_factory=Names)
    tree: cst.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = parsed(self.text)

    def walk(self, *, settle: bool = False) -> tuple[Walk, list[cst.BaseStatement]]:
        """What one more walk makes of the file. settle: it is the last before the one that writes, which goes by its imports."""
        walk = Walk(
            plan=self.plan,
            resolve=self.resolve,
            own=self.own,
            module=self.module,
            scopes=[dict(self.known.names)],
        )
        walk.names.defined = self.plan.defined
        body = walk.block(self.tree.body)
        self.known.names = scope = walk.scopes[0]
        walk.learn_bound(scope)
        if settle:
            _drop_unused(walk.names, body)
        # What the file binds comes second: of both, the import is the one that can be called otherwise.
        walk.names.defined = {**walk.names.shown(), **walk.bound}
        self.plan = walk.names
        return walk, body

    def written(self) -> Ported:
        """The port, from one more walk."""
        walk, body = self.walk(settle=True)
        tree = self.tree.with_changes(body=_with_imports(body, self.tree, walk))
        text = tree.code
        if text == self.text:
            return Ported(self.text, self.text)
        return Ported(text, self.text, _left(self.tree, walk), tuple(walk.changes), self.tree)


_IMPORT = re.compile(r"^\s*(?:import|from)\b.*$", re.MULTILINE)


def _drop_unused(names: Names, body: list[Any]) -> None:
    """What was written and then put away again needs no import."""
    written = set(re.findall(r"\b[^\W\d]\w*", _IMPORT.sub("", cst.Module(body).code)))
    names.used = {name for name in names.used if names.local_of(names.imported[name]) in written}
    names.kept &= written
    names.extra = {
        (where, name)
        for where, name in names.extra
        if (names.called(where, name) if name else where) in written
    }


def port_source(text: str, *, module: str = "", resolve: Resolver | None = None) -> Ported:
    """The port of one file's text. Text without Paddle comes back as it is.

    Raises:
        NotPython: if it is no Python 3.
    """
    if "paddle" not in text:
        return Ported(text, text)
    source = Source(text, module, resolve or (lambda module, level: None))
    for number in range(WALKS):
        source.walk(settle=number == WALKS - 1)
    return source.written()


def parsed(text: str) -> cst.Module:
    """The tree of a file.

    Raises:
        NotPython: with the line.
    """
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise NotPython(_explained(text, error)) from error


def _explained(text: str, error: cst.ParserSyntaxError) -> str:
    lines = text.splitlines()
    line = error.raw_line
    try:
        compile(text, "<file>", "exec", dont_inherit=True)
    except SyntaxError as told:
        line = told.lineno or line
        if told.msg.startswith("Missing parentheses in call to"):
            return f"line {line}: this is Python 2 ({told.msg.partition('.')[0]}): bring it to Python 3 first"
        shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        return f"line {line}: {told.msg}: {shown}"
    except ValueError as told:
        return f"not Python: {told}"
    return f"line {line}: not Python"


def _with_imports(body: list[Any], before: cst.Module, walk: Walk) -> list[Any]:
    """The body with the imports that the port needs besides those that stand for Paddle's."""
    library, torch, ours = additional(walk.names)
    there = {code_of(line).strip() for line in body if isinstance(line, cst.SimpleStatementLine)}
    library = [line for line in library if line not in there]
    torch = [line for line in torch if line not in there]
    ours = [line for line in ours if line not in there]
    if not (library or torch or ours):
        return body
    places = [i for i, line in enumerate(body) if _is_import(line) and not _is_future(line)]
    first = next((i for i in places if _is_of(body[i], ("torch", "torchvision", "paddle"))), None)
    if first is None:
        first = places[0] if places else _behind_docstring(body)
    last = (places[-1] + 1) if places else first
    header = 0
    for i, line in enumerate(body):
        if _is_import(line):
            header = i + 1
        elif i > first and header:
            break
    last = max(header, first)
    new = [cst.parse_statement(line) for line in (*library, *torch)]
    made = list(body)
    if ours:
        lines = [cst.parse_statement(line) for line in ours]
        lines[0] = lines[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        made[last:last] = lines
    if new and first < len(made):
        old = made[first]
        lead = list(getattr(old, "leading_lines", ()))
        if lead:
            new[0] = new[0].with_changes(leading_lines=lead)
            made[first] = old.with_changes(leading_lines=())
    made[first:first] = new
    return made


def _is_import(line: Any) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and isinstance(
        line.body[0], (cst.Import, cst.ImportFrom)
    )


def _is_future(line: cst.SimpleStatementLine) -> bool:
    part = line.body[0]
    return isinstance(part, cst.ImportFrom) and code_of(part).startswith("from __future__")


def _is_of(line: cst.SimpleStatementLine, packages: tuple[str, ...]) -> bool:
    words = code_of(line.body[0]).replace(".", " ").split()
    return len(words) > 1 and words[1] in packages


def _behind_docstring(body: list[Any]) -> int:
    first = body[0].body[0] if body and isinstance(body[0], cst.SimpleStatementLine) else None
    text = first.value if isinstance(first, cst.Expr) else None
    return int(isinstance(text, (cst.SimpleString, cst.ConcatenatedString)))


def _left(tree: cst.Module, walk: Walk) -> tuple[Left, ...]:
    """The places that stay, with their lines in the source."""
    if not walk.found:
        return ()
    places = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    found = []
    for each in walk.found:
        place = places.get(each.node)
        found.append(Left(0 if place is None else place.start.line, code_of(each.node), each.why))
    return tuple(sorted(found, key=lambda left: left.line))
