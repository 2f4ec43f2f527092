"""The Rosetta table in Chinese: what people call a layer or function, and the reasons, notes and traps of the rows.

The table's own language is English. `chinese.json` has each text with its translation; one that has none yet is shown in English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from convert.rosetta.rows import Exactness, Kind, Row

TEXTS = Path(__file__).with_name("chinese.json")

NAMES: tuple[tuple[str, str], ...] = (
    (r"conv\w*transpose", "转置卷积 反卷积"),
    (r"conv", "卷积"),
    (r"upsampl|interpolate", "上采样 插值 缩放"),
    (r"adaptive_?avg_?pool", "自适应平均池化"),
    (r"adaptive_?max_?pool", "自适应最大池化"),
    (r"fractional_?max_?pool", "分数最大池化"),
    (r"avg_?pool", "平均池化"),
    (r"max_?un_?pool", "最大反池化 上池化"),
    (r"max_?pool", "最大池化"),
    (r"lp_?pool", "幂平均池化"),
    (r"sync_?batch_?norm", "同步批归一化"),
    (r"batch_?norm", "批归一化"),
    (r"layer_?norm", "层归一化"),
    (r"group_?norm", "组归一化"),
    (r"instance_?norm", "实例归一化"),
    (r"local_?response_?norm", "局部响应归一化"),
    (r"spectral_?norm", "谱归一化"),
    (r"normalize", "归一化 标准化"),
    (r"bce_?with|binary_cross_entropy_with_logits", "带 logits 的二元交叉熵损失"),
    (r"bceloss|binary_cross_entropy", "二元交叉熵损失"),
    (r"cross_?entropy", "交叉熵损失"),
    (r"nll_?loss", "负对数似然损失"),
    (r"ctc_?loss", "CTC 损失"),
    (r"focal_loss", "焦点损失"),
    (r"kl_?div", "KL 散度损失"),
    (r"mse_?loss|square_error", "均方误差损失"),
    (r"smooth_?l1|huber", "平滑 L1 损失"),
    (r"l1_?loss", "L1 损失 平均绝对误差"),
    (r"triplet", "三元组损失"),
    (r"dice_loss", "Dice 损失"),
    (r"loss$", "损失函数"),
    (r"label_smooth", "标签平滑"),
    (r"clipgrad", "梯度裁剪"),
    (r"linear_?warmup", "学习率预热"),
    (r"lr\.cosine", "余弦退火 学习率调度"),
    (r"lr\.(multi_?)?step", "阶梯衰减 学习率调度"),
    (r"lr\.exponential", "指数衰减 学习率调度"),
    (r"lr\.polynomial", "多项式衰减 学习率调度"),
    (r"lr\.", "学习率调度"),
    (r"optimizer\.", "优化器"),
    (r"bilinear", "双线性"),
    (r"linear", "全连接层 线性层"),
    (r"embedding", "嵌入层 词嵌入"),
    (r"multi_?head_?attention|scaled_dot", "多头注意力 自注意力"),
    (r"transformer\w*encoder", "Transformer 编码器"),
    (r"transformer\w*decoder", "Transformer 解码器"),
    (r"lstm", "长短期记忆网络"),
    (r"gru", "门控循环单元"),
    (r"rnn", "循环神经网络"),
    (r"dropout", "随机失活 丢弃"),
    (r"zero_?pad|constant_?pad|reflection_?pad|replication_?pad|circular_?pad|(^|\.)pad", "填充"),
    (r"pixel_?(un)?shuffle", "像素重排"),
    (r"channel_?shuffle", "通道重排"),
    (r"softmax", "归一化指数 激活函数"),
    (r"grid_sample|affine_grid", "网格采样 仿射变换"),
    (
        r"relu|elu|glu|hard(shrink|sigmoid|swish|tanh)|sigmoid|silu|swish|mish|soft(plus|shrink|sign)|tanh|maxout",
        "激活函数",
    ),
    (r"initiali[sz]", "初始化"),
    (r"layer_?list|sequential|layer_?dict", "容器 子层"),
    (r"one_hot", "独热编码"),
    (r"cosine_?similarity", "余弦相似度"),
    (r"random\w*crop|crop", "裁剪"),
    (r"flip", "翻转"),
    (r"rotat|rot90", "旋转"),
    (r"resize", "缩放 调整大小"),
    (r"erasing|erase", "随机擦除"),
    (r"brightness|contrast|saturation|hue|colorjitter", "颜色抖动 亮度 对比度 饱和度 色相"),
    (r"grayscale", "灰度"),
    (r"nms", "非极大值抑制"),
    (r"accuracy", "准确率"),
    (r"precision|recall|auc", "评价指标"),
    (r"concat", "拼接"),
    (r"reshape|flatten|squeeze", "变形 改变形状"),
    (r"transpose|permute|swapaxes|moveaxis", "转置 交换维度"),
    (r"matmul|mm$|einsum", "矩阵乘法"),
    (r"argm(ax|in)|topk|sort", "排序 最大值"),
    (r"gather|scatter|index", "按索引取值 写入"),
    (r"clip", "截断"),
    (r"cast|astype", "类型转换"),
    (r"stop_gradient|detach|no_grad|freeze", "冻结 停止梯度"),
    (r"save|state_dict|load$", "保存与加载权重"),
    (r"seed", "随机种子"),
    (r"mean|sum|std|var$|prod", "求和 平均"),
)
"""A pattern in a name -> what a Chinese reader searches for; the first that fits."""

LEVELS: Mapping[Exactness, str] = {
    Exactness.BIT: "逐位相等",
    Exactness.ALGEBRA: "算法相同",
    Exactness.F32: "取 float32 常数后算法相同",
    Exactness.NEAR: "相差一个框架自身的常数",
    Exactness.DISTRIBUTION: "分布相同，随机数不同",
    Exactness.NONE: "没有对应物",
}


def called(row: Row) -> str:
    """What the row is called in Chinese; "" for a name that nobody calls otherwise."""
    name = row.paddle.replace("nn.functional.", "").lower()
    return next((chinese for pattern, chinese in NAMES if re.search(pattern, name)), "")


def chinese(text: str) -> str:
    """A reason, a note, a trap or an idiom in Chinese; in English where there is no translation yet."""
    return _translations().get(text, text)


def texts(row: Row) -> Iterator[str]:
    """Every text of a row that `chinese` is asked for."""
    yield from filter(
        None,
        (
            row.paddle if row.kind is Kind.IDIOM else "",
            row.reason,
            row.remedy,
            row.versions,
            *(argument.note for argument in row.arguments),
            *(trap.text for trap in row.traps),
            *(parameter.why for parameter in row.parameters),
            *(made.why for made in row.generated),
        ),
    )


def heading(row: Row) -> str:
    """An idiom's name in Chinese; a name of code as it is."""
    return chinese(row.paddle) if row.kind is Kind.IDIOM else row.paddle


@cache
def _translations() -> dict[str, str]:
    found: dict[str, str] = json.loads(TEXTS.read_text(encoding="utf-8"))
    return found
