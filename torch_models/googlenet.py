"""GoogLeNet, the form of the Paddle tutorial: first stride 1, no batch normalisation.

Szegedy et al.: Going Deeper with Convolutions, 2014 (https://arxiv.org/abs/1409.4842). The tutorial
leaves out the paper's two auxiliary heads; here they are an option.
"""

import torch
import torch.nn.functional as F
from torch import nn

from torch_models.like_paddle import init_like_paddle


class Inception(nn.Module):
    """Four paths side by side, concatenated over the channels; height and width stay.

    c0: input channels. c1: path 1, a 1x1 convolution. c2: path 2, (1x1, 3x3). c3: path 3, (1x1, 5x5).
    c4: path 4, the 1x1 convolution after a 3x3 max pool. Output channels: c1 + c2[1] + c3[1] + c4.
    """

    def __init__(self, c0, c1, c2, c3, c4):
        super().__init__()
        self.p1_1 = nn.Conv2d(c0, c1, kernel_size=1)
        self.p2_1 = nn.Conv2d(c0, c2[0], kernel_size=1)
        self.p2_2 = nn.Conv2d(c2[0], c2[1], kernel_size=3, padding=1)
        self.p3_1 = nn.Conv2d(c0, c3[0], kernel_size=1)
        self.p3_2 = nn.Conv2d(c3[0], c3[1], kernel_size=5, padding=2)
        self.p4_1 = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(c0, c4, kernel_size=1)

    def forward(self, x):
        p1 = F.relu(self.p1_1(x))  # [N, c1, H, W]
        p2 = F.relu(self.p2_2(F.relu(self.p2_1(x))))  # [N, c2[1], H, W]
        p3 = F.relu(self.p3_2(F.relu(self.p3_1(x))))  # [N, c3[1], H, W]
        p4 = F.relu(self.p4_2(self.p4_1(x)))  # [N, c4, H, W]
        return torch.cat([p1, p2, p3, p4], dim=1)  # [N, c1 + c2[1] + c3[1] + c4, H, W]


class AuxiliaryHead(nn.Module):
    """A classifier on features from the middle of the network, used in training only (section 5)."""

    def __init__(self, in_channels, num_classes):
        super().__init__()
        # The paper's 5x5 average pool with stride 3 gives 4x4 from its 14x14; so does this from any size.
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv = nn.Conv2d(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x):
        x = self.pool(x)  # [N, in_channels, 4, 4]
        x = F.relu(self.conv(x))  # [N, 128, 4, 4]
        x = torch.flatten(x, 1)  # [N, 2048]
        x = self.dropout(F.relu(self.fc1(x)))  # [N, 1024]
        return self.fc2(x)  # [N, num_classes]


class GoogLeNet(nn.Module):
    """[N, in_channels, H, W] -> [N, num_classes] logits; shapes below are for 224x224.

    With `auxiliary_heads` training returns (logits, logits after block4_1, logits after block4_4); the
    paper adds the losses of the last two with a weight of 0.3. Evaluation returns the logits alone.
    """

    def __init__(self, num_classes=1, in_channels=3, auxiliary_heads=False):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, kernel_size=7, stride=1, padding=3)
        self.pool1 = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.conv2_1 = nn.Conv2d(64, 64, kernel_size=1)
        self.conv2_2 = nn.Conv2d(64, 192, kernel_size=3, padding=1)
        self.pool2 = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.block3_1 = Inception(192, 64, (96, 128), (16, 32), 32)
        self.block3_2 = Inception(256, 128, (128, 192), (32, 96), 64)
        self.pool3 = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.block4_1 = Inception(480, 192, (96, 208), (16, 48), 64)
        self.block4_2 = Inception(512, 160, (112, 224), (24, 64), 64)
        self.block4_3 = Inception(512, 128, (128, 256), (24, 64), 64)
        self.block4_4 = Inception(512, 112, (144, 288), (32, 64), 64)
        self.block4_5 = Inception(528, 256, (160, 320), (32, 128), 128)
        self.pool4 = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.block5_1 = Inception(832, 256, (160, 320), (32, 128), 128)
        self.block5_2 = Inception(832, 384, (192, 384), (48, 128), 128)
        self.pool5 = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(1024, num_classes)
        self.auxiliary_heads = auxiliary_heads
        if auxiliary_heads:
            self.aux1 = AuxiliaryHead(512, num_classes)
            self.aux2 = AuxiliaryHead(528, num_classes)
        init_like_paddle(self)

    def forward(self, x):
        x = F.relu(self.conv1(x))  # [N, 64, 224, 224]
        x = self.pool1(x)  # [N, 64, 112, 112]
        x = F.relu(self.conv2_1(x))  # [N, 64, 112, 112]
        x = F.relu(self.conv2_2(x))  # [N, 192, 112, 112]
        x = self.pool2(x)  # [N, 192, 56, 56]
        x = self.block3_1(x)  # [N, 256, 56, 56]
        x = self.block3_2(x)  # [N, 480, 56, 56]
        x = self.pool3(x)  # [N, 480, 28, 28]
        x = middle1 = self.block4_1(x)  # [N, 512, 28, 28]
        x = self.block4_2(x)  # [N, 512, 28, 28]
        x = self.block4_3(x)  # [N, 512, 28, 28]
        x = middle2 = self.block4_4(x)  # [N, 528, 28, 28]
        x = self.block4_5(x)  # [N, 832, 28, 28]
        x = self.pool4(x)  # [N, 832, 14, 14]
        x = self.block5_1(x)  # [N, 832, 14, 14]
        x = self.block5_2(x)  # [N, 1024, 14, 14]
        x = self.pool5(x)  # [N, 1024, 1, 1]
        x = torch.flatten(x, 1)  # [N, 1024]
        x = self.fc(x)  # [N, num_classes]
        if self.auxiliary_heads and self.training:
            return x, self.aux1(middle1), self.aux2(middle2)
        return x


def googlenet(num_classes=1, *, in_channels=3):
    """GoogLeNet of the tutorial: one logit, RGB images."""
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels)


def googlenet_auxiliary(num_classes=1, *, in_channels=3):
    """GoogLeNet of the tutorial with the paper's two auxiliary heads."""
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, auxiliary_heads=True)
