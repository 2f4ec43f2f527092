"""Saving, loading, feeding and devices."""

from __future__ import annotations

from convert.rosetta.idioms.common import idiom
from convert.rosetta.rows import Exactness, Row

ROWS: tuple[Row, ...] = (
    idiom(
        "set_state_dict",
        "n = nn.Linear(2, 2)\nm = n.set_state_dict({'weight': n.weight})\n[len(part) for part in m]",
        "n = nn.Linear(2, 2)\nm = n.load_state_dict({'weight': n.weight}, strict=False)\n[len(part) for part in m]",
        "(missing, unexpected) in both; Paddle never raises: require both to be empty",
        (
            "torch's strict default raises",
            "n = nn.Linear(2, 2)\nm = n.load_state_dict({'weight': n.weight})\n[len(part) for part in m]",
        ),
        twin="load_state_dict(strict=False)",
    ),
    idiom(
        "set_state_dict of a wrong shape",
        "n = nn.Linear(2, 2, bias_attr=False)\nw = n.weight.numpy()\n"
        "n.set_state_dict({'weight': paddle.ones([3, 3])})\nbool((n.weight.numpy() == w).all())",
        "n = nn.Linear(2, 2, bias=False)\nw = n.weight.detach().clone()\ntry:\n"
        "    n.load_state_dict({'weight': torch.ones(3, 3)})\nexcept RuntimeError:\n    pass\n"
        "bool((n.weight == w).all())",
        "Paddle only warns and leaves the weight as it was; torch raises even with strict=False",
        (
            "strict=False does not cover shapes",
            "n = nn.Linear(2, 2, bias=False)\nn.load_state_dict({'weight': torch.ones(3, 3)}, strict=False)\nTrue",
        ),
        twin="load_state_dict",
    ),
    idiom(
        "save and load",
        "import io\nf = io.BytesIO()\npaddle.save({'w': x}, f)\nf.seek(0)\npaddle.load(f)['w'].detach()",
        "import io\nf = io.BytesIO()\ntorch.save({'w': x}, f)\nf.seek(0)\ntorch.load(f, weights_only=True)['w'].detach()",
        "each its own format",
        (
            "neither reads the other's files",
            "import io, pickle\nf = io.BytesIO(pickle.dumps({'w': x.detach().numpy()}, 2))\ntorch.load(f)['w']",
        ),
        twin="torch.save and torch.load",
        sources=("framework/io.py: save", "serialization.py: save"),
        x="float 2,3",
    ),
    idiom(
        "DataLoader",
        "d = paddle.io.TensorDataset([x])\n[b[0] for b in paddle.io.DataLoader(d, batch_size=2)]",
        "d = torch.utils.data.TensorDataset(x)\n[b[0] for b in torch.utils.data.DataLoader(d, batch_size=2)]",
        "batches in order; the last one is shorter unless drop_last",
        (
            "batch_size is 1 by default in both",
            "d = torch.utils.data.TensorDataset(x)\n[b[0] for b in torch.utils.data.DataLoader(d)]",
        ),
        (
            "Paddle's TensorDataset takes a list, torch's the tensors",
            "d = torch.utils.data.TensorDataset([x])\n[b[0] for b in torch.utils.data.DataLoader(d, batch_size=2)]",
        ),
        twin="DataLoader",
        backward=False,
        sources=("io/reader.py: DataLoader", "utils/data/dataloader.py: DataLoader"),
        x="float 5,3 constant",
    ),
    idiom(
        "drop_last",
        "d = paddle.io.TensorDataset([x])\nlen(paddle.io.DataLoader(d, batch_size=2, drop_last=True))",
        "d = torch.utils.data.TensorDataset(x)\nlen(torch.utils.data.DataLoader(d, batch_size=2, drop_last=True))",
        "False by default in both",
        (
            "without it the short batch counts",
            "d = torch.utils.data.TensorDataset(x)\nlen(torch.utils.data.DataLoader(d, batch_size=2))",
        ),
        twin="drop_last",
        sources=("io/reader.py: DataLoader", "utils/data/dataloader.py: DataLoader"),
        x="float 5,3 constant",
    ),
    idiom(
        "BatchSampler",
        "d = paddle.io.TensorDataset([x])\nlist(paddle.io.BatchSampler(d, batch_size=2))",
        "d = torch.utils.data.TensorDataset(x)\n"
        "list(torch.utils.data.BatchSampler(torch.utils.data.SequentialSampler(d), 2, False))",
        "lists of indices",
        (
            "torch's wants a sampler and drop_last, not a data set",
            "d = torch.utils.data.TensorDataset(x)\nlist(torch.utils.data.BatchSampler(d, batch_size=2))",
        ),
        twin="BatchSampler",
        sources=("io/dataloader/batch_sampler.py: BatchSampler", "utils/data/sampler.py: BatchSampler"),
        x="float 5,3 constant",
    ),
    idiom(
        "random_split",
        "d = paddle.io.TensorDataset([x])\n[len(part) for part in paddle.io.random_split(d, [4, 1])]",
        "d = torch.utils.data.TensorDataset(x)\n[len(part) for part in torch.utils.data.random_split(d, [4, 1])]",
        "the same sizes; which samples differs for one seed",
        twin="random_split",
        sources=("io/dataloader/dataset.py: random_split", "utils/data/dataset.py: random_split"),
        x="float 5,3 constant",
    ),
    idiom(
        "auto_cast",
        "with paddle.amp.auto_cast(False):\n    y = paddle.matmul(x, x)\ny",
        "with torch.autocast('cpu', enabled=False):\n    y = torch.matmul(x, x)\ny",
        "switched off, nothing changes; which operators run in half precision is each framework's own list",
        (
            "torch wants the kind of device first",
            "with torch.autocast(False):\n    y = torch.matmul(x, x)\ny",
        ),
        twin="autocast",
        exactness=Exactness.ALGEBRA,
        sources=("amp/auto_cast.py: auto_cast", "amp/autocast_mode.py: autocast"),
        x="float 3,3",
    ),
    idiom(
        "set_device",
        "paddle.set_device('cpu')\n'cpu' in str(nn.Linear(2, 2).weight.place)",
        "nn.Linear(2, 2).to('cpu').weight.device.type == 'cpu'",
        "Paddle has a current device for all that follows; torch moves each model and tensor",
        ("torch has no set_device", "torch.set_device('cpu')\nTrue"),
        twin="Module.to",
        sources=("device/__init__.py: set_device", "nn/modules/module.py: to"),
    ),
)
