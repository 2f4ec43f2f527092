"""`plain` whose layers are added by name in loops, with `add_module` and `setattr`."""

from torch import nn


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [200, 32, 32, 32, 10]
        for i in range(4, 0, -1):
            self.add_module(f"fc{i}", nn.Linear(sizes[i - 1], sizes[i]))
        for i, channels in enumerate([3, 8, 8], start=1):
            setattr(self, f"conv{i}", nn.Conv2d(channels, 8, kernel_size=3, padding=1, bias=i < 3))
            setattr(self, f"bn{i}", nn.BatchNorm2d(8))
        self.act = nn.ReLU()
        self.add_module("pool1", nn.MaxPool2d(2))
        self.add_module("pool2", nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
        self.dropout = nn.Dropout(p=0.4)

    def stage(self, x, i):
        conv, norm = getattr(self, f"conv{i}"), getattr(self, f"bn{i}")
        return self.act(norm(conv(x)))

    def forward(self, x):
        x = self.pool1(self.stage(x, 1))
        x = self.stage(x, 2)
        x = self.pool2(self.stage(x, 3))
        x = x.view(x.size(0), -1)
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        x = self.act(self.fc3(self.dropout(x)))
        return self.fc4(x)


def build():
    return Plain()
