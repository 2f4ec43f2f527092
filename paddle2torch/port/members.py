"""Names and attributes: what they stand for, and how torch writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from convert.rosetta.forms import FILLING, PARTS, RETURNS
from convert.rosetta.signatures import attributes
from paddle2torch.port import knowledge
from paddle2torch.port.binding import Refused
from paddle2torch.port.calls import Calls, Change
from paddle2torch.port.layers import Attributes
from paddle2torch.port.names import dotted
from paddle2torch.port.values import (
    API,
    BOOL,
    CLASS,
    DTYPE,
    FOREIGN,
    IMPORTED,
    INSTANCE,
    LAYER,
    NAMED,
    NONE,
    REST,
    SHAPE,
    TENSOR,
    UNKNOWN,
    Class,
    Function,
    Value,
    const,
    join,
    names,
    of,
    type_of,
    without_none,
)

Result = tuple[cst.BaseExpression, Value]
CONSTANTS = {"True": const(True), "False": const(False), "None": NONE}


def listed(node: cst.BaseExpression) -> cst.BaseExpression:
    """`list(node)`."""
    return cst.Call(cst.Name("list"), [cst.Arg(node.with_changes(lpar=[], rpar=[]))])


def _defines(cls: Class, attr: str) -> bool:
    """Whether a class of the files has an attribute of this name itself: it stays what it is called."""
    return cls.method(attr) is not None or attr in cls.every_attribute


@dataclass
class Members(Attributes, Calls):
    """State of a walk: the scopes, innermost last, and where it is."""

    scopes: list[dict[str, Value]] = field(default_factory=lambda: [{}])
    inside: list[Class] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    refusals: list[tuple[cst.CSTNode, str]] = field(default_factory=list)
    """What stays in the statement at hand, and why."""
    bound: dict[str, str] = field(default_factory=dict)
    """The names that the file binds itself, not in a class; what an import of another module gives stands behind, dotted, else ""."""
    fillings: int = 0
    """How many calls so far set what parameters hold."""
    made_layers: list[str] = field(default_factory=list)
    """The layers that were made so far: Paddle's names, "" for one of the file that has layers with initial weights."""

    def expr(self, node: cst.BaseExpression) -> Result:
        """The node in the port, and what is known of its value."""
        raise NotImplementedError

    def lookup(self, name: str) -> Value:
        for scope in reversed(self.scopes):
            if name in scope:
                value: Value = scope[name]
                return value
        return UNKNOWN

    def bind_name(self, name: str, value: Value) -> None:
        self.scopes[-1][name] = value

    def leave_scope(self) -> None:
        """The innermost scope ends; what it binds hides what a file imports under the same name."""
        self.learn_bound(self.scopes.pop())

    def learn_bound(self, scope: Mapping[str, Value]) -> None:
        for name, value in scope.items():
            if IMPORTED in value:
                continue
            wheres = {atom.more if atom.kind == FOREIGN else "" for atom in value}
            where = wheres.pop() if len(wheres) == 1 else ""
            self.bound[name] = where if self.bound.get(name, where) == where else ""

    @staticmethod
    def put_into(value: Value) -> None:
        """Something is put into a dictionary: what is in the `**kwargs` of a function is no longer what its callers gave."""
        for function in names(value, REST):
            function.changed = True

    def refuse(self, node: cst.BaseExpression, why: str) -> Result:
        """It stays as it is; the statement gets a comment."""
        self.refusals.append((node, why))
        self.names.keep(node)
        return node, UNKNOWN

    # --- names and attributes ---

    def _name(self, node: cst.Name) -> Result:
        if node.value in CONSTANTS:
            return node, CONSTANTS[node.value]
        name = self.api_of(node.value)
        if name is not None:
            return self._reference(node, node.value, name)
        value = self.lookup(node.value)
        if IMPORTED in value and node.value in self.names.imported:
            return self.refuse(node, f"{node.value} is Paddle's or something else here: give them two names")
        return node, value

    def api_of(self, chain: str) -> str | None:
        """What a dotted name is in Paddle that begins with one that an import binds; None where it is not that, or not for sure."""
        root, _, rest = chain.partition(".")
        if ".__dict__" in chain:
            return None
        value = without_none(self.lookup(root))
        apis = names(value, API)
        if root not in self.names.imported or not apis or value != of(API, apis[0]) | {IMPORTED}:
            return None
        return knowledge.canonical(".".join(filter(None, (apis[0], rest))))

    def _attribute(self, node: cst.Attribute) -> Result:
        chain = dotted(node)
        name = self.api_of(chain)
        if name is not None:
            return self._reference(node, chain.partition(".")[0], name)
        base, value = self.expr(node.value)
        attr = node.attr.value
        self.learn_member(node.value, attr)
        if names(value, "super"):
            value = of(INSTANCE, self.inside[-1]) if self.inside else UNKNOWN
        found = self._attribute_of(value, attr)
        changed = node if base is node.value else node.with_changes(value=base)
        try:
            return self._property(node, changed, value, attr, found)
        except Refused as refused:
            return self.refuse(node, str(refused))

    def _property(
        self, node: cst.Attribute, changed: cst.Attribute, value: Value, attr: str, found: Value
    ) -> Result:
        kinds = self._kinds(value)
        prefix = self._owner(kinds, attr)
        if prefix is None:
            return changed, found
        known = self.of_class(value, attr) or knowledge.known(f"{prefix}{attr}")
        if prefix == "nn.Layer." and any(_defines(c, attr) for c in names(value, INSTANCE)):
            return changed, found
        if known is None and prefix == "Tensor.":
            if attr in attributes("paddle tensor") and not knowledge.torch_has(attr):
                raise Refused(
                    f"paddle.Tensor.{attr} is in no row of the table: {knowledge.advice('Tensor.' + attr)}"
                )
            return changed, found
        if known is None:
            return changed, found
        if known.forms:
            form = self._form(known, [], ("x", changed.value))
            if form is not None and form.refuse:
                raise Refused(form.refuse)
            if form is not None and "(" not in form.when:
                made = self._rooted(form.torch, {"x": changed.value}) if form.torch != "=" else changed
                self.note(node, known)
                return made, found or self._gives(known, [])
        elif known.torch and known.torch.rpartition(".")[2] != attr:
            changed = changed.with_changes(attr=cst.Name(known.torch.rpartition(".")[2]))
            self.note(node, known)
        return changed, found or self._gives(known, [])

    def of_class(self, value: Value, attr: str) -> knowledge.Known | None:
        """The row of a member that one class of Paddle's layers has otherwise than torch's; None where there is none.

        Raises:
            Refused: if it may be that of another class too.
        """
        holders = [name for name in self._classes_of(value) if knowledge.has_parameter(name, attr)]
        rows = [knowledge.known(f"{name}.{attr}") for name in holders]
        if any(rows) and not all(rows):
            raise Refused(
                f"torch keeps {attr} of some layers otherwise, and which this is is not known: tell them apart"
            )
        return rows[0] if rows else None

    def _classes_of(self, value: Value) -> set[str]:
        """Paddle's classes of the layers that a value may be."""
        found = set()
        for atom in value:
            if atom.kind == LAYER:
                found.add(atom.more)
            elif atom.kind == INSTANCE:
                built = atom.more.derived_from()
                found.update(() if built is None else (built,))
        return found - {"", "nn.Layer"}

    def learn_member(self, base: cst.BaseExpression, attr: str) -> None:
        """A parameter is known by what is asked of it."""
        function = self.functions[-1] if self.functions else None
        if function is not None and isinstance(base, cst.Name) and base.value in function.parameters:
            function.members.setdefault(base.value, set()).add(attr)

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
        if kinds & {"scaler"}:
            return "amp.GradScaler."
        if kinds & {"scheduler"}:
            return "optimizer.lr.LRScheduler."
        if not kinds and knowledge.of_tensors_only(attr) and not self.own_member(attr):
            return "Tensor."
        return None

    def own_member(self, attr: str) -> bool:
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
                    found.append(
                        of("method", (atom, function))
                        if attr not in atom.more.properties
                        else function.returns
                    )
                else:
                    found.append(atom.more.attribute(attr))
                    if attr == "training":
                        found.append(BOOL)
            elif atom.kind == FOREIGN:
                found.append(of(FOREIGN, f"{atom.more}.{attr}"))
            elif atom.kind == LAYER and attr in PARTS.get(atom.more, {}):
                found.append(of(LAYER, PARTS[atom.more][attr]))
            elif atom.kind == LAYER and attr in ("weight", "bias"):
                found.append(TENSOR)
            elif atom.kind == "module":
                found.append(atom.more.names.get(attr, UNKNOWN))
            elif atom.kind == "tensor":
                said = RETURNS.get(f"Tensor.{attr}")
                if said is not None and said in ("shape", "dtype", "int", "bool"):
                    found.append(NAMED[said])
                elif attr in ("T", "grad", "data"):
                    found.append(TENSOR)
        if not value and attr in ("shape", "dtype"):
            # Of arrays too, but what is made of it is the same.
            return SHAPE if attr == "shape" else DTYPE
        return join(*found) if found else UNKNOWN

    def _reference(self, node: Any, root: str, name: str) -> Result:
        """A name of Paddle's that is not called."""
        self.names.read.add(root)
        value = of(API, name)
        try:
            return self._referred(node, root, name), value
        except Refused as refused:
            return self.refuse(node, str(refused))[0], value

    def _referred(self, node: cst.BaseExpression, root: str, name: str) -> cst.BaseExpression:
        torch = knowledge.module(name)
        if torch is None:
            known = self.row(name)
            form = next(
                (f for f in known.forms if f.when == ("subclassed" if self.basing else "named")), None
            )
            if form is not None:
                if form.refuse:
                    raise Refused(form.refuse)
                made = self._rooted(form.torch, {})
                self.note(node, known)
                return made
            torch = known.torch
            if not torch or (torch.startswith("Tensor.") and known.name != "Tensor"):
                raise Refused(
                    f"torch has no paddle.{name} to pass on: {known.row.remedy or 'write a function'}"
                )
            made = self.names.refer(torch, root)
            self.note(node, known)
            return made
        return self.names.refer(torch, root)

    def note(self, before: cst.CSTNode, known: knowledge.Known) -> None:
        self.fillings += known.name.startswith(FILLING)
        self.changes.append(Change(before, known.row.paddle))
