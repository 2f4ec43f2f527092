"""`--fuse`: branches that were trained apart become one convolution, and only with a proof."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, open_checkpoint
from convert.models.layout import module_layout
from convert.plan.fuse import fuse

TRAINED = """
import paddle
from paddle import nn

class ConvBN(nn.Layer):
    def __init__(self, i, o, k, groups):
        super().__init__()
        self.conv = nn.Conv2D(i, o, k, padding=k // 2, groups=groups, bias_attr=False)
        self.bn = nn.BatchNorm2D(o)

    def forward(self, x):
        return self.bn(self.conv(x))

class Block(nn.Layer):
    def __init__(self, i, o, groups=1):
        super().__init__()
        self.rbr_dense, self.rbr_1x1 = ConvBN(i, o, 3, groups), ConvBN(i, o, 1, groups)
        self.rbr_identity = nn.BatchNorm2D(i) if i == o else None

    def forward(self, x):
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return nn.functional.relu(y if self.rbr_identity is None else y + self.rbr_identity(x))

class Chain(nn.Layer):
    def __init__(self):
        super().__init__()
        self.rbr_dense, self.rbr_1x1 = ConvBN(4, 4, 3, 1), ConvBN(4, 4, 1, 1)

    def forward(self, x):
        return nn.functional.relu(self.rbr_1x1(self.rbr_dense(x)))

class Net(nn.Layer):
    def __init__(self, chain=False):
        super().__init__()
        self.stage0 = Block(3, 4)
        self.stage1 = Chain() if chain else Block(4, 4, groups=2)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(paddle.mean(self.stage1(self.stage0(x)), axis=[2, 3]))
"""
DEPLOYED = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, i, o, groups=1):
        super().__init__()
        self.rbr_reparam = nn.Conv2d(i, o, 3, padding=1, groups=groups)

    def forward(self, x):
        return nn.functional.relu(self.rbr_reparam(x))

class Net(nn.Module):
    def __init__(self, groups=2):
        super().__init__()
        self.stage0, self.stage1 = Block(3, 4), Block(4, 4, groups)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(torch.mean(self.stage1(self.stage0(x)), dim=(2, 3)))
"""


@pytest.fixture
def here(tmp_path):
    (tmp_path / "trained.py").write_text(TRAINED)
    (tmp_path / "deployed.py").write_text(DEPLOYED)
    return tmp_path


def trained(folder, **arguments):
    """The network for training with statistics of its own, saved; and what it computes of an image."""
    scope: dict = {}
    exec(TRAINED, scope)
    paddle.seed(0)
    net = scope["Net"](**arguments)
    for value in net.state_dict().values():
        value.set_value(paddle.rand(value.shape) * 0.5 + 0.3)
    net.eval()
    paddle.save(net.state_dict(), str(folder / "net.pdparams"))
    image = np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)
    return image, net(paddle.to_tensor(image)).numpy()


WORDS = ("convert", "net.pdparams", "--fuse", "--paddle", "trained.py:Net", "--torch", "deployed.py:Net")
WORDS = (*WORDS, "--shape", "2,3,8,8", "-o", "out.pth")


def test_branches_become_convolutions_that_compute_the_same(in_process, here):
    image, expected = trained(here)
    done = in_process("convert", "net.pdparams", "--torch", "deployed.py:Net", "-o", "out.pth", cwd=here)
    assert "from before branches were fused into one convolution: --fuse, with --paddle" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    done = in_process(*WORDS, cwd=here)
    assert done.returncode == 0, done.stderr
    assert "proved by running both networks in float64 on 2 inputs" in done.stdout
    assert "fused: 2 convolutions of several branches (stage0.rbr_reparam, stage1.rbr_reparam)" in done.stdout
    scope: dict = {}
    exec(DEPLOYED, scope)
    net = scope["Net"]()
    net.load_state_dict(torch.load(here / "out.pth", weights_only=True))
    np.testing.assert_allclose(net(torch.from_numpy(image)).detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("epsilon", [1e-3, 2e-5])
def test_another_epsilon_is_noticed(in_process, here, epsilon):
    trained(here)
    (here / "trained.py").write_text(
        TRAINED.replace("nn.BatchNorm2D(o)", f"nn.BatchNorm2D(o, epsilon={epsilon})")
    )
    done = in_process(*WORDS, cwd=here)
    assert done.returncode == 2
    assert "nothing was written" in done.stderr


def test_a_chain_with_the_names_of_branches_is_not_taken_for_them(in_process, here):
    trained(here, chain=True)
    done = in_process(*WORDS, "--paddle-args", '{"chain": true}', "--torch-args", '{"groups": 1}', cwd=here)
    assert done.returncode == 2
    assert (
        "the layers beside each other are no branches, or a BatchNorm's epsilon is not 1e-05; nothing was written"
        in done.stderr
    )
    assert not (here / "out.pth").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (WORDS[:3], "give --paddle MODULE:FACTORY and --torch MODULE:FACTORY and --shape"),
        ((*WORDS, "--match", "run"), "--fuse does not go with --match"),
        (("convert", "trained.py:Net", *WORDS[2:]), "--fuse is for a checkpoint"),
        ((*WORDS[:-1], "out.pdparams"), "what is fused cannot be taken apart again"),
        (("convert", ".", *WORDS[2:-1], "out"), "--fuse is for a single checkpoint"),
    ],
)
def test_wrong_words_about_fusing_are_answered(in_process, here, words, message):
    trained(here)
    done = in_process(*words, cwd=here)
    assert done.returncode == 2
    assert message in done.stderr


def test_what_cannot_be_a_branch_is_named(here):
    trained(here)
    with open_checkpoint(here / "net.pdparams") as checkpoint:
        target = torch.nn.ModuleDict({"stage9": torch.nn.ModuleDict({"fused": torch.nn.Conv2d(3, 4, 3)})})
        with pytest.raises(
            ConvertError, match=r"no branches that 'stage9.fused' of the target could be fused of"
        ):
            fuse(checkpoint, module_layout(target))
        target = torch.nn.ModuleDict({"stage0": torch.nn.ModuleDict({"fused": torch.nn.Conv2d(3, 5, 3)})})
        with pytest.raises(ConvertError, match=r"'stage0.rbr_dense.conv' \[4, 3, 3, 3\] cannot be a branch"):
            fuse(checkpoint, module_layout(target))
