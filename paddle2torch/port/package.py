"""Files that import each other: each is walked until all have told what they know, then each is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from paddle2torch.port.source import WALKS, Ported, Source
from paddle2torch.port.values import Scope


def module_of(path: Path) -> tuple[str, ...]:
    """The dotted name of a file, by the `__init__.py` files above it."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.resolve().parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return tuple(parts)


@dataclass
class Package:
    """The files of one port, by their dotted names."""

    sources: dict[tuple[str, ...], Source] = field(default_factory=dict)
    packages: set[tuple[str, ...]] = field(default_factory=set)
    """The names that are folders."""

    def add(self, name: tuple[str, ...], text: str, *, is_package: bool = False) -> Source:
        """A file of this port.

        Raises:
            NotPython: if it is no Python 3.
        """
        source = Source(text, ".".join(name))
        here = name if is_package else name[:-1]
        source.resolve = lambda module, level: self._resolved(here, module, level)
        self.sources[name] = source
        if is_package:
            self.packages.add(name)
        return source

    def _resolved(self, here: tuple[str, ...], module: str, level: int) -> Scope | str | None:
        parts = tuple(filter(None, module.split(".")))
        if level:
            parts = (*here[: len(here) - (level - 1)], *parts)
        found = self.sources.get(parts)
        if found is None and level and here[:1] == ("paddle",) == parts[:1]:
            return ".".join(parts)
        if found is None and not level:
            tails = [name for name in self.sources if name[-len(parts) :] == parts and len(parts) > 1]
            found = self.sources[tails[0]] if len(tails) == 1 else None
        return None if found is None else found.known

    def learn(self) -> None:
        """Walk all files in turn until each has heard of all."""
        rounds = WALKS if len(self.sources) == 1 else WALKS + 1
        for number in range(rounds):
            for source in self._in_order():
                source.walk(settle=number == rounds - 1)

    def _in_order(self) -> Iterable[Source]:
        """Files before those that import them, as far as names tell: packages' own files last."""
        return [
            self.sources[name]
            for name in sorted(self.sources, key=lambda n: (n in self.packages, -len(n), n))
        ]


def port_files(paths: Iterable[Path]) -> dict[Path, Ported]:
    """The ports of files that belong together.

    Raises:
        NotPython: if one of them is no Python 3; OSError and UnicodeDecodeError if it cannot be read.
    """
    package = Package()
    done: dict[Path, Ported] = {}
    names: dict[Path, tuple[str, ...]] = {}
    for path in paths:
        text = path.read_bytes().decode("utf-8")
        name = module_of(path) or (path.parent.name,)
        package.add(name, text, is_package=path.name == "__init__.py")
        names[path] = name
    package.learn()
    for path, name in names.items():
        done[path] = package.sources[name].written()
    return done
