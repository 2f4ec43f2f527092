"""Our packages for a worker whose Python is older than ours: the same code, in what Python 3.8 understands.

Paddle 2.4 to 2.6 often live in environments of Python 3.8 or 3.9. What a worker needs is rewritten for those: `match`, `zip(strict=)`,
`a | b` of dictionaries and types, `removeprefix`, generics at run time, and parts of dataclasses. What the rewritten code
calls is `parity.sides.older_python_parts`, which lies beside the packages under the name `PARTS`.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

OLDEST = (3, 8)
SINCE = (3, 10)
"""From which Python on nothing is rewritten."""
PARTS = "_paddle2torch_older_python"
_METHODS = frozenset({"removeprefix", "removesuffix"})
_INSTEAD = frozenset({"cache", "pairwise"})
"""What newer Pythons have to import."""
_GENERIC = frozenset(
    {"dict", "frozenset", "list", "set", "tuple", "type", "weakref.ref", "os.PathLike", "subprocess.Popen"}
)
_ABSTRACT = ("collections", "collections.abc", "contextlib", "re", "subprocess", "os")
"""Modules whose classes take types in brackets only in newer Pythons."""
_SUBJECT = "_subject"
_PATIENCE = 30
"""Seconds that an interpreter may take to tell its version."""


def version_of(python: str) -> tuple[int, ...]:
    """The version of an interpreter; `SINCE` where it does not say, and whoever starts it will hear why."""
    question = [python, "-c", "import sys; print(sys.version_info[0], sys.version_info[1])"]
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        answer = subprocess.run(
            question, capture_output=True, text=True, timeout=_PATIENCE, check=True
        ).stdout
        major, minor = answer.split()
        return int(major), int(minor)
    return SINCE


def write_packages(root: Path, names: Sequence[str], folder: Path) -> None:
    """Write the packages `names` of `root` into `folder`, as an older Python understands them."""
    shutil.copyfile(Path(__file__).with_name("older_python_parts.py"), folder / f"{PARTS}.py")
    for name in names:
        for path in (root / name).rglob("*.py"):
            target = folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rewritten(path.read_text("utf-8")), "utf-8")


def rewritten(source: str) -> str:
    """A module for Python 3.8; as it is where nothing has to change."""
    tree, older = ast.parse(source), _Older()
    older.visit(tree)
    if not older.changed and _is_old(source):
        return source
    leading = list(takewhile(_is_docstring_or_future, tree.body))
    tree.body.insert(len(leading), ast.Import([ast.alias(PARTS)]))
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_old(source: str) -> bool:
    try:
        ast.parse(source, feature_version=OLDEST)
    except SyntaxError:
        return False
    return True


def _is_docstring_or_future(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _name(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(name), list(arguments), [])


def _part(name: str, *arguments: ast.expr) -> ast.expr:
    return _call(f"{PARTS}.{name}", *arguments)


class _Older(ast.NodeTransformer):
    """Rewrites one module; `changed` says whether there was anything."""

    def __init__(self) -> None:
        self.changed = False
        self._generic = set(_GENERIC)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        if node.module in _ABSTRACT:
            self._generic |= {each.asname or each.name for each in node.names if each.name[0].isupper()}
            self._generic |= {each.name for each in node.names if each.name in ("defaultdict", "deque")}
        instead = [
            each for each in node.names if node.module in ("functools", "itertools") and each.name in _INSTEAD
        ]
        dropped = [each for each in node.names if node.module == "dataclasses" and each.name == "KW_ONLY"]
        if not instead and not dropped:
            return node
        self.changed = True
        kept = [each for each in node.names if each not in (*instead, *dropped)]
        statements: list[ast.stmt] = [ast.ImportFrom(node.module, kept, node.level)] if kept else []
        return statements + ([ast.ImportFrom(PARTS, instead, 0)] if instead else [])

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        marks = [
            each
            for each in node.body
            if isinstance(each, ast.AnnAssign) and ast.unparse(each.annotation) == "KW_ONLY"
        ]
        named_only = any("kw_only=True" in ast.unparse(each) for each in node.decorator_list)
        if marks or named_only:
            self.changed = True
            behind = node.body[node.body.index(marks[0]) + 1 if marks else 0 :]
            node.body = [each for each in node.body if each not in marks]
            for field in behind:  # no default may stand before none
                if isinstance(field, ast.AnnAssign) and field.value is None:
                    field.value = ast.Constant(None)
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node  # annotations are never run

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.value) in self._generic:
            self.changed = True
            return node.value
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        self.changed = True
        return _part("either", node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        self.changed = True
        again = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], _part("updated", again, node.value))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns, kept = None, node.returns
        self.generic_visit(node)
        node.returns = kept
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = node.func
        if isinstance(called, ast.Name) and called.id == "isinstance" and isinstance(node.args[1], ast.BinOp):
            self.changed = True
            node.args[1] = ast.Tuple(list(_alternatives(node.args[1])), ast.Load())
        self.generic_visit(node)
        if (
            isinstance(called, ast.Attribute)
            and called.attr in _METHODS
            and ast.unparse(called.value) != PARTS
        ):
            self.changed = True
            return _part(called.attr, called.value, *node.args)
        if isinstance(called, ast.Name) and called.id == "zip" and node.keywords:
            self.changed = True
            strict = next(word.value for word in node.keywords if word.arg == "strict")
            return _part("zipped", strict, *node.args)
        if isinstance(called, ast.Name) and called.id == "dataclass":
            kept = [word for word in node.keywords if word.arg not in ("slots", "kw_only")]
            self.changed |= len(kept) < len(node.keywords)
            node.keywords = kept
        return node

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        self.generic_visit(node)
        self.changed = True
        chain: list[ast.stmt] = []
        for case in reversed(node.cases):
            tests = [*_tests(case.pattern, _name(_SUBJECT)), *([case.guard] if case.guard else [])]
            chain = [ast.If(_all(tests), case.body, chain)]
        return [ast.Assign([ast.Name(_SUBJECT, ast.Store())], node.subject), *chain]


def _alternatives(types: ast.expr) -> Iterator[ast.expr]:
    """The types of `A | B | C`."""
    if isinstance(types, ast.BinOp):
        yield from _alternatives(types.left)
        yield from _alternatives(types.right)
    else:
        yield types


def _all(tests: list[ast.expr]) -> ast.expr:
    return ast.BoolOp(ast.And(), tests) if len(tests) > 1 else tests[0] if tests else ast.Constant(True)


def _bound(name: str, value: ast.expr) -> ast.expr:
    """True, and the name is bound: a list of one is true whatever is in it."""
    return ast.List([ast.NamedExpr(ast.Name(name, ast.Store()), value)], ast.Load())


def _tests(pattern: ast.pattern, value: ast.expr) -> Iterator[ast.expr]:
    """What must be true of `value` for a pattern, in order; names are bound on the way."""
    match pattern:
        case ast.MatchValue(value=wanted):
            yield ast.Compare(value, [ast.Eq()], [wanted])
        case ast.MatchSingleton(value=wanted):
            yield ast.Compare(value, [ast.Is()], [ast.Constant(wanted)])
        case ast.MatchAs(pattern=inner, name=name):
            if inner is not None:
                yield from _tests(inner, value)
            if name is not None:
                yield _bound(name, value)
        case ast.MatchOr(patterns=patterns):
            yield ast.BoolOp(ast.Or(), [_all(list(_tests(each, value))) for each in patterns])
        case ast.MatchClass(cls=cls, patterns=[], kwd_attrs=attributes, kwd_patterns=patterns):
            yield _call("isinstance", value, cls)
            for attribute, each in zip(attributes, patterns, strict=True):
                yield from _tests(each, ast.Attribute(value, attribute, ast.Load()))
        case ast.MatchSequence(patterns=patterns):
            yield from _sequence(patterns, value)
        case ast.MatchMapping(keys=keys, patterns=patterns, rest=rest):
            yield _call("isinstance", value, _name("dict"))
            for key, each in zip(keys, patterns, strict=True):
                yield ast.Compare(key, [ast.In()], [value])
                yield from _tests(each, ast.Subscript(value, key, ast.Load()))
            if rest is not None:
                yield _bound(rest, _part("without", value, *keys))
        case _:
            raise NotImplementedError(ast.unparse(pattern))


def _sequence(patterns: Sequence[ast.pattern], value: ast.expr) -> Iterator[ast.expr]:
    yield _call("isinstance", value, _name("(list, tuple)"))
    starred = next((i for i, each in enumerate(patterns) if isinstance(each, ast.MatchStar)), None)
    least, sign = len(patterns) - (starred is not None), ast.Eq() if starred is None else ast.GtE()
    yield ast.Compare(_call("len", value), [sign], [ast.Constant(least)])
    for index, each in enumerate(patterns):
        if isinstance(each, ast.MatchStar):
            if each.name is not None:
                behind = index + 1 - len(patterns)
                upper = ast.Constant(behind) if behind else None
                yield _bound(
                    each.name,
                    _call("list", ast.Subscript(value, ast.Slice(ast.Constant(index), upper), ast.Load())),
                )
        else:
            at = index if starred is None or index < starred else index - len(patterns)
            yield from _tests(each, ast.Subscript(value, ast.Constant(at), ast.Load()))
