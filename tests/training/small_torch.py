"""Networks small enough to train in a test, in torch: the model folders' own blocks."""

import torch
from torch import nn

from torch_models.densenet import DenseNet
from torch_models.resnet import BasicBlock, ConvBNLayer
from torch_models.vgg import VGGBlocks


class ResNet(nn.Module):
    """[N, 1, 32, 32] -> [N, num_classes]."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.conv = ConvBNLayer(1, 8, filter_size=3, stride=2, act="relu")
        self.block1 = BasicBlock(8, 8, 1, shortcut=True)
        self.block2 = BasicBlock(8, 16, 2, shortcut=False)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.out = nn.Linear(16, num_classes)
        with torch.no_grad():  # conditioned: a raw start makes even float64 chaotic after a few steps
            for block in (self.block1, self.block2):
                block.conv1._batch_norm.weight.mul_(0.1)

    def forward(self, x):
        x = self.block2(self.block1(self.conv(x)))  # [N, 16, 8, 8]
        return self.out(torch.flatten(self.pool(x), 1))


def resnet(num_classes=10):
    return ResNet(num_classes)


def another(num_classes=10):
    """A port with a mistake: a BatchNorm with another epsilon."""
    net = ResNet(num_classes)
    net.block2.conv0._batch_norm.eps = 1e-3
    return net


def vgg(num_classes=10):
    """[N, 1, 28, 28] -> [N, num_classes]."""
    net = VGGBlocks(((1, 8), (2, 8)), num_classes=num_classes)
    net.fc1 = nn.Linear(8 * 7 * 7, 32)
    net.fc2 = nn.Linear(32, 32)
    net.fc3 = nn.Linear(32, num_classes)
    return net


def densenet(num_classes=10):
    """[N, 1, 32, 32] -> [N, num_classes]."""
    return DenseNet((2, 2), num_classes=num_classes, in_channels=1, stem_channels=8, growth_rate=4, bn_size=2)


def unpooled(num_classes=10):
    """One whose output is no row of logits."""
    return nn.Conv2d(1, 4, 3)
