"""Layers that hold layers or parameters."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Trap
from convert.rosetta.writing import case, layer, trap

_BIT = Exactness.BIT
_NAMES = "the same names in the state dict"
_PADDLE_PARAMETER = "paddle.create_parameter([2], 'float32')"
_TORCH_PARAMETER = "nn.Parameter(torch.zeros(2))"


def _names(paddle: str, torch: str) -> Example:
    return case({}, (f"list({paddle}.state_dict())", f"list({torch}.state_dict())"))


def _network(base: str) -> str:
    return (
        f"class Network(nn.{base}):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc = nn.Linear(4, 3)\n"
        "    def forward(self, x):\n"
        "        return F.relu(self.fc(x))\n"
    )


_FIT = "nn.Sequential(nn.Linear(4, 3), nn.ReLU())"

ROWS = (
    layer(
        ("Layer", "Module"),
        Exactness.ALGEBRA,
        "the base class: __init__, forward, named attributes, hooks of one signature",
        (case("float 2,4", (_network("Layer") + "Network()", _network("Module") + "Network()")),),
        files=("layers", "module"),
        arguments=(Argument("name_scope", None), Argument("dtype", None, paddle_default="float32")),
        traps=(
            trap(
                "sublayers() leaves the layer itself out, modules() begins with it",
                f"[type(m).__name__ for m in {_FIT}.modules()]",
                {},
                (
                    f"[type(m).__name__ for m in {_FIT}.sublayers()]",
                    f"[type(m).__name__ for m in {_FIT}.modules()][1:]",
                ),
            ),
            trap(
                "parameters() of a Paddle BatchNorm counts the running statistics: torch keeps them as buffers",
                "len(list(nn.BatchNorm2d(4).parameters()))",
                {},
                (
                    "len(nn.BatchNorm2D(4).parameters())",
                    "sum(1 for tensor in nn.BatchNorm2d(4).state_dict().values() if tensor.is_floating_point())",
                ),
            ),
            trap(
                "set_state_dict only warns of missing keys; load_state_dict raises",
                "layer = nn.Linear(4, 3)\nlayer.load_state_dict({'bias': b})\nlayer.bias",
                {"b": "float 3 constant"},
                (
                    "layer = nn.Linear(4, 3)\nlayer.set_state_dict({'bias': b})\nlayer.bias.detach()",
                    "layer = nn.Linear(4, 3)\nlayer.load_state_dict({'bias': b}, strict=False)\nlayer.bias.detach()",
                ),
            ),
            trap(
                "add_sublayer is register_module in torch",
                "layer = nn.Module()\nlayer.add_sublayer('fc', nn.Linear(4, 3))\nlist(layer.state_dict())",
                {},
                (
                    "layer = nn.Layer()\nlayer.add_sublayer('fc', nn.Linear(4, 3))\nlist(layer.state_dict())",
                    "layer = nn.Module()\nlayer.register_module('fc', nn.Linear(4, 3))\nlist(layer.state_dict())",
                ),
            ),
            trap(
                "create_parameter has no twin: nn.Parameter of a tensor that you fill (Paddle fills Xavier uniform)",
                "nn.Module().create_parameter([64, 64])",
                {},
                (
                    "nn.Layer().create_parameter([64, 64]).detach()",
                    "nn.init.xavier_uniform_(nn.Parameter(torch.empty(64, 64))).detach()",
                ),
                compare="distribution",
            ),
        ),
    ),
    layer(
        "Sequential",
        Exactness.ALGEBRA,
        "one after the other; the same names 0, 1, ... in the state dict",
        (
            case("float 2,4", "nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))"),
            case(
                "float 2,4",
                (
                    "nn.Sequential(('fc', nn.Linear(4, 3)), ('act', nn.ReLU()))",
                    "from collections import OrderedDict\n"
                    "nn.Sequential(OrderedDict([('fc', nn.Linear(4, 3)), ('act', nn.ReLU())]))",
                ),
            ),
        ),
        files="container",
        traps=(
            trap(
                "pairs of a name and a layer are refused by torch: it wants an OrderedDict",
                "nn.Sequential(('fc', nn.Linear(4, 3)))",
                "float 2,4",
                (
                    "nn.Sequential(('fc', nn.Linear(4, 3)))",
                    "from collections import OrderedDict\nnn.Sequential(OrderedDict([('fc', nn.Linear(4, 3))]))",
                ),
            ),
            trap(
                "a plain Python list of layers registers nothing, in torch as in Paddle: its weights are not saved",
                "class Net(nn.Module):\n"
                "    def __init__(self):\n"
                "        super().__init__()\n"
                "        self.blocks = [nn.Linear(4, 3)]\n"
                "list(Net().state_dict())",
                {},
                (
                    "list(nn.Sequential(nn.Linear(4, 3)).state_dict())",
                    "list(nn.Sequential(nn.Linear(4, 3)).state_dict())",
                ),
            ),
        ),
    ),
    layer(
        ("LayerList", "ModuleList"),
        _BIT,
        _NAMES,
        (
            _names(
                "nn.LayerList([nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)])",
                "nn.ModuleList([nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)])",
            ),
        ),
        files="container",
        arguments=(Argument("sublayers", "modules"),),
        traps=(Trap("torch's name is ModuleList", "list(nn.LayerList([nn.Linear(4, 3)]).state_dict())"),),
    ),
    layer(
        ("LayerDict", "ModuleDict"),
        _BIT,
        _NAMES,
        (
            _names(
                "nn.LayerDict({'b': nn.Linear(4, 3), 'a': nn.Linear(4, 2)})",
                "nn.ModuleDict({'b': nn.Linear(4, 3), 'a': nn.Linear(4, 2)})",
            ),
            _names("nn.LayerDict([('b', nn.Linear(4, 3))])", "nn.ModuleDict([('b', nn.Linear(4, 3))])"),
        ),
        files="container",
        arguments=(Argument("sublayers", "modules"),),
        traps=(Trap("torch's name is ModuleDict", "list(nn.LayerDict({}).state_dict())"),),
    ),
    layer(
        "ParameterList",
        _BIT,
        _NAMES,
        (_names(f"nn.ParameterList([{_PADDLE_PARAMETER}])", f"nn.ParameterList([{_TORCH_PARAMETER}])"),),
        files="container",
        arguments=(Argument("parameters", "values"),),
    ),
    layer(
        "ParameterDict",
        _BIT,
        _NAMES,
        (
            _names(
                f"nn.ParameterDict({{'a': {_PADDLE_PARAMETER}}})",
                f"nn.ParameterDict({{'a': {_TORCH_PARAMETER}}})",
            ),
        ),
        files="container",
        arguments=(Argument("parameters", "parameters"),),
    ),
    layer(
        "Identity",
        _BIT,
        "returns its input",
        (case("float 2,3", "nn.Identity()"), case("float 2,3", "nn.Identity(5, unused=3)")),
        files=("common", "linear"),
    ),
    layer(
        "Flatten",
        _BIT,
        "the same numbers in one dimension",
        (
            case("float 2,3,4,2", "nn.Flatten()"),
            case(
                "float 2,3,4,2",
                ("nn.Flatten(start_axis=0, stop_axis=2)", "nn.Flatten(start_dim=0, end_dim=2)"),
            ),
        ),
        files=("common", "flatten"),
        arguments=(
            Argument("start_axis", "start_dim", paddle_default=1, torch_default=1),
            Argument("stop_axis", "end_dim", paddle_default=-1, torch_default=-1),
        ),
        traps=(
            trap(
                "the layer starts at dimension 1 in both, the function torch.flatten at 0 (as paddle.flatten does)",
                "torch.flatten(x)",
                "float 2,3,4",
                ("nn.Flatten()(x)", "torch.flatten(x, 1)"),
            ),
        ),
    ),
    layer(
        "Unflatten",
        _BIT,
        "the same numbers in several dimensions",
        (
            case("float 2,12,5", ("nn.Unflatten(1, [3, 4])", "nn.Unflatten(1, (3, 4))")),
            case("float 2,12,5", ("nn.Unflatten(1, [3, -1])", "nn.Unflatten(1, (3, -1))")),
        ),
        files=("common", "flatten"),
        arguments=(Argument("axis", "dim"), Argument("shape", "unflattened_size")),
    ),
)
