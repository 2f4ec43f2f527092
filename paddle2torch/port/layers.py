"""How a layer begins: Paddle says it in its arguments, torch after its construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import libcst as cst

from paddle2torch.port import knowledge
from paddle2torch.port.binding import Given, Refused, bind
from paddle2torch.port.calls import Args, Calls
from paddle2torch.port.knowledge import Known
from paddle2torch.port.names import dotted
from paddle2torch.port.values import literal, without_none

ROLES = {"weight_attr": "weight", "param_attr": "weight", "bias_attr": "bias"}
"""Paddle's argument -> torch's parameter."""
TRAINED = {"learning_rate": (1.0,), "regularizer": (None,)}
"""What ParamAttr says of training, and what says nothing."""


@dataclass
class Attributes(Calls):
    """The initial weights that a layer's arguments ask for."""

    target: tuple[cst.BaseExpression, str] | None = None
    """The call at hand if it stands alone behind `self.name =` in a constructor, and that name."""
    behind: list[cst.BaseSmallStatement] = field(default_factory=list)
    """Statements that follow the one at hand: they set initial weights."""
    sources: dict[cst.BaseExpression, tuple[str, cst.Call, str]] = field(default_factory=dict)
    """For a node of the port, an attribute or an initializer: Paddle's name, the call that it was, and its local root."""

    def with_attributes(
        self, call: cst.Call, known: Known, attributes: Mapping[str, Given]
    ) -> cst.BaseExpression:
        """`call`, with what its attributes ask for: behind it as statements, or around it."""
        asked = {name: g for name, g in attributes.items() if self._asks(g)}
        if not asked:
            return call
        others = [name for name in asked if name not in ROLES]
        if others:
            raise Refused(
                f"torch's {known.torch} takes no {', '.join(others)}: set those parameters after its construction"
            )
        statements = [self._statement(ROLES[name], g) for name, g in asked.items()]
        if self.target is not None and all(s is not None for s in statements):
            self.behind += [s for s in statements if s is not None]
            return call
        args = [cst.Arg(call, comma=_COMMA)]
        for name, given in asked.items():
            keyword = cst.Name("weight" if ROLES[name] == "weight" else "bias")
            args.append(cst.Arg(given.node, keyword=keyword, equal=_EQUAL, comma=_COMMA))
        args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return cst.Call(self.names.helper("with_attr"), args)

    def inner_call(self, made: cst.Call) -> cst.Call:
        """The layer's own call inside of `with_attr`."""
        if isinstance(made.func, cst.Name) and made.func.value in ("with_attr", "paddle_with_attr"):
            inner = made.args[0].value
            assert isinstance(inner, cst.Call)
            return inner
        return made

    def _asks(self, given: Given) -> bool:
        found = literal(given.value)
        if found and isinstance(found[0], (bool, type(None))):
            return False
        attr = self.sources.get(given.node)
        if attr is not None and attr[0] == "ParamAttr":
            return any(self._says(a) for a in attr[1].args)
        return (
            bool(without_none(given.value))
            or not isinstance(given.node, cst.Name)
            or given.node.value not in ("None", "False")
        )

    @staticmethod
    def _says(arg: cst.Arg) -> bool:
        """Whether an argument of ParamAttr says anything in torch: a name does not."""
        name = arg.keyword.value if arg.keyword else "name"
        empty = isinstance(arg.value, cst.Name) and arg.value.value == "None"
        return not empty and name != "name"

    @staticmethod
    def trained_apart(args: Args) -> bool:
        """Whether ParamAttr's arguments say how its parameter is trained."""
        said = {a.keyword.value: literal(value) for a, value in args if a.keyword is not None}
        return any(said.get(name, default) != default for name, default in TRAINED.items())

    def remember(self, name: str, made: cst.BaseExpression, node: cst.Call, root: str) -> None:
        """That a node of the port was this call."""
        self.sources[made] = (name, node, root)

    def _statement(self, role: str, given: Given) -> cst.BaseSmallStatement | None:
        """`nn.init.uniform_(self.out.weight, -1.0, 1.0)`; None where a statement cannot say it."""
        if self.target is None:
            return None
        found = self.sources.get(given.node)
        if found is not None and found[0] == "ParamAttr":
            said = [a for a in found[1].args if self._says(a)]
            if len(said) != 1 or said[0].keyword is None or said[0].keyword.value != "initializer":
                return None
            inner = said[0].value
            known = self._initializer_of(inner)
            if known is None or not isinstance(inner, cst.Call):
                return None
            root = dotted(inner.func).partition(".")[0]
            return self._initialises(known, inner, root, role)
        if found is not None:
            known = knowledge.known(found[0])
            if known is not None and known.is_initializer:
                return self._initialises(known, found[1], found[2], role)
        return None

    def _initializer_of(self, node: cst.BaseExpression) -> Known | None:
        if not isinstance(node, cst.Call):
            return None
        name = self.api_of(dotted(node.func))
        known = knowledge.known(name) if name is not None else None
        return known if known is not None and known.is_initializer else None

    def api_of(self, chain: str) -> str | None:
        raise NotImplementedError

    def translated_args(self, node: cst.Call, *, filled: bool = False) -> Args:
        raise NotImplementedError

    def _initialises(
        self, known: Known, node: cst.Call, root: str, role: str
    ) -> cst.BaseSmallStatement | None:
        assert self.target is not None
        given = bind(known, self.translated_args(node))
        if self._form(known, given, None) is not None or not known.torch:
            return None
        function, args = self.initializer_call(known, given, root, named=False)
        parameter = cst.parse_expression(f"{self.target[1]}.{role}")
        first = cst.Arg(parameter, comma=_COMMA if args else cst.MaybeSentinel.DEFAULT)
        rest = [a.with_changes(whitespace_after_arg=cst.SimpleWhitespace("")) for a in args]
        if rest:
            rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return cst.Expr(cst.Call(function, [first, *rest]))


_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
_EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
