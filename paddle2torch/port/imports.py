"""Import statements: what they bind, and what stands in their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from paddle2torch.port.names import Names, dotted, local, translated
from paddle2torch.port.values import (
    API,
    CONST,
    FOREIGN,
    IMPORTED,
    UNKNOWN,
    Scope,
    Value,
    elements,
    literal,
    of,
)

Resolver = Callable[[str, int], Scope | str | None]
"""The names of another file of the same port, of a dotted module and how many dots stand before it; the dotted name of a module of
Paddle's, which files of Paddle's import with dots; None where it is neither."""
FLUID = "paddle.fluid is Paddle 1's: bring the file to Paddle 2 first"


@dataclass
class Imports:
    """The imports of a file, while it is walked."""

    names: Names = field(default_factory=Names)
    plan: Names = field(default_factory=Names)
    """What the walk before this one needed."""
    resolve: Resolver = lambda module, level: None
    refusals: list[tuple[cst.CSTNode, str]] = field(default_factory=list)

    def bind_name(self, name: str, value: Value) -> None:
        raise NotImplementedError

    def import_statement(self, node: cst.Import | cst.ImportFrom) -> list[Any] | None:
        """The statements in its place; None where it has nothing of Paddle's."""
        if isinstance(node, cst.ImportFrom):
            return self._from(node)
        ours = False
        for alias in node.names:
            name, bound = dotted(alias.name), local(node, alias)
            if name == "paddle" or name.startswith("paddle."):
                ours = True
                if self._fluid(node, name):
                    return [node]
                self._learn(alias, bound, name.partition(".")[2] if alias.asname else "")
            else:
                found = self.resolve(name, 0)
                whole = name if alias.asname else name.partition(".")[0]
                self.bind_name(bound, of("module", found) if isinstance(found, Scope) else of(FOREIGN, whole))
        return translated(node, self.plan) if ours else None

    def _from(self, node: cst.ImportFrom) -> list[Any] | None:
        where = dotted(node.module) if node.module is not None else ""
        found = self.resolve(where, len(node.relative))
        if isinstance(found, str):
            where = found
        if (isinstance(found, str) or not node.relative) and (
            where == "paddle" or where.startswith("paddle.")
        ):
            if self._fluid(node, where):
                return [node]
            if isinstance(node.names, cst.ImportStar):
                self.refusals.append((node, "what a star takes from Paddle is not known: name what is used"))
                return [node]
            for alias in node.names:
                bound = local(node, alias)
                name = ".".join(filter(None, (where.partition(".")[2], dotted(alias.name))))
                if self._fluid(node, f"paddle.{name}"):
                    return [node]
                self._learn(alias, bound, name)
            return translated(node, self.plan)
        there = {n: v - {IMPORTED} for n, v in found.names.items()} if isinstance(found, Scope) else {}
        if isinstance(node.names, cst.ImportStar):
            shown = {
                literal(of(*atom))[0]
                for atom in elements(there.get("__all__", UNKNOWN))
                if atom.kind == CONST
            }
            for name, value in there.items():
                if name in shown if shown else not name.startswith("_"):
                    self.bind_name(name, value | ({IMPORTED} if self._same(name, value) else frozenset()))
            return None
        for alias in node.names:
            name = dotted(alias.name)
            inner = self.resolve(f"{where}.{name}".lstrip("."), len(node.relative))
            if name in there:
                self.bind_name(local(node, alias), there[name])
            elif isinstance(inner, Scope):
                self.bind_name(local(node, alias), of("module", inner))
            else:
                self.bind_name(local(node, alias), of(FOREIGN, f"{where}.{name}"))
        return None

    def _same(self, name: str, value: Value) -> bool:
        """Whether a name is Paddle's already, by an import of this file."""
        mine = self.names.imported.get(name)
        return mine is not None and value == of(API, mine.paddle)

    def _learn(self, alias: cst.ImportAlias, bound: str, paddle: str) -> None:
        self.names.learn(bound, paddle, alias.asname is not None)
        self.bind_name(bound, of(API, self.names.imported[bound].paddle) | {IMPORTED})

    def _fluid(self, node: cst.CSTNode, name: str) -> bool:
        """Whether an import is of Paddle 1, which is said."""
        if not name.startswith("paddle.fluid"):
            return False
        self.refusals.append((node, FLUID))
        return True
