"""A walk through expressions: each becomes torch's, and what is known of its value goes along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import libcst as cst

from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused
from paddle2torch.port.calls import Args, Calls, Change
from paddle2torch.port.layers import Attributes
from paddle2torch.port.names import dotted
from paddle2torch.port.templates import tight
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
    NONE,
    PARTIAL,
    SHAPE,
    STR,
    TENSOR,
    TUPLE,
    UNKNOWN,
    Atom,
    Class,
    Function,
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
    without_none,
)

Result = tuple[cst.BaseExpression, Value]
ARITHMETIC = ("int", "float", "bool")
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
CONSTANTS = {"True": const(True), "False": const(False), "None": NONE}
KEEPING = ("list", "tuple", "reversed", "sorted", "iter", "set")
"""Built-in functions whose result has the elements that it was given."""


@dataclass
class Expressions(Attributes, Calls):
    """State of a walk: the scopes, innermost last, and where it is."""

    scopes: list[dict[str, Value]] = field(default_factory=lambda: [{}])
    inside: list[Class] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    refusals: list[tuple[cst.CSTNode, str]] = field(default_factory=list)
    """What stays in the statement at hand, and why."""
    made_layers: list[str] = field(default_factory=list)
    """The layers that were made so far: Paddle's names, "" for one of the file that has layers with initial weights."""

    def expr(self, node: cst.BaseExpression) -> Result:
        handler = self._HANDLERS.get(type(node))
        return (node, UNKNOWN) if handler is None else handler(self, node)

    def lookup(self, name: str) -> Value:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return UNKNOWN

    def bind_name(self, name: str, value: Value) -> None:
        self.scopes[-1][name] = value

    def refuse(self, node: cst.BaseExpression, why: str) -> Result:
        """It stays as it is; the statement gets a comment."""
        self.refusals.append((node, why))
        self.names.keep(node)
        return node, UNKNOWN

    # --- names and attributes ---

    def _name(self, node: cst.Name) -> Result:
        if node.value in CONSTANTS:
            return node, CONSTANTS[node.value]
        value = self.lookup(node.value)
        if node.value in self.names.imported:
            self.names.read.add(node.value)
            if any(atom.kind == API for atom in value):
                return self._reference(node, node.value, "", value)
        return node, value

    def _attribute(self, node: cst.Attribute) -> Result:
        chain = dotted(node)
        if chain:
            root, _, rest = chain.partition(".")
            value = self.lookup(root)
            apis = names(value, API)
            if apis and root in self.names.imported:
                self.names.read.add(root)
                name = knowledge.canonical(".".join(filter(None, (apis[0], rest))))
                return self._reference(node, root, name, of(API, name))
        base, value = self.expr(node.value)
        attr = node.attr.value
        if names(value, "super"):
            value = of(INSTANCE, self.inside[-1]) if self.inside else UNKNOWN
        found = self._attribute_of(value, attr)
        changed = node if base is node.value else node.with_changes(value=base)
        try:
            return self._property(node, changed, value, attr, found)
        except Refused as refused:
            return self.refuse(node, str(refused))

    def _property(self, node: cst.Attribute, changed: cst.Attribute, value: Value, attr: str, found: Value) -> Result:
        kinds = self._kinds(value)
        prefix = self._owner(kinds, attr)
        if prefix is None:
            return changed, found
        known = knowledge.known(f"{prefix}{attr}")
        if known is None and prefix == "Tensor.":
            if attr in knowledge.attributes("paddle tensor") and not knowledge.torch_has(attr):
                raise Refused(f"paddle.Tensor.{attr} is in no row of the table: {knowledge.advice('Tensor.' + attr)}")
            return changed, found
        if known is None:
            return changed, found
        if known.forms:
            form = self._form(known, [], ("x", changed.value))
            if form is not None and form.refuse:
                raise Refused(form.refuse)
            if form is not None and "(" not in form.when:
                made = self._rooted(form.torch, {"x": changed.value}) if form.torch != "=" else changed
                self.note(node, made, known)
                return made, found or self._gives(known, [])
        elif known.torch and known.torch.rpartition(".")[2] != attr:
            changed = changed.with_changes(attr=cst.Name(known.torch.rpartition(".")[2]))
            self.note(node, changed, known)
        return changed, found or self._gives(known, [])

    def _kinds(self, value: Value) -> set[str]:
        return {type_of(atom) for atom in without_none(value)}

    def _owner(self, kinds: set[str], attr: str) -> str | None:
        """The prefix of a member's name in the table: of a tensor, a layer, an optimizer; None where it is none of these."""
        if kinds & {"tensor"}:
            return "Tensor."
        if kinds & {LAYER, INSTANCE}:
            return "nn.Layer."
        if kinds & {"optimizer"}:
            return "optimizer.Optimizer."
        if kinds & {"scheduler"}:
            return "optimizer.lr.LRScheduler."
        if not kinds and knowledge.of_tensors_only(attr) and not self._own_member(attr):
            return "Tensor."
        return None

    def _own_member(self, attr: str) -> bool:
        return any(attr in c.methods or attr in c.attributes for c in self.classes)

    @property
    def classes(self) -> Sequence[Class]:
        raise NotImplementedError

    def _attribute_of(self, value: Value, attr: str) -> Value:
        found: list[Value] = []
        for atom in value:
            if atom.kind in (INSTANCE, CLASS):
                function = atom.more.method(attr)
                if function is not None:
                    found.append(of("method", (atom, function)) if attr not in atom.more.properties else function.returns)
                else:
                    found.append(atom.more.attribute(attr))
                    if attr == "training":
                        found.append(BOOL)
            elif atom.kind == FOREIGN:
                found.append(of(FOREIGN, f"{atom.more}.{attr}"))
            elif atom.kind == LAYER and attr in ("weight", "bias"):
                found.append(TENSOR)
            elif atom.kind == "module":
                found.append(atom.more.get(attr, UNKNOWN))
            elif atom.kind == "tensor":
                said = knowledge.RETURNS.get(f"Tensor.{attr}")
                if said is not None and said in ("shape", "dtype", "int", "bool"):
                    found.append(knowledge.NAMED[said])
                elif attr in ("T", "grad", "data"):
                    found.append(TENSOR)
        return join(*found) if found else UNKNOWN

    def _reference(self, node: Any, root: str, name: str, value: Value) -> Result:
        """A name of Paddle's that is not called."""
        if not name:
            name = knowledge.canonical(names(value, API)[0])
            value = of(API, name)
        try:
            return self._referred(node, root, name), value
        except Refused as refused:
            return self.refuse(node, str(refused))[0], value

    def _referred(self, node: cst.BaseExpression, root: str, name: str) -> cst.BaseExpression:
        torch = knowledge.module(name)
        if torch is None:
            known = self.row(name)
            form = next((f for f in known.forms if f.when == "named"), None)
            if form is not None:
                if form.refuse:
                    raise Refused(form.refuse)
                made = self._rooted(form.torch, {})
                self.note(node, made, known)
                return made
            torch = known.torch
            if not torch or torch.startswith("Tensor.") and known.name != "Tensor":
                raise Refused(f"torch has no paddle.{name} to pass on: {known.row.remedy or 'write a function'}")
            made = self.names.refer(torch, root)
            self.note(node, made, known)
            return made
        return self.names.refer(torch, root)

    def note(self, before: cst.CSTNode, after: cst.CSTNode, known: knowledge.Known) -> None:
        self.changes.append(Change(before, after, known.row.paddle))

    # --- calls ---

    def _call(self, node: cst.Call) -> Result:
        func = node.func
        chain = dotted(func)
        root = chain.partition(".")[0] if chain else ""
        name = self._api_of(chain)
        if name is not None:
            self.names.read.add(root)
            return self._api(name, node, self._args(node), root)
        if isinstance(func, ast_attribute):
            return self._member(node, func)
        target, value = self.expr(func)
        if names(value, "initializer"):
            value = of("initializer")
        args = self._args(node)
        changed = self._called(node, target, args)
        return self._of_value(node, changed, value, args)

    def translated_args(self, node: cst.Call) -> Args:
        return self._args(node)

    def api_of(self, chain: str) -> str | None:
        return self._api_of(chain)

    def _api_of(self, chain: str) -> str | None:
        root, _, rest = chain.partition(".")
        apis = names(self.lookup(root), API) if root in self.names.imported else []
        return knowledge.canonical(".".join(filter(None, (apis[0], rest)))) if apis else None

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
        self.note(node, made, known)
        self._evidence(args)
        if known.is_layer and (self.functions or self.inside):
            self.made_layers.append(name)
        if known.is_initializer or name == "ParamAttr":
            self.remember(name, made, node, root)
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

    def _args(self, node: cst.Call) -> Args:
        found = []
        for arg in node.args:
            new, value = self.expr(arg.value)
            found.append((arg if new is arg.value else arg.with_changes(value=new), value))
        return found

    def _called(self, node: cst.Call, func: cst.BaseExpression, args: Args) -> cst.Call:
        if func is node.func and all(a is b for (a, _), b in zip(args, node.args, strict=True)):
            return node
        return node.with_changes(func=func, args=[a for a, _ in args])

    def _member(self, node: cst.Call, func: Any) -> Result:
        """`value.name(...)`."""
        base, value = self.expr(func.value)
        attr = func.attr.value
        if names(value, "super"):
            value = of(INSTANCE, self.inside[-1]) if self.inside else UNKNOWN
            own: Value = UNKNOWN
        else:
            own = self._attribute_of(value, attr)
        args = self._args(node)
        target = func if base is func.value else func.with_changes(value=base)
        changed = self._called(node, target, args)
        if names(own, "method") or names(own, FUNCTION) or names(own, CLASS) or names(own, INSTANCE) or names(own, LAYER) or names(own, PARTIAL) or names(own, API) or names(own, "initializer"):
            if not (names(own, "method") and self._overrides_nothing(value, attr)):
                return self._of_value(node, changed, own, args)
        kinds = self._kinds(value)
        prefix = self._owner(kinds, attr)
        if prefix is not None:
            known = knowledge.method(attr) if prefix == "Tensor." else knowledge.known(f"{prefix}{attr}")
            if known is None and prefix == "Tensor.":
                if attr in knowledge.attributes("paddle tensor"):
                    why = f"paddle.Tensor.{attr} is in no row of the table: {knowledge.advice('Tensor.' + attr)}"
                    return self.refuse(node, why)[0], TENSOR
            if known is None and prefix == "nn.Layer." and attr in knowledge.attributes("paddle layer"):
                if attr not in knowledge.attributes("torch layer"):
                    why = f"paddle.nn.Layer.{attr} is in no row of the table: {knowledge.advice('nn.Layer.' + attr)}"
                    return self.refuse(node, why)[0], UNKNOWN
            if known is not None:
                return self._known_member(known, base, node, args)
        elif not kinds and attr in knowledge.differing() and not self._own_member(attr):
            why = f"what .{attr} is called on is not known here, and paddle.Tensor.{attr} is written otherwise in torch"
            return self.refuse(node, why + ": say what it is with an annotation (x: paddle.Tensor)")
        return self._plain_member(changed, func.value, value, attr, args)

    def _overrides_nothing(self, value: Value, attr: str) -> bool:
        return False

    def _known_member(self, known: knowledge.Known, base: cst.BaseExpression, node: cst.Call, args: Args) -> Result:
        refused = len(self.refusals)
        try:
            made, value = self.call_method(known, base, node, args)
        except Refused as why:
            del self.refusals[refused:]
            return self.refuse(node, str(why))[0], known.gives
        self.note(node, made, known)
        return made, value

    def _plain_member(self, changed: cst.Call, base: cst.BaseExpression, value: Value, attr: str, args: Args) -> Result:
        """Python's own types: what a list is appended, a dictionary gives."""
        first = args[0][1] if args else UNKNOWN
        if attr in ("append", "add", "insert", "extend") and args and isinstance(base, (cst.Name, cst.Attribute)):
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
        if name in ("functools.partial",):
            return changed, self._partial_value(args)
        if name.startswith(("numpy.", "np.")):
            return changed, ARRAY
        if name.startswith("math."):
            return changed, FLOAT if name.rpartition(".")[2] not in ("floor", "ceil", "prod") else INT
        if name == "copy.deepcopy":
            return changed, first
        return changed, UNKNOWN

    def _partial_value(self, args: Args) -> Value:
        return frozenset(Atom(PARTIAL, atom.more) if atom.kind == API else atom for atom in args[0][1]) if args else UNKNOWN

    def _of_value(self, node: cst.Call, changed: cst.Call, value: Value, args: Args) -> Result:
        """A call of something of which the value is known: a class of the file, a layer, a variable that holds one of Paddle's."""
        apis = {*names(value, API), *names(value, PARTIAL)}
        if apis:
            return self._by_variable(node, changed, value, args)
        found: list[Value] = []
        for atom in value:
            if atom.kind == CLASS:
                found.append(self._made(atom.more, args))
            elif atom.kind == "method":
                owner, function = atom.more
                found.append(self._passed(function, args, owner.kind == INSTANCE))
            elif atom.kind == FUNCTION:
                found.append(self._passed(atom.more, args, False))
            elif atom.kind == INSTANCE:
                forward = atom.more.method("forward") or atom.more.method("__call__")
                if forward is not None:
                    self._layer_input(args)
                    found.append(self._passed(forward, args, True))
                elif atom.more.is_layer:
                    found.append(TENSOR)
            elif atom.kind == LAYER:
                self._layer_input(args)
                found.append(knowledge.called(atom.more))
            elif atom.kind == "initializer":
                found.append(NONE)
            elif atom.kind == FOREIGN and atom.more in ("functools.partial", "copy.deepcopy"):
                if atom.more == "functools.partial":
                    return self._partial(node, changed, args)
                found.append(args[0][1] if args else UNKNOWN)
            elif atom.kind == FOREIGN and atom.more.startswith("numpy."):
                found.append(ARRAY)
        if isinstance(node.func, cst.Name) and not value:
            return self._builtin(node, changed, node.func.value, args)
        return changed, join(*found) if found else UNKNOWN

    def _layer_input(self, args: Args) -> None:
        self._evidence(args)

    def _partial(self, node: cst.Call, changed: cst.Call, args: Args) -> Result:
        apis = names(args[0][1], API) if args else []
        if not apis:
            return changed, args[0][1] if args else UNKNOWN
        known = knowledge.known(apis[0])
        if known is None:
            return changed, UNKNOWN
        try:
            inner = cst.Call(args[0][0].value, [a for a, _ in args[1:]])
            made, _ = self.call_api(apis[0], inner, args[1:], "", partly=True)
        except Refused as why:
            return self.refuse(node, str(why))[0], of(PARTIAL, apis[0])
        if not isinstance(made, cst.Call):
            return changed, of(PARTIAL, apis[0])
        first = args[0][0] if made.args else args[0][0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return changed.with_changes(args=[first, *made.args]), of(PARTIAL, apis[0])

    def _by_variable(self, node: cst.Call, changed: cst.Call, value: Value, args: Args) -> Result:
        """The callee is a variable: what it may hold must take these arguments in one way."""
        ways: list[tuple[cst.BaseExpression, Value]] = []
        for atom in sorted(without_none(value), key=str):
            if atom.kind in (API, PARTIAL):
                try:
                    made, gives = self.call_api(atom.more, node, args, "")
                except Refused as why:
                    return self.refuse(node, str(why))
                if not isinstance(made, cst.Call):
                    return self.refuse(node, f"paddle.{atom.more} behind a variable is written otherwise in torch")
                inner = self.inner_call(made)
                put = inner.with_changes(func=changed.func)
                ways.append((put if inner is made else made.deep_replace(inner, put), gives))
            elif atom.kind == CLASS:
                ways.append((changed, self._made(atom.more, args)))
            elif atom.kind == FUNCTION:
                ways.append((changed, self._passed(atom.more, args, False)))
        code = {cst.Module([]).code_for_node(w) for w, _ in ways}
        if len(code) > 1:
            which = ", ".join(sorted({f"paddle.{a.more}" for a in value if a.kind in (API, PARTIAL)}))
            return self.refuse(node, f"{which} and others take these arguments under different names in torch: write each call out")
        gives = join(*(v for _, v in ways))
        return ways[0][0], gives

    def _made(self, cls: Class, args: Args) -> Value:
        """An object of a class of the files."""
        if self.inside and cls is not self.inside[-1]:
            cls.used = True
        if cls.is_layer:
            self.made_layers.append("" if cls.layers else "nn.Layer")
        init = cls.method("__init__")
        if init is not None:
            self._passed(init, args, True)
        return of(INSTANCE, cls)

    def _passed(self, function: Function, args: Args, bound: bool) -> Value:
        """What is passed to a function of the files is learnt; what it gives is known from the walk before."""
        order = [n for n in function.positional if n != "self"] if bound else list(function.positional)
        place = 0
        for arg, value in args:
            if arg.star:
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

    def _builtin(self, node: cst.Call, changed: cst.Call, name: str, args: Args) -> Result:
        first = args[0][1] if args else UNKNOWN
        if name == "super":
            return changed, of("super")
        if name == "getattr" and len(args) >= 2:
            return self._getattr(node, changed, args)
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

    def _getattr(self, node: cst.Call, changed: cst.Call, args: Args) -> Result:
        """`getattr(nn, "Conv2D")` with a literal is `nn.Conv2D`."""
        base, attr = args[0][1], literal(args[1][1])
        apis = names(base, API)
        if apis:
            if not attr or not isinstance(attr[0], str):
                return self.refuse(node, "which name of Paddle's getattr gets is not known here: write it out")
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

    # --- the rest ---

    def _subscript(self, node: cst.Subscript) -> Result:
        base, value = self.expr(node.value)
        slices, literals = [], []
        for element in node.slice:
            index = element.slice
            if isinstance(index, cst.Index):
                new, known = self.expr(index.value)
                literals.append(literal(known))
                slices.append(element if new is index.value else element.with_changes(slice=index.with_changes(value=new)))
                continue
            if is_tensor(value) and isinstance(index.step, cst.UnaryOperation) and isinstance(index.step.operator, cst.Minus):
                return self.refuse(node, "torch has no negative steps: write torch.flip of the axis")
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
        return changed, self._item(value, literals, isinstance(node.slice[0].slice, cst.Slice))

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
            elif atom.kind == TUPLE and literals[0] and isinstance(literals[0][0], int) and -len(atom.more) <= literals[0][0] < len(atom.more):
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
                left = _listed(left)
            elif only(b, "shape") and only(a, LIST):
                right = _listed(right)
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
            if only(a, "dtype") and only(value, CONST) and literal(value) and isinstance(literal(value)[0], str):
                new = self.dtype(new, value)
            elif only(a, "shape") and only(value, LIST):
                left, same = _listed(left), False
            same = same and new is target.comparator
            targets.append(target if new is target.comparator else target.with_changes(comparator=new))
        changed = node if same else node.with_changes(left=left, comparisons=targets)
        tensors = any(is_tensor(v) for v in values) and not isinstance(node.comparisons[0].operator, (cst.Is, cst.IsNot, cst.In, cst.NotIn))
        return changed, TENSOR if tensors else BOOL

    def _unary(self, node: cst.UnaryOperation) -> Result:
        new, value = self.expr(node.expression)
        found = literal(value)
        if isinstance(node.operator, cst.Not):
            value = BOOL
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
        return (node if same else node.with_changes(elements=made)), of(DICT, join(*values) if values else UNKNOWN)

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
        self.scopes.pop()
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
        self.scopes.pop()
        return (node if body is node.body else node.with_changes(body=body)), UNKNOWN

    def _literal(self, node: Any) -> Result:
        if isinstance(node, (cst.Integer, cst.Float, cst.Imaginary)):
            return node, const(node.evaluated_value)
        if isinstance(node, cst.SimpleString):
            return node, const(node.evaluated_value) if len(node.value) < LONG else STR
        return node, STR

    def _formatted(self, node: cst.FormattedString) -> Result:
        parts, same = [], True
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                new, _ = self.expr(part.expression)
                if new is not part.expression:
                    same = False
                    part = part.with_changes(expression=new)
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
        cst.Name: _name,
        cst.Attribute: _attribute,
        cst.Call: _call,
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


ast_attribute = cst.Attribute
WIDE, LONG = 12, 200


def _listed(node: cst.BaseExpression) -> cst.BaseExpression:
    return cst.Call(cst.Name("list"), [cst.Arg(node.with_changes(lpar=[], rpar=[]))])


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
