"""Forms as trees: an expression in which names stand for what a call gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import libcst as cst

from paddle2torch.port.values import Value, literal, type_of, without_none


@cache
def expression(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def names_in(text: str) -> list[str]:
    """The names that a template asks for, as often as it does."""
    return [node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)]


@cache
def keyword_only(text: str) -> frozenset[str]:
    """The names that only stand as values of keywords: without them the keyword goes."""
    tree = ast.parse(text, mode="eval")
    keywords = [k.value for node in ast.walk(tree) if isinstance(node, ast.Call) for k in node.keywords]
    found = [node.id for node in keywords if isinstance(node, ast.Name)]
    return frozenset(name for name in found if found.count(name) == names_in(text).count(name))


def plain(value: Any) -> cst.BaseExpression:
    """A literal as code, with double quotes."""
    if isinstance(value, str):
        text = repr(value)
        return cst.SimpleString(f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text)
    return cst.parse_expression(repr(value))


def code_of(node: cst.CSTNode) -> str:
    """A node as it stands in a file."""
    return cst.Module([]).code_for_node(node)


def first_text(node: cst.CSTNode) -> cst.SimpleString | cst.FormattedStringText | None:
    """The first piece of text that is written in an expression."""
    if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
        return node
    found = (first_text(child) for child in node.children)
    return next((text for text in found if text is not None), None)


def text_of(node: cst.SimpleString | cst.FormattedStringText) -> str:
    return str(node.evaluated_value) if isinstance(node, cst.SimpleString) else node.value


def simple(node: cst.CSTNode) -> bool:
    """Whether it may be written twice: evaluating it has no cost and no effect."""
    if isinstance(node, cst.Attribute):
        return simple(node.value)
    return isinstance(node, (cst.Name, cst.Integer, cst.Float, cst.SimpleString))


def tight(node: cst.BaseExpression) -> cst.BaseExpression:
    """With parentheses where an attribute, a call or an operator behind it would read it otherwise."""
    loose = (
        cst.BinaryOperation,
        cst.UnaryOperation,
        cst.BooleanOperation,
        cst.Comparison,
        cst.IfExp,
        cst.Lambda,
        cst.NamedExpr,
        cst.Await,
        cst.Integer,
    )
    if isinstance(node, loose) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    if isinstance(node, cst.GeneratorExp) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node


class _Fill(cst.CSTTransformer):
    """Puts nodes in the place of names; an argument whose name is not given goes."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.given = given

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr, value=tight(updated_node.value))

    def leave_BinaryOperation(self, original_node: Any, updated_node: Any) -> cst.BaseExpression:
        left = updated_node.left if updated_node.left is original_node.left else tight(updated_node.left)
        right = updated_node.right if updated_node.right is original_node.right else tight(updated_node.right)
        changed: cst.BaseExpression = updated_node.with_changes(left=left, right=right)
        return changed

    def leave_Comparison(self, original_node: Any, updated_node: Any) -> cst.BaseExpression:
        changed: cst.BaseExpression = updated_node.with_changes(left=tight(updated_node.left))
        return changed

    def leave_UnaryOperation(self, original_node: Any, updated_node: Any) -> cst.BaseExpression:
        changed: cst.BaseExpression = updated_node.with_changes(expression=tight(updated_node.expression))
        return changed

    def leave_Subscript(self, original_node: Any, updated_node: Any) -> cst.BaseExpression:
        changed: cst.BaseExpression = updated_node.with_changes(value=tight(updated_node.value))
        return changed

    def leave_List(self, original_node: cst.List, updated_node: cst.List) -> cst.BaseExpression:
        if [getattr(e.value, "value", None) for e in original_node.elements] == ["rest"]:
            return cst.List(self.given["rest"])
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if isinstance(original_node.func, cst.Name) and original_node.func.value == "sized":
            return _sized(*(arg.value for arg in updated_node.args))
        if "rest" in self.given and [getattr(a.value, "value", None) for a in original_node.args[:1]] == [
            "rest"
        ]:
            first = [
                cst.Arg(e.value, star="*" if isinstance(e, cst.StarredElement) else "")
                for e in self.given["rest"]
            ]
            return updated_node.with_changes(args=[*first, *updated_node.args[1:]])
        kept = [
            new.with_changes(keyword=old.keyword)
            for old, new in zip(original_node.args, updated_node.args, strict=True)
            if not (isinstance(old.value, cst.Name) and self.given.get(old.value.value, self) is None)
        ]
        if kept:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(args=kept, func=tight(updated_node.func))

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        found = self.given.get(original_node.value)
        return updated_node if found is None or isinstance(found, list) else found


def _sized(shape: cst.BaseExpression, x: cst.BaseExpression) -> cst.BaseExpression:
    """A display in which every 0 is the size that `x` has there."""
    assert isinstance(shape, (cst.List, cst.Tuple))
    made = []
    for place, element in enumerate(shape.elements):
        zero = isinstance(element.value, cst.Integer) and element.value.evaluated_value == 0
        size = cst.parse_expression(f"x.shape[{place}]")
        assert isinstance(size, cst.Subscript)
        assert isinstance(size.value, cst.Attribute)
        size = size.with_changes(value=size.value.with_changes(value=x))
        made.append(element.with_changes(value=size) if zero else element)
    return shape.with_changes(elements=made)


def fill(text: str, given: Mapping[str, Any]) -> cst.BaseExpression:
    """The template `text` with `given` in the place of its names; None leaves the argument out."""
    made = expression(text).visit(_Fill(given))
    assert isinstance(made, cst.BaseExpression)
    return made


@cache
def _clauses(when: str) -> tuple[tuple[str, str], ...]:
    clauses = []
    for clause in filter(None, (part.strip() for part in _split(when))):
        name, _, condition = clause.partition(" ")
        clauses.append((name, condition.strip()))
    return tuple(clauses)


def _split(when: str) -> list[str]:
    """At commas outside of brackets."""
    parts, depth = [""], 0
    for letter in when:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def holds(when: str, given: Mapping[str, tuple[cst.BaseExpression, Value]]) -> bool:
    """Whether a call that gives `given` is one that a form is for."""
    return all(_holds(name, condition, given) for name, condition in _clauses(when))


def _holds(name: str, condition: str, given: Mapping[str, tuple[cst.BaseExpression, Value]]) -> bool:
    if condition.startswith("not "):
        return not _holds(name, condition.removeprefix("not "), given)
    found = given.get(name)
    if condition in ("unused", "absent"):
        return found is None
    if found is None:
        return False
    node, value = found
    if condition == "given":
        return True
    if condition.startswith("== "):
        return _equal(node, value, ast.literal_eval(condition.removeprefix("== ")))
    if condition.startswith("has "):
        return ast.literal_eval(condition.removeprefix("has ")) in _numbers(node)
    if condition.startswith("of "):
        return isinstance(node, (cst.List, cst.Tuple)) and len(node.elements) == int(
            condition.removeprefix("of ")
        )
    if condition == "alike":
        return len({repr(number) for number in _numbers(node)} - {"None"}) == 1 and None not in _numbers(node)
    if condition == "display":
        return isinstance(node, (cst.List, cst.Tuple))
    if condition == "dotted":
        return any("." in text for text in _texts(node))
    if condition == "simple":
        return simple(node)
    if condition == "none":
        return literal(value) == (None,)
    if condition.startswith("maybe "):
        return any(type_of(atom) == condition.removeprefix("maybe ") for atom in value)
    if condition == "groups":
        return isinstance(node, cst.List) and any(isinstance(e.value, cst.Dict) for e in node.elements)
    if condition == "super":
        return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "super"
    kinds = {"number": ("int", "float", "bool"), "list": ("list", "tuple", "shape")}.get(
        condition, tuple(condition.split("|"))
    )
    rest = without_none(value)
    return bool(rest) and all(type_of(atom) in kinds for atom in rest)


def _texts(node: cst.CSTNode) -> Iterator[str]:
    """The text that is written out in an expression, without what stands in braces."""
    if isinstance(node, cst.SimpleString):
        yield re.sub(r"\{.*?\}", "", str(node.evaluated_value))
    elif isinstance(node, cst.FormattedStringText):
        yield node.value
    for child in node.children:
        if not isinstance(child, cst.FormattedStringExpression):
            yield from _texts(child)


def _equal(node: cst.BaseExpression, value: Value, wanted: Any) -> bool:
    if isinstance(wanted, (list, tuple)):
        return isinstance(node, (cst.List, cst.Tuple)) and _numbers(node) == list(wanted)
    found = literal(value)
    return bool(found) and type(found[0]) is type(wanted) and found[0] == wanted


def _numbers(node: cst.BaseExpression) -> list[Any]:
    """The elements of a display; those that are no literals are None."""
    if not isinstance(node, (cst.List, cst.Tuple)):
        return []
    found: list[Any] = []
    for element in node.elements:
        try:
            found.append(ast.literal_eval(code_of(element.value)))
        except (ValueError, SyntaxError):
            found.append(None)
    return found
