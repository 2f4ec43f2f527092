"""Calls: of Paddle's names, of methods, of what a variable holds, and of what the files define."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import libcst as cst

from convert.rosetta.forms import EITHER, OF_TENSORS, ONE_BY_ONE, PICKED, RETURNS, TELLING
from convert.rosetta.signatures import attributes
from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused, together, without
from paddle2torch.port.calls import Args
from paddle2torch.port.held import Held
from paddle2torch.port.members import Result, listed
from paddle2torch.port.names import dotted
from paddle2torch.port.templates import code_of, first_text, text_of
from paddle2torch.port.values import (
    API,
    ARRAY,
    BOOL,
    CLASS,
    CONST,
    DICT,
    FLOAT,
    FOREIGN,
    FUNCTION,
    INSTANCE,
    INT,
    LAYER,
    LIST,
    NAMED,
    NONE,
    PARTIAL,
    STR,
    TENSOR,
    TUPLE,
    UNKNOWN,
    Value,
    elements,
    join,
    literal,
    names,
    of,
    only,
    without_none,
    written_out,
)

BUILTINS = {
    **dict.fromkeys(("int", "len", "round", "ord", "hash", "id"), INT),
    "float": FLOAT,
    "bool": BOOL,
    "str": STR,
    "repr": STR,
    "isinstance": BOOL,
    "hasattr": BOOL,
    "range": of(LIST, INT),
    "dict": of(DICT, UNKNOWN),
}
KEEPING = ("list", "tuple", "reversed", "sorted", "iter", "set")
"""Built-in functions whose result has the elements that it was given."""
CALLED = frozenset(("method", FUNCTION, CLASS, INSTANCE, LAYER, PARTIAL, API, "initializer"))
"""What a member may be that is called as such, not as a method of a tensor."""


def _tokens(node: cst.CSTNode) -> list[str]:
    """What is written in an expression, without its blanks; of names that torch has for the same, one."""
    words = re.findall(r"\w+|[^\w\s]", code_of(node))
    return ["clip" if word == "clamp" else word for word in words]


@dataclass
class Callees(Held):
    """What calls become, and what they give."""

    # --- calls ---

    def _call(self, node: cst.Call) -> Result:
        func = node.func
        chain = dotted(func)
        root = chain.partition(".")[0] if chain else ""
        name = self.api_of(chain)
        if name is not None:
            self.names.read.add(root)
            fills = name.startswith("nn.init.")
            return self._api(name, node, self.translated_args(node, filled=fills), root)
        if isinstance(func, cst.Attribute):
            return self._member(node, func)
        target, value = self.expr(func)
        fillers = names(value, "initializer")
        if fillers:
            value = of("initializer")
            if len(node.args) == 2:  # the block of a static graph
                node = node.with_changes(args=without([(node.args[0], node.args[0]), (node.args[1], None)]))
        self.fillings += bool(fillers)
        # The values of Assign lie as Paddle keeps them, so the parameter is meant as Paddle sees it.
        args = self.translated_args(node, filled=bool(fillers) and "nn.initializer.Assign" not in fillers)
        changed = self._called(node, target, args)
        return self._of_value(node, changed, value, args)

    def _api(self, name: str, node: cst.Call, args: Args, root: str) -> Result:
        refused = len(self.refusals)
        try:
            made, value = self.call_api(name, node, args, root)
        except Refused as why:
            del self.refusals[refused:]
            known = knowledge.known(name)
            self.refuse(node, str(why))
            return node, known.gives if known else UNKNOWN
        known = self.row(name)
        self.note(node, known)
        self._evidence(args)
        if known.is_layer:
            self.made_layers.append(name)
        if known.is_initializer or name == "ParamAttr":
            self.remember(name, made, node, root)
            self.names.attributes = self.names.attributes or self.trained_apart(args)
        if name in ("nn.LayerList", "nn.Sequential", "nn.LayerDict"):
            inner = [elements(v) if name == "nn.LayerList" else v for _, v in args if v]
            value = join(value, of(LIST, join(*inner) if inner else UNKNOWN))
        return made, value

    def _evidence(self, args: Args) -> None:
        """What goes first into one of Paddle's functions is a tensor."""
        for arg, value in args[:1]:
            if not value and isinstance(arg.value, cst.Name) and self.functions:
                function = self.functions[-1]
                if arg.value.value in function.parameters:
                    function.tensors.add(arg.value.value)

    def translated_args(self, node: cst.Call, *, filled: bool = False) -> Args:
        found = []
        before, self.filled = self.filled, filled
        for arg in node.args:
            new, value = self.expr(arg.value)
            found.append((arg if new is arg.value else arg.with_changes(value=new), value))
        self.filled = before
        return found

    def _called(self, node: cst.Call, func: cst.BaseExpression, args: Args) -> cst.Call:
        if func is node.func and all(a is b for (a, _), b in zip(args, node.args, strict=True)):
            return node
        return node.with_changes(func=func, args=[a for a, _ in args])

    def _member(self, node: cst.Call, func: Any) -> Result:
        """`value.name(...)`."""
        base, value = self.expr(func.value)
        attr = func.attr.value
        self.learn_member(func.value, attr)
        of_super = bool(names(value, "super"))
        if of_super:
            value = of(INSTANCE, self.inside[-1]) if self.inside else UNKNOWN
            own: Value = UNKNOWN
        else:
            own = self._attribute_of(value, attr)
        args = self.translated_args(node)
        target = func if base is func.value else func.with_changes(value=base)
        changed = self._called(node, target, args)
        if attr == "__init__" and of_super:
            return self._super(node, changed, args)
        if {atom.kind for atom in own} & CALLED or own == of(FOREIGN, "functools.partial"):
            return self._of_value(node, changed, own, args)
        kinds = self._kinds(value)
        if not kinds and any(a.keyword is not None and a.keyword.value in OF_TENSORS for a, _ in args):
            kinds = {"tensor"}
            self._evidence([(cst.Arg(func.value), value)])
        prefix = self._owner(kinds, attr)
        if prefix is not None:
            known = knowledge.method(attr) if prefix == "Tensor." else knowledge.known(f"{prefix}{attr}")
            why = self._unheard_of(prefix, attr) if known is None else ""
            if why:
                return self.refuse(node, why)[0], TENSOR if prefix == "Tensor." else UNKNOWN
            if known is not None:
                return self._known_member(known, base, node, args)
        elif self._may_differ(kinds, attr, node, base, args):
            if attr in EITHER:
                self.note(node, knowledge.method(attr) or self.row(attr))
                first = cst.Arg(base, comma=cst.Comma(cst.SimpleWhitespace(""), cst.SimpleWhitespace(" ")))
                given = [first if args else cst.Arg(base), *(a for a, _ in args)]
                return changed.with_changes(func=self.names.helper(EITHER[attr]), args=given), UNKNOWN
            why = f"what .{attr} is called on is not known here, and paddle.Tensor.{attr} is written otherwise in torch"
            return self.refuse(node, why + ": say what it is with an annotation (x: paddle.Tensor)")
        told = self._told(args) if not own and not kinds - {INSTANCE} else ""
        if told:
            return self.refuse(node, told)
        made, gives = self._plain_member(changed, func.value, value, attr, args)
        said = RETURNS.get(f"nn.Layer.{attr}") if prefix == "nn.Layer." else None
        return made, gives or NAMED.get(said or "", UNKNOWN)

    @staticmethod
    def _told(args: Args) -> str:
        """Why a call of who knows what cannot stay: it has an argument by which Paddle's layers are known; "" where it has none."""
        found = [a.keyword.value for a, _ in args if a.keyword is not None and a.keyword.value in TELLING]
        if not found:
            return ""
        return f"what is called here is not known, and {found[0]} is one of Paddle's arguments: write torch's, or give the parameter a default"

    def _may_differ(
        self, kinds: set[str], attr: str, node: cst.Call, base: cst.BaseExpression, args: Args
    ) -> bool:
        """Whether a call on something unknown would be another one on a tensor."""
        if kinds or attr not in knowledge.differing() or self.own_member(attr):
            return False
        if args and isinstance(args[0][0].value, cst.SimpleString) and hasattr(str, attr):
            return False
        known = knowledge.method(attr)
        assert known is not None
        with self._unused():
            try:
                made, _ = self.call_method(known, base, node, args)
                func = cst.Attribute(base, cst.Name(attr))
                ways = [args, together(args, 0)] if known.name in ONE_BY_ONE else [args]
                stays = [node.with_changes(func=func, args=[a for a, _ in way]) for way in ways]
                return _tokens(made) not in map(_tokens, stays)
            except Refused:
                return True

    def _unheard_of(self, prefix: str, attr: str) -> str:
        """Why a member that no row has cannot stay; "" where torch has one of this name, or it is none of Paddle's."""
        tensor = prefix == "Tensor." and attr in attributes("paddle tensor")
        layer = prefix == "nn.Layer." and attr in attributes("paddle layer") - attributes("torch layer")
        if not tensor and not layer:
            return ""
        name = ("" if tensor else "nn.") + ("Tensor." if tensor else "Layer.") + attr
        return f"paddle.{name} is in no row of the table: {knowledge.advice(name)}"

    def _known_member(
        self, known: knowledge.Known, base: cst.BaseExpression, node: cst.Call, args: Args
    ) -> Result:
        refused = len(self.refusals)
        try:
            made, value = self.call_method(known, base, node, args)
        except Refused as why:
            del self.refusals[refused:]
            return self.refuse(node, str(why))[0], known.gives
        self.note(node, known)
        return made, value

    def _plain_member(
        self, changed: cst.Call, base: cst.BaseExpression, value: Value, attr: str, args: Args
    ) -> Result:
        """Python's own types: what a list is appended, a dictionary gives."""
        first = args[0][1] if args else UNKNOWN
        if attr in ("update", "setdefault"):
            self.put_into(value)
        if (
            attr in ("append", "add", "insert", "extend")
            and args
            and isinstance(base, (cst.Name, cst.Attribute))
        ):
            added = elements(args[-1][1]) if attr == "extend" else args[-1][1]
            self._grow(base, value, added)
            return changed, NONE
        if attr == "format" and only(value, "str", CONST):
            return changed, STR
        for atom in value:
            if atom.kind == DICT and attr in ("get", "pop", "values", "items"):
                inner = atom.more
                if attr in ("get", "pop"):
                    return changed, join(inner, args[1][1]) if len(args) > 1 else inner
                return changed, of(LIST, inner if attr == "values" else of(TUPLE, (STR, inner)))
            if atom.kind == LIST and attr in ("pop", "copy"):
                return changed, atom.more if attr == "pop" else value
            if atom.kind == FOREIGN:
                return self._foreign(changed, f"{atom.more}.{attr}", args, first)
            if atom.kind == "array":
                return changed, ARRAY
        return changed, UNKNOWN

    def _grow(self, base: cst.BaseExpression, value: Value, added: Value) -> None:
        lists = [atom.more for atom in value if atom.kind == LIST]
        grown = join(frozenset(a for a in value if a.kind != LIST), of(LIST, join(*lists, added)))
        if isinstance(base, cst.Name):
            for scope in reversed(self.scopes):
                if base.value in scope:
                    scope[base.value] = grown
                    return
        elif isinstance(base, cst.Attribute):
            self.learn_attribute(base, grown)

    def learn_attribute(self, target: cst.Attribute, value: Value) -> None:
        """`self.name = value`."""
        if isinstance(target.value, cst.Name) and self.inside:
            for atom in self.lookup(target.value.value):
                if atom.kind == INSTANCE:
                    atom.more.learn(target.attr.value, value)

    def _foreign(self, changed: cst.Call, name: str, args: Args, first: Value) -> Result:
        if name.startswith(("numpy.", "np.")):
            return changed, ARRAY
        if name.startswith("math."):
            return changed, FLOAT if name.rpartition(".")[2] not in ("floor", "ceil", "prod") else INT
        if name == "copy.deepcopy":
            return changed, first
        return changed, UNKNOWN

    def _of_value(self, node: cst.Call, changed: cst.Call, value: Value, args: Args) -> Result:
        """A call of something of which the value is known: a class of the file, a layer, a variable that holds one of Paddle's."""
        if only(value, "loader") and not args:  # Paddle's may be called, and gives itself
            return changed.func, value
        apis = {*names(value, API), *names(value, PARTIAL)}
        if apis:
            return self._by_variable(node, changed, value, args)
        found: list[Value] = []
        ways: list[Callable[[], cst.BaseExpression]] = []
        for atom in value:
            if atom.kind == CLASS:
                found.append(self._made(atom.more, args))
                ways.append(partial(self._inherited, atom.more, node, changed, args))
            elif atom.kind == "method":
                owner, function = atom.more
                self.fillings += function.fills
                found.append(self._passed(function, args, owner.kind == INSTANCE))
                ways.append(partial(self._handed, function, changed, args))
            elif atom.kind == FUNCTION:
                self.fillings += atom.more.fills
                found.append(self._passed(atom.more, args, False))
                ways.append(partial(self._handed, atom.more, changed, args))
            elif atom.kind == INSTANCE:
                forward = atom.more.method("forward") or atom.more.method("__call__")
                if forward is not None:
                    self._evidence(args)
                    found.append(self._passed(forward, args, True))
                elif atom.more.is_layer:
                    found.append(TENSOR)
            elif atom.kind == LAYER:
                self._evidence(args)
                found.append(knowledge.called(atom.more))
            elif atom.kind == "initializer":
                found.append(NONE)
            elif atom.kind == FOREIGN and atom.more in ("functools.partial", "copy.deepcopy"):
                if atom.more == "functools.partial":
                    return self._partial(node, changed, args)
                found.append(args[0][1] if args else UNKNOWN)
            elif atom.kind == FOREIGN and atom.more.startswith("numpy."):
                found.append(ARRAY)
        refused = any(place is node.func for place, _ in self.refusals)
        told = self._told(args) if not value and not refused else ""
        if told:
            return self.refuse(node, told)
        if isinstance(node.func, cst.Name) and not value:
            return self._builtin(node, changed, node.func.value, args)
        gives = join(*found) if found else UNKNOWN
        try:
            made = [way() for way in ways] or [changed]
            if not all(each.deep_equals(made[0]) for each in made):
                raise Refused(
                    "what may be called here takes these arguments in several ways in torch: write each call out"
                )
        except Refused as why:
            return self.refuse(node, str(why))[0], gives
        return made[0], gives

    def _builtin(self, node: cst.Call, changed: cst.Call, name: str, args: Args) -> Result:
        first = args[0][1] if args else UNKNOWN
        if name == "super":
            return changed, of("super")
        if name == "getattr" and len(args) >= 2:
            return self._getattr(node, changed, args)
        if name in ("eval", "exec"):
            meant = self._meant(first)
            ours = self._of_ours(node.args[0].value) if len(node.args) == 1 and not meant else None
            if ours is not None:
                return node.with_changes(args=[node.args[0].with_changes(value=ours)]), of(LAYER, "")
            if not meant:
                return self.refuse(
                    node, f"what {name} is given is text, which stays as it is: write the name itself"
                )
            return changed, meant
        if name == "str" and only(first, "dtype"):
            known = self.row("dtype as text")
            self.note(node, known)
            return self._rooted(known.forms[0].torch, {"x": args[0][0].value}), STR
        if name == "len" and names(first, "generator"):
            counted = changed.args[0]
            return changed.with_changes(args=[counted.with_changes(value=listed(counted.value))]), INT
        if name in KEEPING:
            return changed, of(LIST, elements(first))
        if name == "zip":
            return changed, of(LIST, of(TUPLE, tuple(elements(v) for _, v in args)))
        if name == "enumerate":
            return changed, of(LIST, of(TUPLE, (INT, elements(first))))
        if name in ("sum", "max", "min", "abs"):
            inner = elements(first) if name != "abs" and len(args) == 1 else first
            return changed, TENSOR if names(inner, "tensor") else inner
        return changed, BUILTINS.get(name, UNKNOWN)

    def _of_ours(self, text: cst.BaseExpression) -> cst.BaseExpression | None:
        """Text that begins with a module whose members ours has under the same names, such as `"nn.layer.activation.{}()".format(name)`;
        None where it is other text."""
        found = first_text(text)
        chain = re.match(r"(?:\w+\.)+", text_of(found)) if found is not None else None
        name = self.api_of(chain[0][:-1]) if chain is not None else None
        if found is None or chain is None or name is None or not knowledge.is_ours(name):
            return None
        start = code_of(self.names.refer(knowledge.module(name) or "", ""))
        made = text.deep_replace(
            found, found.with_changes(value=found.value.replace(chain[0][:-1], start, 1))
        )
        assert isinstance(made, cst.BaseExpression)
        return made

    def _meant(self, text: Value) -> Value:
        """What `eval` gives of texts that are all known, and that are the same in torch; unknown if one is not."""
        found: list[Value] = []
        for atom in without_none(text):
            if atom.kind != CONST or not isinstance(atom.more[1], str):
                return UNKNOWN
            try:
                node = cst.parse_expression(atom.more[1])
            except cst.ParserSyntaxError:
                return UNKNOWN
            with self._unused():
                refused = len(self.refusals)
                made, value = self.expr(node)
                if len(self.refusals) > refused or not made.deep_equals(node):
                    del self.refusals[refused:]
                    return UNKNOWN
            # What the text needs is needed though no code shows it.
            for name in names(value, API):
                self.names.refer(self.row(name).torch, "")
            found.append(value)
        return join(*found)

    def _getattr(self, node: cst.Call, changed: cst.Call, args: Args) -> Result:
        """`getattr(nn, "Conv2D")` with a literal is `nn.Conv2D`."""
        base, attr = args[0][1], literal(args[1][1])
        apis = names(base, API)
        if apis and knowledge.is_ours(apis[0]):
            return changed, UNKNOWN
        if apis:
            if apis[0] in PICKED and (not attr or not written_out(node.args[1].value)):
                ours = changed.args[0].with_changes(value=self.names.helper(PICKED[apis[0]]))
                return changed.with_changes(args=[ours, *changed.args[1:]]), UNKNOWN
            if not attr or not isinstance(attr[0], str) or not written_out(node.args[1].value):
                return self.refuse(
                    node, "which name of Paddle's getattr gets is not known here: write it out"
                )
            full = knowledge.canonical(".".join(filter(None, (apis[0], attr[0]))))
            root = dotted(node.args[0].value).partition(".")[0]
            try:
                return self._referred(node, root, full), of(API, full)
            except Refused as why:
                return self.refuse(node, str(why))
        found = self._attribute_of(base, attr[0]) if attr and isinstance(attr[0], str) else UNKNOWN
        if not attr and names(base, INSTANCE):
            found = of(LAYER, "")
        return changed, found
