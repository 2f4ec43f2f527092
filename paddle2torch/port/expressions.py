"""A walk through expressions: each becomes torch's, and what is known of its value goes along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import libcst as cst

from paddle2torch.port.callees import Callees
from paddle2torch.port.members import Result, listed
from paddle2torch.port.steps import backwards, flipped
from paddle2torch.port.templates import tight
from paddle2torch.port.values import (
    ARRAY,
    BOOL,
    DICT,
    FLOAT,
    INT,
    LIST,
    SHAPE,
    STR,
    TENSOR,
    TUPLE,
    UNKNOWN,
    Value,
    const,
    elements,
    is_tensor,
    join,
    literal,
    names,
    of,
    only,
    type_of,
    written_out,
)

ARITHMETIC = ("int", "float", "bool")
WIDE, LONG = 12, 200


@dataclass
class Expressions(Callees):
    """Operators, displays, comprehensions, subscripts."""

    stored: cst.BaseExpression | None = None
    """The target at hand."""

    def expr(self, node: cst.BaseExpression) -> Result:
        handler = self._HANDLERS.get(type(node))
        if handler is None:
            return node, UNKNOWN
        made, value = handler(self, node)
        return made, value

    # --- the rest ---

    def _subscript(self, node: cst.Subscript) -> Result:
        base, value = self.expr(node.value)
        if names(value, "generator"):
            base, value = listed(base), of(LIST, elements(value))
        slices, literals = [], []
        for element in node.slice:
            index: Any = element.slice
            if isinstance(index, cst.Index):
                new, known = self.expr(index.value)
                literals.append(literal(known))
                slices.append(
                    element
                    if new is index.value
                    else element.with_changes(slice=index.with_changes(value=new))
                )
                continue
            parts = {}
            for part in ("lower", "upper", "step"):
                inner = getattr(index, part)
                if inner is not None:
                    new, _ = self.expr(inner)
                    if new is not inner:
                        parts[part] = new
            literals.append(())
            slices.append(element.with_changes(slice=index.with_changes(**parts)) if parts else element)
        changed = node
        if base is not node.value or any(a is not b for a, b in zip(slices, node.slice, strict=True)):
            changed = node.with_changes(value=tight(base) if base is not node.value else base, slice=slices)
        item = self._item(value, literals, isinstance(node.slice[0].slice, cst.Slice))
        return self._steps(node, changed, value), item

    def _steps(self, node: cst.Subscript, changed: cst.Subscript, value: Value) -> cst.BaseExpression:
        """The subscript, where it goes backwards in what may be a tensor. One index of who knows what is taken for a list's."""
        several = len(node.slice) > 1
        maybe = any(atom.kind == "tensor" for atom in value) or (several and not value)
        if not maybe or not backwards(node.slice):
            return changed
        if node is self.stored:
            return self.refuse(
                node,
                "torch has no negative steps: set the same elements in order, to torch.flip of the value",
            )[0]
        self.note(node, self.row("flip"))
        dims = flipped(node.slice)
        root: cst.BaseExpression = node.value
        while isinstance(root, cst.Subscript):
            root = root.value
        assumed = self.functions[-1].assumed if self.functions else ()
        listing = not several and isinstance(root, cst.Name) and root.value in assumed
        if dims is None or not is_tensor(value) or listing:
            return changed.with_changes(
                value=cst.Call(self.names.helper("any_step"), [cst.Arg(changed.value)])
            )
        args = [cst.Arg(cst.parse_expression(str(dim))) for dim in dims]
        return cst.Call(cst.Attribute(tight(changed.value), cst.Name("flip")), args)

    def _item(self, value: Value, literals: list[Any], sliced: bool) -> Value:
        found: list[Value] = []
        for atom in value:
            if atom.kind == "tensor":
                found.append(TENSOR)
            elif atom.kind == "array":
                found.append(ARRAY)
            elif atom.kind == "shape":
                found.append(SHAPE if sliced else INT)
            elif atom.kind == DICT:
                found.append(atom.more)
            elif sliced and atom.kind in (LIST, TUPLE):
                found.append(of(LIST, elements(frozenset((atom,)))))
            elif (
                atom.kind == TUPLE
                and literals[0]
                and isinstance(literals[0][0], int)
                and -len(atom.more) <= literals[0][0] < len(atom.more)
            ):
                found.append(atom.more[literals[0][0]])
            else:
                found.append(elements(frozenset((atom,))))
        return join(*found) if found else UNKNOWN

    def _binary(self, node: cst.BinaryOperation) -> Result:
        left, a = self.expr(node.left)
        right, b = self.expr(node.right)
        if isinstance(node.operator, cst.Add):
            # torch.Size adds to no list.
            if only(a, "shape") and only(b, LIST):
                left = listed(left)
            elif only(b, "shape") and only(a, LIST):
                right = listed(right)
        changed = node
        if left is not node.left or right is not node.right:
            changed = node.with_changes(left=left, right=right)
        return changed, _arithmetic(a, b)

    def _comparison(self, node: cst.Comparison) -> Result:
        left, a = self.expr(node.left)
        targets, same = [], left is node.left
        values = [a]
        for target in node.comparisons:
            new, value = self.expr(target.comparator)
            values.append(value)
            if (
                only(a, "dtype")
                and written_out(target.comparator)
                and literal(value)
                and isinstance(literal(value)[0], str)
            ):
                new = self.dtype(new, value)
            elif only(a, "shape") and only(value, LIST):
                left, same = listed(left), False
            same = same and new is target.comparator
            targets.append(target if new is target.comparator else target.with_changes(comparator=new))
        changed = node if same else node.with_changes(left=left, comparisons=targets)
        tensors = any(is_tensor(v) for v in values) and not isinstance(
            node.comparisons[0].operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn)
        )
        return changed, TENSOR if tensors else BOOL

    def _unary(self, node: cst.UnaryOperation) -> Result:
        new, value = self.expr(node.expression)
        found = literal(value)
        if isinstance(node.operator, cst.Not):
            value = BOOL
            if (
                new is not node.expression
                and isinstance(new, cst.UnaryOperation)
                and isinstance(new.operator, cst.Not)
            ):
                return new.expression, BOOL
        elif isinstance(node.operator, cst.Minus) and found and isinstance(found[0], (int, float)):
            value = const(-found[0])
        return (node if new is node.expression else node.with_changes(expression=new)), value

    def _boolean(self, node: cst.BooleanOperation) -> Result:
        left, a = self.expr(node.left)
        right, b = self.expr(node.right)
        same = left is node.left and right is node.right
        return (node if same else node.with_changes(left=left, right=right)), join(a, b)

    def _conditional(self, node: cst.IfExp) -> Result:
        test, _ = self.expr(node.test)
        body, a = self.expr(node.body)
        orelse, b = self.expr(node.orelse)
        same = test is node.test and body is node.body and orelse is node.orelse
        return (node if same else node.with_changes(test=test, body=body, orelse=orelse)), join(a, b)

    def _display(self, node: Any) -> Result:
        elements_, values, same = [], [], True
        for element in node.elements:
            new, value = self.expr(element.value)
            starred = isinstance(element, cst.StarredElement)
            values.append(elements(value) if starred else value)
            same = same and new is element.value
            elements_.append(element if new is element.value else element.with_changes(value=new))
        changed = node if same else node.with_changes(elements=elements_)
        if isinstance(node, cst.Tuple) and not any(isinstance(e, cst.StarredElement) for e in node.elements):
            return changed, of(TUPLE, tuple(values)) if len(values) < WIDE else of(LIST, join(*values))
        return changed, of(LIST, join(*values) if values else UNKNOWN)

    def _dict(self, node: cst.Dict) -> Result:
        made, values, same = [], [], True
        for element in node.elements:
            changes: dict[str, Any] = {}
            if isinstance(element, cst.DictElement):
                key, _ = self.expr(element.key)
                if key is not element.key:
                    changes["key"] = key
            new, value = self.expr(element.value)
            values.append(value)
            if new is not element.value:
                changes["value"] = new
            same = same and not changes
            made.append(element.with_changes(**changes) if changes else element)
        return (node if same else node.with_changes(elements=made)), of(
            DICT, join(*values) if values else UNKNOWN
        )

    def _comprehension(self, node: Any) -> Result:
        self.scopes.append({})
        loop = self._comp_for(node.for_in)
        if isinstance(node, cst.DictComp):
            key, _ = self.expr(node.key)
            inner, value = self.expr(node.value)
            same = loop is node.for_in and key is node.key and inner is node.value
            changed = node if same else node.with_changes(for_in=loop, key=key, value=inner)
            result = of(DICT, value)
        else:
            inner, value = self.expr(node.elt)
            same = loop is node.for_in and inner is node.elt
            changed = node if same else node.with_changes(for_in=loop, elt=inner)
            result = of(LIST, value)
        self.leave_scope()
        return changed, result

    def _comp_for(self, loop: cst.CompFor) -> cst.CompFor:
        over, value = self.expr(loop.iter)
        self.assign(loop.target, elements(value))
        changes: dict[str, Any] = {} if over is loop.iter else {"iter": over}
        tests = [self.expr(test.test)[0] for test in loop.ifs]
        if any(new is not old.test for new, old in zip(tests, loop.ifs, strict=True)):
            changes["ifs"] = [old.with_changes(test=new) for new, old in zip(tests, loop.ifs, strict=True)]
        if loop.inner_for_in is not None:
            inner = self._comp_for(loop.inner_for_in)
            if inner is not loop.inner_for_in:
                changes["inner_for_in"] = inner
        return loop.with_changes(**changes) if changes else loop

    def assign(self, target: cst.BaseExpression, value: Value) -> cst.BaseExpression:
        raise NotImplementedError

    def _lambda(self, node: cst.Lambda) -> Result:
        self.scopes.append({p.name.value: UNKNOWN for p in node.params.params})
        body, _ = self.expr(node.body)
        self.leave_scope()
        return (node if body is node.body else node.with_changes(body=body)), UNKNOWN

    def _literal(self, node: Any) -> Result:
        if isinstance(node, (cst.Integer, cst.Float, cst.Imaginary)):
            return node, const(node.evaluated_value)
        if isinstance(node, cst.SimpleString):
            return node, const(node.evaluated_value) if len(node.value) < LONG else STR
        return node, STR

    def _formatted(self, node: cst.FormattedString) -> Result:
        parts: list[Any] = []
        same = True
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                new, _ = self.expr(part.expression)
                same = same and new is part.expression
                parts.append(part if new is part.expression else part.with_changes(expression=new))
                continue
            parts.append(part)
        return (node if same else node.with_changes(parts=parts)), STR

    def _inner(self, node: Any) -> Result:
        """Expressions around one other: await, yield, a starred element."""
        field_ = "value" if hasattr(node, "value") else "item"
        inner = getattr(node, field_)
        if not isinstance(inner, cst.BaseExpression):
            return node, UNKNOWN
        new, value = self.expr(inner)
        return (node if new is inner else node.with_changes(**{field_: new})), value

    def _named(self, node: cst.NamedExpr) -> Result:
        new, value = self.expr(node.value)
        self.assign(node.target, value)
        return (node if new is node.value else node.with_changes(value=new)), value

    _HANDLERS: ClassVar[dict[type, Callable[..., Result]]] = {
        cst.Name: Callees._name,
        cst.Attribute: Callees._attribute,
        cst.Call: Callees._call,
        cst.Subscript: _subscript,
        cst.BinaryOperation: _binary,
        cst.Comparison: _comparison,
        cst.UnaryOperation: _unary,
        cst.BooleanOperation: _boolean,
        cst.IfExp: _conditional,
        cst.List: _display,
        cst.Tuple: _display,
        cst.Set: _display,
        cst.Dict: _dict,
        cst.ListComp: _comprehension,
        cst.SetComp: _comprehension,
        cst.GeneratorExp: _comprehension,
        cst.DictComp: _comprehension,
        cst.Lambda: _lambda,
        cst.Integer: _literal,
        cst.Float: _literal,
        cst.Imaginary: _literal,
        cst.SimpleString: _literal,
        cst.ConcatenatedString: _literal,
        cst.FormattedString: _formatted,
        cst.Await: _inner,
        cst.Yield: _inner,
        cst.NamedExpr: _named,
    }


def _arithmetic(a: Value, b: Value) -> Value:
    """What an operator gives: a tensor beats an array, an array a number."""
    kinds = {type_of(atom) for atom in (*a, *b)}
    if "tensor" in kinds:
        return TENSOR
    if "array" in kinds:
        return ARRAY
    if not a or not b:
        return UNKNOWN
    if kinds <= {"int", "bool"}:
        return INT
    if kinds <= set(ARITHMETIC):
        return FLOAT
    if "str" in kinds:
        return STR
    lists = [atom.more for atom in (*a, *b) if atom.kind == LIST]
    if lists:
        return of(LIST, join(*lists))
    if "shape" in kinds:
        return SHAPE
    if kinds <= {LIST, TUPLE}:
        return of(LIST, elements(join(a, b)))
    return UNKNOWN
