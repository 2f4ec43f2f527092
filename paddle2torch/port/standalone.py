"""A port that imports nothing of ours: what torch lacks is written into the file."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import util
from pathlib import Path

from paddle2torch.port.names import LIKE_PADDLE


def included(text: str) -> str:
    """`text` with the functions that it imports from `like_paddle`, and all that they need, in the place of the import."""
    pattern = re.compile(rf"^from {re.escape(LIKE_PADDLE)} import (.+)\n", re.MULTILINE)
    found = pattern.search(text)
    if found is None:
        return text
    wanted = [part.partition(" as ") for part in found[1].split(", ")]
    pieces, imports = _everything()
    chosen = _closure([name for name, _, _ in wanted], pieces)
    body = "\n\n\n".join(piece for name, piece in pieces.items() if name in chosen)
    for old, _, new in wanted:
        if new:  # the file has the name for something else
            body = re.sub(rf"(?<![\w.]){old}\b(?!=)", new, body)
    used = [
        line for line in imports if re.search(rf"\b{line.split()[-1]}\b", body) and f"{line}\n" not in text
    ]
    header = "".join(f"{line}\n" for line in used)
    ours = f"{header}\n\n# What torch lacks, from {LIKE_PADDLE} of paddle2torch:\n{body}\n\n\n# End of it.\n"
    return text[: found.start()].rstrip("\n") + "\n" + ours + text[found.end() :]


@cache
def _everything() -> tuple[dict[str, str], list[str]]:
    """Every definition of `like_paddle`, behind those that it needs, and the imports from elsewhere."""
    spec = util.find_spec(LIKE_PADDLE)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    pieces: dict[str, str] = {}
    imports: dict[str, None] = {}
    seen = set()

    def read(module: str) -> None:
        if module in seen:
            return
        seen.add(module)
        found, lines = _pieces((folder / f"{module}.py").read_text(encoding="utf-8"))
        for line in lines:
            inner = re.match(rf"from {re.escape(LIKE_PADDLE)}\.(\w+) import ", line)
            if inner is None:
                imports[line] = None
            else:
                read(inner[1])
        pieces.update(found)

    for path in sorted(folder.glob("[!_]*.py")):
        read(path.stem)
    return pieces, list(imports)


def _pieces(source: str) -> tuple[dict[str, str], list[str]]:
    """Every definition of the module by its name, in order, and its imports."""
    lines = source.splitlines()
    pieces: dict[str, str] = {}
    imports = []
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        piece = "\n".join(lines[first - 1 : node.end_lineno])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            pieces[node.name] = piece
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            pieces[node.targets[0].id] = piece
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.append(piece)
    return pieces, imports


def _closure(names: list[str], pieces: dict[str, str]) -> set[str]:
    """The definitions of these names and of all names in them."""
    chosen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in chosen or name not in pieces:
            continue
        chosen.add(name)
        waiting += [n.id for n in ast.walk(ast.parse(pieces[name])) if isinstance(n, ast.Name)]
    return chosen
