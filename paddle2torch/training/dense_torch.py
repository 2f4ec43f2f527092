"""A VGG as its fully convolutional twin, in torch. `dense_paddle` is the same in Paddle.

The three Linear layers become convolutions (7x7, 1x1, 1x1) with the same numbers, so that the network takes an image of any
size from 224x224 on and answers with a map: what it says of every window, 32 pixels apart (Simonyan, Zisserman 2014,
section 3.2). For 224x224 the map is 1x1 and holds what the VGG answers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from paddle2torch.training.errors import TrainingError
from torch_models.vgg import VGG, VGGBlocks, VGGFeatures

SIDE = 7
"""Of the features' map for an image of 224x224."""


class Dense(nn.Module):
    """[N, channels, H, W] -> [N, num_classes, H // 32 - 6, W // 32 - 6] logits."""

    def __init__(self, features: Any, linears: Any, dropout: Any) -> None:
        super().__init__()
        self.features = features
        first, second, third = (
            convolution(linear, SIDE if i == 0 else 1) for i, linear in enumerate(linears)
        )
        self.classifier = nn.Sequential(
            first, nn.ReLU(), nn.Dropout(dropout.p), second, nn.ReLU(), nn.Dropout(dropout.p), third
        )

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x))


def convolution(linear: Any, side: int) -> Any:
    """The convolution that computes on each window of side x side what a Linear does on the flattened window."""
    outputs, inputs = linear.weight.shape
    layer: Any = nn.Conv2d(inputs // side**2, outputs, kernel_size=side)
    layer.to(linear.weight.device, linear.weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(linear.weight.reshape(outputs, -1, side, side))
        layer.bias.copy_(linear.bias)
    return layer


def fully_convolutional(model: Any) -> Dense:
    """The twin of a VGG of `torch_models.vgg`, in its mode; weights are copied but for those of its convolutions, which are shared.

    TrainingError for another network.
    """
    if isinstance(model, VGG):
        blocks = [[model.conv1_1, model.conv1_2], [model.conv2_1, model.conv2_2]]
        blocks += [[getattr(model, f"conv{block}_{i}") for i in (1, 2, 3)] for block in (3, 4, 5)]
        layers: list[nn.Module] = [layer for block in blocks for conv in block for layer in (conv, nn.ReLU())]
        for place in (4, 9, 16, 23, 30):  # behind each block
            layers.insert(place, nn.MaxPool2d(kernel_size=2, stride=2))
        dense = Dense(nn.Sequential(*layers), (model.fc1[0], model.fc2[0], model.fc3), model.dropout1)
    elif isinstance(model, VGGFeatures):
        dense = Dense(model.features, [model.classifier[i] for i in (0, 3, 6)], model.classifier[2])
    elif isinstance(model, VGGBlocks):
        dense = Dense(model.blocks, (model.fc1, model.fc2, model.fc3), model.dropout1)
    else:
        raise TrainingError(
            f"{type(model).__name__} has no fully convolutional twin; dense evaluation is for our VGGs"
        )
    if not model.training:
        dense.eval()
    return dense
