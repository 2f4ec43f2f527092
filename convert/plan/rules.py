"""Rules for names that cannot be found: a TOML file, written by hand or by `--save-rules`.

[[rule]]
source = 'features\\.denseblock(\\d+)\\.norm\\.1\\.(.*)'   # matches a whole Paddle name
target = 'features.denseblock\\1.norm1.\\2'               # left out: the tensor is dropped
transform = "copy"                                       # left out: the layer's own; see `convert.plan.transform`
reason = "the old official key names"
optional = true                                          # left out: a rule that is about no tensor is an error

[[rule]]
target = 'anchors|embed\\.weight'                       # of torch's keys, a regular expression without a source
fill = "keep"                                            # zeros, ones, or keep: torch's own value; where tensors fill
                                                         # a part of the target, the rest of it
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from convert.checkpoint.source import read_text
from convert.errors import ConvertError
from convert.names import shown
from convert.plan.plan import KEEP
from convert.plan.transform import HOW, is_transform

if TYPE_CHECKING:
    from convert.plan.plan import ConversionPlan

BYTES_MOST = 20_000_000
_QUOTED = re.compile(r"""'{3}.*?'{3}|"{3}.*?"{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_DOTS_MOST = 8
"""Outside of texts: what reads TOML takes memory by the square of a key's parts."""
_FIELDS = ("source", "target", "transform", "reason")
_OPTIONAL = "optional"


@dataclass(frozen=True)
class Rule:
    """One rule: Paddle names that `source` matches whole go to `target`, or are dropped when it is None."""

    source: str
    target: str | None
    transform: str | None
    reason: str
    found_by: str = "rule"
    """What a plan calls it: a rule that was found rather than written says how."""
    optional: bool = False
    """Whether it may be about no tensor."""
    fill: str = ""
    """`zeros`, `ones` or `keep`: what the torch keys that `target` matches whole get, as far as no tensor fills them."""

    @property
    def literal(self) -> tuple[str, str] | None:
        """Source and target where the rule is about one name; None for a pattern, and for what is dropped."""
        if self.name is None or self.target is None:
            return None
        return self.name, self.target.replace("\\\\", "\\")

    @cached_property
    def name(self) -> str | None:
        """The one name that `source` matches; None for a pattern."""
        return _name_of(self.source)

    @cached_property
    def _filled(self) -> str | None:
        """The one key that `target` matches where it is filled; None for a pattern."""
        return _name_of(self.target or "")

    def is_about(self, names: Collection[str]) -> bool:
        """Whether it speaks about one of the names, which are a set or a dictionary: a rule about one name does not go through them."""
        if self.fill or self.name is None:
            return any(map(self.matches, names))
        return self.name in names

    def apply(self, name: str) -> str | None:
        """The target of `name`, or None when it does not match or is to be dropped (see `matches`)."""
        if self.name is not None and self.target is not None and "\\" not in self.target:
            return self.target if name == self.name else None
        match = re.fullmatch(self.source, name)
        return match.expand(self.target) if match is not None and self.target is not None else None

    def matches(self, name: str) -> bool:
        """Whether the rule speaks about the Paddle tensor `name`."""
        if self.fill:
            return False
        return name == self.name if self.name is not None else re.fullmatch(self.source, name) is not None

    def fills(self, key: str) -> bool:
        """Whether the rule says what the torch key `key` gets where no tensor fills it."""
        if not self.fill or self._filled is not None:
            return bool(self.fill) and key == self._filled
        return re.fullmatch(self.target or "", key) is not None


def _name_of(pattern: str) -> str | None:
    """The only text that a regular expression matches whole, where it is the escaped text; None for any other."""
    name = _ESCAPED.sub(r"\1", pattern)
    return name if re.escape(name) == pattern else None


def load_rules(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """The rules of a TOML file, in order; ConvertError says which rule is wrong and how."""
    table = _parse(path, read_text(path, BYTES_MOST))
    rules = table.pop("rule", [])
    if table or not isinstance(rules, list):
        raise ConvertError(f"{path}: rules are [[rule]] tables, and nothing else belongs in the file")
    return tuple(_rule(path, number, entry) for number, entry in enumerate(rules, 1))


def dump_rules(rules: Iterable[Rule]) -> str:
    """Rules as TOML text that `load_rules` reads."""
    lines = [
        "# Which Paddle tensor is which torch tensor; `source` is a regular expression for the whole name."
    ]
    for rule in rules:
        lines += ["", "[[rule]]", *([] if rule.fill else [f"source = {_quote(rule.source)}"])]
        lines += [
            f"{name} = {_quote(value)}" for name in _FIELDS[1:] if (value := getattr(rule, name)) is not None
        ]
        lines += [f"fill = {_quote(rule.fill)}"] * bool(rule.fill)
        lines += [f"{_OPTIONAL} = true"] * rule.optional
    return "\n".join(lines) + "\n"


def exact_rule(source: str, target: str | None, transform: str | None, reason: str) -> Rule:
    """A rule for one name, taken literally."""
    literal = None if target is None else target.replace("\\", "\\\\")
    return Rule(re.escape(source), literal, transform, reason)


def rules_of_plan(plan: ConversionPlan) -> list[Rule]:
    """What a plan found, as rules that lead to the same plan."""
    rules = [exact_rule(move.source, move.target, move.transform, move.why) for move in plan.moves]
    dropped = (drop for drop in plan.dropped if not drop.same_as)  # another name of what moves is found again
    rules += [exact_rule(drop.name, None, None, drop.why) for drop in dropped]
    fills = (fill for fill in plan.generated if fill.rule)
    return rules + [Rule("", re.escape(fill.name), None, fill.why, fill=fill.rule) for fill in fills]


def _rule(path: object, number: int, entry: Any) -> Rule:
    where = f"{path}: rule {number}"
    if isinstance(entry, dict) and "fill" in entry:
        return _fill_rule(where, entry, f"rule {number} of {path}")
    if not isinstance(entry, dict) or not isinstance(entry.get("source"), str):
        raise ConvertError(f"{where} has no source, the regular expression for Paddle's names")
    optional = entry.pop(_OPTIONAL, False)
    if not isinstance(optional, bool):
        raise ConvertError(f"{where}: {_OPTIONAL} is true or false")
    unknown = [name for name in entry if name not in _FIELDS]
    if unknown or not all(isinstance(value, str) for value in entry.values()):
        raise ConvertError(f"{where}: use only {', '.join(_FIELDS)}, each a text, and {_OPTIONAL}")
    transform = entry.get("transform")
    if transform is not None and not is_transform(transform):
        raise ConvertError(f"{where}: transform is {HOW}, not {shown(transform)!r}")
    rule = Rule(
        entry["source"],
        entry.get("target"),
        transform,
        entry.get("reason", f"rule {number} of {path}"),
        optional=optional,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what `[[` may mean in another Python
            re.compile(rule.source)
            if rule.target is not None:
                re.compile(rule.source + "|").fullmatch("").expand(rule.target)  # type: ignore[union-attr]
    except (re.error, IndexError, OverflowError) as error:
        raise ConvertError(f"{where}: {error}") from None
    except RecursionError:
        raise ConvertError(f"{where}: its source is nested too deeply") from None
    return rule


FILLS: dict[str, int | str] = {"zeros": 0, "ones": 1, "keep": KEEP}


def _fill_rule(where: str, entry: dict[str, Any], reason: str) -> Rule:
    known = {"fill", "target", "reason", _OPTIONAL}
    if entry["fill"] not in FILLS or not isinstance(entry.get("target"), str) or set(entry) - known:
        raise ConvertError(
            f"{where}: a rule that fills has a target, the regular expression for torch's keys, fill = {', '.join(FILLS)}, and "
            "no source"
        )
    try:
        re.compile(entry["target"])
    except (re.error, OverflowError, RecursionError) as error:
        raise ConvertError(f"{where}: {error}") from None
    optional = entry.get(_OPTIONAL, False) is True
    return Rule("", entry["target"], None, entry.get("reason", reason), optional=optional, fill=entry["fill"])


def _parse(path: object, text: str) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        raise ConvertError(f"{path}: reading rules needs Python 3.11 or newer") from None
    if any(line.count(".") > _DOTS_MOST for line in _QUOTED.sub("", text).splitlines()):
        raise ConvertError(f"{path}: rules have no keys of many parts")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise ConvertError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConvertError(f"{path}: not valid TOML: nested too deeply") from None


def _quote(text: str) -> str:
    """A TOML string; JSON's escapes are all valid TOML."""
    return f"'{text}'" if text.isprintable() and "'" not in text else json.dumps(text)
