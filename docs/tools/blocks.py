"""Code blocks of a Markdown page: what a reader types, what is shown for it, and whether that still comes out.

In a `console` block a line starting with `$ ` is a command, which goes on after a line that ends with a backslash,
and the lines below it, if any, are its output: `...` alone stands for any lines, at the end of a line for its rest. The space between words does not count, and
rounding errors differ from machine to machine: numbers such as 1.3e-15 must agree in size, not in digits.
A block of another kind (`python`, `toml`) is a file of the reader's, named in its first line: `# port.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d(?:\.\d+)?e[-+]\d\d")
NOISE = 1e-10
"""Below this a number is rounding of float64, which no two machines share."""
FACTOR = 10.0
"""By how much a measured number above NOISE may differ from the one that is shown."""
EXIT_CODES = {"DIFFERENT": 1, "INCONCLUSIVE": 3}
REFUSED = re.compile(r"paddle2torch( \w+)?: ")


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind ("console", "python", "" for a drawing) and its text."""

    kind: str
    text: str

    @property
    def file_name(self) -> str:
        """The file that the block is; "" when it is none."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ") if re.fullmatch(r"# [\w/]+\.(py|toml)", first) else ""


@dataclass(frozen=True)
class Example:
    """A command and the output that is shown for it."""

    command: str
    shown: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the command must end with: the verdict's code, 2 for a refusal, 1 for a `diff`, else 0."""
        if self.command.startswith("diff "):
            return 1
        if not self.command.startswith("paddle2torch "):
            return 0
        if any(REFUSED.match(line) for line in self.shown):
            return 2
        return max((EXIT_CODES.get(line.split(":")[0], 0) for line in self.shown), default=0)


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    return [Block(kind, text) for kind, text in FENCE.findall(page)]


def examples(block: Block) -> list[Example]:
    """The commands of a console block."""
    found = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.rstrip("\n").split("\n")
        end = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
        found.append(Example("\n".join(lines[: end + 1]), tuple(lines[end + 1 :])))
    return found


def render(found: Sequence[Example]) -> str:
    """The text of a console block."""
    return "".join(
        f"$ {example.command}\n" + "".join(f"{line}\n" for line in example.shown) for example in found
    )


def missing(shown: Sequence[str], printed: Sequence[str]) -> str:
    """The first shown line that the output lacks at its place; "" when it has them all, or nothing is shown."""
    if not shown:
        return ""
    position = 0
    for line, place in _places(shown, printed):
        if place is None:
            return line
        position = place + 1
    free = shown[-1] == "..."
    return "" if free or position == len(printed) else f"the output goes on: {printed[position]}"


def updated(shown: Sequence[str], printed: Sequence[str]) -> tuple[str, ...]:
    """The shown lines with what was printed in their places.

    A line `?` alone stands for the whole output, and `?words` for the next line that has these words.
    Raises LookupError with a shown line that the output has nothing for.
    """
    if list(shown) == ["?"]:
        return tuple(line.rstrip() for line in printed)
    found = []
    places = dict(enumerate(_places(shown, printed)))
    lines = (line for line in shown if line != "...")
    numbers = iter(places.values())
    for line in shown:
        if line == "...":
            found.append(line)
            continue
        wanted, place = next(lines), next(numbers)[1]
        if place is None:
            raise LookupError(wanted)
        kept = wanted.endswith("...") and not wanted.startswith("?")
        found.append(wanted if kept else printed[place].rstrip())
    return tuple(found)


def _places(shown: Sequence[str], printed: Sequence[str]) -> Iterator[tuple[str, int | None]]:
    """Each shown line with the number of the printed line that it is, None from the first that is none."""
    position, free, lost = 0, False, False
    for line in shown:
        if line == "...":
            free = True
            continue
        candidates = range(position, len(printed) if free else min(position + 1, len(printed)))
        place = None if lost else next((i for i in candidates if same(line, printed[i])), None)
        lost = place is None
        yield line, place
        position, free = (position if place is None else place + 1), False


def same(shown: str, printed: str) -> bool:
    """Whether a printed line is the one that is shown."""
    if shown.startswith("?"):
        return shown[1:] in printed
    shown, printed = (re.sub(r"\s+", " ", line.strip()) for line in (shown, printed))
    if shown.endswith("..."):
        shown = shown[:-3].rstrip()
        words = len(NUMBER.sub("#", shown))
        printed = printed[: _length(printed, words)]
    if NUMBER.sub("#", shown) != NUMBER.sub("#", printed):
        return False
    return all(
        _alike(float(a), float(b))
        for a, b in zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True)
    )


def _length(printed: str, words: int) -> int:
    """How many characters of `printed` are `words` characters once its numbers are one character each."""
    length, passed = 0, 0
    for match in NUMBER.finditer(printed):
        before = match.start() - length
        if passed + before >= words:
            break
        passed += before + 1
        length = match.end()
    return length + words - passed


def _alike(a: float, b: float) -> bool:
    low, high = sorted((a, b))
    return high < NOISE or high <= low * FACTOR
