"""How layers hold layers, and hooks."""

from __future__ import annotations

from convert.rosetta.idioms.common import NET, SMALL, idiom
from convert.rosetta.rows import Exactness, Example, Kind, Row, Source, Trap

ROWS: tuple[Row, ...] = (
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
        x=SMALL,
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
