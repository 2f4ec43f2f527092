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
    "clear_grad of the optimizer": "it empties the gradient",
    "set_state_dict": "a weight of one's own goes into a state dict as Paddle keeps it, and torch refuses it",
    "statistics of BatchNorm": "how many there are differs",
    "captured in front of an in-place operator": "torch's numpy() shares memory with the tensor",
    "set_state_dict of a wrong shape": "torch raises where Paddle warns",
}
"""Rows of which the port of an example does something else, and what: each loudly, or outside of a network."""

SHARED = {
    "default weights differ": "a layer outside of any network is not initialised anew",
    "default bias differs": "a layer outside of any network is not initialised anew",
    "biases: Paddle 0": "a layer outside of any network is not initialised anew",
    "the bias is [1, out] in Paddle": "a conversion's business",
    "the weight of several dimensions is flat in Paddle's state dict": "a conversion's business",
    "the state dict's key is _weight in Paddle": "a conversion's business",
    "Paddle's state dict lists every weight twice": "a conversion's business",
    "Paddle accumulates the biased variance": "the frameworks' own; a check says so",
    "the running variance: Paddle accumulates": "the frameworks' own; a check says so",
    "parameters() of a Paddle BatchNorm counts the running statistics": "how many there are",
    "one value per channel in training": "torch raises",
    "the mean of integers is an integer": "torch raises",
    "Paddle's is a tensor, torch's a Python number": "a number has no .item(), which raises",
    "Paddle starts from ones whatever the shape": "torch raises",
    "ceil_mode with padding: Paddle keeps a window of padding only": "another shape",
    "NaN: torch's maximum is NaN": "NaN only",
    "relu(NaN) is 0 in Paddle": "NaN only",
    "the mask is int32 in Paddle": "indices of another width",
    "floats in Paddle (float32, whatever the default)": "the default dtype, so that a float64 run stays one",
    "at exactly 0 Paddle's gradient is 1": "a single point",
    "at exactly the threshold Paddle keeps x": "a single point",
    "where windows overlap, Paddle 3.3's gradient": "Paddle's gradient is wrong",
    "where soft labels do not sum to 1 Paddle's gradient": "Paddle's gradient is wrong",
    "Paddle 3.3.1 lets no gradient through to the variance": "Paddle's gradient is wrong",
    "Paddle 3.3.1's layer keeps distance_function and never passes it on": "Paddle does not do what it is told",
    "a label that is neither 1 nor -1": "no label",
    "frozen or left out, the bias takes the weight's gradient": "Paddle's gradient is wrong",
    "ParamAttr(learning_rate=0.5) is a multiplier too": "a warning says so when the parameter is made",
    "a ParamAttr's regularizer": "a warning says so when the parameter is made",
    "it clips every gradient by its own norm": "a function of parameters, as an optimizer's clipping",
    "on a Linear weight Paddle's fan_in is its first dimension": "nothing is swapped where a layer has its own layout",
    "on tensors Paddle filters nothing when it shrinks": "images are filtered in both",
}
"""How the traps begin into which a port falls as well, and why that is left."""

REFUSED = {
    "nn.SyncBatchNorm": 1,
    "nn.SpectralNorm": 1,
    "nn.FractionalMaxPool2D": 1,
    "nn.FractionalMaxPool3D": 1,
    "nn.Maxout": 1,
    "nn.functional.conv1d": 1,
    "nn.functional.conv2d": 1,
    "nn.functional.conv3d": 1,
    "nn.functional.bilinear": 1,
    "nn.functional.layer_norm": 1,
    "nn.functional.fractional_max_pool2d": 1,
    "nn.functional.fractional_max_pool3d": 1,
    "nn.functional.swiglu": 1,
    "nn.functional.maxout": 2,
    "nn.functional.tanh_": 1,
    "nn.functional.softmax_": 1,
    "nn.functional.temporal_shift": 1,
    "crop": 1,
    "unique_consecutive": 1,
    "nn.CTCLoss": 1,
    "nn.AdaptiveLogSoftmaxWithLoss": 1,
    "nn.functional.log_loss": 1,
    "nn.functional.dice_loss": 1,
    "nn.functional.npair_loss": 1,
    "optimizer.AdamW": 1,
    "optimizer.NAdam": 1,
    "optimizer.RMSProp": 2,
    "optimizer.ASGD": 2,
    "optimizer.Lamb": 2,
    "nn.initializer.Bilinear": 2,
    "nn.initializer.set_global_initializer": 1,
    "vision.transforms.perspective": 2,
    "vision.transforms.Transpose": 2,
    "vision.transforms.Normalize": 1,
    "vision.transforms.ToTensor": 1,
    "vision.transforms.BaseTransform": 1,
    "Tensor.to": 1,
    "Tensor.item": 1,
    "Tensor.reshape_": 1,
    "Tensor.scatter_": 1,
    "Tensor.flatten_": 1,
    "Layer.astype": 1,
    "summary": 1,
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


@pytest.mark.parametrize("module", MODULES)
def test_no_port_falls_into_a_trap_that_the_table_knows(module):
    fallen = []
    for row in MODULES[module]:
        for trap in row.traps:
            example = row.case_of(trap)
            if example in row.examples or trap.text.startswith(tuple(SHARED)):
                continue
            found = outcome(row, example)
            if found.wrong:
                fallen.append((row.paddle, trap.text, found.text.splitlines()[-1], found.wrong))
    assert not fallen
