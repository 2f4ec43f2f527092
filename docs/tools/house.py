"""The pictures of the architecture page: `python -m docs.tools.house` (a test compares).

The rooms and their floors are import-linter's contracts in pyproject.toml; the ways through them are `WAYS`. Each picture
brings its own paper, light or dark, and is as wide as a phone. Both languages share them.
"""

from __future__ import annotations

from html import escape

import tomllib

from docs.tools.pages import DOCS, ROOT

ASSETS = DOCS / "assets"
WIDTH = 360
"""In units of the picture; a phone shows it at about that many pixels."""

WAYS = {
    "tensor": (
        "parity/setup/inputs",
        "parity/sides/live",
        "parity/capture/recorder",
        "parity/trace/values",
        "parity/numbers/compare",
        "parity/numbers/observed",
        "parity/results/judgement",
    ),
    "operator": (
        "parity/capture/recorder",
        "parity/ops/signature",
        "parity/graph/build",
        "parity/graph/reading",
        "parity/align/pipeline",
        "parity/align/aligner",
        "parity/explain/evidence",
    ),
    "finding": (
        "parity/explain/operators",
        "parity/explain/claims",
        "parity/explain/telling/tell",
        "parity/results/finding",
        "parity/results/results",
        "parity/results/grouping",
        "parity/report/text",
    ),
}
"""What goes through the rooms -> the modules that it passes when `docs/example` is checked, in order."""

CHINESE = {"tensor": "张量", "operator": "算子", "finding": "问题"}

STYLE = """
text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: #1f2933; text-anchor: middle; }
.title { font-size: 13px; font-weight: 600; }
.paper { fill: #fff; }
.room { fill: #eef3fb; stroke: #7b8794; }
.other { fill: #fdf3e1; stroke: #7b8794; }
path { fill: none; stroke: #52606d; stroke-width: 1.5; }
.head { fill: #52606d; stroke: none; }
@media (prefers-color-scheme: dark) {
text { fill: #e4e7eb; }
.paper { fill: #1b1f27; }
.room { fill: #2a3a55; stroke: #9aa5b1; }
.other { fill: #4a3b22; stroke: #9aa5b1; }
path { stroke: #9aa5b1; }
.head { fill: #9aa5b1; }
}
"""


def contracts() -> dict[str, list[list[str]]]:
    """Package -> its floors from the roof down, each the rooms that do not know each other; "" -> the packages."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        contract.get("containers", [""])[0]: [
            [room.strip() for room in floor.split("|")] for floor in contract["layers"]
        ]
        for contract in found["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    }


class Picture:
    """An SVG that grows downwards."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[str] = []
        self.height = 0.0

    def box(
        self, x: float, y: float, width: float, name: str, kind: str = "room", height: float = 24
    ) -> None:
        self.parts.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height}" rx="4"/>'
        )
        self.text(x + width / 2, y + height / 2 + 4, name)
        self.height = max(self.height, y + height)

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        style = f' class="{kind}"' if kind else ""
        self.parts.append(f'<text{style} x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """A straight arrow, down or to the right."""
        down = to_x == x
        self.parts.append(f'<path d="M{x:g} {y:g}L{to_x - (not down) * 3:g} {to_y - down * 3:g}"/>')
        wing = (-3.5, -5, 7, 0) if down else (-5, -3.5, 0, 7)
        self.parts.append(
            f'<path class="head" d="M{to_x:g} {to_y:g}l{wing[0]:g} {wing[1]:g}l{wing[2]:g} {wing[3]:g}z"/>'
        )

    def svg(self) -> str:
        height = self.height + 10
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH * 1.5:g}" '
                f'height="{height * 1.5:g}" role="img" aria-labelledby="title">',
                f'<title id="title">{escape(self.title)}</title>',
                f"<style>{STYLE}</style>",
                f'<rect class="paper" width="{WIDTH}" height="{height:g}" rx="6"/>',
                *self.parts,
                "</svg>\n",
            )
        )


def house() -> str:
    """The packages and the rooms of two of them: whoever stands higher may import what stands lower."""
    found = contracts()
    roof, *rest = (package for (package,) in found.pop(""))
    picture = Picture("Who may import whom: always downwards, never between rooms of one floor")
    picture.box(10, 10, WIDTH - 20, roof, "other")
    columns = {rest[0]: (10.0, 202.0), rest[1]: (226.0, 124.0)}
    for package, (x, width) in columns.items():
        picture.arrow(x + width / 2, 34, x + width / 2, 48)
        picture.text(x + width / 2, 62, f"{package}/", "title")
        for number, floor in enumerate(found[package]):
            y = 70 + 33 * number
            if number:
                picture.arrow(x + width / 2, y - 9, x + width / 2, y)
            # A long name gets more of the floor than a short one.
            share = [len(room) + 2.5 for room in floor]
            free = width - 4 * (len(floor) - 1)
            at = x
            for room, part in zip(floor, share, strict=True):
                picture.box(at, y, free * part / sum(share), room)
                at += free * part / sum(share) + 4
    picture.arrow(columns[rest[0]][0] + columns[rest[0]][1], 58, columns[rest[1]][0] + 24, 58)
    y = picture.height + 16
    for x, models, framework in ((10.0, "paddle_models", "paddle"), (186.0, "torch_models", "torch")):
        picture.box(x, y, 92, models, "other")
        picture.arrow(x + 92, y + 12, x + 108, y + 12)
        picture.box(x + 108, y, 56, framework, "other")
    return picture.svg()


def ways() -> str:
    """What goes through the rooms of parity, each from its first module down to its last."""
    picture = Picture("A tensor, an operator and a finding on their way through the rooms of parity")
    width = (WIDTH - 20 - 8 * (len(WAYS) - 1)) / len(WAYS)
    for column, (what, modules) in enumerate(WAYS.items()):
        x = 10 + column * (width + 8)
        picture.text(x + width / 2, 22, f"{what} {CHINESE[what]}", "title")
        for number, module in enumerate(modules):
            y = 32 + 38 * number
            if number:
                picture.arrow(x + width / 2, y - 14, x + width / 2, y)
            picture.box(x, y, width, module.split("/", 1)[1])
    return picture.svg()


def proof() -> str:
    """What a check does, for somebody who uses it; the words are those that a report uses."""
    picture = Picture("A proof: both networks are recorded, paired, compared, tried alone, and explained")
    for x, framework in ((10.0, "Paddle"), (186.0, "torch")):
        picture.box(x, 10, 164, f"{framework} network", "other")
        picture.arrow(x + 82, 34, x + 82, 48)
        picture.box(x, 48, 164, "record: float64, float32")
        picture.arrow(x + 82, 72, x + 82, 86)
    steps = (
        "align: which operator is which",
        "compare: float64 decides, rounding is known",
        "alone: torch's operators on Paddle's inputs",
        "explain: cause, line, what to write",
    )
    for number, step in enumerate(steps):
        picture.box(10, 86 + 38 * number, WIDTH - 20, step)
        picture.arrow(WIDTH / 2, 110 + 38 * number, WIDTH / 2, 124 + 38 * number)
    picture.box(10, 86 + 38 * len(steps), WIDTH - 20, "EQUIVALENT, DIFFERENT or INCONCLUSIVE", "other")
    return picture.svg()


def pictures() -> dict[str, str]:
    """File name -> SVG."""
    return {
        "house.svg": house(),
        "ways.svg": ways(),
        "proof.svg": proof(),
    }


def main() -> None:
    """Write the pictures into docs/assets/."""
    for name, svg in pictures().items():
        (ASSETS / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
