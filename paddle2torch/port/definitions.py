"""Functions and classes: what goes in and comes out, and where a constructor sets the initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from paddle2torch.port import knowledge
from paddle2torch.port.expressions import Expressions
from paddle2torch.port.imports import Imports
from paddle2torch.port.names import dotted
from paddle2torch.port.values import (
    API,
    CLASS,
    FUNCTION,
    INSTANCE,
    NAMED,
    REST,
    TENSOR,
    UNKNOWN,
    Class,
    Function,
    Value,
    join,
    of,
    without_none,
)

IDLE_DECORATORS = frozenset(("jit.to_static", "jit.not_to_static"))
"""Marks for Paddle's compiler: torch has none."""
MARK = "# paddle2torch: "
"""How the comment of a line begins that is still Paddle."""


@dataclass(frozen=True)
class Untranslated:
    """One piece of source that stays, with the node that it is and why."""

    node: cst.CSTNode
    why: str


@dataclass
class Definitions(Expressions, Imports):
    """The definitions of the file that is walked."""

    own: dict[int, Class | Function] = field(default_factory=dict)
    """The classes and functions of the file by their node, so that every walk knows what the one before learnt."""
    found: list[Untranslated] = field(default_factory=list)
    module: str = ""
    depth: int = 0

    @property
    def classes(self) -> Sequence[Class]:
        return [c for c in self.own.values() if isinstance(c, Class)]

    def statement(self, node: cst.BaseStatement) -> list[cst.BaseStatement]:
        """What stands in the place of a statement."""
        raise NotImplementedError

    def in_place(self, node: cst.BaseStatement) -> list[cst.BaseStatement]:
        """The same with its comment if it stays Paddle; what follows it is left in `behind`."""
        raise NotImplementedError

    def body_of(self, node: Any) -> Any:
        """An indented block, or a line behind a colon."""
        raise NotImplementedError

    # --- functions and classes ---

    def _decorators(self, node: Any) -> Any:
        made, same = [], True
        for decorator in node.decorators:
            called = (
                decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
            )
            if self.api_of(dotted(called)) in IDLE_DECORATORS:
                same = False
                continue
            new, _ = self.expr(decorator.decorator)
            same = same and new is decorator.decorator
            made.append(decorator if new is decorator.decorator else decorator.with_changes(decorator=new))
        return node if same else node.with_changes(decorators=made)

    def _function(self, node: cst.FunctionDef) -> list[cst.BaseStatement]:
        function = self.own.get(id(node))
        if not isinstance(function, Function):
            function = Function(node.name.value)
            self.own[id(node)] = function
        method = bool(self.inside) and len(self.scopes) == self.class_depth
        changed: cst.FunctionDef = self._decorators(node)
        params = self._parameters(node.params, function)
        if params is not node.params:
            changed = changed.with_changes(params=params)
        if node.returns is not None:
            returns, said = self._annotation(node.returns)
            function.returns = join(function.returns, said)
            if returns is not node.returns:
                changed = changed.with_changes(returns=returns)
        if not method:
            self.bind_name(function.name, of(FUNCTION, function))
        self.scopes.append(self._entry(node, function, method))
        self.functions.append(function)
        depth, self.depth = self.depth, 1
        before = self.fillings
        body = (
            self._constructor(node, self.inside[-1])
            if method and function.name == "__init__"
            else self.body_of(node.body)
        )
        self.depth = depth
        function.fills = function.fills or self.fillings > before
        self.fillings = before
        self.functions.pop()
        self.leave_scope()
        return [changed if body is node.body else changed.with_changes(body=body)]

    def _annotation(self, node: cst.Annotation) -> tuple[cst.Annotation, Value]:
        new, value = self.expr(node.annotation)
        changed = node if new is node.annotation else node.with_changes(annotation=new)
        said = join(*(knowledge.instance(atom.more) for atom in value if atom.kind == API))
        said = join(said, *(of(INSTANCE, atom.more) for atom in value if atom.kind == CLASS))
        if isinstance(node.annotation, cst.Name):
            said = NAMED.get(node.annotation.value, said) or said
        return changed, said

    class_depth: int = -1

    def _parameters(self, node: cst.Parameters, function: Function) -> cst.Parameters:
        changes: dict[str, Any] = {}
        for kind in ("posonly_params", "params", "kwonly_params"):
            made, same = [], True
            for param in getattr(node, kind):
                new = param
                value: Value = UNKNOWN
                if param.default is not None:
                    default, value = self.expr(param.default)
                    if default is not param.default:
                        new = new.with_changes(default=default)
                if param.annotation is not None:
                    annotation, said = self._annotation(param.annotation)
                    value = join(value, said)
                    if annotation is not param.annotation:
                        new = new.with_changes(annotation=annotation)
                name = param.name.value
                function.parameters[name] = join(function.parameters.get(name, UNKNOWN), value)
                same = same and new is param
                made.append(new)
            if not same:
                changes[kind] = made
        function.positional = tuple(p.name.value for p in (*node.posonly_params, *node.params))
        function.defaults = frozenset(
            p.name.value
            for p in (*node.posonly_params, *node.params, *node.kwonly_params)
            if p.default is not None
        )
        return node.with_changes(**changes) if changes else node

    def _entry(self, node: cst.FunctionDef, function: Function, method: bool) -> dict[str, Value]:
        """What the names hold where a function begins."""
        scope = dict(function.parameters)
        forward = method and function.name == "forward" and self.inside[-1].is_layer
        for name in function.parameters:
            if name in function.tensors or (forward and name not in function.defaults):
                if name not in function.tensors and not without_none(scope[name]):
                    function.assumed.add(name)
                scope[name] = join(scope[name], TENSOR) if not without_none(scope[name]) else scope[name]
            elif not without_none(scope[name]) and not any(
                map(self.own_member, function.members.get(name, ()))
            ):
                scope[name] = join(
                    scope[name], knowledge.by_members(frozenset(function.members.get(name, ())))
                )
        static = any(dotted(d.decorator) == "staticmethod" for d in node.decorators)
        if method and function.positional and not static:
            scope[function.positional[0]] = of(
                INSTANCE if "classmethod" not in {dotted(d.decorator) for d in node.decorators} else CLASS,
                self.inside[-1],
            )
        star = node.params.star_arg
        if isinstance(star, cst.Param):
            scope[star.name.value] = of("list", TENSOR if forward else UNKNOWN)
        if node.params.star_kwarg is not None:
            function.rest = node.params.star_kwarg.name.value
            scope[function.rest] = of("dict", UNKNOWN) | of(REST, function)
        return scope

    def _class(self, node: cst.ClassDef) -> list[cst.BaseStatement]:
        cls = self.own.get(id(node))
        if not isinstance(cls, Class):
            cls = Class(node.name.value, self.module)
            self.own[id(node)] = cls
        changed: cst.ClassDef = self._decorators(node)
        bases, values, same = [], [], True
        for base in node.bases:
            self.basing = True
            new, value = self.expr(base.value)
            self.basing = False
            values.append(value)
            same = same and new is base.value
            bases.append(base if new is base.value else base.with_changes(value=new))
        if not same:
            changed = changed.with_changes(bases=bases)
        cls.bases = values
        self._members(node, cls)
        self.bind_name(cls.name, of(CLASS, cls))
        self.inside.append(cls)
        self.scopes.append({})
        depth, self.class_depth = self.class_depth, len(self.scopes)
        body = self.body_of(node.body)
        for name, value in self.scopes.pop().items():
            cls.learn(name, value)
        self.class_depth = depth
        self.inside.pop()
        return [changed if body is node.body else changed.with_changes(body=body)]

    def _members(self, node: cst.ClassDef, cls: Class) -> None:
        """The methods, before any of them is walked."""
        for statement in node.body.body:
            if isinstance(statement, cst.FunctionDef):
                function = self.own.get(id(statement))
                if not isinstance(function, Function):
                    function = Function(statement.name.value)
                    self.own[id(statement)] = function
                cls.methods[function.name] = function
                if any(dotted(d.decorator) == "property" for d in statement.decorators):
                    cls.properties.add(function.name)

    def _constructor(self, node: cst.FunctionDef, cls: Class) -> Any:
        """The body of `__init__`, with Paddle's initial weights set where the layers are there."""
        if not cls.is_layer or not isinstance(node.body, cst.IndentedBlock):
            return self.body_of(node.body)
        made: list[cst.BaseStatement] = []
        last = -1
        initialised = False
        explicit: list[cst.BaseStatement] = []
        early: list[int] = []
        for statement in node.body.body:
            before, fillings = len(self.made_layers), self.fillings
            outer, self.behind = self.behind, []
            lines = self.in_place(statement)
            explicit += [cst.SimpleStatementLine([s]) for s in self.behind]
            self.behind = outer
            if self.fillings > fillings:
                early.append(len(made))
            made += lines
            if len(self.made_layers) > before:
                last = len(made)
                new = self.made_layers[before:]
                initialised = initialised or any(not n or knowledge.initialised(n) for n in new)
        cls.layers = cls.layers or initialised
        if not initialised or not (explicit or not cls.used):
            made[max(last, 0) : max(last, 0)] = explicit
            return (
                node.body
                if all(a is b for a, b in zip(made, node.body.body, strict=False))
                and len(made) == len(node.body.body)
                else node.body.with_changes(body=made)
            )
        call = cst.SimpleStatementLine(
            [cst.Expr(cst.Call(self.names.helper("init_like_paddle"), [cst.Arg(cst.Name("self"))]))]
        )
        made[last:last] = [call, *explicit]
        for place in reversed([p for p in early if p < last]):
            made.insert(place, call.deep_clone())
        return node.body.with_changes(body=made)
