"""Pairs that share neither layout nor spelling: what is equal is called equal, and nothing is excused."""

import numpy as np
import paddle
import torch

import parity


def tensors(*shape):
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def test_a_network_that_turns_rounding_into_another_result_is_inconclusive():
    class InPaddle(paddle.nn.Layer):
        def forward(self, x):
            x = paddle.nn.functional.softmax(x, axis=-1)
            for _ in range(70):
                x = x * 3.9 * (1 - x)
            return x

    class InTorch(torch.nn.Module):
        def forward(self, x):
            x = torch.softmax(x, dim=-1)
            for _ in range(70):
                x = x * 3.9 * (1 - x)
            return x

    report = parity.check(InPaddle(), InTorch(), tensors(2, 64), further=False)
    assert report.verdict is parity.Verdict.INCONCLUSIVE, report


def test_a_bare_matrix_that_torch_keeps_transposed_is_no_fault_and_its_gradient_is_compared():
    class InPaddle(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.weight = self.create_parameter([6, 4])

        def forward(self, x):
            return paddle.nn.functional.linear(x, self.weight * 0.3)

    class InTorch(torch.nn.Module):
        def __init__(self, weight, gain=0.3):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.from_numpy(weight))
            self.gain = gain

        def forward(self, x):
            return x @ (self.weight * self.gain).t()

    model = InPaddle()
    weight = np.ascontiguousarray(model.weight.numpy().T)
    report = parity.check(model, InTorch(weight), tensors(3, 6), gradients=True)
    assert report, report
    assert not parity.check(model, InTorch(weight, gain=0.31), tensors(3, 6))


def test_indices_carry_no_gradient_whatever_paddle_says():
    class InPaddle(paddle.nn.Layer):
        def forward(self, x, boxes):
            _, index = paddle.topk(x, k=3, axis=1)
            return paddle.take_along_axis(boxes, index.unsqueeze(-1).expand([2, 3, 4]), axis=1)

    class InTorch(torch.nn.Module):
        def forward(self, x, boxes):
            index = x.topk(3, dim=1)[1]
            return boxes.gather(1, index[..., None].expand(-1, -1, 4))

    report = parity.check(InPaddle(), InTorch(), (tensors(2, 7), tensors(2, 7, 4)), gradients=True)
    assert report, report


def test_an_upsampling_that_misses_where_a_stride_rounds_up_shows_on_the_odd_size():
    class InPaddle(paddle.nn.Layer):
        def forward(self, x):
            low = paddle.nn.functional.avg_pool2d(x, 1, stride=2)
            high = paddle.nn.functional.max_pool2d(low, 2)
            return low + paddle.nn.functional.interpolate(high, low.shape[2:])

    class InTorch(torch.nn.Module):
        def forward(self, x):
            low = torch.nn.functional.avg_pool2d(x, 1, stride=2)
            high = torch.nn.functional.max_pool2d(low, 2)
            return low + torch.nn.functional.interpolate(high, scale_factor=2)

    report = parity.check(InPaddle(), InTorch(), tensors(1, 2, 8, 8))
    assert report.verdict is parity.Verdict.DIFFERENT
    assert "output_size: torch has (4, 4), Paddle has (5, 4)" in report.findings[0].cause


class _TokensInPaddle(paddle.nn.Layer):
    """Positions are added to tokens, and these are maps again."""

    def __init__(self):
        super().__init__()
        self.position = self.create_parameter([1, 12, 6])
        self.position.set_value(tensors(1, 12, 6))
        self.conv = paddle.nn.Conv2D(6, 2, 3)

    def forward(self, x):
        tokens = x.flatten(2).transpose([0, 2, 1]) + self.position
        return self.conv(paddle.tanh(tokens.transpose([0, 2, 1]).reshape([-1, 6, 3, 4])))


class _MapsInTorch(torch.nn.Module):
    """Positions are added to maps; `turned` puts the numbers where Paddle has them not."""

    def __init__(self, twin, turned=False):
        super().__init__()
        position = torch.from_numpy(twin.position.numpy())[0].T.reshape(6, 3, 4)
        self.maps = torch.nn.Parameter(position.flip(2) if turned else position.clone())
        self.conv = torch.nn.Conv2d(6, 2, 3)
        self.conv.load_state_dict(
            {name: torch.from_numpy(tensor.numpy()) for name, tensor in twin.conv.state_dict().items()}
        )

    def forward(self, x):
        return self.conv(torch.tanh(x + self.maps))


def test_a_parameter_in_the_layout_that_its_operator_works_in_is_no_wrong_weight():
    twin, x = _TokensInPaddle(), tensors(2, 6, 3, 4)
    report = parity.check(twin, _MapsInTorch(twin), x, gradients=True, further=False)
    assert report.verdict is parity.Verdict.EQUIVALENT, str(report)
    assert not parity.check(twin, _MapsInTorch(twin, turned=True), x, further=False)
