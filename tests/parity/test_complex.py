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
