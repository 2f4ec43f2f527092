"""A walk through statements: what names hold from there on, imports, and what stands behind a statement in the port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import libcst as cst

from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused
from paddle2torch.port.expressions import Expressions
from paddle2torch.port.imports import Imports
from paddle2torch.port.names import dotted, translated
from paddle2torch.port.values import (
    API,
    CLASS,
    FUNCTION,
    INSTANCE,
    LAYER,
    TENSOR,
    UNKNOWN,
    Class,
    Function,
    Value,
    elements,
    join,
    names,
    of,
    only,
    without_none,
)

MARK = "# paddle2torch: "
"""How the comment of a line begins that is still Paddle."""
Statements = Sequence[cst.BaseStatement]


@dataclass(frozen=True)
class Untranslated:
    """One piece of source that stays, with the node that it is and why."""

    node: cst.CSTNode
    why: str


@dataclass
class Walk(Expressions, Imports):
    """One walk over one file."""

    own: dict[int, Class | Function] = field(default_factory=dict)
    """The classes and functions of the file by their node, so that every walk knows what the one before learnt."""
    found: list[Untranslated] = field(default_factory=list)
    module: str = ""
    writes: bool = False
    depth: int = 0

    @property
    def classes(self) -> Sequence[Class]:
        return [c for c in self.own.values() if isinstance(c, Class)]

    def block(self, statements: Iterable[cst.BaseStatement]) -> list[cst.BaseStatement]:
        made: list[cst.BaseStatement] = []
        for statement in statements:
            made += self.statement(statement)
        return made

    def statement(self, node: cst.BaseStatement) -> list[cst.BaseStatement]:
        """What stands in the place of a statement, with its comment if it stays Paddle."""
        outer, self.refusals = self.refusals, []
        behind, self.behind = self.behind, []
        handler = self._STATEMENTS.get(type(node))
        made = [node] if handler is None else handler(self, node)
        made = self._commented(made)
        made += [cst.SimpleStatementLine([s]) for s, _ in self.behind]
        self.refusals, self.behind = outer, behind
        return made

    def _commented(self, made: list[cst.BaseStatement]) -> list[cst.BaseStatement]:
        if not self.refusals:
            return made
        self.found += [Untranslated(node, why) for node, why in self.refusals]
        first: Any = made[0]
        there = {line.comment.value for line in first.leading_lines if line.comment}
        lines = [MARK + why for _, why in self.refusals]
        new = [cst.EmptyLine(comment=cst.Comment(line)) for line in dict.fromkeys(lines) if line not in there]
        return [first.with_changes(leading_lines=[*first.leading_lines, *new]), *made[1:]]

    # --- simple statements ---

    def _line(self, node: cst.SimpleStatementLine) -> list[cst.BaseStatement]:
        parts: list[cst.BaseSmallStatement] = []
        more: list[cst.BaseStatement] = []
        gone = False
        for part in node.body:
            if isinstance(part, (cst.Import, cst.ImportFrom)):
                made = self.import_statement(part)
                if made is None:
                    parts.append(part)
                    continue
                gone = gone or not made
                parts += made[:1]
                more += [cst.SimpleStatementLine([m]) for m in made[1:]]
                continue
            small = self._small(part)
            if small is None:
                gone = True
                continue
            parts.append(small)
        if not parts and gone:
            return []
        if len(parts) == len(node.body) and all(a is b for a, b in zip(parts, node.body, strict=True)):
            return [node, *more]
        parts[-1] = parts[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)
        return [node.with_changes(body=parts), *more]

    def _small(self, node: cst.BaseSmallStatement) -> cst.BaseSmallStatement | None:
        handler = self._SMALL.get(type(node))
        return node if handler is None else handler(self, node)

    def _assign(self, node: cst.Assign) -> cst.BaseSmallStatement:
        target = node.targets[0].target
        written = self._written_attribute(node, target)
        if written is not None:
            return written
        self.target = None
        if len(node.targets) == 1 and isinstance(node.value, cst.Call) and self._constructs():
            name = dotted(target)
            if name.startswith("self.") and name.count(".") == 1:
                self.target = (node.value, name)
        new, value = self.expr(node.value)
        self.target = None
        targets, same = [], new is node.value
        for each in node.targets:
            assigned = self.assign(each.target, value)
            same = same and assigned is each.target
            targets.append(each if assigned is each.target else each.with_changes(target=assigned))
        return node if same else node.with_changes(value=new, targets=targets)

    def _constructs(self) -> bool:
        """Whether this is the constructor of a layer, outside of any loop or branch."""
        return bool(self.inside) and bool(self.functions) and self.functions[-1].name == "__init__" and self.depth == 1

    def _written_attribute(self, node: cst.Assign, target: cst.BaseExpression) -> cst.BaseSmallStatement | None:
        """`x.stop_gradient = True`."""
        if not isinstance(target, cst.Attribute):
            return None
        attr = target.attr.value
        known = knowledge.known(f"Tensor.{attr}")
        form = next((f for f in known.forms if f.when.startswith("written")), None) if known else None
        if known is None or form is None or dotted(target.value) == "self":
            return None
        base, of_what = self.expr(target.value)
        if without_none(of_what) and not only(of_what, "tensor"):
            return None
        value, _ = self.expr(node.value)
        try:
            if form.refuse:
                raise Refused(form.refuse)
            left, _, right = form.torch.partition(" = ")
            made = node.with_changes(
                targets=[node.targets[0].with_changes(target=self._rooted(left, {"x": base}))],
                value=self._rooted(right, {"value": value}),
            )
        except Refused as why:
            self.refuse(target, str(why))
            return node
        self.note(node, made, known)
        return made

    def assign(self, target: cst.BaseExpression, value: Value) -> cst.BaseExpression:
        if isinstance(target, cst.Name):
            self.bind_name(target.value, value)
        elif isinstance(target, cst.Attribute):
            base, _ = self.expr(target.value)
            self.learn_attribute(target, value)
            return target if base is target.value else target.with_changes(value=base)
        elif isinstance(target, (cst.Tuple, cst.List)):
            parts = [a.more for a in value if a.kind == "tuple" and len(a.more) == len(target.elements)]
            rest = elements(frozenset(a for a in value if a.kind != "tuple"))
            for place, element in enumerate(target.elements):
                self.assign(element.value, join(rest, *(part[place] for part in parts)))
        elif isinstance(target, cst.Subscript):
            return self.expr(target)[0]
        return target

    def _annotated(self, node: cst.AnnAssign) -> cst.BaseSmallStatement:
        annotation, said = self._annotation(node.annotation)
        new, value = (None, UNKNOWN) if node.value is None else self.expr(node.value)
        self.assign(node.target, value or said)
        if new is node.value and annotation is node.annotation:
            return node
        return node.with_changes(value=new, annotation=annotation)

    def _annotation(self, node: cst.Annotation) -> tuple[cst.Annotation, Value]:
        new, value = self.expr(node.annotation)
        changed = node if new is node.annotation else node.with_changes(annotation=new)
        said = TENSOR if names(value, API) == ["Tensor"] else UNKNOWN
        if isinstance(node.annotation, cst.Name):
            said = knowledge.NAMED.get(node.annotation.value, said) or said
        return changed, said

    def _augmented(self, node: cst.AugAssign) -> cst.BaseSmallStatement:
        new, value = self.expr(node.value)
        before: Value = UNKNOWN
        if isinstance(node.target, cst.Name):
            before = self.lookup(node.target.value)
            if names(join(before, value), "tensor") or without_none(value) != value:
                self.bind_name(node.target.value, TENSOR if "tensor" in {a.kind for a in (*before, *value)} else before)
            elif names(value, "list") and names(before, "list"):
                self._grow(node.target, before, elements(value))
        target = node.target if isinstance(node.target, cst.Name) else self.expr(node.target)[0]
        same = new is node.value and target is node.target
        return node if same else node.with_changes(value=new, target=target)

    def _expression(self, node: cst.Expr) -> cst.BaseSmallStatement:
        new, _ = self.expr(node.value)
        return node if new is node.value else node.with_changes(value=new)

    def _return(self, node: cst.Return) -> cst.BaseSmallStatement:
        if node.value is None:
            return node
        new, value = self.expr(node.value)
        if self.functions and value:
            self.functions[-1].returns = join(self.functions[-1].returns, value)
        return node if new is node.value else node.with_changes(value=new)

    def _raise(self, node: cst.Raise) -> cst.BaseSmallStatement:
        if node.exc is None:
            return node
        new, _ = self.expr(node.exc)
        return node if new is node.exc else node.with_changes(exc=new)

    def _assert(self, node: cst.Assert) -> cst.BaseSmallStatement:
        test, _ = self.expr(node.test)
        msg = None if node.msg is None else self.expr(node.msg)[0]
        return node if test is node.test and msg is node.msg else node.with_changes(test=test, msg=msg)

    # --- compound statements ---

    def _body(self, node: Any) -> Any:
        """An indented block or a line behind a colon."""
        if isinstance(node, cst.IndentedBlock):
            made = self.block(node.body)
            if not made:
                made = [cst.SimpleStatementLine([cst.Pass()])]
            same = len(made) == len(node.body) and all(a is b for a, b in zip(made, node.body, strict=True))
            return node if same else node.with_changes(body=made)
        parts = [self._small(part) or cst.Pass() for part in node.body]
        same = all(a is b for a, b in zip(parts, node.body, strict=True))
        return node if same else node.with_changes(body=parts)

    def _branching(self, node: Any, body: str = "body") -> Any:
        """A block that may not run: what it binds is one alternative."""
        before = dict(self.scopes[-1])
        self.depth += 1
        made = self._body(getattr(node, body))
        self.depth -= 1
        after = self.scopes[-1]
        for name, value in before.items():
            if after.get(name) != value:
                after[name] = join(after.get(name, UNKNOWN), value)
        return made

    def _if(self, node: cst.If) -> list[cst.BaseStatement]:
        return [self._if_chain(node)]

    def _if_chain(self, node: cst.If) -> Any:
        test, _ = self.expr(node.test)
        narrowed = self._narrowed(node.test)
        before = dict(self.scopes[-1])
        self.scopes[-1].update(narrowed)
        self.depth += 1
        body = self._body(node.body)
        then = dict(self.scopes[-1])
        self.scopes[-1].clear()
        self.scopes[-1].update(before)
        orelse: Any = node.orelse
        if isinstance(node.orelse, cst.If):
            self.depth -= 1
            orelse = self._if_chain(node.orelse)
            self.depth += 1
        elif node.orelse is not None:
            inner = self._body(node.orelse.body)
            orelse = node.orelse if inner is node.orelse.body else node.orelse.with_changes(body=inner)
        self.depth -= 1
        scope = self.scopes[-1]
        for name, value in then.items():
            if name in narrowed and value == narrowed[name]:
                continue
            scope[name] = join(scope.get(name, UNKNOWN), value)
        same = test is node.test and body is node.body and orelse is node.orelse
        return node if same else node.with_changes(test=test, body=body, orelse=orelse)

    def _narrowed(self, test: cst.BaseExpression) -> dict[str, Value]:
        """What `isinstance(x, y)` says of x inside of the branch."""
        if not (isinstance(test, cst.Call) and dotted(test.func) == "isinstance" and len(test.args) == 2):
            return {}
        name = dotted(test.args[0].value)
        _, value = self.expr(test.args[1].value)
        apis = [a for v in (value, elements(value)) for a in names(v, API)]
        if not name or "." in name or not apis:
            if isinstance(test.args[1].value, (cst.Name, cst.Tuple)) and name and "." not in name:
                words = [dotted(test.args[1].value)] if isinstance(test.args[1].value, cst.Name) else [dotted(e.value) for e in test.args[1].value.elements]
                if set(words) <= {"list", "tuple"}:
                    return {name: of("list", elements(self.lookup(name)))}
                if words == ["str"]:
                    return {name: of("str")}
            return {}
        if all(a.startswith("nn.") and a[3:4].isupper() for a in apis):
            return {name: of(LAYER, apis[0] if len(apis) == 1 else "")}
        return {name: TENSOR} if apis == ["Tensor"] else {}

    def _for(self, node: cst.For) -> list[cst.BaseStatement]:
        over, value = self.expr(node.iter)
        self.assign(node.target, elements(value))
        body = self._branching(node)
        orelse = self._else(node.orelse)
        same = over is node.iter and body is node.body and orelse is node.orelse
        return [node if same else node.with_changes(iter=over, body=body, orelse=orelse)]

    def _else(self, node: Any) -> Any:
        if node is None:
            return None
        body = self._branching(node)
        return node if body is node.body else node.with_changes(body=body)

    def _while(self, node: cst.While) -> list[cst.BaseStatement]:
        test, _ = self.expr(node.test)
        body = self._branching(node)
        orelse = self._else(node.orelse)
        same = test is node.test and body is node.body and orelse is node.orelse
        return [node if same else node.with_changes(test=test, body=body, orelse=orelse)]

    def _with(self, node: cst.With) -> list[cst.BaseStatement]:
        items, same = [], True
        for item in node.items:
            new, value = self.expr(item.item)
            if item.asname is not None:
                self.assign(item.asname.name, value)
            same = same and new is item.item
            items.append(item if new is item.item else item.with_changes(item=new))
        body = self._body(node.body)
        return [node if same and body is node.body else node.with_changes(items=items, body=body)]

    def _try(self, node: Any) -> list[cst.BaseStatement]:
        body = self._branching(node)
        handlers = []
        for handler in node.handlers:
            inner = self._branching(handler)
            handlers.append(handler if inner is handler.body else handler.with_changes(body=inner))
        orelse, final = self._else(node.orelse), self._else(node.finalbody)
        return [node.with_changes(body=body, handlers=handlers, orelse=orelse, finalbody=final)]

    # --- functions and classes ---

    def _decorators(self, node: Any) -> Any:
        made, same = [], True
        for decorator in node.decorators:
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
        body = self._constructor(node, self.inside[-1]) if method and function.name == "__init__" else self._body(node.body)
        self.depth = depth
        self.functions.pop()
        self.scopes.pop()
        return [changed if body is node.body else changed.with_changes(body=body)]

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
            p.name.value for p in (*node.posonly_params, *node.params, *node.kwonly_params) if p.default is not None
        )
        return node.with_changes(**changes) if changes else node

    def _entry(self, node: cst.FunctionDef, function: Function, method: bool) -> dict[str, Value]:
        """What the names hold where a function begins."""
        scope = dict(function.parameters)
        forward = method and function.name == "forward" and self.inside[-1].is_layer
        for name in function.parameters:
            if name in function.tensors or (forward and name not in function.defaults):
                scope[name] = join(scope[name], TENSOR) if not without_none(scope[name]) else scope[name]
        static = any(dotted(d.decorator) == "staticmethod" for d in node.decorators)
        if method and function.positional and not static:
            scope[function.positional[0]] = of(INSTANCE if "classmethod" not in {dotted(d.decorator) for d in node.decorators} else CLASS, self.inside[-1])
        star = node.params.star_arg
        if isinstance(star, cst.Param):
            scope[star.name.value] = of("list", TENSOR if forward else UNKNOWN)
        if node.params.star_kwarg is not None:
            scope[node.params.star_kwarg.name.value] = of("dict", UNKNOWN)
        return scope

    def _class(self, node: cst.ClassDef) -> list[cst.BaseStatement]:
        cls = self.own.get(id(node))
        if not isinstance(cls, Class):
            cls = Class(node.name.value, self.module)
            self.own[id(node)] = cls
        changed: cst.ClassDef = self._decorators(node)
        bases, values, same = [], [], True
        for base in node.bases:
            new, value = self.expr(base.value)
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
        body = self._body(node.body)
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
            return self._body(node.body)
        made: list[cst.BaseStatement] = []
        last = -1
        initialised = False
        explicit: list[cst.BaseStatement] = []
        early: list[int] = []
        for statement in node.body.body:
            before = len(self.made_layers)
            outer, self.behind = self.behind, []
            lines = self._without_behind(statement)
            explicit += [cst.SimpleStatementLine([s]) for s, _ in self.behind]
            self.behind = outer
            if self.initialises_here(statement):
                early.append(len(made))
            made += lines
            if len(self.made_layers) > before:
                last = len(made)
                new = self.made_layers[before:]
                initialised = initialised or any(not n or knowledge.initialised(n) for n in new)
        cls.layers = cls.layers or initialised
        cls.initialises = cls.initialises or bool(explicit)
        if not initialised or not (explicit or self._is_root(cls)):
            made[max(last, 0):max(last, 0)] = explicit
            return node.body if all(a is b for a, b in zip(made, node.body.body, strict=False)) and len(made) == len(node.body.body) else node.body.with_changes(body=made)
        call = cst.SimpleStatementLine([cst.Expr(cst.Call(self.names.helper("init_like_paddle"), [cst.Arg(cst.Name("self"))]))])
        made[last:last] = [call, *explicit]
        for place in reversed([p for p in early if p < last]):
            made.insert(place, call.deep_clone())
        return node.body.with_changes(body=made)

    def _without_behind(self, statement: cst.BaseStatement) -> list[cst.BaseStatement]:
        """A statement of a constructor; what sets its initial weights is left in `behind`."""
        outer, self.refusals = self.refusals, []
        handler = self._STATEMENTS.get(type(statement))
        made = [statement] if handler is None else handler(self, statement)
        made = self._commented(made)
        self.refusals = outer
        return made

    def initialises_here(self, statement: cst.BaseStatement) -> bool:
        """Whether a statement of a constructor sets initial weights: `self.apply(...)`, an initializer that is called."""
        if not isinstance(statement, cst.SimpleStatementLine):
            return False
        for part in statement.body:
            if isinstance(part, cst.Expr) and isinstance(part.value, cst.Call):
                func = part.value.func
                if dotted(func) == "self.apply":
                    return True
                value = self.lookup(func.value) if isinstance(func, cst.Name) else UNKNOWN
                if names(value, "initializer"):
                    return True
        return False

    def _is_root(self, cls: Class) -> bool:
        return not cls.used

    _STATEMENTS: ClassVar[dict[type, Callable[..., list[cst.BaseStatement]]]] = {
        cst.SimpleStatementLine: _line,
        cst.If: _if,
        cst.For: _for,
        cst.While: _while,
        cst.With: _with,
        cst.Try: _try,
        cst.FunctionDef: _function,
        cst.ClassDef: _class,
    }
    _SMALL: ClassVar[dict[type, Callable[..., cst.BaseSmallStatement | None]]] = {
        cst.Assign: _assign,
        cst.AnnAssign: _annotated,
        cst.AugAssign: _augmented,
        cst.Expr: _expression,
        cst.Return: _return,
        cst.Raise: _raise,
        cst.Assert: _assert,
    }


__all__ = ["MARK", "Untranslated", "Walk", "translated"]
