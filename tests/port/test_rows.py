"""Every row of the table with an example has its test: the port of Paddle's text runs, and gives what Paddle gives."""

from __future__ import annotations

import pytest

from convert.rosetta.table import MODULES

from .rows import outcome

KNOWN = {
    "shape": "the sizes as torch.Size, which serves where a port asks for sizes; Paddle's is a tensor",
    "nn.ClipGradByNorm": "a function of parameters, as an optimizer's clipping; the example calls it on pairs",
    "default initialisation of Conv2D": "a layer outside of any network is not initialised anew",
    "default initialisation of Linear": "a layer outside of any network is not initialised anew",
    "default initialisation of Embedding": "a layer outside of any network is not initialised anew",
    "ParamAttr learning_rate": "torch's optimizers take no rate from a parameter",
    "clear_grad of the optimizer": "it empties the gradient",
    "set_state_dict": "a weight of one's own goes into a state dict as Paddle keeps it, and torch refuses it",
    "statistics of BatchNorm": "how many there are differs",
    "softmax before the loss": "torch refuses labels of shape [N, 1], and says so",
    "captured in front of an in-place operator": "torch's numpy() shares memory with the tensor",
    "set_state_dict of a wrong shape": "torch raises where Paddle warns",
}
"""Rows of which the port of an example does something else, and what: each loudly, or outside of a network."""

REFUSED = {
    "nn.SyncBatchNorm": 1,
    "nn.SpectralNorm": 1,
    "nn.FractionalMaxPool2D": 1,
    "nn.FractionalMaxPool3D": 1,
    "nn.Maxout": 1,
    "nn.SimpleRNNCell": 1,
    "nn.LSTMCell": 1,
    "nn.GRUCell": 1,
    "nn.MultiHeadAttention": 2,
    "nn.TransformerEncoderLayer": 2,
    "nn.TransformerDecoderLayer": 2,
    "nn.functional.conv1d": 1,
    "nn.functional.conv2d": 1,
    "nn.functional.conv3d": 1,
    "nn.functional.bilinear": 1,
    "nn.functional.embedding": 1,
    "nn.functional.label_smooth": 2,
    "nn.functional.sequence_mask": 2,
    "nn.functional.layer_norm": 1,
    "nn.functional.fractional_max_pool2d": 1,
    "nn.functional.fractional_max_pool3d": 1,
    "nn.functional.swiglu": 1,
    "nn.functional.maxout": 2,
    "nn.functional.tanh_": 1,
    "nn.functional.softmax_": 1,
    "nn.functional.temporal_shift": 1,
    "swapaxes": 1,
    "slice": 2,
    "strided_slice": 2,
    "crop": 1,
    "gather_nd": 2,
    "dot": 1,
    "nn.functional.softmax_with_cross_entropy": 3,
    "nn.CTCLoss": 1,
    "nn.AdaptiveLogSoftmaxWithLoss": 1,
    "nn.functional.sigmoid_focal_loss": 1,
    "nn.functional.log_loss": 1,
    "nn.functional.dice_loss": 1,
    "nn.functional.npair_loss": 1,
    "optimizer.SGD": 1,
    "optimizer.AdamW": 1,
    "optimizer.NAdam": 1,
    "optimizer.RMSProp": 2,
    "optimizer.ASGD": 2,
    "optimizer.Lamb": 2,
    "optimizer.lr.StepDecay": 1,
    "optimizer.lr.MultiStepDecay": 1,
    "optimizer.lr.ExponentialDecay": 1,
    "optimizer.lr.NaturalExpDecay": 1,
    "optimizer.lr.InverseTimeDecay": 1,
    "optimizer.lr.NoamDecay": 1,
    "optimizer.lr.PiecewiseDecay": 1,
    "optimizer.lr.PolynomialDecay": 2,
    "optimizer.lr.LinearWarmup": 2,
    "optimizer.lr.LambdaDecay": 1,
    "optimizer.lr.MultiplicativeDecay": 1,
    "optimizer.lr.CosineAnnealingDecay": 2,
    "optimizer.lr.CosineAnnealingWarmRestarts": 2,
    "optimizer.lr.LinearLR": 2,
    "optimizer.lr.OneCycleLR": 2,
    "optimizer.lr.CyclicLR": 3,
    "optimizer.lr.ReduceOnPlateau": 2,
    "nn.initializer.Bilinear": 2,
    "nn.initializer.set_global_initializer": 1,
    "vision.transforms.perspective": 2,
    "vision.transforms.Transpose": 2,
    "vision.transforms.Normalize": 1,
    "vision.transforms.ToTensor": 1,
    "vision.transforms.BaseTransform": 1,
    "vision.ops.nms": 2,
    "metric.Accuracy": 1,
    "metric.accuracy": 1,
    "metric.Precision": 2,
    "metric.Recall": 2,
    "metric.Auc": 2,
    "Tensor.to": 1,
    "Tensor.item": 1,
    "Tensor.reshape_": 1,
    "Tensor.scatter_": 1,
    "Layer.astype": 1,
    "scheduler in the training loop": 1,
    "PyLayer": 1,
    "Accuracy metric": 1,
    "summary": 1,
    "BatchSampler": 1,
}
"""Rows with examples that are not translated, and how many: they stay, with a comment. A number that sinks is lowered here."""


@pytest.mark.parametrize("module", MODULES)
def test_the_port_of_each_example_gives_what_paddle_gives(module):
    wrong, refused = {}, {}
    for row in MODULES[module]:
        for example in row.examples:
            found = outcome(row, example)
            if found.wrong:
                wrong.setdefault(
                    row.paddle, f"{example.paddle!r} became {found.text.splitlines()[-1]!r}: {found.wrong}"
                )
            if found.refused:
                refused[row.paddle] = refused.get(row.paddle, 0) + 1
    names = {row.paddle for row in MODULES[module]}
    assert wrong.keys() == KNOWN.keys() & names, wrong
    assert refused == {name: count for name, count in REFUSED.items() if name in names}
