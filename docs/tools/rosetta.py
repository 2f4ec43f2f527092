"""The Rosetta table as reference pages: a page a module of the table, a heading a row, with what was measured.

The numbers come from `parity.rosetta`, which runs every row's examples and traps in both frameworks; none is typed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convert.rosetta.chinese import LEVELS, called, chinese, heading
from convert.rosetta.rows import Argument, Row
from convert.rosetta.table import MODULES
from docs.tools.pages import ROOT
from docs.tools.reader import variables

Proofs = Mapping[str, Any]
"""Row's Paddle name -> what `Proof.to_json` gives."""

TITLES = {
    "layers": ("Layers", "网络层"),
    "functions": ("Functions", "函数"),
    "tensors": ("Tensor functions", "张量函数"),
    "losses": ("Losses", "损失函数"),
    "optimizers": ("Optimizers", "优化器"),
    "schedulers": ("Learning rate schedules", "学习率调度"),
    "initializers": ("Initializers", "初始化"),
    "transforms": ("Image transforms", "图像变换"),
    "vision_ops": ("Vision operators", "视觉算子"),
    "metrics": ("Metrics", "指标"),
    "methods": ("Tensor methods", "张量方法"),
    "idioms": ("Idioms", "惯用写法"),
}
WORDS = {
    "en": {
        "title": "The Rosetta table",
        "intro": "What a Paddle name is in torch: {rows} rows, each with an example that was run in both frameworks, "
        "forward and backward, when this site was built. Numbers are max|difference| / max|reference|.",
        "note": "",
        "colon": ": ",
        "stop": ".",
        "header": "| Paddle | torch | how equal |\n|---|---|---|",
        "no twin": "no twin",
        "why": "Why",
        "wrong": "wrong",
        "right": "right",
        "remedy": "Instead",
        "versions": "Version",
        "arguments": "| Paddle argument | torch argument | what to do |\n|---|---|---|",
        "parameters": "| Paddle parameter | torch parameter | what to do |\n|---|---|---|",
        "measured": "{precision}: values {values}, gradients {gradient}",
        "trap": "Trap",
        "naive": "the naive port is {naive} off, the mapped one {mapped}",
        "raises": "the naive port raises ({raises}), the mapped one is {mapped} off",
        "source": "Source",
        "none": "none",
        "default": "default",
        "generated": "generated",
        "dropped": "dropped: the same tensor as `{paddle}`",
    },
    "zh": {
        "title": "对照表",
        "intro": "Paddle 的名字在 torch 里是什么：共 {rows} 行，每行的例子都在构建本站时于两个框架中运行过（前向与反向）。"
        "数字为 max|差| / max|参考值|。",
        "note": "公式照原样写出；刚刚添加、还没有译文的说明是英文。\n\n",
        "colon": "：",
        "stop": "。",
        "header": "| Paddle | torch | 一致程度 |\n|---|---|---|",
        "no twin": "没有对应物",
        "wrong": "错误",
        "right": "正确",
        "why": "原因",
        "remedy": "替代写法",
        "versions": "版本",
        "arguments": "| Paddle 参数 | torch 参数 | 如何处理 |\n|---|---|---|",
        "parameters": "| Paddle 权重 | torch 权重 | 如何处理 |\n|---|---|---|",
        "measured": "{precision}：值 {values}，梯度 {gradient}",
        "trap": "陷阱",
        "naive": "照抄相差 {naive}，按表相差 {mapped}",
        "raises": "照抄会报错（{raises}），按表相差 {mapped}",
        "source": "出处",
        "none": "无",
        "default": "默认",
        "generated": "生成",
        "dropped": "丢弃：与 `{paddle}` 是同一个张量",
    },
}


def measure(names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Prove the rows of these names, all without any, in a process of their own. A row that fails ends the program."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "proofs.json"
        finished = subprocess.run(
            [sys.executable, "-m", "parity.rosetta", "--json", str(target), *names],
            check=False,
            cwd=ROOT,
            env=variables(),
            capture_output=True,
            text=True,
        )
        if finished.returncode:
            failed = [line for line in finished.stdout.splitlines() if "FAIL" in line]
            raise SystemExit("\n".join(failed) or finished.stderr)
        return {proof["row"]: proof for proof in json.loads(target.read_text(encoding="utf-8"))}


def pages(language: str, proofs: Proofs) -> dict[str, str]:
    """File name -> Markdown: an index and a page a module of the table."""
    words = WORDS[language]
    number = 0 if language == "en" else 1
    total = sum(map(len, MODULES.values()))
    index = [f"# {words['title']}", "", words["note"] + words["intro"].format(rows=total), ""]
    found = {}
    for module, rows in MODULES.items():
        title = TITLES[module][number]
        index += [f"## {title}", "", words["header"]]
        parts = [f"# {title}", ""]
        for row in rows:
            twin = f"`{row.torch}`" if row.torch else words["no twin"]
            name = called(row) if language == "zh" else ""
            index.append(
                f"| [`{row.paddle}`]({module}.md#{anchor(row)}){f' {name}' if name else ''} | {twin} | {_level(row, language)} |"
            )
            parts += _row(row, proofs.get(row.paddle), words, language)
        index.append("")
        found[f"{module}.md"] = "\n".join(parts)
    return {"index.md": "\n".join(index), **found}


def anchor(row: Row) -> str:
    """Where a row stands on its page."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", row.paddle).strip("-")


def _level(row: Row, language: str) -> str:
    return row.exactness.value if language == "en" else LEVELS[row.exactness]


def _row(row: Row, proof: Any, words: Mapping[str, str], language: str) -> Iterator[str]:
    twin = f"`{row.torch}`" if row.torch else words["no twin"]
    say = chinese if language == "zh" else str
    name = called(row) if language == "zh" else ""
    yield f"## {heading(row) if language == 'zh' else row.paddle} {{#{anchor(row)}}}\n"
    yield f"→ {twin} · **{_level(row, language)}**{f' · {name}' if name else ''}\n"
    yield f"{words['why']}{words['colon']}{_text(say(row.reason))}{words['stop']}\n"
    if row.remedy:
        yield f"{words['remedy']}{words['colon']}{_text(say(row.remedy))}\n"
    if row.versions:
        yield f"{words['versions']}{words['colon']}{_text(say(row.versions))}{words['stop']}\n"
    for number, example in enumerate(row.examples):
        yield f"```python\n# Paddle\n{example.paddle}\n# torch\n{example.torch}\n```\n"
        if proof:
            yield _measured(proof["examples"][number], words) + "\n"
    arguments = [_argument(a, words, say) for a in row.arguments if _worth_saying(a)]
    if arguments:
        yield "\n".join([words["arguments"], *arguments, ""])
    parameters = [
        f"| `{p.paddle}` | `{p.torch}` | {p.transform}: {_text(say(p.why))} |" for p in row.parameters
    ]
    parameters += [
        f"| | `{g.torch}` | {words['generated']}{words['colon']}{_text(say(g.why))} |" for g in row.generated
    ]
    again = [p for p in row.parameters if p.also]
    parameters += [f"| `{p.also}` | | {words['dropped'].format(paddle=p.paddle)} |" for p in again]
    if parameters:
        yield "\n".join([words["parameters"], *parameters, ""])
    for number, trap in enumerate(row.traps):
        yield f'!!! warning "{words["trap"]}{words["colon"]}{say(trap.text).replace(chr(34), chr(39))}"\n'
        yield _indented(
            f"```python\n# {words['wrong']}\n{trap.naive}\n# {words['right']}\n{row.case_of(trap).torch}\n```"
        )
        if proof:
            yield _indented(_trap(proof["traps"][number], words))
    yield f"{words['source']}{words['colon']}`{row.source.paddle}`; `{row.source.torch}`\n"


def _worth_saying(argument: Argument) -> bool:
    renamed = argument.paddle != argument.torch
    differs = argument.paddle_default != argument.torch_default
    return bool(renamed or differs or argument.values or argument.convert or argument.note)


def _argument(argument: Argument, words: Mapping[str, str], say: Callable[[str], str]) -> str:
    said = []
    if argument.values:
        said.append(", ".join(f"`{a!r}` → `{b!r}`" for a, b in argument.values.items()))
    if argument.convert:
        said.append(f"`{argument.convert}`")
    if argument.paddle_default != argument.torch_default:
        said.append(f"{words['default']} `{argument.paddle_default!r}` / `{argument.torch_default!r}`")
    if argument.note:
        said.append(_text(say(argument.note)))
    names = (f"`{name}`" if name else words["none"] for name in (argument.paddle, argument.torch))
    return f"| {' | '.join(names)} | {'; '.join(said)} |"


def _measured(measurements: Any, words: Mapping[str, str]) -> str:
    parts = []
    for m in measurements:
        gradient = words["none"] if m["backward"] is None else f"{m['backward']:.1e}"
        parts.append(
            words["measured"].format(
                precision=m["precision"], values=_number(m["forward"]), gradient=gradient
            )
        )
    return "; ".join(parts)


def _trap(trap: Any, words: Mapping[str, str]) -> str:
    mapped = _number(trap["mapped"])
    if trap["raises"]:
        return words["raises"].format(raises=_text(trap["raises"]), mapped=mapped)
    return words["naive"].format(naive=_number(trap["naive"]), mapped=mapped)


def _number(value: float | None) -> str:
    return "∞" if value is None else f"{value:.1e}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) + "\n"


def _text(text: str) -> str:
    """Plain words in a Markdown table: nothing of them is markup."""
    return re.sub(r"([<|*_\[\]])", r"\\\1", re.sub(r"\s+", " ", text))
