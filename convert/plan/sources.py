"""Which Paddle keys take part in a conversion, and under which names they are matched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from convert.plan.plan import Drop, Options, Problem, Shape, nearest_names
from convert.rosetta.layers import role_of_parameter_name

_SHOWN = 4
"""Prefixes and patterns that a hint names."""
_PREFIXES = 12
"""Beginnings of names that are tried as a prefix, those of most tensors first."""


@dataclass(frozen=True)
class Chosen:
    """`names`: the name that a key is matched under -> the key; and what does not take part."""

    names: Mapping[str, str]
    dropped: tuple[Drop, ...]
    problems: tuple[Problem, ...]


def choose_sources(shapes: Mapping[str, Shape], options: Options) -> Chosen:
    """What the patterns leave, with prefixes changed; a pattern or prefix that is about nothing is a problem."""
    names: dict[str, str] = {}
    dropped: list[Drop] = []
    problems: list[Problem] = []
    by_role = _static_role if _is_static(shapes) else _by_role
    for name in shapes:
        if options.include and not any(fnmatchcase(name, pattern) for pattern in options.include):
            dropped.append(Drop(name, f"not included by {', '.join(options.include)}"))
            continue
        pattern = next((pattern for pattern in options.exclude if fnmatchcase(name, pattern)), None)
        if pattern is not None:
            dropped.append(Drop(name, f"excluded by {pattern}"))
            continue
        matched = options.add_prefix + by_role(name).removeprefix(options.strip_prefix)
        if matched in names:
            both = f"{names[matched]!r} and {name!r} are both {matched!r} once the prefix is changed"
            problems.append(Problem("extra", name, both))
        names[matched] = name
    return Chosen(names, tuple(dropped), (*problems, *_about_nothing(shapes, options)))


def _about_nothing(shapes: Mapping[str, Shape], options: Options) -> list[Problem]:
    found = []
    prefix = options.strip_prefix
    if prefix and not any(_by_role(name).startswith(prefix) for name in shapes):
        near = nearest_names(prefix, shapes)
        found.append(Problem("empty", prefix, f"--strip-prefix {prefix}: no tensor's name begins so", near))
    for option, patterns in (("include", options.include), ("exclude", options.exclude)):
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in shapes):
                near = nearest_names(pattern.replace("*", ""), shapes)
                found.append(Problem("empty", pattern, f"--{option} {pattern} matches no tensor", near))
    return found


def _by_role(name: str) -> str:
    """`name`, or when it is a parameter's automatic name `conv2d_0.weight` for `conv2d_0.w_0`."""
    role = role_of_parameter_name(name)
    return name if role is None else name[: name.rindex(".") + 1] + role


_STATIC = {
    "_weights": "weight",
    "_scale": "weight",
    "_offset": "bias",
    "_bias": "bias",
    "_mean": "_mean",
    "_variance": "_variance",
}
"""How the networks of Paddle 1.x name what a layer holds (`conv1_weights`, `bn_conv1_scale`) -> Paddle's role today."""


def _static_role(name: str) -> str:
    """`name` of a network of Paddle 1.x with its role behind a dot: `bn_conv1._mean` for `bn_conv1_mean`."""
    ending = next((ending for ending in _STATIC if name.endswith(ending)), None)
    return _by_role(name) if ending is None else f"{name.removesuffix(ending)}.{_STATIC[ending]}"


def _is_static(names: Collection[str]) -> bool:
    """Whether the names are those of a network of Paddle 1.x: no dots but in automatic names, and its endings."""
    plain, endings = False, tuple(_STATIC)
    for name in names:
        if "." not in name and name.endswith(endings):
            plain = True
        elif role_of_parameter_name(name) is None:
            return False
    return plain


def advice(
    free: Mapping[str, Shape],
    wanted: Mapping[str, Shape],
    problems: Collection[Problem],
    options: Options,
    used: Collection[str] = (),
) -> tuple[str, list[str]]:
    """What to say instead of all problems: the option with which everything would fit, or that nothing does ("" for neither);
    and what else may help.

    `free` are names that are left over, as they are matched, and `wanted` those that are waited for, with their shapes;
    `used` are the file's names that have their place.
    """
    kinds = {problem.kind for problem in problems}
    notes: list[str] = []
    hint = prefix_advice(free, wanted, used) or ("" if used else _prefix_of_rules(free, options))
    if hint:
        notes.append(hint)
    elif wanted and free and not used and kinds <= {"missing", "extra"} and _alike(free, wanted) < _OTHER:
        return (
            f"it is another network's: {_shapes_found(free, wanted)}; `paddle2torch inspect` shows what the file holds and what "
            "it looks like, --torch net.py:Net names your own network, and `paddle2torch convert --dry-run` lists every key"
        ), notes
    elif wanted and free and not options.match:
        notes.append(
            "where only the names differ: --match structure pairs layers by what they hold, --match run by "
            "running both models, and --rules FILE says it"
            if _alike(free, wanted) >= _RENAMED
            else f"more than the names differs: {_shapes_found(free, wanted)}; --match run pairs what fits, and --rules FILE "
            "says the rest"
        )
    if not hint and wanted and not used:
        notes += filter(None, [_several_models(free, wanted)])
    if kinds == {"extra"} and used:
        extra = [problem.name for problem in problems]
        notes += filter(None, [exclude_advice(extra, used)])
    chosen = options.include or options.exclude or (used and options.match)
    if "shape" in kinds or (wanted and chosen):
        notes.append("--partial converts the rest, and leaves what does not fit as it is in torch")
    return hint if kinds <= {"missing", "extra", "rule"} else "", notes


_RENAMED, _OTHER = 0.8, 0.1
"""Shares of the tensors that are waited for whose shapes are there: from where on names may be all that differs, and below which
nothing fits."""


def _found(free: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> int:
    """How many of the tensors that are waited for have the shape of one that is left over, each taken once."""
    there, asked = (Counter(tuple(sorted(shape)) for shape in side.values()) for side in (free, wanted))
    return (there & asked).total()


def _alike(free: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> float:
    return _found(free, wanted) / len(wanted)


def _shapes_found(free: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> str:
    count = _found(free, wanted)
    has = f"{count} have" if count > 1 else f"{count or 'none'} has"
    return f"of the {len(wanted)} missing tensors {has} the shape of an extra one"


def prefix_advice(names: Collection[str], wanted: Collection[str], used: Collection[str] = ()) -> str:
    """The options with which every name that is waited for is there, because a prefix is all that differs; or "".

    A file may hold the model several times, each under a prefix of its own (a distilled one: `Student.`, `Teacher.`).
    """
    there, key = set(names), next(iter(wanted), "")
    if not there or not key:
        return ""
    before = sorted({name.removesuffix(key) for name in there if name.endswith("." + key)})
    fitting = [prefix for prefix in before if all(prefix + other in there for other in wanted)]
    if len(fitting) == 1 and len(there) == len(wanted):
        return f"every key fits without its prefix: add --strip-prefix {fitting[0]}"
    if fitting and not used:
        each = " each hold" if len(fitting) > 1 else " hold"
        named = " and ".join(f"{one}*" for one in fitting[:_SHOWN])
        return f"the names {named}{each} the whole model: add {_one_of(fitting)}"
    first = min(there)
    for prefix in sorted({other.removesuffix(first) for other in wanted if other.endswith("." + first)}):
        if {prefix + name for name in there} == set(wanted):
            return f"every key fits with a prefix: add --add-prefix {prefix}"
    return ""


def _prefix_of_rules(names: Collection[str], options: Options) -> str:
    """The prefix without which every rule of the user is about a tensor, where as they are none is; or ""."""
    rules = [rule for rule in options.rules if not (rule.fill or rule.optional)]
    if not rules or any(rule.is_about(names) for rule in rules):
        return ""
    begins = Counter(begin for name in names for begin in beginnings(name))
    fitting = []
    for prefix, count in begins.most_common(_PREFIXES):
        within = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
        if all(rule.is_about(within) for rule in rules):
            if count == len(names):
                return f"every rule is about a tensor without its prefix: add --strip-prefix {prefix}"
            fitting.append(prefix)
    return f"every rule is about a tensor without a prefix: add {_one_of(sorted(fitting))}" if fitting else ""


def _one_of(prefixes: Sequence[str]) -> str:
    """The options that choose one of the models of a file."""
    return ", or ".join(f"--strip-prefix {one} --include '{one}*'" for one in prefixes[:_SHOWN])


def beginnings(name: str) -> list[str]:
    """`backbone.` and `backbone.conv.` of `backbone.conv.weight`."""
    return [name[: at + 1] for at, letter in enumerate(name) if letter == "."]


def _several_models(free: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> str:
    """Which of the names' beginnings hold tensors of all shapes that are waited for, each by itself; "" for fewer than two."""
    begins: dict[str, dict[str, Shape]] = {}
    for name, shape in free.items():
        begins.setdefault(name.partition(".")[0] + ".", {})[name] = shape
    large = {begin: held for begin, held in begins.items() if len(held) >= len(wanted)}
    whole = [begin for begin, held in large.items() if _found(held, wanted) == len(wanted)]
    if len(whole) < 2:
        return ""
    named = " and ".join(f"{one}*" for one in whole[:_SHOWN])
    return f"the names {named} each hold tensors of all the shapes that are missing: choose with {_one_of(whole)}"


def exclude_advice(extra: Sequence[str], used: Collection[str]) -> str:
    """The `--exclude` options that leave out just `extra`, where a few do; or ""."""
    patterns: list[str] = []
    for name in extra:
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        words = name.split(".")
        begins = [".".join(words[:count]) + "." for count in range(1, len(words))]
        free = [begin for begin in begins if not any(other.startswith(begin) for other in used)]
        patterns.append(f"{free[0]}*" if free else name)
        if len(patterns) > _SHOWN:
            return ""
    options = " ".join(f"--exclude '{pattern}'" for pattern in patterns)
    return f"everything else fits: leave the extra keys out with {options}" if patterns else ""
