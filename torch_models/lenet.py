"""LeNet with sigmoid activations and average pooling.

LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998.
The form is the textbook one: 28x28 images, 5x5 convolutions, a plain linear output layer.
"""

import torch
from torch import nn

from torch_models.like_paddle import init_like_paddle


class LeNet(nn.Module):
    """[N, in_channels, 28, 28] -> [N, num_classes] logits."""

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 6, kernel_size=5, padding=2)
        self.pool1 = nn.AvgPool2d(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.pool2 = nn.AvgPool2d(kernel_size=2, stride=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.sigmoid = nn.Sigmoid()
        init_like_paddle(self)

    def forward(self, x):
        x = self.sigmoid(self.conv1(x))  # [N, 6, 28, 28]
        x = self.pool1(x)  # [N, 6, 14, 14]
        x = self.sigmoid(self.conv2(x))  # [N, 16, 10, 10]
        x = self.pool2(x)  # [N, 16, 5, 5]
        x = torch.flatten(x, 1)  # [N, 400]
        x = self.sigmoid(self.fc1(x))  # [N, 120]
        x = self.sigmoid(self.fc2(x))  # [N, 84]
        return self.fc3(x)  # [N, num_classes]


def lenet(num_classes=10, *, in_channels=1):
    """LeNet for 28x28 images, one channel and ten digits unless told otherwise."""
    return LeNet(num_classes=num_classes, in_channels=in_channels)
