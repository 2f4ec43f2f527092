"""What runs inside an environment of another version: files as that version writes them, files as it reads them."""

import sys

import numpy as np


def paddle_writes() -> None:
    """A checkpoint, its optimizer's state, an export, and the values of all tensors."""
    import paddle

    paddle.seed(0)
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4), paddle.nn.Flatten())
    net.add_sublayer("fc", paddle.nn.Linear(4 * 36, 4))
    optimizer = paddle.optimizer.Momentum(0.1, parameters=net.parameters())
    net(paddle.rand([2, 3, 8, 8])).sum().backward()
    optimizer.step()
    paddle.save(net.state_dict(), "net.pdparams")
    paddle.save(optimizer.state_dict(), "net.pdopt")
    net.eval()
    paddle.jit.save(net, "net", [paddle.static.InputSpec([1, 3, 8, 8], "float32")])
    np.savez("values.npz", **{name: value.numpy() for name, value in net.state_dict().items()})


def paddle_examples() -> None:
    """Paddle's side of every example of the Rosetta table, by (row, number): arrays, or the error that it raises."""
    import pickle

    from convert.rosetta.table import TABLE
    from parity.rosetta import inputs, paddle_side

    found = {}
    for row in TABLE:
        for number, example in enumerate([*row.examples, *(t.example for t in row.traps if t.example)]):
            try:
                given = {name: inputs.make(name, text) for name, text in example.inputs.items()}
                made, _ = paddle_side.evaluate(example.paddle, given, example, "float64")
            except Exception as error:
                found[row.paddle, number] = repr(error)
                continue
            values = made.values if example.compare == "values" else []
            values = [value.shape for value in made.values] if example.compare == "shape" else values
            values = made.dtypes if example.compare == "dtype" else values
            found[row.paddle, number] = [*map(np.asarray, values), *map(np.asarray, made.gradients.values())]
    with open("examples.pickle", "wb") as file:
        pickle.dump(found, file)


def torch_writes() -> None:
    """A state dict in both of torch's containers."""
    import torch

    state = torch_net().state_dict()
    torch.save(state, "theirs.pth")
    torch.save(state, "theirs_old.pth", _use_new_zipfile_serialization=False)
    np.savez("theirs.npz", **{name: value.numpy() for name, value in state.items()})


def torch_reads() -> None:
    """The converted weights go into the module, and the state into the optimizer."""
    import torch

    net = torch_net()
    saved = torch.load("run.pth", weights_only=True)
    net.load_state_dict(saved["model"])
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    optimizer.load_state_dict(saved["optimizer"])
    net(torch.rand(2, 3, 8, 8)).sum().backward()
    optimizer.step()


def torch_net():
    """The network of `paddle_writes`, in torch."""
    import torch

    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())
    net.add_module("fc", nn.Linear(4 * 36, 4))
    return net


if __name__ == "__main__":
    globals()[sys.argv[1]]()
