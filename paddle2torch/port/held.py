"""Calls of what a name holds: one of Paddle's, a class or a function of the files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libcst as cst

from convert.rosetta.forms import AS_CALLED
from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused, without
from paddle2torch.port.calls import Args
from paddle2torch.port.members import Members, Result
from paddle2torch.port.templates import code_of
from paddle2torch.port.values import (
    API,
    CLASS,
    FUNCTION,
    INSTANCE,
    PARTIAL,
    REST,
    UNKNOWN,
    Class,
    Function,
    Value,
    join,
    names,
    of,
    without_none,
)


@dataclass
class Held(Members):
    """What calls become whose callee is written otherwise than one of Paddle's names."""

    def _partial(self, node: cst.Call, changed: cst.Call, args: Args) -> Result:
        apis = names(args[0][1], API) if args else []
        if not apis:
            return changed, args[0][1] if args else UNKNOWN
        known = knowledge.known(apis[0])
        if known is None:
            return changed, UNKNOWN
        try:
            inner = cst.Call(args[0][0].value, [a for a, _ in args[1:]])
            made, _ = self.call_api(apis[0], inner, args[1:], "", partly="first")
            if not self._plainly(apis[0], made):
                raise Refused(
                    f"paddle.{apis[0]} in a partial is written otherwise in torch: write a function"
                )
        except Refused as why:
            return self.refuse(node, str(why))[0], of(PARTIAL, apis[0])
        assert isinstance(made, cst.Call)
        first = args[0][0] if made.args else args[0][0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        if made.args and not isinstance(first.comma, cst.Comma):
            first = first.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
        return changed.with_changes(args=[first, *made.args]), of(PARTIAL, apis[0])

    def _plainly(self, name: str, made: cst.BaseExpression) -> bool:
        """Whether a call is one of what the name alone is in torch: then it may be called by another name too."""
        inner = self.inner_call(made) if isinstance(made, cst.Call) else made
        if not isinstance(inner, cst.Call):
            return False
        with self._unused():
            try:
                alone = self._referred(inner.func, "", name)
            except Refused:
                return False
        return inner.func.deep_equals(alone)

    @contextmanager
    def _unused(self) -> Iterator[None]:
        """What is written in here is looked at only: it needs no import and is no change."""
        used, extra, changes = set(self.names.used), set(self.names.extra), len(self.changes)
        try:
            yield
        finally:
            self.names.used, self.names.extra = used, extra
            del self.changes[changes:]

    def _by_variable(self, node: cst.Call, changed: cst.Call, value: Value, args: Args) -> Result:
        """The callee is a variable: what it may hold must take these arguments in one way."""
        ways: list[tuple[cst.BaseExpression, Value]] = []
        for atom in sorted(without_none(value), key=str):
            try:
                if atom.kind in (API, PARTIAL):
                    partly = "rest" if atom.kind == PARTIAL else ""
                    made, gives = self.call_api(atom.more, node, args, "", partly=partly)
                    if (
                        value == {atom}
                        and not partly
                        and self._settled(node.func)
                        and not self._plainly(atom.more, made)
                    ):
                        self.note(node, self.row(atom.more))
                        return made, gives
                    ways.append((self._under(atom.more, made, changed), gives))
                elif atom.kind == CLASS:
                    ways.append(
                        (self._inherited(atom.more, node, changed, args), self._made(atom.more, args))
                    )
                elif atom.kind == FUNCTION:
                    ways.append(
                        (self._handed(atom.more, changed, args), self._passed(atom.more, args, False))
                    )
            except Refused as why:
                return self.refuse(node, str(why))
        code = {code_of(w) for w, _ in ways}
        if len(code) > 1:
            which = ", ".join(sorted({f"paddle.{a.more}" for a in value if a.kind in (API, PARTIAL)}))
            return self.refuse(
                node,
                f"{which} and others take these arguments under different names in torch: write each call out",
            )
        gives = join(*(v for _, v in ways))
        return ways[0][0], gives

    def _settled(self, func: cst.BaseExpression) -> bool:
        """Whether a callee is a name that holds one thing wherever it is called: no parameter, to which others may be passed."""
        return isinstance(func, cst.Name) and not any(func.value in f.parameters for f in self.functions)

    def _under(self, name: str, made: cst.BaseExpression, changed: cst.Call) -> cst.BaseExpression:
        """`made`, a call of one of Paddle's names, with the callee that stands in the source.

        Raises:
            Refused: if these arguments make it a call of something else.
        """
        if not self._plainly(name, made):
            raise Refused(
                f"paddle.{name} behind a variable is written otherwise in torch: write its name here"
            )
        assert isinstance(made, cst.Call)
        inner = self.inner_call(made)
        put = inner.with_changes(func=changed.func)
        if inner is made:
            return put
        whole = made.deep_replace(inner, put)
        assert isinstance(whole, cst.BaseExpression)
        return whole

    # --- classes of the files ---

    def _inherited(self, cls: Class, node: cst.Call, changed: cst.Call, args: Args) -> cst.BaseExpression:
        """A call of a class of the files, whose arguments are those of one of Paddle's if it has no constructor of its own.

        Raises:
            Refused: if the table does not say what they are in torch.
        """
        built = cls.built_by()
        if isinstance(built, Function):
            return self._handed(built, changed, args)
        if built is None or not args:
            return changed
        self.note(node, self.row(built))
        return self._under(built, self.call_base(built, node, args), changed)

    def _super(self, node: cst.Call, changed: cst.Call, args: Args) -> Result:
        """`super().__init__(...)`, where a class of Paddle's is next."""
        built = self.inside[-1].built_by(above=True) if self.inside else None
        if isinstance(built, Function):
            try:
                return self._handed(built, changed, args), self._passed(built, args, True)
            except Refused as why:
                return self.refuse(node, str(why))
        if built is None or not args:
            return changed, UNKNOWN
        refused = len(self.refusals)
        self.target = (node, "self")
        try:
            made = self.call_base(built, node, args)
            inner = self.inner_call(made) if isinstance(made, cst.Call) else made
            if not self._plainly(built, made) or not isinstance(inner, cst.Call):
                raise Refused(
                    f"these arguments make paddle.{built} another class in torch: derive from that one"
                )
        except Refused as why:
            del self.refusals[refused:]
            return self.refuse(node, str(why))
        finally:
            self.target = None
        if inner is not made:  # what the attributes ask for, of the object that is there now
            around = made.deep_replace(inner, cst.Name("self"))
            assert isinstance(around, cst.BaseExpression)
            self.behind.append(cst.Expr(around))
        self.note(node, self.row(built))
        self.made_layers.append(built)
        return inner.with_changes(func=changed.func), UNKNOWN

    def _handed(self, function: Function, changed: cst.Call, args: Args) -> cst.Call:
        """A call of a function of the files, with torch's arguments where its `**kwargs` go on to one of Paddle's names.

        Raises:
            Refused: if the table does not say what one is in torch.
        """
        if not function.rest:
            return changed
        pairs: list[tuple[cst.Arg, cst.Arg | None]] = []
        for arg, value in args:
            keyword = arg.keyword.value if arg.keyword is not None else ""
            ends = {} if not keyword or keyword in function.parameters else function.receivers(keyword)
            try:
                news = [self.keyword_of(name, arg, value) for name in ends]
            except Refused:
                if not AS_CALLED.issuperset(ends):
                    raise
                for handing in (f for functions in ends.values() for f in functions):
                    handing.as_paddle = True  # from the next walk on
                raise
            made = {"" if new is None else code_of(new): new for new in news}
            if len(made) > 1:
                raise Refused(
                    f"{keyword} ends at several of Paddle's names, and is not the same in torch: write the calls out"
                )
            pairs.append((arg, next(iter(made.values())) if made else arg))
        if all(new is old for old, new in pairs):
            return changed
        return changed.with_changes(args=without(pairs))

    def _made(self, cls: Class, args: Args) -> Value:
        """An object of a class of the files."""
        if self.inside and cls is not self.inside[-1]:
            cls.used = True
        if cls.is_layer:
            self.made_layers.append("" if cls.layers else "nn.Layer")
        init = cls.method("__init__")
        if init is not None:
            self._passed(init, args, True)
        above = cls.derived_from() or ""
        return join(of(INSTANCE, cls), of("scheduler") if above.startswith("optimizer.lr.") else UNKNOWN)

    def _passed(self, function: Function, args: Args, bound: bool) -> Value:
        """What is passed to a function of the files is learnt; what it gives is known from the walk before."""
        function.called = True
        order = [n for n in function.positional if n != "self"] if bound else list(function.positional)
        place = 0
        for arg, value in args:
            if arg.star:
                for other in names(value, REST) if arg.star == "**" else ():
                    other.hands_on.add(function)
                    function.changed = function.changed or other.changed
                break
            if arg.keyword is not None:
                name = arg.keyword.value
            elif place < len(order):
                name = order[place]
                place += 1
            else:
                continue
            if name in function.parameters and value:
                function.parameters[name] = join(function.parameters[name], value)
        return function.returns
