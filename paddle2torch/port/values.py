"""What is known of an expression: a set of alternatives, empty where nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import libcst as cst


class Atom(NamedTuple):
    """One alternative: what it is, and more about it."""

    kind: str
    more: Any = None


Value = frozenset[Atom]
UNKNOWN: Value = frozenset()

API = "api"
"""A name of Paddle's: `more` is it, dotted, without `paddle.`."""
IMPORTED = Atom("imported")
"""Beside an `API`: the name at hand is the one that an import binds, not a parameter or a variable that holds the same."""
LAYER = "layer"
"""A layer; `more` is its Paddle class, or "" where that is not known."""
CLASS, INSTANCE, FUNCTION = "class", "instance", "function"
"""Classes and functions of the files at hand, and objects of these classes; `more` is the `Class` or `Function`."""
PARTIAL = "partial"
"""`functools.partial` of a Paddle name."""
CONST = "const"
"""A literal; `more` is (type, value)."""
LIST, DICT, TUPLE = "list", "dict", "tuple"
"""`more` is what its elements are: one `Value` for all, for a tuple one of each."""
REST = "rest"
"""The `**kwargs` of a function of the files; `more` is it."""
FOREIGN = "foreign"
"""Of another module; `more` is the dotted name."""

WIDEST = 24
"""An expression with more alternatives than this is as good as unknown."""


def of(kind: str, more: Any = None) -> Value:
    return frozenset((Atom(kind, more),))


def const(value: Any) -> Value:
    return of(CONST, (type(value).__name__, value))


TENSOR, ARRAY, SHAPE, DTYPE = of("tensor"), of("array"), of("shape"), of("dtype")
INT, FLOAT, STR, BOOL, NONE = of("int"), of("float"), of("str"), of("bool"), const(None)
ATTR, INITIALIZER = of("attr"), of("initializer")
NAMED = {
    "tensor": TENSOR,
    "tensors": of(LIST, TENSOR),
    "array": ARRAY,
    "shape": SHAPE,
    "dtype": DTYPE,
    "int": INT,
    "float": FLOAT,
    "str": STR,
    "bool": BOOL,
    "tensor generator": of("generator", TENSOR),
    "layer": of(LAYER, ""),
    "layers": of(LIST, of(LAYER, "")),
    "named layers": of(LIST, of(TUPLE, (STR, of(LAYER, "")))),
    "named tensors": of(LIST, of(TUPLE, (STR, TENSOR))),
    "attr": ATTR,
    "initializer": INITIALIZER,
    "none": NONE,
    "unknown": UNKNOWN,
    "dict": of(DICT, UNKNOWN),
    "state": of(DICT, TENSOR),
}
"""How `RETURNS` says what a call gives."""


@dataclass(eq=False)
class Scope:
    """The names of a file."""

    names: dict[str, Value] = field(default_factory=dict)


@dataclass(eq=False)
class Function:
    """A function or method of the files at hand: what is passed to it and what it gives, as found so far."""

    name: str
    parameters: dict[str, Value] = field(default_factory=dict)
    returns: Value = UNKNOWN
    positional: tuple[str, ...] = ()
    defaults: frozenset[str] = frozenset()
    tensors: set[str] = field(default_factory=set)
    """Parameters that are used as only a tensor can be."""
    assumed: set[str] = field(default_factory=set)
    """Those of a layer's forward that nothing else tells to be tensors: they may be lists of tensors."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """What is asked of its parameters: the names of methods and attributes."""
    rest: str = ""
    """The name of its `**kwargs`."""
    called: bool = False
    changed: bool = False
    """Whether it is called in the files at hand, and whether it puts something into its `**kwargs`."""
    forwards: set[str] = field(default_factory=set)
    """Paddle's names to which it gives its `**kwargs`; further functions of the files, by themselves, in `hands_on`."""
    hands_on: set[Function] = field(default_factory=set)
    fills: bool = False
    """Whether it sets what parameters hold."""
    as_paddle: bool = False
    """Whether what it hands on by `**` stays as Paddle takes it: a keyword of torch's cannot say it."""

    def receivers(self, keyword: str) -> dict[str, list[Function]]:
        """Paddle's names that a keyword which is none of its parameters ends at, and by which functions it gets there."""
        found: dict[str, list[Function]] = {}
        waiting, seen = [self], {self}
        while waiting:
            function = waiting.pop()
            for name in function.forwards if not function.as_paddle else ():
                found.setdefault(name, []).append(function)
            new = {f for f in function.hands_on if keyword not in f.parameters} - seen
            seen |= new
            waiting += new
        return found


@dataclass(eq=False)
class Class:
    """A class of the files at hand."""

    name: str
    module: str
    bases: list[Value] = field(default_factory=list)
    methods: dict[str, Function] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    properties: set[str] = field(default_factory=set)
    used: bool = False
    """Whether another class of the files makes objects of it."""
    layers: bool = False
    """Whether its constructor makes layers."""

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer: by its bases; a base that is not known is one where there is a `forward`."""
        for base in self.bases:
            for atom in base:
                if atom.kind == API and atom.more.startswith("nn."):
                    return True
                if atom.kind == CLASS and atom.more is not self and atom.more.is_layer:
                    return True
                if atom.kind == FOREIGN and "forward" in self.methods:
                    return True
        return any(not base for base in self.bases) and "forward" in self.methods

    def method(self, name: str) -> Function | None:
        found: Function | None = self._found(name, lambda c: c.methods.get(name), set())
        return found

    def built_by(self, *, above: bool = False) -> Function | str | None:
        """Who takes the arguments of its constructor: a function of the files, or a class of Paddle's by its name; None where that is
        not known. above: of `super().__init__`."""
        if not above and "__init__" in self.methods:
            return self.methods["__init__"]
        for base in self.bases:
            for atom in base:
                if atom.kind == API:
                    return str(atom.more)
                found: Function | str | None = None
                if atom.kind == CLASS and atom.more is not self:
                    found = atom.more.built_by()
                if found is not None:
                    return found
        return None

    def derived_from(self) -> str | None:
        """The class of Paddle's that it is derived from, by its name; None where there is none."""
        for base in self.bases:
            for atom in base:
                found = atom.more if atom.kind == API else None
                if atom.kind == CLASS and atom.more is not self:
                    found = atom.more.derived_from()
                if found is not None:
                    return str(found)
        return None

    def attribute(self, name: str) -> Value:
        found: Value | None = self._found(name, lambda c: c.attributes.get(name), set())
        return UNKNOWN if found is None else found

    @property
    def every_attribute(self) -> set[str]:
        """The attributes that it and its bases in the files are given."""
        found: set[str] = set()
        waiting, seen = [self], {id(self)}
        while waiting:
            cls = waiting.pop()
            found |= set(cls.attributes)
            for base in cls.bases:
                for atom in base:
                    if atom.kind == CLASS and id(atom.more) not in seen:
                        seen.add(id(atom.more))
                        waiting.append(atom.more)
        return found

    def _found(self, name: str, get: Callable[[Class], Any], seen: set[int]) -> Any:
        if id(self) in seen:
            return None
        seen.add(id(self))
        mine = get(self)
        if mine is not None:
            return mine
        for base in self.bases:
            for atom in base:
                if atom.kind == CLASS:
                    found = atom.more._found(name, get, seen)
                    if found is not None:
                        return found
        return None

    def learn(self, name: str, value: Value) -> None:
        self.attributes[name] = join(self.attributes.get(name, UNKNOWN), value)


def join(*values: Value) -> Value:
    """All alternatives of all."""
    found = frozenset().union(*values)
    return UNKNOWN if len(found) > WIDEST else found


def only(value: Value, *kinds: str) -> bool:
    """Whether something is known, and all of it is of these kinds; None beside others does not count."""
    rest = without_none(value)
    return bool(rest) and all(atom.kind in kinds for atom in rest)


def without_none(value: Value) -> Value:
    return frozenset(a for a in value if a not in NONE and a.kind != "none")


def literal(value: Value) -> tuple[Any, ...]:
    """The literal value in a tuple of one, or an empty tuple where it is not one literal."""
    if len(value) == 1:
        (atom,) = value
        if atom.kind == CONST:
            return (atom.more[1],)
    return ()


def written_out(node: cst.CSTNode) -> bool:
    """Whether an expression is a literal itself, not a variable that was seen to hold one."""
    if isinstance(node, cst.UnaryOperation):
        return written_out(node.expression)
    if isinstance(node, cst.Name):
        return node.value in ("True", "False", "None")
    return isinstance(node, (cst.Integer, cst.Float, cst.SimpleString, cst.ConcatenatedString))


def widened(value: Value) -> Value:
    """Types in the place of literals: what a variable holds here it need not hold in the next call."""
    return frozenset(Atom(_type_name(a), None) if a.kind == CONST else a for a in value)


def _type_name(atom: Atom) -> str:
    return "none" if atom.more[1] is None else str(atom.more[0])


def names(value: Value, kind: str) -> list[Any]:
    return [atom.more for atom in value if atom.kind == kind]


def is_tensor(value: Value) -> bool:
    return only(value, "tensor")


def elements(value: Value) -> Value:
    """What a loop over it gives."""
    found: list[Value] = []
    for atom in value:
        if atom.kind in (LIST, "generator"):
            found.append(atom.more)
        elif atom.kind == TUPLE:
            found.extend(atom.more)
        elif atom.kind == "tensor":
            found.append(TENSOR)
        elif atom.kind == "loader":
            found.append(of(LIST, TENSOR))
        elif atom.kind == "shape":
            found.append(INT)
        elif atom.kind == LAYER and atom.more in ("", "nn.LayerList", "nn.Sequential"):
            found.append(of(LAYER, ""))
    return join(*found) if found else UNKNOWN


def type_of(atom: Atom) -> str:
    """`int`, `str`, `list` ...: the kind, of literals too."""
    return str(atom.more[0]) if atom.kind == CONST else atom.kind
