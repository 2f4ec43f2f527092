"""Parameters, buffers and freezing."""

from __future__ import annotations

from convert.rosetta.idioms.common import NET, SMALL, idiom
from convert.rosetta.rows import Exactness, Row

BN_P, BN_T = "n = nn.BatchNorm2D(3)\n", "n = nn.BatchNorm2d(3)\n"

ROWS: tuple[Row, ...] = (
    idiom(
        "create_parameter",
        "n = nn.Layer()\nn.w = n.create_parameter([2, 3], default_initializer=nn.initializer.Constant(0.5))\n"
        "[*n.state_dict().keys(), float(n.w.sum())]",
        "n = nn.Module()\nn.w = nn.Parameter(torch.full((2, 3), 0.5))\n[*n.state_dict().keys(), float(n.w.sum())]",
        "a registered tensor that is trained",
        (
            "a plain tensor is registered in torch's module no more than in Paddle's",
            "n = nn.Module()\nn.w = torch.full((2, 3), 0.5)\n[*n.state_dict().keys(), float(n.w.sum())]",
        ),
        twin="nn.Parameter",
    ),
    idiom(
        "weight of a Linear",
        "n = nn.Linear(4, 4, weight_attr=nn.initializer.Constant(0.5))\n"
        "n.weight.set_value(x)\npaddle.matmul(x, n.weight)",
        "n = nn.Linear(4, 4)\nn.weight.data.copy_(x.T)\ntorch.matmul(x, n.weight.T)",
        "Paddle keeps it [in, out], torch [out, in]: what takes it out of the layer turns it round",
        (
            "a square one fits without complaint",
            "n = nn.Linear(4, 4)\nn.weight.data.copy_(x.T)\ntorch.matmul(x, n.weight)",
        ),
        twin="nn.Linear",
        exactness=Exactness.ALGEBRA,
        sources=("nn/layer/common.py: Linear", "nn/modules/linear.py: Linear"),
        x="float 4,4",
    ),
    idiom(
        "create_parameter of a bias",
        "nn.Layer().create_parameter([5], is_bias=True)",
        "nn.Parameter(torch.zeros(5))",
        "biases begin at 0, weights Xavier uniform, unless attr or default_initializer says else",
        ("torch's layers draw their biases at random", "nn.Linear(2, 5).bias"),
        twin="nn.Parameter of zeros",
    ),
    idiom(
        "ParamAttr initializer",
        "nn.Linear(64, 64, weight_attr=paddle.ParamAttr(initializer=nn.initializer.Uniform(-0.125, 0.125))).weight.detach()",
        "n = nn.Linear(64, 64)\nnn.init.uniform_(n.weight, -0.125, 0.125)\nn.weight.detach()",
        "U(-1/sqrt(in), 1/sqrt(in)) is torch's default of a Linear weight",
        (
            "Paddle's own default is Xavier uniform",
            "n = nn.Linear(64, 64)\nnn.init.xavier_uniform_(n.weight).detach()",
        ),
        twin="nn.init",
        exactness=Exactness.DISTRIBUTION,
        compare="distribution",
        sources=("base/param_attr.py: ParamAttr", "nn/init.py: uniform_"),
    ),
    idiom(
        "ParamAttr trainable",
        "n = nn.Linear(3, 2, weight_attr=paddle.ParamAttr(trainable=False))\n[p.stop_gradient for p in n.parameters()]",
        "n = nn.Linear(3, 2)\nn.weight.requires_grad_(False)\n[not p.requires_grad for p in n.parameters()]",
        "a parameter that is not trained",
        (
            "the flag has to be set by hand",
            "n = nn.Linear(3, 2)\n[not p.requires_grad for p in n.parameters()]",
        ),
        twin="requires_grad_",
        sources=("base/param_attr.py: ParamAttr", "_tensor_docs.py: requires_grad_"),
    ),
    idiom(
        "ParamAttr learning_rate",
        "v = paddle.create_parameter([3], str(x.dtype)[7:], attr=paddle.ParamAttr(learning_rate=0.5,"
        " initializer=nn.initializer.Constant(1.0)))\n"
        "o = paddle.optimizer.SGD(0.25, parameters=[v])\n(v * x).sum().backward()\no.step()\nv.detach()",
        "v = nn.Parameter(torch.ones(3))\no = torch.optim.SGD([{'params': [v], 'lr': 0.25 * 0.5}])\n"
        "(v * x).sum().backward()\no.step()\nv.detach()",
        "a multiplier of the optimizer's rate",
        (
            "as torch's group rate it is no multiplier",
            "v = nn.Parameter(torch.ones(3))\no = torch.optim.SGD([{'params': [v], 'lr': 0.5}], lr=0.25)\n"
            "(v * x).sum().backward()\no.step()\nv.detach()",
        ),
        twin="parameter groups",
        exactness=Exactness.ALGEBRA,
        sources=("base/param_attr.py: ParamAttr", "optim/optimizer.py: add_param_group"),
        x="float 3 constant",
    ),
    idiom(
        "bias_attr=False",
        "nn.Linear(3, 2, bias_attr=False)",
        "nn.Linear(3, 2, bias=False)",
        "no bias",
        ("the name differs", "nn.Linear(3, 2, bias_attr=False)"),
        twin="bias=False",
        exactness=Exactness.ALGEBRA,
        sources=("nn/layer/common.py: Linear", "nn/modules/linear.py: Linear"),
        x=SMALL,
    ),
    idiom(
        "register_buffer",
        "n = nn.Layer()\nn.register_buffer('a', paddle.ones([2]))\n"
        "n.register_buffer('b', paddle.ones([2]), persistable=False)\nsorted(n.state_dict())",
        "n = nn.Module()\nn.register_buffer('a', torch.ones(2))\n"
        "n.register_buffer('b', torch.ones(2), persistent=False)\nsorted(n.state_dict())",
        "kept with the layer, saved unless told otherwise",
        (
            "persistable is called persistent",
            "n = nn.Module()\nn.register_buffer('b', torch.ones(2), persistable=False)\nsorted(n.state_dict())",
        ),
        twin="register_buffer",
    ),
    idiom(
        "statistics of BatchNorm",
        BN_P + "[len(n.parameters()), len(n.buffers())]",
        BN_T + "s = [n.running_mean, n.running_var]\n"
        "[len(list(n.parameters())) + len(s), len(list(n.buffers())) - len(s) - 1]",
        "Paddle's are Parameters with stop_gradient=True, torch's buffers (with num_batches_tracked)",
        (
            "counting parameters() in both does not agree",
            BN_T + "[len(list(n.parameters())), len(list(n.buffers()))]",
        ),
        twin="buffers",
        sources=("nn/layer/norm.py: _BatchNormBase", "nn/modules/batchnorm.py: _NormBase"),
    ),
    idiom(
        "number of trained parameters",
        BN_P + "int(sum(p.size for p in n.parameters() if not p.stop_gradient))",
        BN_T + "sum(p.numel() for p in n.parameters() if p.requires_grad)",
        "weights without BatchNorm's statistics",
        (
            "Paddle's full parameters() has the statistics too",
            BN_T + "sum(t.numel() for t in n.state_dict().values())",
        ),
        twin="sum of numel",
    ),
    idiom(
        "freeze with stop_gradient",
        NET
        + "for p in n[0].parameters():\n    p.stop_gradient = True\n[p.stop_gradient for p in n.parameters()]",
        NET + "n[0].requires_grad_(False)\n[not p.requires_grad for p in n.parameters()]",
        "parameters that get no gradient",
        (
            "torch has no stop_gradient: the assignment is accepted and does nothing",
            NET
            + "for p in n[0].parameters():\n    p.stop_gradient = True\n[not p.requires_grad for p in n.parameters()]",
        ),
        twin="requires_grad_",
    ),
    idiom(
        "freeze BatchNorm",
        "nn.BatchNorm2D(3, use_global_stats=True)",
        "n = nn.BatchNorm2d(3, eps=f32(1e-5))\nn.train = lambda mode=True: n\nn.training = False\nn",
        "the stored statistics in training too: that module stays in eval",
        ("in training torch uses the batch's statistics", "nn.BatchNorm2d(3, eps=f32(1e-5))"),
        remedy="keep that module in eval: override train(), or call .eval() after every model.train()",
        sources=("nn/layer/norm.py: BatchNorm2D", "nn/modules/batchnorm.py: BatchNorm2d"),
        x="float 2,3,4,4",
    ),
    idiom(
        "float64 model",
        "n = nn.Linear(3, 2)\nn.to(dtype='float64')\nstr(n.weight.dtype)[7:]",
        "n = nn.Linear(3, 2)\nn.double()\nstr(n.weight.dtype)[6:]",
        "weights and buffers become float64",
        (
            "torch takes the dtype itself, not its name",
            "n = nn.Linear(3, 2)\nn.to(dtype='float64')\nstr(n.weight.dtype)[6:]",
        ),
        twin="double",
    ),
    idiom(
        "Layer.astype",
        "n = nn.Linear(3, 2)\nn.to(dtype='float32')\nn.astype('float64')\nstr(n.weight.dtype)[7:]",
        "n = nn.Linear(3, 2)\nn.float()\nstr(n.weight.dtype)[6:]",
        "Paddle's leaves the weights as they are: only .to(dtype=...) turns them",
        ("torch's double turns them", "n = nn.Linear(3, 2)\nn.double()\nstr(n.weight.dtype)[6:]"),
        remedy="in Paddle write layer.to(dtype='float64'), in torch module.double()",
    ),
)
