"""What a check promises besides its verdict: it leaves everything as it was, and depends on nothing before it."""

import random
from typing import ClassVar

import numpy as np
import paddle
import pytest
import torch
import torch.nn.functional as F
from paddle import _C_ops

import parity
from tests.parity.pairs import PaddleNet, TorchNet, small


def _hooks(owner) -> tuple[str, ...]:
    return tuple(
        f"{k}:{len(v)}" for k, v in sorted(vars(owner).items()) if "hook" in k and hasattr(v, "__len__")
    )


def next_paddle_numbers() -> bytes:
    """What `paddle.rand` would give next (the state itself cannot be compared)."""
    state = paddle.get_rng_state()
    numbers = paddle.rand([8]).numpy().tobytes()
    paddle.set_rng_state(state)
    return numbers


def state_of(paddle_model, torch_model) -> dict[str, object]:
    """Everything that a check could leave changed, as comparable values."""
    found: dict[str, object] = {
        "torch threads": torch.get_num_threads(),
        "torch dtype": torch.get_default_dtype(),
        "torch gradients": torch.is_grad_enabled(),
        "torch random": torch.get_rng_state().numpy().tobytes(),
        "torch call": torch.nn.Module.__call__,
        "torch dispatch": tuple(getattr(F, n) for n in ("has_torch_function", "has_torch_function_unary")),
        "torch flags": (
            torch.backends.cudnn.allow_tf32,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.deterministic,
            torch.backends.cuda.matmul.allow_tf32,
            torch.are_deterministic_algorithms_enabled(),
        ),
        "paddle dtype": paddle.get_default_dtype(),
        "paddle device": paddle.get_device(),
        "paddle gradients": paddle.is_grad_enabled(),
        "paddle random": next_paddle_numbers(),
        "paddle call": paddle.nn.Layer.__call__,
        "paddle operators": {name: id(value) for name, value in vars(_C_ops).items()},
        "paddle tensor": {name: id(value) for name, value in vars(paddle.Tensor).items()},
        "paddle functions": {name: id(value) for name, value in vars(paddle.nn.functional).items()},
        "torch functions": {name: id(value) for name, value in vars(F).items()},
        "numpy random": np.random.get_state()[1].tobytes(),
        "numpy errors": np.geterr(),
        "python random": random.getstate(),
    }
    for name, tensor in torch_model.state_dict(keep_vars=True).items():
        found[f"torch {name}"] = (
            id(tensor), tensor._version, tensor.dtype, tensor.requires_grad, tensor.grad is None,
            tensor.detach().numpy().tobytes(), sorted(vars(tensor)),
        )  # fmt: skip
    for name, tensor in paddle_model.state_dict().items():
        found[f"paddle {name}"] = (
            id(tensor), tensor.dtype, tensor.stop_gradient, tensor.grad is None, tensor.numpy().tobytes(),
            hasattr(tensor, "_paddle2torch_value"),
        )  # fmt: skip
    for name, module in torch_model.named_modules():
        found[f"torch module {name}"] = (module.training, sorted(vars(module)), _hooks(module))
    for name, layer in paddle_model.named_sublayers(include_self=True):
        found[f"paddle layer {name}"] = (layer.training, sorted(vars(layer)), _hooks(layer))
    return found


def changed(before: dict, after: dict) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


class PaddleRaises(PaddleNet):
    def forward(self, x):
        super().forward(x)
        raise RuntimeError("paddle gave up")


class TorchRaises(TorchNet):
    def forward(self, x):
        super().forward(x)
        raise RuntimeError("torch gave up")


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("faulty", [False, True])
def test_a_check_changes_nothing(mode, faulty):
    paddle_model, torch_model, inputs = small()
    paddle_model.train(), torch_model.eval()
    paddle_model.bn.eval(), torch_model.dropout.train()
    if faulty:
        torch_model.bn.eps = 0.1
    kept = inputs.copy()
    before = state_of(paddle_model, torch_model)
    report = parity.check(paddle_model, torch_model, inputs, mode=mode)
    assert bool(report) is not faulty
    assert changed(before, state_of(paddle_model, torch_model)) == []
    assert np.array_equal(inputs, kept)


@pytest.mark.parametrize(
    ("paddle_class", "torch_class"), [(PaddleRaises, TorchNet), (PaddleNet, TorchRaises)]
)
def test_a_model_that_raises_in_the_middle_leaves_nothing_behind(paddle_class, torch_class):
    paddle_model, torch_model = paddle_class(), torch_class()
    paddle_model.train(), torch_model.train()
    before = state_of(paddle_model, torch_model)
    inputs = np.zeros((2, 3, 8, 8), np.float32)
    if paddle_class is PaddleRaises:
        with pytest.raises(parity.ParityError, match="gave up") as caught:
            parity.check(paddle_model, torch_model, inputs)
        said, detail = str(caught.value), caught.value.detail
    else:
        # Paddle's model takes this input: the port is different.
        finding = parity.check(paddle_model, torch_model, inputs).findings[-1]
        said, detail = finding.evidence["error"], finding.evidence["traceback"]
    assert changed(before, state_of(paddle_model, torch_model)) == []
    side = "paddle" if paddle_class is PaddleRaises else "torch"
    assert f"the {side} model raised RuntimeError in forward on inputs of shape [2, 3, 8, 8]" in said
    assert 'raise RuntimeError("' in detail
    assert "_call_impl" not in detail, "only the model's own frames are shown"


def test_flags_that_the_user_set_are_restored():
    paddle_model, torch_model, inputs = small()
    flags = torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.benchmark = torch.backends.cuda.matmul.allow_tf32 = True
    try:
        with torch.no_grad(), paddle.no_grad():
            assert parity.check(paddle_model, torch_model, inputs)
            assert not torch.is_grad_enabled()
            assert not paddle.is_grad_enabled()
        assert torch.backends.cudnn.benchmark
        assert torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cuda.matmul.allow_tf32 = flags


class Watching(TorchNet):
    """Writes down, in its class, under which switches it runs."""

    seen: ClassVar = {}

    def forward(self, x):
        backends = torch.backends
        type(self).seen = {
            "benchmark": backends.cudnn.benchmark,
            "deterministic": backends.cudnn.deterministic,
            "matmul": backends.cuda.matmul.fp32_precision,
            "convolution": backends.cudnn.conv.fp32_precision,
            "matmul on a CPU": backends.mkldnn.matmul.fp32_precision,
        }
        return super().forward(x)


@pytest.mark.skipif(
    not hasattr(torch.backends.cuda.matmul, "fp32_precision"), reason="torch before 2.9 has only allow_tf32"
)
def test_the_proof_runs_without_tf32_or_autotuning_whichever_way_they_were_switched_on():
    paddle_model, torch_model, inputs = small(Watching)
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = matmul.fp32_precision, conv.fp32_precision, torch.backends.cudnn.benchmark
    matmul.fp32_precision = conv.fp32_precision = "tf32"
    torch.backends.cudnn.benchmark = True
    try:
        # With the newer switches set, torch refuses to read the older `allow_tf32`.
        assert parity.check(paddle_model, torch_model, inputs, further=False)
        assert matmul.fp32_precision == conv.fp32_precision == "tf32"
        assert torch.backends.cudnn.benchmark
    finally:
        matmul.fp32_precision, conv.fp32_precision, torch.backends.cudnn.benchmark = before
    assert torch_model.seen == {
        "benchmark": False,
        "deterministic": True,
        "matmul": "ieee",
        "convolution": "ieee",
        "matmul on a CPU": "ieee",
    }


def test_on_a_gpu_torch_is_asked_for_deterministic_kernels_and_asked_back():
    from parity.capture.torch import exact_arithmetic

    assert not torch.are_deterministic_algorithms_enabled()
    with exact_arithmetic("cuda"):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def stripped(report: parity.Report) -> dict:
    return report.to_json()


def test_a_report_does_not_depend_on_earlier_checks_or_their_order():
    right, wrong = small(), small()
    wrong[1].bn.eps = 0.1
    first = [stripped(parity.check(*right)), stripped(parity.check(*wrong))]
    again = [stripped(parity.check(*wrong)), stripped(parity.check(*right))]
    assert first == again[::-1]
    assert [r["verdict"] for r in first] == ["EQUIVALENT", "DIFFERENT"]


def test_a_report_does_not_depend_on_the_random_state():
    pair = small()
    first = stripped(parity.check(*pair, mode="train"))
    paddle.seed(77), torch.manual_seed(78), np.random.seed(79)
    assert stripped(parity.check(*pair, mode="train")) == first


@pytest.mark.parametrize("faulty", [False, True])
def test_one_and_two_threads_give_the_same_verdict_and_findings(faulty):
    pair = small()
    if faulty:
        pair[1].bn.eps = 1e-3
    found, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        report = parity.check(*pair, further=False)
        assert torch.get_num_threads() == threads
        found.append((report.verdict, [(f.layer, f.cause) for f in report.findings]))
    torch.set_num_threads(before)
    assert found[0] == found[1]


def test_models_and_inputs_in_the_wrong_place_are_refused():
    paddle_model, torch_model, inputs = small()
    with pytest.raises(parity.ParityError, match="the two models are in the wrong order"):
        parity.check(torch_model, paddle_model, inputs)
    with pytest.raises(parity.ParityError, match=r"the torch model is a str, not a torch\.nn\.Module"):
        parity.check(paddle_model, "resnet50", inputs)
    with pytest.raises(parity.ParityError, match="input 0 is a str"):
        parity.check(paddle_model, torch_model, "cat.jpg")
    with pytest.raises(parity.ParityError, match="no inputs were given"):
        parity.check(paddle_model, torch_model, ())
    with pytest.raises(parity.ParityError, match="mode is 'test'; it must be one of eval, train"):
        parity.check(paddle_model, torch_model, inputs, mode="test")
    with pytest.raises(
        parity.ParityError, match=r"pairs names 'fc\.weigth', which the torch model does not have.*fc\.weight"
    ):
        parity.check(paddle_model, torch_model, inputs, pairs={"fc.weigth": "fc.weight"})


@pytest.mark.parametrize("wrap", [torch.from_numpy, paddle.to_tensor, lambda a: [a], lambda a: {"x": a}])
def test_inputs_may_be_tensors_of_either_framework_tuples_or_keywords(wrap):
    paddle_model, torch_model, inputs = small()
    assert parity.check(paddle_model, torch_model, wrap(inputs))
