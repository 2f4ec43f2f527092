"""Where a check runs: each model where it lies, moved for the length of a check, on and across GPUs."""

import re
from contextlib import suppress

import numpy as np
import paddle
import pytest
import torch
from torch import nn

import parity
from parity.sides.devices import placed
from tests.parity.pairs import TorchNet, registered, small
from tests.parity.test_promises import changed, state_of

ACROSS = [("cuda", "cuda"), ("cpu", "cuda"), ("cuda", "cpu")]


def skip_without(paddle_device: str, torch_device: str) -> None:
    if torch_device == "cuda" and not torch.cuda.is_available():
        pytest.skip("this torch sees no CUDA device")
    if paddle_device == "cuda" and not paddle.device.is_compiled_with_cuda():
        pytest.skip("this Paddle is a CPU build")


def versions(report: parity.Report) -> tuple[str, str]:
    environment = report.to_json()["environment"]
    return environment["paddle"], environment["torch"]


def test_a_pair_on_the_cpu_is_the_same_as_no_device():
    paddle_model, torch_model, inputs = small()
    reports = [
        parity.check(paddle_model, torch_model, inputs, device=device)
        for device in (None, "cpu", ("cpu", "cpu"))
    ]
    assert all(versions(report)[1].endswith(" on cpu") for report in reports)
    assert reports[0].to_json() == reports[1].to_json() == reports[2].to_json()


def test_a_model_on_a_device_without_float64_is_refused():
    paddle_model, torch_model, inputs = small()
    with pytest.raises(
        parity.ParityError, match=r"the torch model lies on meta, where float64, .* or move it"
    ):
        parity.check(paddle_model, torch_model.to("meta"), inputs)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU build runs what this asks for")
def test_a_device_that_this_torch_lacks_is_refused_before_anything_is_moved():
    paddle_model, torch_model, inputs = small()
    before = state_of(paddle_model, torch_model)
    with pytest.raises(parity.ParityError, match="device cuda: this torch sees no CUDA device"):
        parity.check(paddle_model, torch_model, inputs, device=("cpu", "cuda"))
    assert changed(before, state_of(paddle_model, torch_model)) == []


def test_what_was_moved_holds_its_own_memory_again():
    """What `placed` does to move a module, with a device that every machine has."""
    from parity.capture.torch import device_of, moved

    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    model(torch.zeros(2, 3, 8, 8)).sum().backward()
    held = {name: tensor.data_ptr() for name, tensor in model.state_dict().items()}
    gradient = model[0].weight.grad.data_ptr()
    with suppress(KeyError), moved(model, "cpu"):
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.data = tensor.data.clone()
        model[0].weight.grad.data = model[0].weight.grad.clone()
        raise KeyError
    assert {name: tensor.data_ptr() for name, tensor in model.state_dict().items()} == held
    assert model[0].weight.grad.data_ptr() == gradient
    assert device_of(model) == "cpu"
    assert device_of(nn.Identity()) == "cpu"


@pytest.mark.parametrize("devices", ACROSS)
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_twins_are_equivalent_on_and_across_gpus(devices, mode):
    skip_without(*devices)
    paddle_model, torch_model, inputs = registered("resnet18", shape=(2, 3, 64, 64))
    report = parity.check(paddle_model, torch_model, inputs, device=devices, mode=mode, gradients=True)
    assert report, str(report)
    assert report.worst <= 1e-11
    assert ["cuda" in version for version in versions(report)] == ["cuda" in device for device in devices]


@pytest.mark.parametrize("devices", ACROSS)
@pytest.mark.parametrize("faulty", [False, True])
def test_a_check_on_a_gpu_changes_nothing(devices, faulty):
    skip_without(*devices)
    paddle_model, torch_model, inputs = small()
    if faulty:
        torch_model.bn.eps = 0.1
    before = state_of(paddle_model, torch_model)
    memory = {name: tensor.data_ptr() for name, tensor in torch_model.state_dict().items()}
    random_state = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    report = parity.check(paddle_model, torch_model, inputs, device=devices, mode="train", gradients=True)
    assert bool(report) is not faulty
    assert changed(before, state_of(paddle_model, torch_model)) == []
    assert {name: tensor.data_ptr() for name, tensor in torch_model.state_dict().items()} == memory
    if random_state is not None:
        assert torch.equal(torch.cuda.get_rng_state(), random_state)


@pytest.mark.parametrize("given", ["numpy", "tensor"])
def test_a_module_on_a_gpu_is_checked_where_it_lies(given):
    skip_without("cpu", "cuda")
    paddle_model, torch_model, inputs = small()
    torch_model.cuda()
    inputs = inputs if given == "numpy" else torch.from_numpy(inputs).cuda()
    report = parity.check(paddle_model, torch_model, inputs)
    assert report, str(report)
    assert versions(report)[1].endswith(" on cuda:0")
    assert next(torch_model.parameters()).is_cuda


@pytest.mark.parametrize("devices", ACROSS)
def test_training_on_a_gpu_follows_paddle(devices):
    skip_without(*devices)
    paddle_model, torch_model, inputs = small()
    optimizers = (
        lambda model: paddle.optimizer.Momentum(0.1, 0.9, parameters=model.parameters(), weight_decay=1e-3),
        lambda model: torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=1e-3),
    )
    report = parity.check(
        paddle_model, torch_model, inputs, device=devices, mode="train", steps=3, optimizers=optimizers
    )
    assert report, str(report)


def test_the_faults_of_a_module_on_a_gpu_have_their_layer_and_cause():
    skip_without("cpu", "cuda")
    paddle_model, torch_model, inputs = small()
    torch_model.bn.eps = 0.1
    first = parity.check(paddle_model, torch_model, inputs, device=("cpu", "cuda")).findings[0]
    assert first.layer == "bn"
    assert "eps" in first.cause


class Strange(TorchNet):
    """Takes a tensor that is made in forward, one that it keeps, or one of a layer that is not registered."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.kept = kind, torch.ones(5, 1, 1)
        self.hidden = [nn.BatchNorm2d(5)] if kind == "hidden" else []

    def forward(self, x):
        if self.kind == "made":
            x = x * torch.arange(1.0, 6.0).view(5, 1, 1)
        elif self.kind == "kept":
            x = x * self.kept
        else:
            x = self.hidden[0](x)
        return super().forward(x)


STRAYS = {
    "made": ("what `view` makes lies on the {}", "device=x.device"),
    "kept": ("a constant tensor lies on the {}", "register_buffer"),
    "hidden": (r"not registered: .*`hidden\[0\]` lies on the {}", "ModuleList"),
}


@pytest.mark.parametrize("kind", STRAYS)
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_tensor_that_does_not_lie_where_the_model_does_is_named(kind, device, monkeypatch):
    """On a CPU these raise because of their shapes; what is told of devices is then told of pretended ones."""
    skip_without("cpu", device)
    if device == "cpu":
        from parity.capture.torch import TorchRecorder

        def pretended(_, tensor):
            return "cpu" if tensor.shape == inputs.shape else "cuda:0"

        monkeypatch.setattr(TorchRecorder, "device_of", pretended)
    paddle_model, torch_model, inputs = small()
    strange = Strange(kind)
    strange.load_state_dict(torch_model.state_dict(), strict=False)
    report = parity.check(paddle_model, strange, inputs, device=("cpu", device))
    told, fix = STRAYS[kind]
    raised = next(f for f in report.findings if "error" in f.evidence)
    assert re.search(told.format("cuda:0" if device == "cpu" else "cpu"), raised.cause), str(report)
    assert fix in raised.fix
    assert len(report.findings) == 1, str(report)


def test_models_without_parameters_run_on_the_cpu():
    class Nothing(paddle.nn.Layer):
        def forward(self, x):
            return paddle.nn.functional.relu(x)

    with placed((Nothing(), nn.ReLU()), None) as devices:
        assert devices == ("cpu", "cpu")
    assert parity.check(Nothing(), nn.ReLU(), np.ones((2, 3), np.float32))
