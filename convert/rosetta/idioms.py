"""Ways of writing that have no single name: how a port registers, trains, freezes, saves and feeds a model."""

from __future__ import annotations

from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap
from convert.rosetta.tensors.common import Compare, case

LAYERS, MODULE = "nn/layer/layers.py: Layer", "nn/modules/module.py: Module"
NET = "n = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n"
BN_P, BN_T = "n = nn.BatchNorm2D(3)\n", "n = nn.BatchNorm2d(3)\n"
W = "float 2,3 constant"


def idiom(
    name: str,
    paddle: str,
    torch: str,
    reason: str,
    *traps: tuple[str, str],
    twin: str = "",
    remedy: str = "",
    exactness: Exactness | None = None,
    sources: tuple[str, str] = (LAYERS, MODULE),
    backward: bool = True,
    compare: Compare = "values",
    more: tuple[Example, ...] = (),
    modes: tuple[str, ...] = ("eval", "train"),
    **inputs: str,
) -> Row:
    """An idiom of one example; its traps are naive versions of that example's torch text."""
    first = Example(inputs, paddle, torch, backward=backward, compare=compare, modes=modes)
    return Row(
        Kind.IDIOM,
        name,
        twin,
        exactness or (Exactness.NONE if remedy else Exactness.BIT),
        remedy=remedy,
        traps=tuple(Trap(text, naive=naive) for text, naive in traps),
        examples=(first, *more),
        source=Source(*sources),
        reason=reason,
    )


_STRUCTURE = (
    Row(
        Kind.IDIOM,
        "reshape with 0",
        "",
        Exactness.NONE,
        remedy="write the size that 0 stands for",
        traps=(Trap("0 copies that dimension in Paddle, is a size in torch", naive="x.reshape(0, -1)"),),
        examples=(Example({"x": "float 4,3,2"}, "x.reshape([0, -1])", "x.reshape(x.shape[0], -1)"),),
        source=Source("tensor/manipulation.py: reshape", "_torch_docs.py: reshape"),
        reason="0 means: as the input has it",
    ),
    idiom(
        "add_sublayer",
        "n = nn.Layer()\nn.add_sublayer('head', nn.Linear(3, 2))\nsorted(n.state_dict())",
        "n = nn.Module()\nn.add_module('head', nn.Linear(3, 2))\nsorted(n.state_dict())",
        "registers under a name",
        (
            "torch calls it add_module",
            "n = nn.Module()\nn.add_sublayer('head', nn.Linear(3, 2))\nsorted(n.state_dict())",
        ),
        twin="add_module",
    ),
    idiom(
        "Sequential with names",
        "n = nn.Sequential(('fc', nn.Linear(3, 2)), ('act', nn.ReLU()))\nsorted(n.state_dict())",
        "from collections import OrderedDict\n"
        "n = nn.Sequential(OrderedDict([('fc', nn.Linear(3, 2)), ('act', nn.ReLU())]))\nsorted(n.state_dict())",
        "the keys begin with the names",
        ("torch takes no (name, layer) pairs", "nn.Sequential(('fc', nn.Linear(3, 2)), ('act', nn.ReLU()))"),
        (
            "without the names the keys are numbers and no checkpoint fits",
            "n = nn.Sequential(nn.Linear(3, 2), nn.ReLU())\nsorted(n.state_dict())",
        ),
        twin="Sequential of an OrderedDict",
        sources=("nn/layer/container.py: Sequential", "nn/modules/container.py: Sequential"),
    ),
    idiom(
        "LayerList",
        "n = nn.LayerList([nn.Linear(3, 2)])\nn.append(nn.Linear(2, 2))\nsorted(n.state_dict())",
        "n = nn.ModuleList([nn.Linear(3, 2)])\nn.append(nn.Linear(2, 2))\nsorted(n.state_dict())",
        "a list whose entries are registered",
        ("torch calls it ModuleList", "nn.LayerList([nn.Linear(3, 2)])"),
        twin="ModuleList",
        sources=("nn/layer/container.py: LayerList", "nn/modules/container.py: ModuleList"),
    ),
    idiom(
        "ParameterList",
        "n = nn.ParameterList([paddle.create_parameter([2], 'float32') for _ in range(3)])\nsorted(n.state_dict())",
        "n = nn.ParameterList([nn.Parameter(torch.zeros(2)) for _ in range(3)])\nsorted(n.state_dict())",
        "a list whose entries are registered",
        twin="ParameterList",
        sources=("nn/layer/container.py: ParameterList", "nn/modules/container.py: ParameterList"),
    ),
    idiom(
        "layers in a plain Python list",
        "n = nn.Layer()\nn.blocks = [nn.Linear(3, 2)]\n[len(n.state_dict()), len(n.parameters())]",
        "n = nn.Module()\nn.blocks = [nn.Linear(3, 2)]\n[len(n.state_dict()), len(list(n.parameters()))]",
        "registered in neither framework: not saved, moved, trained or switched by eval()",
        (
            "a port that 'fixes' it with a ModuleList gets keys that no checkpoint of the original has",
            "n = nn.Module()\nn.blocks = nn.ModuleList([nn.Linear(3, 2)])\n[len(n.state_dict()), len(list(n.parameters()))]",
        ),
        twin="the same mistake",
    ),
    idiom(
        "sublayers",
        NET + "len(n.sublayers())",
        NET + "len(list(n.modules())) - 1",
        "Paddle's leaves the layer itself out and is a list; torch's has it and is an iterator",
        ("torch counts the module itself too", NET + "len(list(n.modules()))"),
        twin="modules",
    ),
    idiom(
        "named_sublayers",
        NET + "[name for name, _ in n.named_sublayers()]",
        NET + "[name for name, _ in n.named_modules() if name]",
        "the same names; torch's begin with the module itself, named ''",
        ("torch's has the empty name of the module itself", NET + "[name for name, _ in n.named_modules()]"),
        twin="named_modules",
    ),
    idiom(
        "children",
        NET + "len(list(n.children()))",
        NET + "len(list(n.children()))",
        "direct children in both",
        twin="children",
    ),
    idiom(
        "forward hook",
        "n = nn.Linear(3, 2)\nn.register_forward_post_hook(lambda layer, inputs, output: output * 2)\nn",
        "n = nn.Linear(3, 2)\nn.register_forward_hook(lambda layer, inputs, output: output * 2)\nn",
        "(layer, inputs, output); what it returns replaces the output",
        (
            "torch has no register_forward_post_hook",
            "n = nn.Linear(3, 2)\nn.register_forward_post_hook(lambda m, i, o: o * 2)\nn",
        ),
        twin="register_forward_hook",
        exactness=Exactness.ALGEBRA,
        x=W,
    ),
    idiom(
        "forward pre-hook",
        "n = nn.ReLU()\nn.register_forward_pre_hook(lambda layer, inputs: (inputs[0] * 2,))\nn",
        "n = nn.ReLU()\nn.register_forward_pre_hook(lambda layer, inputs: (inputs[0] * 2,))\nn",
        "(layer, inputs); what it returns replaces the inputs",
        ("without the hook the input is as it was", "nn.ReLU()"),
        twin="register_forward_pre_hook",
        x="float 2,3",
    ),
    idiom(
        "layer.forward fires no hook",
        "n = nn.ReLU()\nn.register_forward_post_hook(lambda layer, i, o: o * 2)\nn.forward(x)",
        "n = nn.ReLU()\nn.register_forward_hook(lambda layer, i, o: o * 2)\nn.forward(x)",
        "hooks run in __call__ only",
        ("the call fires it", "n = nn.ReLU()\nn.register_forward_hook(lambda layer, i, o: o * 2)\nn(x)"),
        twin="Module.forward",
        x="float 2,3",
    ),
    idiom(
        "weight sharing",
        "a = nn.Linear(3, 3)\nb = nn.Linear(3, 3)\nb.weight = a.weight\nn = nn.Sequential(a, b)\n"
        "[len(n.parameters()), len(n.state_dict())]",
        "a = nn.Linear(3, 3)\nb = nn.Linear(3, 3)\nb.weight = a.weight\nn = nn.Sequential(a, b)\n"
        "[len(list(n.parameters())), len(n.state_dict())]",
        "counted once among the parameters, twice in the state dict",
        (
            "a copy trains on its own",
            "a = nn.Linear(3, 3)\nb = nn.Linear(3, 3)\nb.weight = nn.Parameter(a.weight.detach().clone())\n"
            "n = nn.Sequential(a, b)\n[len(list(n.parameters())), len(n.state_dict())]",
        ),
        twin="assigning the Parameter",
    ),
)

_PARAMETERS = (
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
        "create_parameter of a bias",
        "nn.Layer().create_parameter([5], is_bias=True)",
        "nn.Parameter(torch.zeros(5))",
        "biases begin at 0, weights Xavier uniform, unless attr or default_initializer says else",
        ("torch.empty is not filled at all", "nn.Parameter(torch.full((5,), float('nan')))"),
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
        x=W,
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
)

_TRAINING = (
    idiom(
        "train and eval",
        NET + "n.eval()\n[m.training for m in n.sublayers()]",
        NET + "n.eval()\n[m.training for m in n.modules()][1:]",
        "recursive in both; a new layer trains; torch's return self, Paddle's eval() and train() None",
        ("a new module is in training", NET + "[m.training for m in n.modules()][1:]"),
        twin="train and eval",
        more=(case("nn.ReLU().eval() is None", "nn.ReLU().eval() is None"),),
    ),
    idiom(
        "no_grad",
        "with paddle.no_grad():\n    y = x * 2\ny.stop_gradient",
        "with torch.no_grad():\n    y = x * 2\nnot y.requires_grad",
        "no history inside",
        ("outside there is one", "y = x * 2\nnot y.requires_grad"),
        twin="no_grad",
        sources=("base/dygraph/base.py: no_grad_", "autograd/grad_mode.py: no_grad"),
        x="float 2,3",
    ),
    idiom(
        "seed",
        "paddle.seed(3)\na = paddle.rand([4])\npaddle.seed(3)\nbool((a == paddle.rand([4])).all())",
        "torch.manual_seed(3)\na = torch.rand(4)\ntorch.manual_seed(3)\nbool((a == torch.rand(4)).all())",
        "one seed, one stream in each framework; the two streams are different ones",
        ("torch.seed() takes no number: it draws a new seed", "torch.seed(3)"),
        twin="manual_seed",
        sources=("framework/random.py: seed", "random.py: manual_seed"),
    ),
    idiom(
        "clear_grad of the optimizer",
        "v = paddle.create_parameter([3], str(x.dtype)[7:])\no = paddle.optimizer.SGD(0.1, parameters=[v])\n"
        "(v * x).sum().backward()\no.clear_grad()\nv.grad",
        "v = nn.Parameter(torch.ones(3))\no = torch.optim.SGD([v], lr=0.1)\n"
        "(v * x).sum().backward()\no.zero_grad(set_to_none=False)\nv.grad",
        "Paddle leaves zeros, torch None unless told otherwise",
        (
            "the default leaves None, which cannot be read",
            "v = nn.Parameter(torch.ones(3))\no = torch.optim.SGD([v], lr=0.1)\n"
            "(v * x).sum().backward()\no.zero_grad()\nv.grad + 0",
        ),
        twin="zero_grad",
        sources=("optimizer/optimizer.py: clear_grad", "optim/optimizer.py: zero_grad"),
        x="float 3 constant",
    ),
    idiom(
        "gradients add up",
        "for _ in range(2):\n    (x * x).sum().backward()\nx.grad",
        "for _ in range(2):\n    (x * x).sum().backward()\nx.grad",
        "both add over backward passes until they are cleared",
        ("one pass is half of it", "(x * x).sum().backward()\nx.grad"),
        twin="backward",
        backward=False,
        sources=("base/dygraph/tensor_patch_methods.py: backward", "_tensor.py: backward"),
        x="float 2,3",
    ),
    idiom(
        "scheduler in the training loop",
        "s = paddle.optimizer.lr.StepDecay(0.5, step_size=2, gamma=0.5)\n"
        "o = paddle.optimizer.SGD(s, parameters=[paddle.create_parameter([1], 'float32')])\nr = []\n"
        "for _ in range(5):\n    r.append(o.get_lr())\n    o.step()\n    s.step()\nr",
        "o = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)\n"
        "s = torch.optim.lr_scheduler.StepLR(o, step_size=2, gamma=0.5)\nr = []\n"
        "for _ in range(5):\n    r.append(o.param_groups[0]['lr'])\n    o.step()\n    s.step()\nr",
        "opt.step() does not advance it; Paddle hands the scheduler to the optimizer, torch the other way round",
        (
            "torch's optimizer has no get_lr",
            "o = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)\no.get_lr()",
        ),
        (
            "without scheduler.step() the rate stays",
            "o = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.5)\nr = []\n"
            "for _ in range(5):\n    r.append(o.param_groups[0]['lr'])\n    o.step()\nr",
        ),
        twin="lr_scheduler",
        sources=("optimizer/optimizer.py: get_lr", "optim/lr_scheduler.py: LRScheduler"),
    ),
    idiom(
        "paddle.grad",
        "paddle.grad((x * x * x).sum(), x)[0]",
        "torch.autograd.grad((x * x * x).sum(), x)[0]",
        "gradients as a list | tuple; .grad stays empty",
        ("backward() fills .grad and returns nothing", "(x * x * x).sum().backward()[0]"),
        twin="autograd.grad",
        backward=False,
        exactness=Exactness.ALGEBRA,
        sources=("base/dygraph/base.py: grad", "autograd/__init__.py: grad"),
        x="float 2,3",
    ),
    idiom(
        "double backward",
        "(g,) = paddle.grad((x ** 3).sum(), x, create_graph=True)\ng",
        "(g,) = torch.autograd.grad((x ** 3).sum(), x, create_graph=True)\ng",
        "a gradient that can be differentiated",
        ("without create_graph it has no history", "(g,) = torch.autograd.grad((x ** 3).sum(), x)\ng"),
        twin="create_graph",
        exactness=Exactness.ALGEBRA,
        sources=("base/dygraph/base.py: grad", "autograd/__init__.py: grad"),
        x="float 2,3",
    ),
    idiom(
        "recompute",
        "from paddle.distributed.fleet.utils import recompute\nrecompute(lambda t: t.exp() * t, x)",
        "from torch.utils.checkpoint import checkpoint\ncheckpoint(lambda t: t.exp() * t, x, use_reentrant=False)",
        "the forward pass is run again in the backward pass",
        twin="checkpoint",
        exactness=Exactness.ALGEBRA,
        sources=("distributed/fleet/recompute/recompute.py: recompute", "utils/checkpoint.py: checkpoint"),
        x="float 2,3",
    ),
    idiom(
        "PyLayer",
        "class Double(paddle.autograd.PyLayer):\n"
        "    @staticmethod\n    def forward(ctx, a):\n        ctx.save_for_backward(a)\n        return a * a\n"
        "    @staticmethod\n    def backward(ctx, g):\n        (a,) = ctx.saved_tensor()\n        return g * a * 2\n"
        "Double.apply(x)",
        "class Double(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, a):\n        ctx.save_for_backward(a)\n        return a * a\n"
        "    @staticmethod\n    def backward(ctx, g):\n        (a,) = ctx.saved_tensors\n        return g * a * 2\n"
        "Double.apply(x)",
        "saved_tensor() is a method, saved_tensors an attribute",
        (
            "torch has no saved_tensor()",
            "class Double(torch.autograd.Function):\n"
            "    @staticmethod\n    def forward(ctx, a):\n        ctx.save_for_backward(a)\n        return a * a\n"
            "    @staticmethod\n    def backward(ctx, g):\n        (a,) = ctx.saved_tensor()\n        return g * a * 2\n"
            "Double.apply(x)",
        ),
        twin="autograd.Function",
        exactness=Exactness.ALGEBRA,
        sources=("autograd/py_layer.py: PyLayer", "autograd/function.py: Function"),
        x="float 2,3",
    ),
    idiom(
        "in-place ReLU",
        "y = x * 2\nF.relu_(y)\ny",
        "y = x * 2\nF.relu_(y)\ny",
        "a captured tensor is overwritten in both",
        ("the plain one leaves it", "y = x * 2\nF.relu(y)\ny"),
        twin="F.relu_",
        sources=("nn/functional/activation.py: relu_", "nn/functional.py: relu_"),
        x="float 2,3",
    ),
    idiom(
        "softmax before the loss",
        "F.cross_entropy(x, i.unsqueeze(1))",
        "F.cross_entropy(x, i)",
        "the loss takes logits in both",
        ("a softmax before it is a double softmax", "F.cross_entropy(F.softmax(x, dim=1), i)"),
        (
            "torch takes labels of shape [N], not [N, 1]",
            "F.cross_entropy(x, i.unsqueeze(1))",
        ),
        twin="logits",
        exactness=Exactness.ALGEBRA,
        sources=("nn/functional/loss.py: cross_entropy", "nn/functional.py: cross_entropy"),
        x="float 4,3",
        i="int<3 4",
    ),
    idiom(
        "Accuracy metric",
        "m = paddle.metric.Accuracy(topk=(1, 2))\nm.update(m.compute(x, i.unsqueeze(1)))\nm.accumulate()",
        "t = x.topk(2, 1).indices\n[(t[:, :k] == i[:, None]).any(1).double().mean().item() for k in (1, 2)]",
        "the share of samples whose label is among the k largest",
        ("torch has no metric module", "torch.metric.Accuracy(topk=(1, 2))"),
        remedy="compare topk's indices with the labels",
        sources=("metric/metrics.py: Accuracy", "no twin"),
        x="distinct 6,4",
        i="int<4 6",
    ),
    idiom(
        "flatten before the head",
        "paddle.flatten(x, 1)",
        "torch.flatten(x, 1)",
        "channels first, then rows, then columns, in both",
        ("an NHWC tensor flattens in another order", "x.permute(0, 2, 3, 1).flatten(1)"),
        twin="flatten",
        sources=("tensor/manipulation.py: flatten", "_torch_docs.py: flatten"),
        x="float 2,3,2,2",
    ),
    idiom(
        "NHWC",
        "F.max_pool2d(x, 2, data_format='NHWC')",
        "F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)",
        "torch's layers take NCHW only; memory_format changes strides, not the order of dimensions",
        ("channels_last does not change which dimension is which", "F.max_pool2d(x, 2)"),
        remedy="permute before and after",
        sources=("nn/functional/pooling.py: max_pool2d", "nn/functional.py: max_pool2d"),
        x="distinct 2,4,4,3",
    ),
)

_DATA = (
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

ROWS: tuple[Row, ...] = (*_STRUCTURE, *_PARAMETERS, *_TRAINING, *_DATA)
