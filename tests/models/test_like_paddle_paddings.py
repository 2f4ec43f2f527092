"""Paddle's paddings that are words, in the layers that a port brings along, and what the porter says where torch has no such layer."""

from __future__ import annotations

import numpy as np
import paddle
import torch

from paddle2torch.port.source import port_source
from torch_models import like_paddle


def test_paddings_that_are_words_are_taken_in_any_case_and_told_where_torchs_pools_lack_them():
    x = np.random.default_rng(0).random((2, 3, 9, 8))
    weight = np.random.default_rng(1).random((4, 3, 3, 3))
    for word in ("same", "Same", "SAME", "valid"):
        layer = like_paddle.Conv2d(3, 4, 3, stride=2, padding=word, dilation=2, bias=False).double()
        layer.weight.data = torch.from_numpy(weight)
        expected = paddle.nn.functional.conv2d(
            paddle.to_tensor(x), paddle.to_tensor(weight), stride=2, padding=word, dilation=2
        )
        np.testing.assert_allclose(layer(torch.from_numpy(x)).detach().numpy(), expected.numpy(), rtol=1e-12)
        pooled = like_paddle.MaxPool2d(3, 2, padding=word)(torch.from_numpy(x))
        expected = paddle.nn.functional.max_pool2d(paddle.to_tensor(x), 3, 2, padding=word)
        assert np.array_equal(pooled.numpy(), expected.numpy())
    for call in (
        "F.max_pool2d(x, 3, padding='same')",
        "F.avg_pool1d(x, 3, padding='SAME')",
        "F.avg_pool2d(x, 3, 2, [0, 1, 0, 1])",
    ):
        done = port_source(f"import paddle.nn.functional as F\ny = {call}\n")
        assert "torch's pools take one number a dimension" in done.left[0].why
