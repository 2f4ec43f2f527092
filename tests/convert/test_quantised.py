"""Quantised checkpoints: whole numbers are never weights, unless their scale makes weights of them."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch

from convert import ConvertError, convert_checkpoint, convert_state_dict, open_checkpoint


def paddle_net() -> paddle.nn.Layer:
    return paddle.nn.Sequential(
        paddle.nn.Conv2D(3, 4, 3),
        paddle.nn.BatchNorm2D(4),
        paddle.nn.ReLU(),
        paddle.nn.Flatten(),
        paddle.nn.Linear(144, 5),
    )


def torch_net() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(144, 5),
    )


def quantised(weight: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The int8 numbers and Paddle's scale, which is the largest value (of a channel)."""
    others = tuple(at for at in range(weight.ndim) if at != axis) if axis is not None else None
    scale = np.abs(weight).max(axis=others, keepdims=True)
    return np.round(weight / scale * 127).astype("int8"), scale.reshape(-1).astype("float32")


@pytest.mark.parametrize("per_channel", [False, True])
def test_int8_with_paddlesims_scales_becomes_what_it_was_to_half_a_step(save, tmp_path, per_channel):
    net = paddle_net()
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    before = dict(state)
    for name, axis in (("0.weight", 0), ("4.weight", 1)):
        state[name], scale = quantised(state[name], axis if per_channel else None)
        state[f"{name}@scale"], state[f"{name}@zero_point"] = scale, np.zeros_like(scale)
    report = convert_checkpoint(save(state), tmp_path / "x.pth", target=torch_net())
    got = torch.load(report.target)
    for name in ("0.weight", "4.weight"):
        value = got[name].numpy()
        assert value.dtype == np.float32
        wanted = before[name].T if value.ndim == 2 else before[name]
        assert np.abs(value - wanted).max() <= 0.51 * np.abs(wanted).max() / 127
    assert any("int8" in note and "0.weight" in note for note in report.notes)


@pytest.mark.filterwarnings("ignore")
def test_whole_numbers_in_float32_are_dequantised_too(tmp_path):
    from paddle.quantization import PTQ, QuantConfig
    from paddle.quantization.observers import AbsmaxObserver

    net = paddle_net()
    net.eval()
    before = net.state_dict()["0.weight"].numpy().copy()
    observer = AbsmaxObserver(quant_bits=8)
    ptq = PTQ(QuantConfig(activation=observer, weight=observer))
    observed = ptq.quantize(net)
    observed(paddle.rand([2, 3, 8, 8]))
    paddle.save(ptq.convert(observed).state_dict(), str(tmp_path / "q.pdparams"))
    report = convert_checkpoint(tmp_path / "q.pdparams", tmp_path / "x.pth", target=torch_net())
    got = torch.load(report.target)["0.weight"].numpy()
    assert np.abs(got - before).max() <= 0.51 * np.abs(before).max() / 127


@pytest.mark.parametrize("kind", ["new", "old"])
def test_a_network_trained_with_fake_quantisation_converts_without_its_observers(tmp_path, kind):
    net = paddle_net()
    before = {name: value.numpy().copy() for name, value in net.state_dict().items()}
    if kind == "new":
        from paddle.quantization import QAT, QuantConfig
        from paddle.quantization.quanters import FakeQuanterWithAbsMaxObserver

        quanter = FakeQuanterWithAbsMaxObserver(moving_rate=0.9)
        net = QAT(QuantConfig(activation=quanter, weight=quanter)).quantize(net)
    else:
        from paddle.quantization import ImperativeQuantAware

        ImperativeQuantAware().quantize(net)
    paddle.save(net.state_dict(), str(tmp_path / "q.pdparams"))
    report = convert_checkpoint(tmp_path / "q.pdparams", tmp_path / "x.pth", target=torch_net())
    got = torch.load(report.target)
    np.testing.assert_array_equal(got["4.weight"].numpy().T, before["4.weight"])
    np.testing.assert_array_equal(got["1.running_var"].numpy(), before["1._variance"])
    assert any("fake quantisation" in note for note in report.notes)


def test_inspect_shows_the_file_as_it_is(save):
    numbers, scale = quantised(np.random.default_rng(0).standard_normal((8, 4)).astype("f4"), None)
    path = save({"fc.weight": numbers, "fc.weight@scale": scale})
    with open_checkpoint(path, raw=True) as raw, open_checkpoint(path) as weights:
        assert list(raw) == ["fc.weight", "fc.weight@scale"]
        assert [(name, ref.dtype_name) for name, ref in weights.items()] == [("fc.weight", "float32")]


@pytest.mark.parametrize("kind", ["int8", "int16", "uint8", "int64", "bool"])
def test_whole_numbers_without_a_scale_are_no_weights(save, tmp_path, kind):
    state = {"0.weight": np.ones((8, 4), kind), "0.bias": np.ones(4, "float32")}
    module = torch.nn.Sequential(torch.nn.Linear(8, 4))
    with pytest.raises(ConvertError, match=f"0.weight.* is {kind} .*torch's 0.weight is float32"):
        convert_checkpoint(save(state), tmp_path / "x.pth", target=module)
    assert not (tmp_path / "x.pth").exists()


def test_in_memory_and_in_a_registered_model_too(save, tmp_path):
    from paddle_models.lenet import lenet

    with pytest.raises(ConvertError, match="int8"):
        convert_state_dict(
            {"weight": np.ones((8, 4), "int8"), "bias": np.ones(4, "f4")}, torch.nn.Linear(8, 4)
        )
    state = {name: value.numpy().astype("int8") for name, value in lenet().state_dict().items()}
    with pytest.raises(ConvertError, match="int8"):
        convert_checkpoint(save(state), tmp_path / "x.pth", model="lenet")


def test_fractions_are_no_index_and_whole_numbers_may_have_another_width(save, tmp_path):
    class Indexed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("index", torch.zeros(3, dtype=torch.int64))

    with pytest.raises(ConvertError, match=r"index.* is float32 .*torch's index is int64"):
        convert_checkpoint(save({"index": np.ones(3, "float32")}), tmp_path / "x.pth", target=Indexed())
    report = convert_checkpoint(
        save({"index": np.arange(3, dtype="int32")}), tmp_path / "x.pth", target=Indexed()
    )
    assert torch.load(report.target)["index"].tolist() == [0, 1, 2]


def test_without_a_target_whole_numbers_stay_what_they_are(save, tmp_path):
    report = convert_checkpoint(save({"a": np.ones((8, 4), "int8")}), tmp_path / "x.pth")
    assert torch.load(report.target)["a"].dtype == torch.int8
