"""What `paddle2torch guide` says, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from convert.rosetta.chinese import LEVELS, called, chinese, heading
from convert.rosetta.rows import Exactness, Kind, Row

MEANING: Mapping[Exactness, tuple[str, str]] = {
    Exactness.BIT: ("every bit is the same", "每一位都相同"),
    Exactness.ALGEBRA: ("at most 1e-12 apart in float64", "float64 下相差至多 1e-12"),
    Exactness.F32: (
        "at most 1e-12 apart in float64, once torch is given Paddle's float32 constants",
        "torch 取 Paddle 的 float32 常数后，float64 下相差至多 1e-12",
    ),
    Exactness.NEAR: ("at most {within:.0e} apart in float64", "float64 下相差至多 {within:.0e}"),
    Exactness.DISTRIBUTION: ("random: one distribution, other numbers", "随机：分布相同，随机数不同"),
    Exactness.NONE: ("torch has none", "torch 中没有"),
}
"""In English and in Chinese."""

CHINESE: Mapping[str, str] = {
    "layer": "网络层",
    "function": "函数",
    "loss": "损失函数",
    "optimizer": "优化器",
    "scheduler": "学习率调度",
    "initializer": "初始化",
    "transform": "图像变换",
    "tensor method": "张量方法",
    "idiom": "惯用写法",
    "no twin": "没有对应物",
    "instead": "替代写法",
    "version": "版本",
    "trap": "陷阱",
    "wrong": "错误",
    "right": "正确",
    "example": "例子",
    "arguments": "参数",
    "value": "取值",
    "note": "说明",
    "kind": "种类",
    "rows": "行数",
    "traps": "陷阱",
    "for example": "例如",
    "exactness": "一致程度",
    "source": "出处",
    "in the checkpoint": "权重文件中",
    "what happens": "如何处理",
    "why": "原因",
    "same": "相同",
    "copied": "照抄",
    "transposed": "转置",
    "renamed": "改名",
    "dropped": "丢弃",
    "generated: {value}": "生成：{value}",
    "the same tensor as {name}": "与 {name} 是同一个张量",
    "{values} only": "只能是 {values}",
    "{torch!r} for {paddle!r}": "{paddle!r} 时为 {torch!r}",
    " or ": " 或 ",
    ", ": "，",
    "; ": "；",
    ": ": "：",
    "value: what torch is given where Paddle is given v": "取值：Paddle 得到 v 时 torch 应得到的值",
    "f32(v): the float32 nearest to v, float(numpy.float32(v)), which is what Paddle keeps": "f32(v)：最接近 v 的 "
    "float32，即 float(numpy.float32(v))，Paddle 保存的就是它",
    "The Rosetta table: {rows} rows, each proven in both frameworks": "对照表：{rows} 行，每行都在两个框架中验证过",
    "look one up: paddle2torch guide {name}": "查一个名字：paddle2torch guide {name}",
    "one of them: paddle2torch guide {name}": "看其中一行：paddle2torch guide --language zh {name}",
    "nothing is called {name!r}, but these rows speak of it:": "没有叫 {name!r} 的，以下各行提到它：",
}
"""Words of this command in Chinese."""


@dataclass(frozen=True)
class Words:
    """language: "en" or "zh"."""

    language: str

    def __call__(self, label: str, **values: object) -> str:
        """A label of ours, with its values."""
        return (CHINESE.get(label, label) if self._chinese else label).format(**values)

    @property
    def _chinese(self) -> bool:
        return self.language == "zh"

    def text(self, english: str) -> str:
        """A sentence of a row."""
        return chinese(english) if self._chinese else english

    def level(self, row: Row) -> str:
        """How equal the twins are."""
        return LEVELS[row.exactness] if self._chinese else row.exactness.value

    def meaning(self, row: Row) -> str:
        """What that level promises."""
        return MEANING[row.exactness][self._chinese].format(within=row.within)

    def paddle_name(self, row: Row) -> str:
        """The full name, as one would import it; an idiom is words."""
        if row.kind is Kind.IDIOM:
            return heading(row) if self._chinese else row.paddle
        return f"paddle.{row.paddle}"

    def torch_name(self, row: Row) -> str:
        """The twin's full name; "no twin" if there is none."""
        if not row.torch:
            return self("no twin")
        whole = row.kind is Kind.IDIOM or row.torch.startswith(("torchvision.", "PIL."))
        return row.torch if whole else f"torch.{row.torch}"

    def called(self, row: Row) -> str:
        """What Chinese readers call it; "" in English."""
        return called(row) if self._chinese else ""
