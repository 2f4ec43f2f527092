"""AlexNet in one piece: no split over two GPUs, no local response normalisation.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012.
The form is the textbook one: one channel, ten classes, 224x224.
"""

import torch
from torch import nn

from torch_models.like_paddle import init_like_paddle


class AlexNet(nn.Module):
    """[N, in_channels, 224, 224] -> [N, num_classes] logits."""

    def __init__(self, num_classes=10, in_channels=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 96, kernel_size=11, stride=4, padding=1)
        self.conv2 = nn.Conv2d(96, 256, kernel_size=5, padding=2)
        self.conv3 = nn.Conv2d(256, 384, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, kernel_size=3, padding=1)
        self.conv5 = nn.Conv2d(384, 256, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(256 * 5 * 5, 4096)
        self.dropout1 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(4096, 4096)
        self.dropout2 = nn.Dropout(0.5)
        self.fc3 = nn.Linear(4096, num_classes)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2)
        init_like_paddle(self)

    def forward(self, x):
        x = self.relu(self.conv1(x))  # [N, 96, 54, 54]
        x = self.pool(x)  # [N, 96, 26, 26]
        x = self.relu(self.conv2(x))  # [N, 256, 26, 26]
        x = self.pool(x)  # [N, 256, 12, 12]
        x = self.relu(self.conv3(x))  # [N, 384, 12, 12]
        x = self.relu(self.conv4(x))  # [N, 384, 12, 12]
        x = self.relu(self.conv5(x))  # [N, 256, 12, 12]
        x = self.pool(x)  # [N, 256, 5, 5]
        x = torch.flatten(x, 1)  # [N, 6400]
        x = self.dropout1(self.relu(self.fc1(x)))  # [N, 4096]
        x = self.dropout2(self.relu(self.fc2(x)))  # [N, 4096]
        return self.fc3(x)  # [N, num_classes]


def alexnet(num_classes=10, *, in_channels=1):
    """AlexNet for 224x224 images, one channel and ten classes unless told otherwise."""
    return AlexNet(num_classes=num_classes, in_channels=in_channels)
