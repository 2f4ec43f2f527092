"""Which line of a class's own source makes each of its children: read from its syntax, since a model is made before anybody watches.

A child is made where a value stands that becomes it: what is assigned (alone, or as one of several), handed to `add_module`, or put
into a container, be it written out, grown in a list, or made by a loop. Where the source leaves open which of several it is, a
child's own class decides.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

ADDERS = frozenset(
    {"add_sublayer", "add_module", "register_module", "add_parameter", "register_parameter"}
    | {"register_buffer", "setattr", "__setattr__"}
)
"""What makes a child of a name that is handed in."""

DICTIONARIES = frozenset({"dict", "OrderedDict"})
GROWERS = frozenset({"append", "extend", "insert"})


@dataclass(frozen=True)
class Element:
    """One child of a container. name: its name, "" where it is left open; called: what is called to make it."""

    name: str
    called: str
    line: int
    inner: tuple[Element, ...] = ()


@dataclass
class Made:
    """Children by name, and by a pattern of names that are put together at run time; several where branches make one each."""

    children: dict[str, list[Element]] = field(default_factory=dict)
    patterns: dict[str, int] = field(default_factory=dict)

    def line(self, name: str, kind: str) -> int | None:
        """The line that makes a child of this class; the pattern that says most decides where no name does."""
        if name in self.children:
            return self._child(name, kind).line
        fitting = [pattern for pattern in self.patterns if re.fullmatch(pattern, name)]
        return self.patterns[max(fitting, key=len)] if fitting else None

    def elements(self, name: str, kind: str) -> tuple[Element, ...]:
        """What makes the children of the container `name`, if that is written out."""
        return self._child(name, kind).inner if name in self.children else ()

    def _child(self, name: str, kind: str) -> Element:
        made_by = self.children[name]
        return next((element for element in made_by if element.called == kind), made_by[0])


def placed(
    elements: Iterable[Element], children: Mapping[str, str], prefix: str = ""
) -> Iterator[tuple[str, int]]:
    """Child of a container -> its line: elements by their names; the others where one line alone makes a child of that class.

    children: path below the container -> class.
    """
    own = {p.removeprefix(prefix): kind for p, kind in children.items() if p.startswith(prefix)}
    for child, kind in own.items():
        if "." in child:
            continue
        found = [e for e in elements if e.name == child] or [
            e for e in elements if not e.name and e.called == kind
        ]
        found = found or [e for e in elements if not e.name]
        if len({e.line for e in found}) == 1:
            yield f"{prefix}{child}", found[0].line
            yield from placed(found[0].inner, children, f"{prefix}{child}.")


def made(definition: ast.ClassDef) -> Made:
    """What a class's own methods make."""
    found = Made()
    for method in definition.body:
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.args.args:
            _Method(method, found).read()
    return found


class _Method:
    """One method, read in the order of its lines."""

    def __init__(self, method: ast.FunctionDef | ast.AsyncFunctionDef, found: Made) -> None:
        self._method, self._found = method, found
        self._self = method.args.args[0].arg
        self._held: dict[str, Element] = {}
        """Local name -> the layer that it is."""
        self._local: dict[str, list[ast.expr]] = {}
        """Name of a loop -> what it is, one after the other."""
        self._grown: dict[str, list[Element]] = {}
        """Local list -> what was put into it."""

    def read(self) -> None:
        self._block(self._method.body, open_=False)

    def _block(self, body: list[ast.stmt], *, open_: bool) -> None:
        """open_: whether these statements may run several times, or never."""
        for statement in body:
            for node in _of_itself(statement):
                if isinstance(node, ast.NamedExpr):
                    self._assign(node.target, node.value, node.value, open_=open_)
                elif isinstance(node, ast.Call):
                    self._call(node, open_=open_)
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self._assign(target, statement.value, statement, open_=open_)
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                self._assign(statement.target, statement.value, statement, open_=open_)
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
                self._grow(statement.target, self._elements(statement.value), open_=open_)
            if isinstance(statement, ast.For):
                self._loop(statement)
            for inner in _blocks(statement):
                self._block(inner, open_=open_ or not isinstance(statement, ast.With))

    # -- names ------------------------------------------------------------------------------------

    def _assign(self, target: ast.expr, value: ast.expr, at: ast.stmt | ast.expr, *, open_: bool) -> None:
        """Pair what is assigned with its value, element by element; a value that is no list of its own is that of each."""
        if isinstance(target, ast.Tuple | ast.List):
            for one, its in _paired(target.elts, value):
                self._assign(one, its, its if its is not value else at, open_=open_)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, value, at, open_=open_)
        elif isinstance(target, ast.Name):
            # What stands on the right is read before: `layer = nn.Sequential(layer, nn.ReLU())`.
            element, elements = self._element("", value), self._elements(value)
            self._local.pop(target.id, None)
            self._grown[target.id] = elements
            self._held.pop(target.id, None)
            if element.called:
                self._held[target.id] = element
        elif self._is_own(target) and isinstance(target, ast.Attribute):
            self._child(target.attr, value, at)

    def _child(self, name: str, value: ast.expr, at: ast.AST) -> None:
        """A child of the object's own; at: what stands where it is made, if the value is not of this very statement's."""
        if isinstance(value, ast.Constant) and value.value is None:
            # What is None at first is made further down.
            return
        element = self._element(name, value)
        if element.line == value.lineno:
            element = replace(element, line=int(getattr(at, "lineno", 0)))
        self._found.children.setdefault(name, []).append(element)

    def _loop(self, loop: ast.For) -> None:
        """Names that run over what is written out: `for name, layer in (("a", A()), ("b", B())):`."""
        rounds = _items(loop.iter)
        if (
            isinstance(loop.iter, ast.Call)
            and _called(loop.iter) == "items"
            and isinstance(loop.iter.func, ast.Attribute)
        ):
            held = loop.iter.func.value
            if isinstance(held, ast.Dict):
                rounds = [
                    ast.Tuple([k, v]) for k, v in zip(held.keys, held.values, strict=True) if k is not None
                ]
        names: dict[str, list[ast.expr]] = {}
        for one in rounds:
            pairs = (
                _paired(loop.target.elts, one)
                if isinstance(loop.target, ast.Tuple | ast.List)
                else [(loop.target, one)]
            )
            for target, value in pairs:
                if isinstance(target, ast.Name):
                    names.setdefault(target.id, []).append(value)
        self._local |= names

    def _is_own(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and self._is_object(node.value)

    def _is_object(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == self._self

    # -- calls ------------------------------------------------------------------------------------

    def _call(self, call: ast.Call, *, open_: bool) -> None:
        name = _called(call)
        if name in GROWERS and isinstance(call.func, ast.Attribute) and call.args:
            value = call.args[-1]
            self._grow(
                call.func.value,
                self._elements(value) if name == "extend" else [self._element("", value)],
                open_=open_ or name == "insert",
            )
        elif name in ADDERS and call.args:
            owned = isinstance(call.func, ast.Attribute) and not self._is_object(call.args[0])
            given = call.args if owned else call.args[1:]
            owner = call.func.value if isinstance(call.func, ast.Attribute) and owned else call.args[0]
            if given and (self._is_object(owner) or _called(owner) == "super"):
                self._added(call, given)
            elif self._is_own(owner) and len(given) > 1:
                self._grow(owner, [self._element(_text(given[0]), given[1])], open_=False)

    def _added(self, call: ast.Call, given: list[ast.expr]) -> None:
        names, values = (
            self._local.get(node.id, [node]) if isinstance(node, ast.Name) else [node]
            for node in (given[0], given[1] if len(given) > 1 else given[0])
        )
        if len(names) != len(values):
            names, values = [given[0]], [call]
        for name, value in zip(names, values, strict=True):
            text, at = _text(name), call if name is given[0] else value
            if text:
                self._child(text, value, at)
            else:
                self._found.patterns.setdefault(_pattern(name), at.lineno)

    def _grow(self, container: ast.expr, elements: list[Element], *, open_: bool) -> None:
        """Put elements into a list, a local one or one of the object's."""
        if isinstance(container, ast.Name):
            held = self._grown.setdefault(container.id, [])
            held += _numbered(elements, held, open_=open_)
        elif self._is_own(container) and isinstance(container, ast.Attribute):
            made_by = self._found.children.get(container.attr, [])
            self._found.children[container.attr] = [
                replace(e, inner=(*e.inner, *_numbered(elements, list(e.inner), open_=open_)))
                for e in made_by
            ]

    # -- containers -------------------------------------------------------------------------------

    def _elements(self, value: ast.expr | None) -> list[Element]:
        """What a value is made of, if it is a container that is written out."""
        if isinstance(value, ast.NamedExpr):
            return self._elements(value.value)
        if isinstance(value, ast.Starred):
            return self._elements(value.value)
        if isinstance(value, ast.Name):
            return list(self._grown.get(value.id, ()))
        if isinstance(value, ast.ListComp | ast.GeneratorExp):
            return [self._element("", value.elt)]
        if isinstance(value, ast.DictComp):
            return [self._element("", value.value)]
        if isinstance(value, ast.Dict):
            return [
                self._element(_text(k), v)
                for k, v in zip(value.keys, value.values, strict=True)
                if k is not None
            ]
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            left = self._elements(value.left)
            return [*left, *_numbered(self._elements(value.right), left)]
        if isinstance(value, ast.List | ast.Tuple):
            return self._listed(value.elts)
        if isinstance(value, ast.Call):
            named = [
                self._element(word.arg or "", word.value)
                for word in value.keywords
                if isinstance(word.value, ast.Call)
            ]
            whole = value.args[0] if len(value.args) == 1 else None
            if whole is not None and (
                _called(whole) in DICTIONARIES or not isinstance(whole, ast.Call | ast.Starred)
            ):
                return [*self._elements(whole), *named]
            makes = any(
                isinstance(a, ast.Call | ast.Starred | ast.Tuple) or self._holder(a) for a in value.args
            )
            plain = any(isinstance(a, ast.Constant | ast.BinOp | ast.Dict | ast.List) for a in value.args)
            return [*(self._listed(value.args) if makes and not plain else []), *named]
        return []

    def _listed(self, items: list[ast.expr]) -> list[Element]:
        found: list[Element] = []
        for item in items:
            if isinstance(item, ast.Starred):
                found += _numbered(self._elements(item), found)
            elif isinstance(item, ast.Tuple | ast.List) and len(item.elts) == 2 and _text(item.elts[0]):
                found.append(self._element(_text(item.elts[0]), item.elts[1]))
            else:
                found += _numbered([self._element("", item)], found, known=True)
        return found

    def _element(self, name: str, value: ast.expr) -> Element:
        if isinstance(value, ast.NamedExpr):
            value = value.value
        held = self._holder(value)
        if held is not None:
            return replace(held, name=name)
        return Element(name, _called(value), value.lineno, tuple(self._elements(value)))

    def _holder(self, value: ast.expr) -> Element | None:
        return self._held.get(value.id) if isinstance(value, ast.Name) else None


def _numbered(
    elements: list[Element], before: list[Element], *, open_: bool = False, known: bool = False
) -> list[Element]:
    """Elements behind others: by number, as long as the number of all of them is known."""
    counted = not open_ and all(e.name for e in before) and (known or all(e.name for e in elements))
    if not counted:
        return [Element("", e.called, e.line, e.inner) if e.name.isdigit() else e for e in elements]
    return [
        Element(str(i), e.called, e.line, e.inner) if not e.name or e.name.isdigit() else e
        for i, e in enumerate(elements, len(before))
    ]


def _paired(targets: list[ast.expr], value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """(target, value) of an assignment of several; the value as a whole where it is not written out."""
    items = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    starred = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
    behind = 0 if starred is None else len(targets) - starred - 1
    fits = len(items) == len(targets) if starred is None else len(items) >= len(targets) - 1
    if not items or not fits or any(isinstance(item, ast.Starred) for item in items):
        return [(target, value) for target in targets]
    if starred is None:
        return list(zip(targets, items, strict=True))
    rest = ast.copy_location(ast.List(items[starred : len(items) - behind]), value)
    return [
        *zip(targets[:starred], items, strict=False),
        (targets[starred], rest),
        *zip(targets[starred + 1 :], items[len(items) - behind :], strict=True),
    ]


def _of_itself(statement: ast.stmt) -> Iterator[ast.AST]:
    """What a statement holds without the statements in it, inner parts first."""
    parts = [
        child
        for child in ast.iter_child_nodes(statement)
        if not isinstance(child, ast.stmt | ast.excepthandler)
    ]
    nodes = [node for part in parts for node in ast.walk(part)]
    return reversed(nodes)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, [])
        if block and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield block
    for handler in getattr(statement, "handlers", []):
        yield handler.body


def _items(value: ast.expr) -> list[ast.expr]:
    return value.elts if isinstance(value, ast.Tuple | ast.List) else []


def _called(value: ast.expr) -> str:
    """The last name of what is called: "Conv2d"."""
    function = value.func if isinstance(value, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _pattern(node: ast.expr) -> str:
    """A pattern of the names that an expression may make: what is constant in it, and anything for the rest."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_pattern, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _pattern(node.left) + _pattern(node.right)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _text(node.left):
        return ".*".join(map(re.escape, re.split(r"%[-#0-9.]*[a-zA-Z]", _text(node.left))))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return ".*".join(map(re.escape, re.split(r"\{[^}]*\}", _text(node.func.value))))
    return ".*"
