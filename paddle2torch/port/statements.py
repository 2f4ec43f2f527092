"""A walk through statements: what names hold from there on, imports, and what stands behind a statement in the port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import libcst as cst

from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused
from paddle2torch.port.definitions import MARK, Definitions, Untranslated
from paddle2torch.port.members import listed
from paddle2torch.port.names import dotted
from paddle2torch.port.values import (
    API,
    LAYER,
    TENSOR,
    UNKNOWN,
    Value,
    elements,
    join,
    names,
    of,
    only,
    type_of,
    without_none,
)


@dataclass
class Walk(Definitions):
    """One walk over one file."""

    def block(self, statements: Iterable[cst.BaseStatement]) -> list[cst.BaseStatement]:
        made: list[cst.BaseStatement] = []
        for statement in statements:
            made += self.statement(statement)
        return made

    def statement(self, node: cst.BaseStatement) -> list[cst.BaseStatement]:
        behind, self.behind = self.behind, []
        made = self.in_place(node)
        made += [cst.SimpleStatementLine([s]) for s in self.behind]
        self.behind = behind
        return made

    def in_place(self, node: cst.BaseStatement) -> list[cst.BaseStatement]:
        outer, self.refusals = self.refusals, []
        handler = self._STATEMENTS.get(type(node))
        made = [node] if handler is None else handler(self, node)
        made = self._commented(made)
        self.refusals = outer
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
        written = self._written_attribute(node)
        if written is not None:
            return written
        self.target = None
        if len(node.targets) == 1 and isinstance(node.value, cst.Call) and self._constructs():
            name = dotted(target)
            if name.startswith("self.") and name.count(".") == 1:
                self.target = (node.value, name)
        made = len(self.made_layers)
        before, self.filled = self.filled, self._tied(target, node.value)
        new, value = self.expr(node.value)
        self.target = None
        if names(value, "generator"):
            new, value = listed(new), of("list", elements(value))
        self._initialise_alone(target, value, self.made_layers[made:])
        targets, same = [], new is node.value
        for each in node.targets:
            assigned = self.assign(each.target, value)
            same = same and assigned is each.target
            targets.append(each if assigned is each.target else each.with_changes(target=assigned))
        self.filled = before
        return node if same else node.with_changes(value=new, targets=targets)

    def _tied(self, target: cst.BaseExpression, value: cst.BaseExpression) -> bool:
        """Whether a parameter is given to a layer that keeps it in the same way: the parameter itself is meant."""
        if not (isinstance(target, cst.Attribute) and isinstance(value, cst.Attribute)):
            return False
        rows = [self.of_class(self.expr(side.value)[1], side.attr.value) for side in (target, value)]
        return rows[0] is not None and rows[0] == rows[1]

    def _initialise_alone(self, target: cst.BaseExpression, value: Value, made: Sequence[str]) -> None:
        """A layer that stands alone in a file, outside of any class that would set its initial weights."""
        alone = not self.inside and not self.functions and isinstance(target, cst.Name)
        if alone and only(value, LAYER) and any(knowledge.initialised(name) for name in made):
            call = cst.Call(self.names.helper("init_like_paddle"), [cst.Arg(target)])
            self.behind.insert(0, cst.Expr(call))

    def _constructs(self) -> bool:
        """Whether this is the constructor of a layer, outside of any loop or branch."""
        return (
            bool(self.inside)
            and bool(self.functions)
            and self.functions[-1].name == "__init__"
            and self.depth == 1
        )

    def _written_attribute(self, node: cst.Assign) -> cst.BaseSmallStatement | None:
        """`x.stop_gradient = True`."""
        asked = [t.target for t in node.targets if isinstance(t.target, cst.Attribute)]
        rows = [(t, knowledge.known(f"Tensor.{t.attr.value}")) for t in asked if dotted(t.value) != "self"]
        found = [
            (target, known, form)
            for target, known in rows
            if known is not None
            for form in known.forms
            if form.when.startswith("written")
        ]
        if not found:
            return None
        target, known, form = found[0]
        attr = target.attr.value
        left, _, right = form.torch.partition(" = ")
        targets = []
        for each in node.targets:
            if not isinstance(each.target, cst.Attribute) or each.target.attr.value != attr:
                self.refuse(target, f"{attr} is set with other names: set it in a line of its own")
                return node
            before, self.filled = self.filled, True
            base, of_what = self.expr(each.target.value)
            self.filled = before
            if without_none(of_what) and not only(of_what, "tensor"):
                return None
            targets.append((each, base))
        value, _ = self.expr(node.value)
        try:
            if form.refuse:
                raise Refused(form.refuse)
            made = node.with_changes(
                targets=[each.with_changes(target=self._rooted(left, {"x": base})) for each, base in targets],
                value=self._rooted(right, {"value": value}),
            )
        except Refused as why:
            self.refuse(target, str(why))
            return node
        self.note(node, known)
        return made

    def assign(self, target: cst.BaseExpression, value: Value) -> cst.BaseExpression:
        if isinstance(target, cst.Name):
            self.bind_name(target.value, value)
        elif isinstance(target, cst.Attribute):
            base, owner = self.expr(target.value)
            self.learn_attribute(target, value)
            known = None if self.filled else self.of_class(owner, target.attr.value)
            for form in known.forms if known is not None else ():
                if form.when == "written":
                    self.refuse(target, form.refuse)
            return target if base is target.value else target.with_changes(value=base)
        elif isinstance(target, (cst.Tuple, cst.List)):
            parts = [a.more for a in value if a.kind == "tuple" and len(a.more) == len(target.elements)]
            rest = elements(frozenset(a for a in value if a.kind != "tuple"))
            for place, element in enumerate(target.elements):
                self.assign(element.value, join(rest, *(part[place] for part in parts)))
        elif isinstance(target, cst.Subscript):
            self.put_into(self.expr(target.value)[1])
            self.stored = target
            return self.expr(target)[0]
        return target

    def _annotated(self, node: cst.AnnAssign) -> cst.BaseSmallStatement:
        annotation, said = self._annotation(node.annotation)
        new, value = (None, UNKNOWN) if node.value is None else self.expr(node.value)
        self.assign(node.target, value or said)
        if new is node.value and annotation is node.annotation:
            return node
        return node.with_changes(value=new, annotation=annotation)

    def _augmented(self, node: cst.AugAssign) -> cst.BaseSmallStatement:
        new, value = self.expr(node.value)
        before: Value = UNKNOWN
        if isinstance(node.target, cst.Name):
            before = self.lookup(node.target.value)
            if names(join(before, value), "tensor") or without_none(value) != value:
                self.bind_name(
                    node.target.value, TENSOR if "tensor" in {a.kind for a in (*before, *value)} else before
                )
            elif names(value, "list") and names(before, "list"):
                self._grow(node.target, before, elements(value))
        self.stored = node.target
        target = node.target if isinstance(node.target, cst.Name) else self.expr(node.target)[0]
        same = new is node.value and target is node.target
        return node if same else node.with_changes(value=new, target=target)

    def _expression(self, node: cst.Expr) -> cst.BaseSmallStatement:
        self.alone = node.value
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

    def body_of(self, node: Any) -> Any:
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

    def _branching(self, node: Any) -> Any:
        """A block that may not run: what it binds is one alternative."""
        before = dict(self.scopes[-1])
        self.depth += 1
        made = self.body_of(node.body)
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
        body = self.body_of(node.body)
        then = dict(self.scopes[-1])
        self.scopes[-1].clear()
        self.scopes[-1].update(before)
        orelse: Any = node.orelse
        if isinstance(node.orelse, cst.If):
            self.depth -= 1
            orelse = self._if_chain(node.orelse)
            self.depth += 1
        elif node.orelse is not None:
            inner = self.body_of(node.orelse.body)
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
                words = (
                    [dotted(test.args[1].value)]
                    if isinstance(test.args[1].value, cst.Name)
                    else [dotted(e.value) for e in test.args[1].value.elements]
                )
                if set(words) <= {"list", "tuple"}:
                    return {name: of("list", elements(self.lookup(name)))}
                if words == ["str"]:
                    texts = frozenset(atom for atom in self.lookup(name) if type_of(atom) == "str")
                    return {name: texts or of("str")}
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
        body = self.body_of(node.body)
        return [node if same and body is node.body else node.with_changes(items=items, body=body)]

    def _try(self, node: Any) -> list[cst.BaseStatement]:
        body = self._branching(node)
        handlers = []
        for handler in node.handlers:
            inner = self._branching(handler)
            handlers.append(handler if inner is handler.body else handler.with_changes(body=inner))
        orelse, final = self._else(node.orelse), self._else(node.finalbody)
        return [node.with_changes(body=body, handlers=handlers, orelse=orelse, finalbody=final)]

    _STATEMENTS: ClassVar[dict[type, Callable[..., list[cst.BaseStatement]]]] = {
        cst.SimpleStatementLine: _line,
        cst.If: _if,
        cst.For: _for,
        cst.While: _while,
        cst.With: _with,
        cst.Try: _try,
        cst.FunctionDef: Definitions._function,
        cst.ClassDef: Definitions._class,
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
