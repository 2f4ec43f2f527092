"""From a call of Paddle's to one of torch's: which argument is which, and what its value becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import libcst as cst

from convert.rosetta.forms import COMMON, ONE_BY_ONE
from convert.rosetta.rows import Argument
from convert.rosetta.signatures import REQUIRED, UNSAID
from paddle2torch.port.knowledge import Known
from paddle2torch.port.templates import plain, tight
from paddle2torch.port.values import (
    CONST,
    LIST,
    REST,
    Function,
    Value,
    join,
    literal,
    names,
    of,
    only,
    type_of,
    widened,
    without_none,
    written_out,
)


class Refused(Exception):
    """Why a piece of source stays as it is, and what to write."""


@dataclass(frozen=True)
class Given:
    """One argument of a call: Paddle's name of it, the node with its value, and what is known of it."""

    name: str
    arg: cst.Arg
    value: Value
    positional: bool

    @property
    def node(self) -> cst.BaseExpression:
        return self.arg.value


def bind(known: Known, args: Sequence[tuple[cst.Arg, Value]], skip: int = 0) -> list[Given]:
    """The arguments with Paddle's names, in the order in which they stand. `skip`: of a method, the first is what it is called on.

    Raises:
        Refused: if a star hides which argument is which.
    """
    if known.name in ONE_BY_ONE:
        args = together(
            args,
            1 - skip if known.name.startswith(("Tensor.", "reshape", "expand", "permute", "flip")) else 0,
        )
    signature = known.paddle_signature
    rest = signature.rest if signature else ""
    order = known.order(sum(1 for a, _ in args if a.keyword is None and not a.star) + skip)[skip:]
    found: list[Given] = []
    for number, (arg, known_value) in enumerate(args):
        value = known_value if written_out(arg.value) else widened(known_value)
        if arg.star == "**":
            _may_pass(known, names(known_value, REST))
            found.append(Given("**", arg, value, False))
        elif arg.star == "*":
            if not rest:
                raise Refused(
                    f"which arguments a star gives paddle.{known.name} is not known: write them out"
                )
            found.append(Given("*", arg, value, True))
        elif arg.keyword is not None:
            found.append(Given(arg.keyword.value, arg, value, False))
        elif number < len(order):
            found.append(Given(order[number], arg, value, True))
        elif rest or not order:
            found.append(Given("*", arg, value, True))
        else:
            raise Refused(f"paddle.{known.name} takes {len(order)} arguments: there are more here")
    return found


def together(args: Sequence[tuple[cst.Arg, Value]], place: int) -> Sequence[tuple[cst.Arg, Value]]:
    """`x.reshape(2, 3)` as `x.reshape([2, 3])`: whole numbers from a place on are one argument."""
    numbers = [pair for pair in args[place:] if pair[0].keyword is None and not pair[0].star]
    if len(numbers) < 2 or {type_of(atom) for atom in numbers[1][1]} != {"int"}:
        return args
    found = [cst.Element(a.value) for a, _ in numbers]
    whole = numbers[0][0].with_changes(value=cst.List(found), comma=cst.MaybeSentinel.DEFAULT)
    rest = args[place + len(numbers) :]
    if rest:
        whole = whole.with_changes(comma=numbers[-1][0].comma)
    return [*args[:place], (whole, of(LIST, join(*(v for _, v in numbers)))), *rest]


def _may_pass(known: Known, rests: Sequence[Function]) -> None:
    """Raise Refused where what `**` gives may be called otherwise in torch; `rests` are functions whose `**kwargs` it is."""
    for function in rests:
        function.forwards.add(known.name)
    if rests and all(f.called and not f.changed for f in rests):
        return  # the calls of those functions are written as torch's
    for argument in known.row.arguments:
        if argument.paddle != argument.torch and argument.paddle not in (None, "name"):
            raise Refused(
                f"which arguments ** gives paddle.{known.name} is not known, and {argument.paddle} "
                f"is {argument.torch or 'none'} in torch: write them out"
            )


NOTHING = object()


def torch_literal(argument: Argument, value: Any) -> Any:
    """The literal in torch of a literal in Paddle; `NOTHING` where that cannot be said."""
    try:
        if value in argument.values:
            return argument.values[value]
    except TypeError:
        return NOTHING
    if argument.convert == "not":
        return not value
    if argument.convert == "is not False":
        return value is not False
    if argument.convert == "1 - f32":
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            left = Decimal(1) - Decimal(repr(value))
            return float(left) if isinstance(value, float) else int(left)
        return NOTHING
    if argument.convert in ("", "f32", "dtype"):
        return value
    return NOTHING


class Writer(Protocol):
    """Who knows how the file at hand writes a name of torch's."""

    def dtype(self, node: cst.BaseExpression, value: Value) -> cst.BaseExpression: ...

    def refer(self, torch: str) -> cst.BaseExpression: ...


def converted(argument: Argument, known: Known, given: Given, writer: Writer) -> cst.BaseExpression | None:
    """The node of torch's argument; None where it goes without saying.

    Raises:
        Refused: if torch has no such argument, or what becomes of this value is not known.
    """
    found, node = literal(given.value), given.node
    if given.name == "dtype" or argument.convert == "dtype":
        if found == (None,):
            return None
        if argument.torch is not None:
            return writer.dtype(node, given.value)
        _check_idle(argument, known, given)
        return None
    if argument.torch is None:
        _check_idle(argument, known, given)
        return None
    if argument.convert == "is not False":
        if found and isinstance(found[0], (bool, type(None))):
            affine = found[0] is not False
            return None if affine == known.torch_default(argument.torch) else plain(affine)
        if without_none(given.value) and all(
            a.kind in ("attr", "initializer") for a in without_none(given.value)
        ):
            return None if known.torch_default(argument.torch) is True else plain(True)
        return cst.Comparison(tight(node), [cst.ComparisonTarget(cst.IsNot(), cst.Name("False"))])
    if argument.convert.startswith("member of "):
        if not found or found[0] not in argument.values:
            raise Refused(f"which {given.name} of paddle.{known.name} this is is not known: write torch's")
        return writer.refer(f"{argument.convert.removeprefix('member of ')}.{argument.values[found[0]]}")
    if found:
        turned = torch_literal(argument, found[0])
        if turned is not NOTHING:
            same = type(turned) is type(found[0]) and turned == found[0]
            return node if same else plain(turned)
    if argument.convert == "not":
        return cst.UnaryOperation(cst.Not(whitespace_after=cst.SimpleWhitespace(" ")), tight(node))
    if argument.convert == "1 - f32":
        return cst.BinaryOperation(cst.Integer("1"), cst.Subtract(), tight(node))
    if argument.values and not _outside(argument.values, given.value):
        raise Refused(
            f"what {given.name} of paddle.{known.name} is here is not known: write torch's {argument.torch}"
        )
    if argument.convert not in ("", "f32", "dtype"):
        raise Refused(
            f"{given.name} of paddle.{known.name} is torch's {argument.torch}, converted: {argument.convert}"
        )
    return node


def _outside(values: Mapping[Any, Any], value: Value) -> bool:
    """Whether what is known of a value says that it is none of a table's."""
    kinds = {type(v).__name__ for v in values if v is not None}
    rest = without_none(value)
    return bool(rest) and all(type_of(atom) not in kinds for atom in rest)


def check_name(known: Known, given: Given) -> None:
    """Raise Refused where what stands in the place of an operator's name is none: Paddle 3.3 takes torch's arguments too."""
    said = only(given.value, "str", CONST) or (given.value and not without_none(given.value))
    if given.positional and given.name == "name" and not said:
        raise Refused(
            f"paddle.{known.name} is given more than it takes: what the last argument means is not known"
        )


def _check_idle(argument: Argument, known: Known, given: Given) -> None:
    """An argument that torch has not: it may go where it says what is so anyway."""
    found, default = literal(given.value), known.default(given.name)
    check_name(known, given)
    if given.name == "name" or given.name.endswith("_name") or found == (None,):
        return
    if found and (
        argument.values.get(found[0], argument) is None or (default is not UNSAID and found[0] == default)
    ):
        return
    if found and found[0] == argument.paddle_default and argument.paddle_default is not None:
        return
    what = repr(found[0]) if found else "a value that is not known here"
    note = f": {argument.note}" if argument.note else ""
    raise Refused(f"torch has no {given.name} for paddle.{known.name}, and it is {what}{note}")


def torch_name(known: Known, name: str, method: bool) -> Argument:
    """The argument of a Paddle name: the row's, or one that both signatures have under this or the usual other name."""
    found = known.arguments.get(name)
    if found is not None:
        return found
    signature = known.torch_signature
    if name in ("name", "out") or signature is None:
        return Argument(name, None if name == "name" else name)
    if name in signature.defaults or signature.others:
        return Argument(name, name)
    for other in COMMON.get(name, ()):
        if other in signature.defaults:
            return Argument(name, other)
    if known.default(name) is not UNSAID:
        return Argument(name, None)
    raise Refused(f"the table does not say what {name} of paddle.{known.name} is in torch")


def additions(known: Known, taken: Mapping[str, Given], *, partly: str = "") -> list[tuple[str, Any]]:
    """torch's arguments that must be said because the defaults differ. partly: "rest" where a partial has said them but for those
    that only matter beside what is given now."""
    found: dict[str, Any] = {}
    several = [a.torch for a in known.row.arguments if a.convert != "is not False"]
    written = {a.torch for name, a in known.arguments.items() if name in taken}
    for name, argument in known.arguments.items():
        if name in taken or argument.torch is None or argument.torch in written or name == "dtype":
            continue
        default, theirs = known.default(name), known.torch_default(argument.torch)
        if argument.paddle_default is not None and default in (UNSAID, REQUIRED):
            default = argument.paddle_default
        unsaid = (
            theirs is UNSAID and known.torch_signature is not None and known.torch_signature.rest == "args"
        )
        if default in (UNSAID, REQUIRED) or (
            theirs is UNSAID and not (unsaid and (argument.convert or argument.values))
        ):
            continue
        if default is None and argument.convert != "is not False":
            continue
        if several.count(argument.torch) > 1 or (theirs is None and default is False):
            continue
        wanted = torch_literal(argument, default)
        if wanted is NOTHING or (type(wanted) is type(theirs) and wanted == theirs) or wanted == theirs:
            continue
        if argument.only_with and not _says_something(taken.get(argument.only_with, taken.get("**"))):
            continue
        if partly == "rest" and not argument.only_with:
            continue
        found[argument.torch] = wanted
    return list(found.items())


def check_required(known: Known, written: Collection[str], positional: int) -> None:
    """Raise Refused where torch wants an argument that Paddle does not."""
    signature = known.torch_signature
    if signature is None or not known.torch.startswith(("nn.", "optim.", "utils.")):
        return  # what the documentation of a function of C++ says is one of its forms
    order = signature.positional
    for name, default in signature.defaults.items():
        there = name in written or (name in order and order.index(name) < positional)
        if default is REQUIRED and not there:
            raise Refused(f"torch's {known.torch} needs {name}, which paddle.{known.name} is not given")


def _says_something(given: Given | None) -> bool:
    return given is not None and literal(given.value) not in ((0,), (None,), (False,))


def positional_in_torch(known: Known, number: int, torch: str) -> bool:
    """Whether torch's argument stands at this place too."""
    signature = known.torch_signature
    if signature is None or signature.rest in ("args", torch):
        return True
    order = signature.positional
    return number < len(order) and (order[number] == torch or torch not in signature.defaults)


def rewritten(given: Given, keyword: str | None, node: cst.BaseExpression) -> cst.Arg:
    """The argument with another name or value, and the blanks that it had."""
    arg = given.arg
    if keyword is None:
        return arg.with_changes(value=node, keyword=None)
    if arg.keyword is None:
        tight_equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        return arg.with_changes(value=node, keyword=cst.Name(keyword), equal=tight_equal)
    return arg.with_changes(value=node, keyword=arg.keyword.with_changes(value=keyword))


def extended(args: list[cst.Arg], more: Sequence[tuple[str, cst.BaseExpression]]) -> list[cst.Arg]:
    """Further keyword arguments at the end, in the way in which the others are separated."""
    made = list(args)
    for keyword, node in more:
        comma: Any = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        last: Any = cst.MaybeSentinel.DEFAULT
        if made:
            last = made[-1].comma
            before = made[-2].comma if len(made) > 1 else None
            if isinstance(before, cst.Comma):
                comma = before
            made[-1] = made[-1].with_changes(comma=comma)
        tight_equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        made.append(cst.Arg(node, keyword=cst.Name(keyword), equal=tight_equal, comma=last))
    return made


def without(args: Sequence[tuple[cst.Arg, cst.Arg | None]]) -> list[cst.Arg]:
    """The arguments that stay; what stood behind the last one stands behind what is last now."""
    kept = [new for _, new in args if new is not None]
    if kept and args[-1][1] is None:
        last = args[-1][0]
        kept[-1] = kept[-1].with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
    return kept
