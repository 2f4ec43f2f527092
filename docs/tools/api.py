"""A reference page for every public name of `paddle2torch`, from its signature and docstrings."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import paddle2torch

OURS = ("convert.", "parity.", "paddle2torch.")
WORDS = {
    "en": {
        "title": "Python API",
        "intro": "Everything below is imported from `paddle2torch`; nothing is loaded until it is asked for.",
        "exception": "exception",
        "source": "Source",
    },
    "zh": {
        "title": "Python 接口",
        "intro": "下列名字都从 `paddle2torch` 导入，用到时才加载。说明取自代码里的文档字符串，保留英文原文。",
        "exception": "异常",
        "source": "源码",
    },
}


def public_names() -> list[str]:
    """The names that need a page, in the order in which they are listed."""
    return [name for name in paddle2torch.__all__ if not name.startswith("__")]


def pages(language: str) -> dict[str, str]:
    """File name -> Markdown: an index and a page a name."""
    words = WORDS[language]
    rows = [
        f"| [`{name}`]({name}.md) | {_escape(_summary(getattr(paddle2torch, name)))} |"
        for name in public_names()
    ]
    index = [f"# {words['title']}", "", words["intro"], "", "| | |", "|---|---|", *rows, ""]
    found = {"index.md": "\n".join(index)}
    for name in public_names():
        found[f"{name}.md"] = _page(name, words)
    return found


def _page(name: str, words: dict[str, str]) -> str:
    thing = getattr(paddle2torch, name)
    is_error = inspect.isclass(thing) and issubclass(thing, Exception)
    home = inspect.getmodule(thing)
    lines = [f"# {name}", ""]
    lines += [f"*{words['exception']}*", ""] if is_error else _signature(name, thing)
    lines += [_prose(thing), ""]
    if inspect.isclass(thing) and not is_error:
        for heading, text in _members(thing):
            lines += [f"## {heading}", "", text, ""]
    path = (home.__name__ if home else "paddle2torch").replace(".", "/")
    lines += [f"{words['source']}: `{path}.py`", ""]
    return "\n".join(lines)


def _signature(name: str, thing: Any) -> list[str]:
    if inspect.isclass(thing) and issubclass(thing, enum.Enum):
        return []
    signature = inspect.signature(thing)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(_parameter(parameter))
    result = signature.return_annotation
    end = "" if result is signature.empty else f" -> {result}"
    text = f"{name}({', '.join(parts)}){end}"
    if len(text) > 80:
        text = f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"
    return ["```python", text, "```", ""]


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    text = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {parameter.annotation}"
    return text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}"


def _members(thing: type) -> Iterator[tuple[str, str]]:
    """The public attributes and methods that say what they are."""
    if issubclass(thing, enum.Enum):
        for member in thing:
            yield f"`{member.name}`", f"`{member.value!r}`"
    notes: dict[str, str] = {}
    members: dict[str, Any] = {}
    for each in reversed([each for each in thing.__mro__ if each.__module__.startswith(OURS)]):
        notes |= _attribute_notes(each) | _choices(each)
        members |= vars(each)
    for name, value in members.items():
        if name.startswith("_") or name in getattr(thing, "__members__", {}):
            continue
        if isinstance(value, property):
            result = inspect.signature(value.fget).return_annotation if value.fget else "Any"
            yield f"`{name}`", "\n".join(["```python", f"{name}: {result}", "```", "", _prose(value)])
        elif callable(getattr(value, "__func__", value)) and inspect.getdoc(value):
            function = getattr(value, "__func__", value)
            yield f"`{name}()`", "\n".join([*_signature(name, function), _prose(function)])
    for name, text in notes.items():
        yield f"`{name}`", text


def _choices(thing: type) -> dict[str, str]:
    """Field -> the values of the enumeration that it takes, each with what it means."""
    found = {}
    for field in dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else ():
        if isinstance(field.default, enum.Enum):
            said = _attribute_notes(type(field.default))
            rows = [
                f"- `{member.value}`{': ' * (member.name in said)}{said.get(member.name, '')}"
                for member in type(field.default)
            ]
            found[field.name] = "\n".join(rows)
    return found


def _attribute_notes(thing: type) -> dict[str, str]:
    """What stands below a field or a member in the source, as a string of its own."""
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        return {}
    found = re.findall(r'^    (\w+)(?::| = )[^\n]*\n    """(.*?)"""', source, re.MULTILINE | re.DOTALL)
    return {name: re.sub(r"\s+", " ", text) for name, text in found if not name.startswith("_")}


def _summary(thing: Any) -> str:
    text = re.split(r"(?<=[.:])\s", inspect.getdoc(thing) or "", maxsplit=1)[0]
    return re.sub(r"\s+", " ", text)


def _prose(thing: Any) -> str:
    """The docstring as Markdown: indented parts are code, what is said of a parameter is an item of a list."""
    text = inspect.getdoc(thing) or ""
    lines = [line if line.startswith("    ") else _escape(line) for line in text.splitlines()]
    if not inspect.isroutine(thing):
        return "\n".join(lines)
    names = "|".join(map(re.escape, inspect.signature(thing).parameters))
    summary, _, rest = "\n".join(lines).partition("\n")
    rest = re.sub(rf"(?:^|(?<=\. )|\n)({names}): ", r"\n- `\1`: ", rest)
    return summary + "\n" + re.sub(r"\n(?=[A-Z`])", "\n\n", rest)


def _escape(text: str) -> str:
    """Keep <, *, | and [ out of HTML and Markdown, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<*_|\[\]])", r"\\\1", p) for p in parts)
