"""What the models return is compared as a whole, or the report names what of it was not."""

from __future__ import annotations

import pytest

from tests.capture.nets import X, checked, paddle, paddle2torch, pair, torch


class Boxes:
    def __init__(self, scores, count):
        self.scores, self.count = scores, count


def _same(net, x):
    return net.b(x)


# Paddle's forward, torch's, and a word of the first finding or doubt ("" where the two are the same).
RESULTS = {
    "further dimensions": (_same, lambda net, x: net.b(x)[:, :, None], "shape"),
    "flattened": (_same, lambda net, x: net.b(x).flatten(), "shape"),
    "a batch in front": (_same, lambda net, x: net.b(x)[None], "shape"),
    "squeezed too much": (lambda net, x: net.b(x)[:, :1], lambda net, x: net.b(x)[:, :1].squeeze(), "shape"),
    "a scalar in a vector": (
        lambda net, x: net.b(x).mean(),
        lambda net, x: net.b(x).mean().reshape(1),
        "shape",
    ),
    "floats for booleans": (lambda net, x: net.b(x) > 0, lambda net, x: (net.b(x) > 0).float(), "boolean"),
    "floats for indices": (
        lambda net, x: net.b(x).argmax(-1),
        lambda net, x: net.b(x).argmax(-1).double(),
        "integer",
    ),
    "booleans for integers": (
        lambda net, x: (net.b(x) > 0).astype("int64"),
        lambda net, x: net.b(x) > 0,
        "boolean",
    ),
    "integers of another width": (
        lambda net, x: (net.b(x) > 0).astype("int32"),
        lambda net, x: (net.b(x) > 0).long(),
        "",
    ),
    "nothing but an empty tensor": (
        lambda net, x: net.b(x)[:0],
        lambda net, x: net.b(x)[:0] * 2,
        "is empty on this input",
    ),
    "empty tensors of two shapes": (
        lambda net, x: (net.b(x), net.b(x)[:0]),
        lambda net, x: (net.b(x), net.b(x)[:0, :2]),
        "shape",
    ),
    "the same number": (lambda net, x: net.b(x).mean().item(), lambda net, x: net.b(x).mean().item(), ""),
    "another number": (lambda net, x: net.b(x).mean().item(), lambda net, x: net.b(x).sum().item(), "sum"),
    "a number that Python made": (
        lambda net, x: (net.b(x), net.b(x).mean().item() + 1),
        lambda net, x: (net.b(x), net.b(x).mean().item() + 2),
        "Python or numpy",
    ),
    "a number for a tensor": (
        lambda net, x: net.b(x).mean(),
        lambda net, x: net.b(x).mean().item(),
        "a Python number in torch",
    ),
    "the same array": (lambda net, x: net.b(x).numpy(), lambda net, x: net.b(x).detach().numpy(), ""),
    "another array": (
        lambda net, x: net.b(x).numpy(),
        lambda net, x: (net.b(x) * 2).detach().numpy(),
        "x * 2",
    ),
    "an array that numpy made": (
        lambda net, x: net.b(x).numpy() * 2,
        lambda net, x: net.b(x).detach().numpy() * 3,
        "Python or numpy",
    ),
    "the same text": (lambda net, x: (net.b(x), "cat"), lambda net, x: (net.b(x), "cat"), ""),
    "another text": (lambda net, x: (net.b(x), "cat"), lambda net, x: (net.b(x), "dog"), "'dog'"),
    "unknown objects": (
        lambda net, x: (net.b(x), object()),
        lambda net, x: (net.b(x), object()),
        "not compared",
    ),
    "sets": (lambda net, x: {1, 2}, lambda net, x: {1, 2}, "not compared"),
    "nothing": (lambda net, x: None, lambda net, x: None, "nothing that can be compared"),
    "the same objects": (lambda net, x: Boxes(net.b(x), 3), lambda net, x: Boxes(net.b(x), 3), ""),
    "objects with another tensor": (
        lambda net, x: Boxes(net.b(x), 3),
        lambda net, x: Boxes(net.b(x) + 1, 3),
        "x + 1",
    ),
    "objects with another count": (
        lambda net, x: Boxes(net.b(x), 3),
        lambda net, x: Boxes(net.b(x), 4),
        "output.count",
    ),
    "generators": (
        lambda net, x: (layer(x) for layer in (net.a, net.b)),
        lambda net, x: (layer(x) for layer in (net.a, net.b)),
        "",
    ),
    "generators that differ": (
        lambda net, x: (layer(x) for layer in (net.a, net.b)),
        lambda net, x: (layer(x) * 2 for layer in (net.a, net.b)),
        "x * 2",
    ),
    "views of dictionaries": (
        lambda net, x: {"a": net.a(x), "b": net.b(x)}.values(),
        lambda net, x: {"a": net.a(x), "b": net.b(x)}.values(),
        "",
    ),
    "views that differ": (
        lambda net, x: {"a": net.a(x), "b": net.b(x)}.items(),
        lambda net, x: {"a": net.a(x), "b": net.b(x) + 1}.items(),
        "x + 1",
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_compared_or_named(name):
    _judged(name)


@pytest.mark.parametrize(
    "name",
    [
        "a scalar in a vector",
        "a number that Python made",
        "the same text",
        "the same objects",
        "generators",
        "generators that differ",
        "views of dictionaries",
    ],
)
def test_results_are_compared_or_named_with_gradients_too(name):
    _judged(name, gradients=True)


def _judged(name, **options):
    theirs, ours, word = RESULTS[name]
    report = checked(theirs, ours, **options)
    if not word:
        assert report.verdict.value == "EQUIVALENT", str(report)
        return
    assert report.verdict.value != "EQUIVALENT", str(report)
    told = [*(f"{finding.cause} {finding.fix}" for finding in report.findings), *report.inconclusive]
    assert word in told[0], told


def test_numbers_alone_have_no_gradient_to_compare():
    forward = RESULTS["the same number"]
    report = checked(*forward[:2], gradients=True)
    assert report.verdict.value == "INCONCLUSIVE"
    assert "no gradient of a parameter or an input was compared" in report.inconclusive[0]


# Torch's forward against a product with Paddle's tensor itself; and the parameters whose gradient is lost by it.
TAKEN = {
    "an element": (lambda net, x: net.b(x) * net.a.bias[0].item(), lambda net, x: net.b(x) * net.a.bias[0]),
    "a mean": (
        lambda net, x: net.b(x) * net.a.bias.mean().tolist(),
        lambda net, x: net.b(x) * net.a.bias.mean(),
    ),
    "an activation": (
        lambda net, x: net.b(x) / net.a(x).norm().item(),
        lambda net, x: net.b(x) / net.a(x).norm(),
    ),
    "what also goes another way": (
        lambda net, x: net.b(net.a(x)) / net.a(x).norm().item(),
        lambda net, x: net.b(net.a(x)) / net.a(x).norm(),
    ),
}


def _with_biases(theirs, ours):
    one, other = pair(theirs, ours)
    bias = torch.arange(1.0, 7.0)
    one.a.bias.set_value(bias.numpy())
    with torch.no_grad():
        other.a.bias.copy_(bias)
    return paddle2torch.check(one, other, X, gradients=True, further=False)


@pytest.mark.parametrize("name", TAKEN)
def test_a_number_that_is_taken_out_of_a_tensor_on_one_side_gets_no_gradient(name):
    number, tensor = TAKEN[name]
    for theirs, ours, side in ((tensor, number, "torch"), (number, tensor, "Paddle")):
        report = _with_biases(theirs, ours)
        assert report.verdict.value == "DIFFERENT"
        assert "taken out of a tensor" in report.findings[0].cause
        assert f" in {side}, so that no gradient" in report.findings[0].cause
    assert _with_biases(number, number).verdict.value == "EQUIVALENT"


def test_a_question_about_numbers_takes_nothing_out():
    def forward(net, x):
        return net.b(x) * (2 if bool(net.a(x).sum() > 0) else 3)

    assert _with_biases(forward, forward).verdict.value == "EQUIVALENT"


def test_casts_of_whole_numbers_are_made_in_the_precision_of_the_run():
    report = checked(
        lambda net, x: paddle.sqrt(
            (x > 0).astype("float32") + net.b(x).argmax(-1, keepdim=True).astype("float32")
        ),
        lambda net, x: torch.sqrt((x > 0).float() + net.b(x).argmax(-1, keepdim=True).float()),
    )
    assert report.verdict.value == "EQUIVALENT", str(report)
