"""The training loop: gradients, schedules, losses, metrics."""

from __future__ import annotations

from convert.rosetta.idioms.common import NET, idiom
from convert.rosetta.rows import Exactness, Row
from convert.rosetta.tensors.common import case

ROWS: tuple[Row, ...] = (
    idiom(
        "train and eval",
        NET + "n.eval()\n[m.training for m in n.sublayers()]",
        NET + "n.eval()\n[m.training for m in n.modules()][1:]",
        "recursive in both; a new layer is in training; both return the layer",
        ("a new module is in training", NET + "[m.training for m in n.modules()][1:]"),
        twin="train and eval",
        more=(case("n = nn.ReLU()\nn.eval() is n", "n = nn.ReLU()\nn.eval() is n"),),
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
        "fp16_guard",
        "with paddle.static.amp.fp16_guard():\n    y = x * 2\ny",
        "from contextlib import nullcontext\nwith nullcontext():\n    y = x * 2\ny",
        "a mark for static graphs: it does nothing elsewhere",
        (
            "autocast is no such mark: it computes in half precision",
            "with torch.autocast('cpu'):\n    y = x @ x.T\ny",
        ),
        twin="nullcontext",
        sources=("static/amp/fp16_utils.py: fp16_guard", "utils/_contextlib.py: context_decorator"),
        x="float 2,3",
    ),
    idiom(
        "get_device",
        "[paddle.get_device().startswith('gpu')]",
        "[torch.get_default_device().type == 'cuda']",
        "where new tensors go, as text: cpu or gpu:0",
        ("torch's word for it is another", "[str(torch.get_default_device()).startswith('cpu')]"),
        twin="get_default_device",
        sources=("device/__init__.py: get_device", "__init__.py: get_default_device"),
    ),
    idiom(
        "processes of a run",
        "[paddle.distributed.get_world_size(), paddle.distributed.get_rank()]",
        "d = torch.distributed\n"
        "[d.get_world_size() if d.is_initialized() else 1, d.get_rank() if d.is_initialized() else 0]",
        "how many processes there are and which this is; 1 and 0 in a run of one",
        (
            "torch raises where no group is set up",
            "[torch.distributed.get_world_size(), torch.distributed.get_rank()]",
        ),
        twin="torch.distributed",
        sources=(
            "distributed/parallel.py: get_world_size",
            "distributed/distributed_c10d.py: get_world_size",
        ),
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
    idiom(
        "summary",
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n"
        "    r = paddle.summary(nn.Linear(3, 2), (1, 3), dtypes=paddle.get_default_dtype())\nint(r['total_params'])",
        "sum(p.numel() for p in nn.Linear(3, 2).parameters())",
        "the table counts BatchNorm's statistics as parameters",
        ("torch has no summary", "torch.summary(nn.Linear(3, 2), (1, 3))"),
        remedy="count the parameters, or install torchinfo",
        sources=("hapi/model_summary.py: summary", "no twin"),
    ),
    idiom(
        "gradient of an intermediate tensor",
        "y = x * 2\ny.retain_grads()\n(y * y).sum().backward()\ny.grad",
        "y = x * 2\ny.retain_grad()\n(y * y).sum().backward()\ny.grad",
        "kept only if asked for",
        ("the name has no s in torch", "y = x * 2\ny.retain_grads()\n(y * y).sum().backward()\ny.grad"),
        ("without it there is none", "y = x * 2\n(y * y).sum().backward()\ny.grad + 0"),
        twin="retain_grad",
        backward=False,
        sources=("base/dygraph/tensor_patch_methods.py: retain_grads", "_tensor_docs.py: retain_grad"),
        x="float 2,3",
    ),
    idiom(
        "captured in front of an in-place operator",
        "y = x * 2\nkept = y.numpy()\nF.relu_(y)\nkept",
        "y = x * 2\nkept = y.numpy().copy()\nF.relu_(y)\nkept",
        "Paddle's numpy() is a copy, torch's a view of the tensor's memory",
        ("torch's array changes with the tensor", "y = x * 2\nkept = y.numpy()\nF.relu_(y)\nkept"),
        twin="numpy().copy()",
        sources=("tensor/tensor.py: numpy", "_tensor_docs.py: numpy"),
        x="float 2,3 constant",
    ),
)
