"""What each name of the table takes, in order and with its defaults, as both installed frameworks say it.

    python -m parity.rosetta.signatures        # writes convert/rosetta/signatures.json

The porter binds a call's arguments by these, and sees which defaults differ; it runs where no framework is installed.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from convert.rosetta.rows import Kind
from convert.rosetta.signatures import FILE, named
from convert.rosetta.table import TABLE


def reached(root: Any, name: str) -> Any:
    """The object of a dotted name; None if there is none."""
    for part in name.split("."):
        root = getattr(root, part, None)
    return root


def told(target: Any, *, receiver: bool = False) -> str | None:
    """`x, axis=0, *, name=None`: what can be called with what; None where nothing says it.

    receiver: of a method, what it is called on stands first.
    """
    function = target.__init__ if inspect.isclass(target) else target
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return _documented(target)
    parameters = [
        p.replace(annotation=p.empty, default=_plain(p.default))
        for p in signature.parameters.values()
        if receiver or p.name != "self"
    ]
    if [p.kind for p in parameters] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
        return _documented(target) or "*args, **kwargs"
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))[1:-1]


class _Other:
    def __repr__(self) -> str:
        return "..."


def _plain(default: Any) -> Any:
    if default is inspect.Parameter.empty or isinstance(default, (bool, int, float, str, type(None))):
        return default
    if isinstance(default, (tuple, list)) and all(isinstance(v, (bool, int, float, str)) for v in default):
        return default
    return _Other()


def _as_called(text: str, name: str, schemas: Iterable[Any]) -> str:
    """A documented signature with a star in front of what no form of the function takes by its place: `gelu(input, *, approximate)`."""
    forms = [s for s in schemas if s.name.removeprefix("aten::") == name.rpartition(".")[2]]
    places = {a.name for s in forms for a in s.arguments if not a.kwarg_only}
    named = {a.name for s in forms for a in s.arguments if a.kwarg_only} - places
    parts = [part.strip() for part in text.split(", ")]
    behind = next((i for i, part in enumerate(parts) if re.split(r"\W", part)[0] in named), None)
    if behind is None or any(part.startswith("*") for part in parts[:behind]):
        return text
    return ", ".join([*parts[:behind], "*", *(p for p in parts[behind:] if p != "*")])


def _documented(target: Any) -> str | None:
    """The longest signature that a function of C++ has at the beginning of a line of its documentation."""
    text = getattr(target, "__doc__", None) or ""
    name = getattr(target, "__name__", "")
    pattern = rf"^\s*(?:\.\. function:: )?(?:\w+\.)*{re.escape(name)}\s*\((.*?)\)\s*(?:->|:|\n|$)"
    found = (_python(inside) for inside in re.findall(pattern, text, re.DOTALL | re.MULTILINE))
    return max((inside for inside in found if inside is not None), key=len, default=None)


def _python(inside: str) -> str | None:
    """`Tensor input, *size, *, out=None` as Python would write it; None where it is none."""
    inside = re.sub(r"\s+", " ", inside).strip()
    if inside.startswith("values"):  # what it returns
        return None
    inside = re.sub(r"\b(?:Tensor|int|bool|float)\s+(?=\w)", "", inside)
    inside = re.sub(r"(\*\w+), \*,", r"\1,", inside)
    inside = re.sub(r"=(torch\.\w+|<[^>]*>)", "=...", inside)
    try:
        ast.parse(f"def f({inside}): ...")
    except SyntaxError:
        return None
    return inside


def collected() -> dict[str, Any]:
    """Both frameworks' signatures of all the names of the table, and what their tensors have."""
    from parity.rosetta import paddle_side, torch_side

    paddle, torch = paddle_side.FRAMEWORK, torch_side.FRAMEWORK
    vision = torch_side.vision()
    found: dict[str, dict[str, str]] = {"paddle": {}, "torch": {}}
    for row in TABLE:
        if row.kind is Kind.IDIOM:
            continue
        for side, root, name in (("paddle", paddle, row.paddle), ("torch", torch, row.torch)):
            if not name or name.startswith("PIL."):
                continue
            where = (
                (vision, name.removeprefix("torchvision."))
                if name.startswith("torchvision.")
                else (root, name)
            )
            target = reached(*where)
            text = (
                None
                if target is None
                else told(target, receiver=side == "paddle" and name.startswith("Tensor."))
            )
            if text is not None:
                found[side][name] = text
    for name in sorted(dir(torch.Tensor)):
        text = None if name.startswith("_") else told(getattr(torch.Tensor, name))
        if text is not None:
            found["torch"][f"Tensor.{name}"] = text.removeprefix("self, ").removeprefix("self")
    schemas = torch._C._jit_get_all_schemas()
    for name, text in found["torch"].items():
        if not inspect.isfunction(reached(torch, name)):
            found["torch"][name] = _as_called(text, name, schemas)
    for name in named():
        target = reached(paddle, name)
        text = None
        if target is not None and name not in found["paddle"]:
            text = told(target, receiver=name.startswith("Tensor."))
        if text is not None:
            found["paddle"][name] = text
    return {
        **{side: dict(sorted(names.items())) for side, names in found.items()},
        "paddle tensor": _public(paddle.Tensor),
        "torch tensor": _public(torch.Tensor),
        "paddle layer": _public(paddle.nn.Layer()),
        "torch layer": _public(torch.nn.Module()),
        "paddle optimizer": _open(paddle.optimizer.Optimizer),
        "paddle scheduler": _open(paddle.optimizer.lr.LRScheduler),
        "paddle scaler": _open(paddle.amp.GradScaler),
        "elsewhere": sorted(
            {n for kind in (list, dict, str, set, int, float, tuple, bytes) for n in _public(kind)}
            | set(_public(_array()))
            | {n for kind in _others(paddle) for n in _open(kind)}
        ),
    }


def _others(paddle: Any) -> Iterator[type]:
    """The classes of Paddle's whose objects a training program has besides these."""
    yield from (paddle.io.DataLoader, paddle.metric.Metric, paddle.Model, paddle.distribution.Distribution)


def _array() -> Any:
    import numpy as np

    return np.ndarray


def _open(kind: Any) -> list[str]:
    return [name for name in _public(kind) if not name.startswith("_")]


def _public(kind: Any) -> list[str]:
    return sorted(name for name in dir(kind) if not name.startswith("__"))


if __name__ == "__main__":
    Path(FILE).write_text(json.dumps(collected(), indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
