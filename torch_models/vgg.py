"""VGG in three forms that name their layers differently.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014
(https://arxiv.org/abs/1409.1556).

`VGG`: the Paddle tutorial's VGG-16, every convolution an attribute of its own, one logit.
`VGGFeatures`: 11, 13, 16 and 19 layers as `features.N` and `classifier.N`, with or without BatchNorm.
`VGGBlocks`: VGG-11 from (convolutions, channels) pairs, one channel, also at a quarter of the width.
"""

import torch
from torch import nn

from torch_models.like_paddle import init_like_paddle


class VGG(nn.Module):
    """[N, in_channels, 224, 224] -> [N, num_classes] logits."""

    def __init__(self, num_classes=1, in_channels=3):
        super().__init__()
        self.conv1_1 = nn.Conv2d(in_channels, 64, kernel_size=3, padding=1)
        self.conv1_2 = nn.Conv2d(64, 64, kernel_size=3, padding=1)
        self.conv2_1 = nn.Conv2d(64, 128, kernel_size=3, padding=1)
        self.conv2_2 = nn.Conv2d(128, 128, kernel_size=3, padding=1)
        self.conv3_1 = nn.Conv2d(128, 256, kernel_size=3, padding=1)
        self.conv3_2 = nn.Conv2d(256, 256, kernel_size=3, padding=1)
        self.conv3_3 = nn.Conv2d(256, 256, kernel_size=3, padding=1)
        self.conv4_1 = nn.Conv2d(256, 512, kernel_size=3, padding=1)
        self.conv4_2 = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.conv4_3 = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.conv5_1 = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.conv5_2 = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.conv5_3 = nn.Conv2d(512, 512, kernel_size=3, padding=1)
        self.fc1 = nn.Sequential(nn.Linear(512 * 7 * 7, 4096), nn.ReLU())
        self.dropout1 = nn.Dropout(0.5)
        self.fc2 = nn.Sequential(nn.Linear(4096, 4096), nn.ReLU())
        self.dropout2 = nn.Dropout(0.5)
        self.fc3 = nn.Linear(4096, num_classes)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        init_like_paddle(self)

    def forward(self, x):
        x = self.relu(self.conv1_1(x))  # [N, 64, 224, 224]
        x = self.relu(self.conv1_2(x))  # [N, 64, 224, 224]
        x = self.pool(x)  # [N, 64, 112, 112]
        x = self.relu(self.conv2_1(x))  # [N, 128, 112, 112]
        x = self.relu(self.conv2_2(x))  # [N, 128, 112, 112]
        x = self.pool(x)  # [N, 128, 56, 56]
        x = self.relu(self.conv3_1(x))  # [N, 256, 56, 56]
        x = self.relu(self.conv3_2(x))  # [N, 256, 56, 56]
        x = self.relu(self.conv3_3(x))  # [N, 256, 56, 56]
        x = self.pool(x)  # [N, 256, 28, 28]
        x = self.relu(self.conv4_1(x))  # [N, 512, 28, 28]
        x = self.relu(self.conv4_2(x))  # [N, 512, 28, 28]
        x = self.relu(self.conv4_3(x))  # [N, 512, 28, 28]
        x = self.pool(x)  # [N, 512, 14, 14]
        x = self.relu(self.conv5_1(x))  # [N, 512, 14, 14]
        x = self.relu(self.conv5_2(x))  # [N, 512, 14, 14]
        x = self.relu(self.conv5_3(x))  # [N, 512, 14, 14]
        x = self.pool(x)  # [N, 512, 7, 7]
        x = torch.flatten(x, 1)  # [N, 25088]
        # fc1 and fc2 end with a ReLU already; the tutorial applies a second one, which changes nothing.
        x = self.dropout1(self.relu(self.fc1(x)))  # [N, 4096]
        x = self.dropout2(self.relu(self.fc2(x)))  # [N, 4096]
        return self.fc3(x)  # [N, num_classes]


# layers: output channels of each convolution, "M" for a max pool (configurations A, B, D, E)
CONFIGURATIONS = {
    11: (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    13: (64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"),
    16: (64, 64, "M", 128, 128, "M", *(256,) * 3, "M", *(512,) * 3, "M", *(512,) * 3, "M"),
    19: (64, 64, "M", 128, 128, "M", *(256,) * 4, "M", *(512,) * 4, "M", *(512,) * 4, "M"),
}


class VGGFeatures(nn.Module):
    """[N, in_channels, H, W] -> [N, num_classes] logits; shapes below are for 224x224."""

    def __init__(self, layers, *, num_classes=1000, in_channels=3, batch_norm=False):
        super().__init__()
        if layers not in CONFIGURATIONS:
            raise ValueError(f"no VGG has {layers} layers; choose from {sorted(CONFIGURATIONS)}")
        features = []
        for channels in CONFIGURATIONS[layers]:
            if channels == "M":
                features.append(nn.MaxPool2d(kernel_size=2, stride=2))
                continue
            features.append(nn.Conv2d(in_channels, channels, kernel_size=3, padding=1))
            if batch_norm:
                features.append(nn.BatchNorm2d(channels))
            features.append(nn.ReLU())
            in_channels = channels
        self.features = nn.Sequential(*features)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(4096, num_classes),
        )
        init_like_paddle(self)

    def forward(self, x):
        x = self.features(x)  # [N, 512, 7, 7]
        x = self.avgpool(x)  # [N, 512, 7, 7]
        x = torch.flatten(x, 1)  # [N, 25088]
        return self.classifier(x)  # [N, num_classes]


VGG11_PAIRS = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))


class VGGBlocks(nn.Module):
    """[N, in_channels, 224, 224] -> [N, num_classes] logits; shapes below are for the full width."""

    def __init__(self, pairs=VGG11_PAIRS, *, num_classes=10, in_channels=1):
        super().__init__()
        self.blocks = nn.Sequential()
        for i, (convolutions, channels) in enumerate(pairs):
            block = nn.Sequential()
            for j in range(convolutions):
                block.add_module(f"conv{j + 1}", nn.Conv2d(in_channels, channels, kernel_size=3, padding=1))
                block.add_module(f"relu{j + 1}", nn.ReLU())
                in_channels = channels
            block.add_module("pool", nn.MaxPool2d(kernel_size=2, stride=2))
            self.blocks.add_module(f"block{i + 1}", block)
        self.fc1 = nn.Linear(in_channels * 7 * 7, 4096)
        self.dropout1 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(4096, 4096)
        self.dropout2 = nn.Dropout(0.5)
        self.fc3 = nn.Linear(4096, num_classes)
        self.relu = nn.ReLU()
        init_like_paddle(self)

    def forward(self, x):
        x = self.blocks(x)  # [N, 512, 7, 7]
        x = torch.flatten(x, 1)  # [N, 25088]
        x = self.dropout1(self.relu(self.fc1(x)))  # [N, 4096]
        x = self.dropout2(self.relu(self.fc2(x)))  # [N, 4096]
        return self.fc3(x)  # [N, num_classes]


def vgg16(num_classes=1, *, in_channels=3):
    """VGG-16 of the tutorial: one logit, RGB images of 224x224."""
    return VGG(num_classes=num_classes, in_channels=in_channels)


def vgg11_features(num_classes=1000, *, in_channels=3):
    """VGG-11 as `features` and `classifier`, without BatchNorm."""
    return VGGFeatures(11, num_classes=num_classes, in_channels=in_channels)


def vgg11_bn_features(num_classes=1000, *, in_channels=3):
    """VGG-11 as `features` and `classifier`, with BatchNorm."""
    return VGGFeatures(11, num_classes=num_classes, in_channels=in_channels, batch_norm=True)


def vgg13_features(num_classes=1000, *, in_channels=3):
    """VGG-13 as `features` and `classifier`, without BatchNorm."""
    return VGGFeatures(13, num_classes=num_classes, in_channels=in_channels)


def vgg13_bn_features(num_classes=1000, *, in_channels=3):
    """VGG-13 as `features` and `classifier`, with BatchNorm."""
    return VGGFeatures(13, num_classes=num_classes, in_channels=in_channels, batch_norm=True)


def vgg16_features(num_classes=1000, *, in_channels=3):
    """VGG-16 as `features` and `classifier`, without BatchNorm."""
    return VGGFeatures(16, num_classes=num_classes, in_channels=in_channels)


def vgg16_bn_features(num_classes=1000, *, in_channels=3):
    """VGG-16 as `features` and `classifier`, with BatchNorm."""
    return VGGFeatures(16, num_classes=num_classes, in_channels=in_channels, batch_norm=True)


def vgg19_features(num_classes=1000, *, in_channels=3):
    """VGG-19 as `features` and `classifier`, without BatchNorm."""
    return VGGFeatures(19, num_classes=num_classes, in_channels=in_channels)


def vgg19_bn_features(num_classes=1000, *, in_channels=3):
    """VGG-19 as `features` and `classifier`, with BatchNorm."""
    return VGGFeatures(19, num_classes=num_classes, in_channels=in_channels, batch_norm=True)


def vgg11_pairs(num_classes=10, *, in_channels=1):
    """VGG-11 from pairs: one channel, ten classes."""
    return VGGBlocks(VGG11_PAIRS, num_classes=num_classes, in_channels=in_channels)


def vgg11_pairs_quarter(num_classes=10, *, in_channels=1):
    """VGG-11 from pairs with a quarter of the channels."""
    pairs = [(convolutions, channels // 4) for convolutions, channels in VGG11_PAIRS]
    return VGGBlocks(pairs, num_classes=num_classes, in_channels=in_channels)
