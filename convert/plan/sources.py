"""Which Paddle keys take part in a conversion, and under which names they are matched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from convert.plan.plan import Drop, Options, Problem, Shape, nearest_names
from convert.rosetta.layers import role_of_parameter_name


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
    for name in shapes:
        if options.include and not any(fnmatchcase(name, pattern) for pattern in options.include):
            dropped.append(Drop(name, f"not included by {', '.join(options.include)}"))
            continue
        pattern = next((pattern for pattern in options.exclude if fnmatchcase(name, pattern)), None)
        if pattern is not None:
            dropped.append(Drop(name, f"excluded by {pattern}"))
            continue
        matched = options.add_prefix + _by_role(name).removeprefix(options.strip_prefix)
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


def advice(
    free: Collection[str], wanted: Collection[str], problems: Collection[Problem], options: Options
) -> tuple[str, list[str]]:
    """The option with which everything would fit ("" for none), and what else may help.

    `free` are names that are left over, as they are matched, and `wanted` those that are waited for.
    """
    kinds = {problem.kind for problem in problems}
    notes: list[str] = []
    hint = _hint_prefix(free, wanted)
    if hint:
        notes.append(hint)
    elif wanted and free and not options.match:
        notes.append(
            "where only the names differ: --match structure pairs layers by what they hold, --match run by "
            "running both models, and --rules FILE says it"
        )
    if "shape" in kinds or (wanted and (options.include or options.exclude)):
        notes.append("--partial converts the rest, and leaves what does not fit as it is in torch")
    return hint if kinds <= {"missing", "extra"} else "", notes


def _hint_prefix(names: Collection[str], wanted: Collection[str]) -> str:
    """The option to add when one prefix explains every difference between names and those that are waited for."""
    first = next(iter(names), "")
    for key in wanted if first else ():
        if first.endswith("." + key):
            prefix = first.removesuffix(key)
            if {name.removeprefix(prefix) for name in names} == set(wanted):
                return f"every key fits without its prefix: add --strip-prefix {prefix}"
        elif key.endswith("." + first):
            prefix = key.removesuffix(first)
            if {prefix + name for name in names} == set(wanted):
                return f"every key fits with a prefix: add --add-prefix {prefix}"
    return ""
