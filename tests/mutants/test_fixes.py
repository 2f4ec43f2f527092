"""What a finding says to write works: written into the source or the state dict, it makes the pair equivalent."""

import re

import pytest

import parity
from parity.explain.torch_code import dropout
from tests.mutants.bugs import BUGS
from tests.mutants.build import build
from tests.mutants.fixes import apply
from tests.mutants.judge import inputs_for, options_for

SAMPLE = (
    "fusion-sum-axis",
    "index-cumsum",
    "index-descending",
    "inception-average-pool-default",
    "mha-key-projection-untransposed",
    "mlp-bn-momentum",
    "norms-dilation",
    "norms-elu-alpha-default",
    "norms-gn-groups",
    "norms-leaky-slope-default",
    "plain-conv-weights-swapped",
    "plain-eps-one-percent",
    "plain-statistics-swapped",
    "unet-nearest-for-bilinear",
    "vit-gelu-tanh",
    "vit-ln-eps-default",
    "vit-projection-untransposed",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_fix_that_is_code_makes_the_pair_equivalent(name):
    bug = BUGS[name]
    options = options_for(bug)
    pair = build(bug)
    findings = parity.check(pair.paddle, pair.torch, inputs_for(pair), further=False, **options).findings
    mended = apply(bug, pair, findings)
    assert mended is not None, [finding.fix for finding in findings]
    report = parity.check(mended.paddle, mended.torch, inputs_for(mended), further=False, **options)
    assert report, f"{[finding.fix for finding in findings]} leaves {report}"


@pytest.mark.parametrize(
    ("mode", "channels", "told"),
    [
        ("upscale_in_train", False, "Dropout(p=0.25)"),
        ("upscale_in_train", True, "Dropout2d(p=0.25)"),
        ("alpha", False, "AlphaDropout(p=0.25)"),
        ("downscale_in_infer", False, "torch has no downscale_in_infer: .* multiply by 0.75 in eval"),
    ],
)
def test_a_dropout_is_mended_by_the_layer_that_drops_as_paddle_does(mode, channels, told):

    found = dropout({"p": 0.25, "mode": mode, "channels": channels})
    assert found == told or re.fullmatch(told, found)
