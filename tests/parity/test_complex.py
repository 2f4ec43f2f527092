"""Complex outputs are compared as what they are, and a comparison that fails ends the runs that wait for it."""

import threading

import numpy as np
import paddle
import pytest
import torch

from paddle2torch import Verdict, check, convert_state_dict
from parity.runs.lockstep import Apart, Meeting, Plan


def pair(paddle_end, torch_end):
    class P(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.fc = paddle.nn.Linear(8, 8)

        def forward(self, x):
            return paddle_end(self.fc(x))

    class T(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(8, 8)

        def forward(self, x):
            return torch_end(self.fc(x))

    p, t = P(), T()
    t.load_state_dict(convert_state_dict(p.state_dict(), t))
    return p, t


def fft(y):
    return torch.fft.fft(y)


@pytest.mark.parametrize("batch", [2, 4], ids=["stored", "in step"])
@pytest.mark.parametrize(
    ("torch_end", "verdict"),
    [
        (fft, Verdict.EQUIVALENT),
        (lambda y: fft(y).conj().resolve_conj(), Verdict.DIFFERENT),
        (lambda y: torch.complex(fft(y).real, torch.nn.functional.gelu(fft(y).imag)), Verdict.DIFFERENT),
        (lambda y: fft(y).real, Verdict.DIFFERENT),
    ],
    ids=["same", "conjugate", "one part", "real"],
)
def test_complex_outputs_are_compared_in_both_parts(batch, torch_end, verdict):
    x = np.random.default_rng(0).standard_normal((batch, 8)).astype(np.float32)
    report = check(*pair(paddle.fft.fft, torch_end), x)
    assert report.verdict is verdict, str(report)


def test_a_comparison_that_fails_ends_both_runs(tmp_path):
    def fails(key, array):
        raise ValueError("nothing can be made of this")

    meeting = Meeting(
        Plan({"paddle": {"0": "0"}, "torch": {"0": "0"}}, {"paddle": (), "torch": ()}),
        tmp_path,
        {"torch": fails},
    )
    ended = {}

    def run(side):
        try:
            meeting.bring(side, "0", np.ones(3))
            meeting.settle(side)
        except (Apart, ValueError) as error:
            ended[side] = error
            with pytest.raises(Apart):
                meeting.settle(side)
        finally:
            meeting.leave(side, side in ended)

    threads = [threading.Thread(target=run, args=(side,), daemon=True) for side in ("paddle", "torch")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads), "one of them waits for ever"
    assert sorted(type(error).__name__ for error in ended.values()) == ["Apart", "ValueError"]
    meeting.close()


def spectral(paddle_filter, torch_filter):
    """Tokens on a grid, mixed in the frequencies: what comes back is cut into its parts."""
    paddle_ends = paddle_filter, lambda z: paddle.concat([z.real(), z.imag()], -1)
    torch_ends = torch_filter, lambda z: torch.cat([z.real, z.imag], -1)
    return [
        lambda y, ends=ends: ends[1](ends[0](y.reshape([-1, 2, 4]))) for ends in (paddle_ends, torch_ends)
    ]


P, T = paddle.fft, torch.fft
FILTERS = {
    "one axis": (lambda y: P.fft(y, axis=1), lambda y: T.fft(y, dim=1)),
    "half": (
        lambda y: P.rfft2(y, axes=(2, 1), norm="ortho"),
        lambda y: T.rfft2(y, dim=(-1, -2), norm="ortho"),
    ),
    "back": (lambda y: P.ifftn(P.fftn(y), norm="forward"), lambda y: T.ifftn(T.fftn(y), norm="forward")),
    "sized": (lambda y: P.rfft(y, n=6), lambda y: T.rfft(y, n=6)),
}


@pytest.mark.parametrize("name", FILTERS)
def test_parts_of_a_spectrum_are_followed_to_what_reads_them(name):
    x = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
    report = check(*pair(*spectral(*FILTERS[name])), x, further=False)
    assert report, str(report)


@pytest.mark.parametrize(
    ("wrong", "attribute"),
    [
        (lambda y: T.rfft2(y, norm="backward"), "norm"),
        (lambda y: T.rfft2(y, dim=(0, 2), norm="ortho"), "axes"),
    ],
)
def test_a_transform_is_told_by_its_argument(wrong, attribute):
    right = lambda y: P.rfft2(y, axes=(1, 2), norm="ortho")  # noqa: E731
    x = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
    finding = check(*pair(*spectral(right, wrong)), x, further=False).findings[0]
    assert (finding.attribute, finding.operator) == (attribute, "rfft")
