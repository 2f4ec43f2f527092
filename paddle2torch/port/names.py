"""Which local name stands for what, and which imports the port needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from paddle2torch.port.knowledge import canonical, known, module
from paddle2torch.port.templates import code_of

LIKE_PADDLE = "torch_models.like_paddle"
"""The module with what torch lacks."""


@dataclass(frozen=True)
class Imported:
    """A local name that an import of Paddle's binds."""

    local: str
    paddle: str
    """What it is, dotted without `paddle.`; "" is Paddle itself."""
    renamed: bool
    """Whether it was given a name with `as`."""


@dataclass
class Names:
    """The imports of one file: read from the source, and what the port uses of them."""

    imported: dict[str, Imported] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Local names of which the torch counterpart is needed."""
    kept: set[str] = field(default_factory=set)
    """Local names that code which stays Paddle needs as they are."""
    read: set[str] = field(default_factory=set)
    """Local names that the source uses at all."""
    extra: set[tuple[str, str]] = field(default_factory=set)
    """(module, name) of further imports; ("torch", "") is the package."""
    attributes: bool = False
    """Whether a parameter of the file has a rate or decay of its own."""
    defined: Mapping[str, str] = field(default_factory=dict)
    """Names that the file binds in any scope where the port's would be looked up, and what they are, dotted; "" is the file's own."""

    def learn(self, local: str, paddle: str, renamed: bool) -> None:
        self.imported[local] = Imported(local, canonical(paddle) if paddle else "", renamed)

    def torch_of(self, imported: Imported) -> str | None:
        """What the local name's counterpart is in torch, dotted without `torch.`; None if it has none."""
        if imported.paddle == "":
            return ""
        if module(imported.paddle) is not None:
            return module(imported.paddle)
        found = known(imported.paddle)
        return (found.torch or None) if found is not None else None

    def local_of(self, imported: Imported) -> str:
        """What the counterpart is called in the port: a name that the user chose stays."""
        torch = self.torch_of(imported)
        if imported.renamed or torch is None:
            return imported.local if imported.local != "paddle" else "torch"
        if torch == "":
            return "torch"
        if module(imported.paddle) is not None:
            return imported.local
        last = torch.rpartition(".")[2]
        return imported.local if self._taken(last, _whole(torch)) else last

    def shown(self) -> dict[str, str]:
        """The names that torch's imports bind, and what they are."""
        imported = [self.imported[name] for name in self.used]
        return {self.local_of(i): _whole(self.torch_of(i) or "") for i in imported}

    def called(self, where: str, name: str) -> str:
        """What a further import is called: by its own name, unless the file has that for something else."""
        if not self._taken(name, f"{where}.{name}"):
            return name
        return f"{'paddle' if where == LIKE_PADDLE else where}_{name}"

    def _taken(self, name: str, whole: str) -> bool:
        return self.defined.get(name, whole) != whole

    def _modules(self) -> Iterator[tuple[str, Imported]]:
        for imported in self.imported.values():
            torch = self.torch_of(imported)
            if torch is not None and (imported.paddle == "" or module(imported.paddle) is not None):
                yield torch, imported

    def refer(self, torch: str, root: str = "") -> cst.BaseExpression:
        """An expression for a name of torch's; `root` is the local name with which Paddle's was written."""
        if torch.startswith("like_paddle."):
            return self.helper(torch.removeprefix("like_paddle."))
        source = self.imported.get(root)
        if source is not None and self.torch_of(source) == torch and (module(source.paddle) is None):
            self.used.add(root)
            return cst.Name(self.local_of(source))
        best: tuple[int, int, str, Imported] | None = None
        for prefix, imported in self._modules():
            if prefix in ("", torch) or torch.startswith(prefix + "."):
                if prefix == "" and torch.startswith("torchvision"):
                    continue
                # Shorter is better: the longest module; of two, the one that was written.
                rank = (len(prefix), imported.local == root, imported.local, imported)
                if best is None or rank[:3] > best[:3]:
                    best = rank
        if best is None:
            self.extra.add(("torchvision" if torch.startswith("torchvision") else "torch", ""))
            return _dotted(_whole(torch))
        prefix, imported = self.torch_of(best[3]) or "", best[3]
        self.used.add(imported.local)
        rest = torch[len(prefix) :].lstrip(".")
        return _dotted(".".join(filter(None, (self.local_of(imported), rest))))

    def helper(self, name: str) -> cst.BaseExpression:
        """A function of the module with what torch lacks."""
        return self.library(LIKE_PADDLE, name)

    def library(self, package: str, name: str) -> cst.BaseExpression:
        """A name of Python's own library."""
        self.extra.add((package, name))
        return cst.Name(self.called(package, name))

    def keep(self, node: cst.CSTNode) -> None:
        """Every name of Paddle's in `node` stays in use."""
        for name in _names(node):
            if name in self.imported:
                self.kept.add(name)


def _names(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    for child in node.children:
        yield from _names(child)


def _dotted(name: str) -> cst.BaseExpression:
    parts = name.split(".")
    node: cst.BaseExpression = cst.Name(parts[0])
    for part in parts[1:]:
        node = cst.Attribute(node, cst.Name(part))
    return node


def dotted(node: cst.BaseExpression) -> str:
    """`nn.initializer.Uniform`; "" where it is no chain of names."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr.value}" if before else ""
    return ""


# --- imports of the port ---


def translated(statement: cst.Import | cst.ImportFrom, names: Names) -> list[cst.Import | cst.ImportFrom]:
    """The imports in the place of one of Paddle's: torch's, and Paddle's where code still needs it."""
    aliases = () if isinstance(statement.names, cst.ImportStar) else statement.names
    kept = [a for a in aliases if local(statement, a) in names.kept]
    moved: dict[str, list[cst.ImportAlias]] = {}
    made: list[cst.Import | cst.ImportFrom] = []
    for alias in aliases:
        name = local(statement, alias)
        imported = names.imported.get(name)
        if imported is None or not _wanted(name, names):
            continue
        torch = names.torch_of(imported)
        if torch is None or torch.startswith("like_paddle."):
            continue
        if isinstance(statement, cst.Import):
            dotted_name = _whole(
                torch if alias.asname or "." not in dotted(alias.name) else _module_of(alias)
            )
            made.append(
                statement.with_changes(
                    names=[alias.with_changes(name=_dotted(dotted_name), comma=cst.MaybeSentinel.DEFAULT)]
                )
            )
            continue
        where, _, last = torch.rpartition(".") if torch else ("", "", "")
        if torch in ("", "torchvision"):
            made.append(cst.Import(names=[cst.ImportAlias(cst.Name(_whole(torch)))]))
            continue
        shown = names.local_of(imported)
        asname = None if shown == last else cst.AsName(cst.Name(shown))
        moved.setdefault(_whole(where), []).append(cst.ImportAlias(cst.Name(last), asname))
    for where, parts in moved.items():
        assert isinstance(statement, cst.ImportFrom)
        fewer = len(parts) < len(aliases)
        made.append(_from(statement, where, parts, fewer))
    if kept:
        made.insert(
            0, statement if len(kept) == len(aliases) else statement.with_changes(names=_separated(kept))
        )
    return made


def _wanted(name: str, names: Names) -> bool:
    return name in names.used or name not in names.read


def _module_of(alias: cst.ImportAlias) -> str:
    return module(canonical(dotted(alias.name).partition(".")[2])) or ""


def _whole(torch: str) -> str:
    """The dotted name with its package."""
    if torch.startswith("like_paddle."):
        return f"torch_models.{torch}"
    return torch if torch.startswith("torchvision") else f"torch.{torch}".removesuffix(".")


def _from(statement: cst.ImportFrom, where: str, parts: list[cst.ImportAlias], fewer: bool) -> cst.ImportFrom:
    seen: dict[str, cst.ImportAlias] = {}
    for part in parts:
        seen.setdefault(code_of(part), part)
    changed = statement.with_changes(
        module=_dotted(where), relative=(), names=_separated(list(seen.values()))
    )
    return changed.with_changes(lpar=None, rpar=None) if fewer or len(seen) < len(parts) else changed


def _separated(aliases: list[cst.ImportAlias]) -> list[cst.ImportAlias]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = len(aliases) - 1
    return [
        a.with_changes(comma=cst.MaybeSentinel.DEFAULT if i == last else comma) for i, a in enumerate(aliases)
    ]


def local(statement: cst.Import | cst.ImportFrom, alias: cst.ImportAlias) -> str:
    """The local name that an alias binds."""
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    name = dotted(alias.name)
    return name.partition(".")[0] if isinstance(statement, cst.Import) else name


def additional(names: Names) -> tuple[list[str], list[str], list[str]]:
    """Further imports as lines: Python's own, torch's, and ours."""
    library, torch, ours = [], [], []
    helpers = []
    for where, name in sorted(names.extra):
        if not name:
            torch.append(f"import {where}")
            continue
        called = names.called(where, name)
        listed = name if called == name else f"{name} as {called}"
        if where == LIKE_PADDLE:
            helpers.append(listed)
        else:
            library.append(f"from {where} import {listed}")
    if helpers:
        ours.append(f"from {LIKE_PADDLE} import {', '.join(helpers)}")
    return library, torch, ours
