"""Calls of Paddle's names, written as torch's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from convert.rosetta.forms import AS_CALLED, DTYPES, WORDS, Form
from convert.rosetta.signatures import REQUIRED, UNSAID
from paddle2torch.port import knowledge
from paddle2torch.port.binding import (
    Given,
    Refused,
    additions,
    bind,
    check_name,
    check_required,
    converted,
    extended,
    positional_in_torch,
    rewritten,
    torch_name,
    without,
)
from paddle2torch.port.knowledge import Known
from paddle2torch.port.names import Names
from paddle2torch.port.templates import fill, holds, keyword_only, names_in, plain, simple, tight
from paddle2torch.port.values import (
    NAMED,
    REST,
    UNKNOWN,
    Value,
    elements,
    join,
    literal,
    of,
    only,
)
from paddle2torch.port.values import (
    names as names_of,
)

LIBRARY = {"partial": "functools", "OrderedDict": "collections", "nullcontext": "contextlib"}
"""Names of Python's own that forms have, and where they are."""
Args = Sequence[tuple[cst.Arg, Value]]


@dataclass
class Change:
    """One expression that was written anew, and the row that says so."""

    before: cst.CSTNode
    row: str


@dataclass
class Calls:
    """What a walk has at hand when it meets a call of Paddle's."""

    names: Names = field(default_factory=Names)
    plan: Names = field(default_factory=Names)
    """The names of the walk before."""
    changes: list[Change] = field(default_factory=list)
    alone: cst.CSTNode | None = None
    """The call that is a statement of its own: nothing takes what it gives."""
    basing: bool = False
    """Whether the bases of a class are walked."""
    at: cst.CSTNode | None = None
    """The call at hand."""
    filled: bool = False
    """Whether what is walked is filled in place: a parameter itself is meant, not what it holds."""

    def call_api(
        self, name: str, node: cst.Call, args: Args, root: str, partly: str = "", base: bool = False
    ) -> tuple[cst.BaseExpression, Value]:
        """A call of `paddle.name`; `root` is the local name it is written with.

        partly: "first" if it is `functools.partial`'s, which gives some of the arguments, "rest" if it gives the others.
        base: it is a base's constructor that is called, so that nothing else will do.

        Raises:
            Refused: if the table does not say what it is in torch.
        """
        known = self.row(name)
        self.at = node
        given = bind(known, args) if base else self._bound(known, args)
        if given is None:
            return node.with_changes(func=self._as_called(known), args=[a for a, _ in args]), known.gives
        if known.is_initializer:
            return self._initializer(known, node, given, root)
        written = self._write(known, node, given, root, None, partly)
        return written, self._gives(known, given)

    def _bound(self, known: Known, args: Args) -> list[Given] | None:
        """The arguments by their names; None where only a run tells which is which, and ours takes them as Paddle does."""
        handing = [function for arg, value in args if arg.star for function in names_of(value, REST)]
        stars = [arg.star for arg, _ in args if arg.star]
        if not stars or known.name not in AS_CALLED:
            return bind(known, args)
        if "*" in stars or known.is_initializer or any(function.changed for function in handing):
            for function in handing:
                function.as_paddle = True
        if any(function.as_paddle for function in handing):
            return None
        try:
            return bind(known, args)
        except Refused:
            return None

    def _as_called(self, known: Known) -> cst.BaseExpression:
        """Ours that takes Paddle's own arguments."""
        return self.names.helper(known.name.rpartition(".")[2])

    def call_base(self, name: str, node: cst.Call, args: Args) -> cst.BaseExpression:
        """A call of `paddle.name` as the class from which one of the file is derived.

        Raises:
            Refused: if the table does not say what it is in torch.
        """
        known = self.row(name)
        base = next((form for form in known.forms if form.when == "subclassed"), None)
        if base is None:
            return self.call_api(name, node, args, "", base=True)[0]
        return self._instead(f"= {base.torch}", known, node, bind(known, args), "")

    def keyword_of(self, name: str, arg: cst.Arg, value: Value) -> cst.Arg | None:
        """A keyword argument that ends at `paddle.name`; None where it goes without saying.

        Raises:
            Refused: if a keyword alone cannot say it.
        """
        known = self.row(name)
        assert arg.keyword is not None
        if known.default(arg.keyword.value) is UNSAID:
            return arg
        (given,) = bind(known, [(arg, value)])
        form = self._form(known, [given], None)
        if form is not None and form.torch != "=" and given.name in form.when:
            raise Refused(
                form.refuse or f"{given.name} makes paddle.{name} something else in torch: write that out"
            )
        argument = torch_name(known, given.name, False)
        if given.name.endswith("_attr") and argument.torch is None:
            if literal(given.value) not in ((None,), (True,)):
                raise Refused(f"{given.name} of paddle.{name} is said after the construction in torch")
            return None
        node = converted(argument, known, given, self)
        if node is None:
            return None
        new = rewritten(given, argument.torch, node)
        return arg if _same(new, arg) else new

    def row(self, name: str) -> Known:
        known = knowledge.known(name)
        if known is None:
            raise Refused(f"paddle.{name} is in no row of the table: {knowledge.advice(name)}")
        return known

    def call_method(
        self, known: Known, receiver: cst.BaseExpression, node: cst.Call, args: Args
    ) -> tuple[cst.BaseExpression, Value]:
        """A call of a method of a tensor, a layer, an optimizer."""
        signature = known.paddle_signature
        # A method of a tensor is a function whose first argument is what it is called on.
        first = (
            signature.positional[:1]
            if signature and not known.name.startswith(("nn.Layer.", "optimizer."))
            else ()
        )
        self.at = node
        given = bind(known, args, skip=len(first))
        written = self._write(known, node, given, "", (first[0] if first else "x", receiver), "")
        return written, self._gives(known, given)

    def _gives(self, known: Known, given: Sequence[Given]) -> Value:
        same = known.same_as
        if same:
            return next((g.value for g in given if g.name == same), UNKNOWN)
        return known.gives

    def _form(
        self,
        known: Known,
        given: Sequence[Given],
        receiver: tuple[str, cst.BaseExpression] | None,
        called: bool = False,
    ) -> Form | None:
        at_hand = {g.name: (g.node, g.value) for g in given if g.name != "*"}
        if called:
            at_hand["called"] = (cst.Name("called"), UNKNOWN)
        if self.at is not self.alone and self.at is not None:
            at_hand["result"] = (cst.Name("result"), UNKNOWN)
        if self.filled:
            at_hand["filled"] = (cst.Name("filled"), UNKNOWN)
        if self.names.attributes or self.plan.attributes:
            at_hand["attributes"] = (cst.Name("attributes"), UNKNOWN)
        stars = [g for g in given if g.name == "*"]
        if stars:
            inner = (elements(g.value) if g.arg.star else g.value for g in stars)
            at_hand["*"] = (stars[0].node, join(*inner))
        if receiver is not None:
            at_hand.setdefault(receiver[0], (receiver[1], UNKNOWN))
            at_hand.setdefault("x", (receiver[1], UNKNOWN))
        for form in known.forms:
            if not holds(form.when, at_hand):
                continue
            plainly = (
                form.torch.startswith("=")
                or form.torch in ("", "as called")
                or form.when.startswith("written")
            )
            asked = [] if plainly else names_in(form.torch)
            if any(asked.count(n) > 1 and n in at_hand and not simple(at_hand[n][0]) for n in asked):
                continue
            return form
        return None

    def _write(
        self,
        known: Known,
        node: cst.Call,
        given: list[Given],
        root: str,
        receiver: tuple[str, cst.BaseExpression] | None,
        partly: str,
    ) -> cst.BaseExpression:
        form = self._form(known, given, receiver, called=True)
        if form is not None and form.refuse:
            raise Refused(form.refuse)
        if form is not None and form.torch == "as called":
            return node.with_changes(func=self._as_called(known), args=[g.arg for g in given])
        if form is not None and "again" in form.torch:
            return self._wrapped(form, known, node, given, root)
        if form is not None and not form.torch.startswith("="):
            return self._filled(form, known, given, receiver)
        other = form.torch[1:].strip() if form is not None else ""
        if other:
            return self._instead(other, known, node, given, partly)
        if not known.torch:
            raise Refused(f"torch has no paddle.{known.name}: {known.row.remedy or 'write it out'}")
        return self._plain(known, node, given, root, receiver, partly)

    # --- forms ---

    def _wrapped(
        self, form: Form, known: Known, node: cst.Call, given: list[Given], root: str
    ) -> cst.BaseExpression:
        """A form around the call as it is written without what the form is for."""
        taken = set(names_in(form.torch))
        rest = [g for g in given if g.name not in taken]
        pairs = without([(g.arg, g.arg if g in rest else None) for g in given])
        rest = [Given(g.name, arg, g.value, g.positional) for g, arg in zip(rest, pairs, strict=True)]
        kept = tuple(each for each in known.forms if each is not form)
        inner = self._write(replace(known, forms=kept), node, rest, root, None, "")
        nodes = {g.name: g.node for g in given if g.name in taken}
        return self._rooted(form.torch, {**nodes, "again": inner})

    def _instead(
        self, other: str, known: Known, node: cst.Call, given: list[Given], partly: str
    ) -> cst.BaseExpression:
        """The plain way with another name, which takes what torch has no argument for as Paddle does."""
        target = knowledge.instead(known.name, other)
        return self._plain(target, node, given, "", None, partly)

    def _filled(
        self,
        form: Form,
        known: Known,
        given: Sequence[Given],
        receiver: tuple[str, cst.BaseExpression] | None,
    ) -> cst.BaseExpression:
        nodes: dict[str, Any] = {}
        stars = [g for g in given if g.name == "*"]
        if stars and "rest" in names_in(form.torch):
            nodes["rest"] = [_element(g.arg) for g in stars]
        for each in given:
            if each.name == "*" and "rest" in nodes:
                continue
            if each.name in ("*", "**"):
                raise Refused(
                    f"which arguments a star gives paddle.{known.name} is not known: write them out"
                )
            nodes[each.name] = self._value(known, each)
        if receiver is not None:
            nodes.setdefault(receiver[0], receiver[1])
            nodes.setdefault("x", receiver[1])
        asked = set(names_in(form.torch))
        optional = keyword_only(form.torch)
        for name in asked - set(nodes):
            default = known.default(name)
            if default is UNSAID:
                continue
            if default is REQUIRED:
                raise Refused(f"paddle.{known.name} needs {name}")
            nodes[name] = None if name in optional else plain(default)
        unsaid = [
            g.name for g in given if g.name not in asked and g.name != "*" and not self._idle(known, g, form)
        ]
        if unsaid:
            raise Refused(
                f"the table does not say what {', '.join(unsaid)} of paddle.{known.name} is in torch"
            )
        return self._rooted(form.torch, nodes)

    def _idle(self, known: Known, given: Given, form: Form) -> bool:
        """Whether an argument that a form does not name says only what is so anyway, or is what the form is for."""
        found = literal(given.value)
        default = known.default(given.name)
        if given.name in form.when:
            return True
        if given.name == "name":
            check_name(known, given)
            return True
        if given.name in known.arguments:
            argument = known.arguments[given.name]
            try:
                if found and argument.values.get(found[0], argument) is None:
                    return True
            except TypeError:
                return False
        return bool(found) and (found == (None,) or (default is not UNSAID and found[0] == default))

    def _value(self, known: Known, given: Given) -> cst.BaseExpression | None:
        if given.name == "dtype":
            return None if literal(given.value) == (None,) else self.dtype(given.node, given.value)
        return given.node

    def _rooted(self, text: str, nodes: Mapping[str, cst.BaseExpression | None]) -> cst.BaseExpression:
        """A filled template, with torch's names as the file writes them."""
        roots: dict[str, cst.BaseExpression | None] = {}
        for name in names_in(text):
            if name in nodes:
                continue
            if name == "torch":
                roots[name] = self.names.refer("")
            elif name == "F":
                roots[name] = self.names.refer("nn.functional")
            elif name == "nn":
                roots[name] = self.names.refer("nn")
            elif name in LIBRARY:
                roots[name] = self.names.library(LIBRARY[name], name)
            elif name.startswith("like_"):
                roots[name] = self.names.helper(name.removeprefix("like_"))
        return tidy(fill(text, {**nodes, **roots}))

    # --- the plain way ---

    def _plain(
        self,
        known: Known,
        node: cst.Call,
        given: list[Given],
        root: str,
        receiver: tuple[str, cst.BaseExpression] | None,
        partly: str,
    ) -> cst.BaseExpression:
        pairs: list[tuple[cst.Arg, cst.Arg | None]] = []
        taken = {g.name: g for g in given}
        written: set[str] = set()
        function = known
        method = known.torch.startswith("Tensor.")
        if (
            receiver is not None
            and not method
            and knowledge.torch_has(known.torch.rpartition(".")[2])
            and "." not in known.torch
        ):
            method, function = True, knowledge.as_method(known.name)
        if method and receiver is None:
            first = next((g for g in given if g.name == known.order(1)[0]), None)
            if first is None:
                raise Refused(f"on which tensor paddle.{known.name} works is not said")
            receiver = (first.name, first.node)
            pairs.append((first.arg, None))
            given = [g for g in given if g is not first]
        place = 0
        if receiver is not None and not method:
            place = 1
        attributes: dict[str, Given] = {}
        pairs += self._arguments(function, given, written, attributes, method, place)
        args = without(pairs)
        more = additions(function, taken, partly=partly)
        if more and "**" in taken:
            raise Refused(
                f"{more[0][0]} must be said in torch, and ** may give it to paddle.{known.name} too: write it out"
            )
        args = extended(args, [(n, plain(v)) for n, v in more if n not in written])
        if not partly and not known.torch.startswith("like_paddle."):
            keywords = {a.keyword.value for a in args if a.keyword}
            stars = any(a.star for a in args)
            plain_ones = sum(1 for a in args if a.keyword is None) + (
                1 if receiver is not None and not method else 0
            )
            if not stars:
                check_required(function, keywords, plain_ones)
        target = self._target(known, root, receiver, method)
        if receiver is not None and not method:
            args = [cst.Arg(receiver[1], comma=_comma(args)), *args]
        changed = node.with_changes(func=target, args=args)
        return self.with_attributes(changed, known, attributes)

    def _arguments(
        self,
        function: Known,
        given: Sequence[Given],
        written: set[str],
        attributes: dict[str, Given],
        method: bool,
        place: int,
    ) -> list[tuple[cst.Arg, cst.Arg | None]]:
        """Each argument and what it becomes, None where it goes; what was `written`, and a layer's `attributes`, are noted."""
        pairs: list[tuple[cst.Arg, cst.Arg | None]] = []
        in_order = True
        for each in given:
            if each.name in ("*", "**"):
                pairs.append((each.arg, each.arg))
                place += 1
                continue
            if each.name.endswith("_attr") and function.is_layer:
                attributes[each.name] = each
            argument = torch_name(function, each.name, method)
            if each.name.endswith("_attr") and argument.torch is None:
                value = None
            else:
                value = converted(argument, function, each, self)
            if value is None or argument.torch in written:
                pairs.append((each.arg, None))
                in_order = in_order and not each.positional
                continue
            assert argument.torch is not None
            written.add(argument.torch)
            stays = each.positional and in_order and positional_in_torch(function, place, argument.torch)
            if each.positional and not stays:
                in_order = False
            pairs.append((each.arg, rewritten(each, None if stays else argument.torch, value)))
            place += 1
        return pairs

    def _target(
        self, known: Known, root: str, receiver: tuple[str, cst.BaseExpression] | None, method: bool
    ) -> cst.BaseExpression:
        if method:
            assert receiver is not None
            return cst.Attribute(tight(receiver[1]), cst.Name(known.torch.rpartition(".")[2]))
        return self.names.refer(known.torch, root)

    def with_attributes(
        self, call: cst.Call, known: Known, attributes: Mapping[str, Given]
    ) -> cst.BaseExpression:
        raise NotImplementedError

    # --- initializers and dtypes ---

    def _initializer(
        self, known: Known, node: cst.Call, given: list[Given], root: str
    ) -> tuple[cst.BaseExpression, Value]:
        """An initializer is a function of a tensor in torch: what it is given goes before, with `partial`."""
        form = self._form(known, given, None)
        if form is not None:
            if form.refuse:
                raise Refused(form.refuse)
            return self._filled(form, known, given, None), of("initializer", known.name)
        function, args = self.initializer_call(known, given, root, named=True)
        if not args:
            return function, NAMED["initializer"]
        partial = self.names.library("functools", "partial")
        return node.with_changes(func=partial, args=[cst.Arg(function, comma=_comma(args)), *args]), NAMED[
            "initializer"
        ]

    def initializer_call(
        self, known: Known, given: Sequence[Given], root: str, *, named: bool
    ) -> tuple[cst.BaseExpression, list[cst.Arg]]:
        """torch's function and the arguments behind the tensor: all of them `named`, or as they were."""
        if not known.torch:
            raise Refused(f"torch has no paddle.{known.name}: {known.row.remedy}")
        pairs: list[tuple[cst.Arg, cst.Arg | None]] = []
        in_order = True
        for place, each in enumerate(given):
            argument = torch_name(known, each.name, False)
            value = converted(argument, known, each, self)
            if value is None:
                pairs.append((each.arg, None))
                continue
            assert argument.torch is not None
            stays = each.positional and in_order and not named
            stays = stays and positional_in_torch(known, place + 1, argument.torch)
            in_order = in_order and stays
            pairs.append((each.arg, rewritten(each, None if stays else argument.torch, value)))
        more = [(n, plain(v)) for n, v in additions(known, {g.name: g for g in given})]
        args = extended(without(pairs), more)
        return self.names.refer(known.torch, root), args

    def refer(self, torch: str) -> cst.BaseExpression:
        return self.names.refer(torch)

    def dtype(self, node: cst.BaseExpression, value: Value) -> cst.BaseExpression:
        """A dtype as torch has it: Paddle takes names too."""
        found = literal(value)
        if found and isinstance(found[0], str):
            name = found[0].removeprefix("paddle.")
            name = WORDS.get(name, name)
            if name not in DTYPES:
                raise Refused(f"no dtype of Paddle is called {name!r}")
            return self.names.refer(name)
        if only(value, "dtype"):
            return node
        # A name or a dtype, which only a run tells.
        return cst.Call(self.names.helper("as_dtype"), [cst.Arg(node)])


def _same(one: cst.CSTNode, other: cst.CSTNode) -> bool:
    return bool(one.deep_equals(other))


def _element(arg: cst.Arg) -> cst.BaseElement:
    """A positional argument as an element of a display."""
    return cst.StarredElement(arg.value) if arg.star else cst.Element(arg.value)


def _comma(args: Sequence[cst.Arg]) -> Any:
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")) if args else cst.MaybeSentinel.DEFAULT


def tidy(node: cst.BaseExpression) -> cst.BaseExpression:
    """`not True` is False, and `x.T.T` is x."""
    found = node.visit(_Tidy())
    assert isinstance(found, cst.BaseExpression)
    return found


class _Tidy(cst.CSTTransformer):
    def leave_UnaryOperation(self, original_node: Any, updated_node: Any) -> cst.BaseExpression:
        inner = updated_node.expression
        if isinstance(updated_node.operator, cst.Not) and isinstance(inner, cst.Name):
            turned = {"True": "False", "False": "True"}.get(inner.value)
            if turned is not None:
                return cst.Name(turned)
        kept: cst.BaseExpression = updated_node
        return kept

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        inner = updated_node.value
        if updated_node.attr.value == "T" and isinstance(inner, cst.Attribute) and inner.attr.value == "T":
            return inner.value
        return updated_node
