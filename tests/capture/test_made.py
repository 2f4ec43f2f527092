"""A child is made where the value stands that becomes it, however it is assigned or put into a container."""

from __future__ import annotations

import linecache
import textwrap

import pytest

torch = pytest.importorskip("torch")

from parity.capture.source import constructor_line, element_lines  # noqa: E402

FORMS = {
    "several at once": """
        self.a, self.b = nn.Linear(1, 1), nn.ReLU()  # a b
    """,
    "several at once, over several lines": """
        self.a, (self.b, self.c) = (
            nn.Linear(1, 1),  # a
            (nn.ReLU(), nn.Tanh()),  # b c
        )
    """,
    "the rest into one": """
        self.a, *rest, self.c = nn.Linear(1, 1), nn.ReLU(), nn.Tanh()  # a c
        self.b = rest[0]  # b
    """,
    "one layer by two names": """
        self.a = self.b = nn.Linear(1, 1)  # a b
    """,
    "what a function gives": """
        self.a, self.b = make()  # a b
    """,
    "a name of its own first": """
        layer = nn.Linear(1, 1)  # a
        self.a = layer
        self.b = nn.Sequential(inner := nn.ReLU(), nn.Tanh())  # b b.0 b.1 c
        self.c = inner
    """,
    "names from a loop": """
        for name, layer in (
            ("a", nn.Linear(1, 1)),  # a
            ("b", nn.ReLU()),  # b
        ):
            setattr(self, name, layer)
        for name, layer in {"c": nn.Tanh()}.items():  # c
            self.add_module(name, layer)
    """,
    "names put together": """
        for i in range(2):
            setattr(self, f"left{i}_a", nn.Linear(1, 1))  # left0_a left1_a
            setattr(self, "right{}_a".format(i), nn.Linear(1, 1))  # right0_a right1_a
            self.add_module("last_%d" % i, nn.ReLU())  # last_0 last_1
            self.__setattr__("sum" + str(i), nn.ReLU())  # sum0 sum1
        for name in ["x", "y"]:
            setattr(self, name + "_z", nn.Tanh())  # x_z y_z
    """,
    "one of two branches": """
        self.a = None
        if torch.tensor(0.0) > 1:
            self.a = nn.ReLU()
        else:
            self.a = nn.Linear(1, 1)  # a
    """,
    "a container that is written out": """
        self.a = nn.Sequential(  # a
            nn.Linear(1, 1),  # a.0
            nn.Sequential(  # a.1
                nn.ReLU(),  # a.1.0
                nn.Tanh(),  # a.1.1
            ),
        )
        self.b = nn.ModuleDict({  # b
            "x": nn.ReLU(),  # b.x
            "y": nn.Tanh(),  # b.y
        })
        self.c = nn.Sequential(OrderedDict([  # c
            ("x", nn.ReLU()),  # c.x
            ("y", nn.Tanh()),  # c.y
        ]))
    """,
    "a container that a loop fills": """
        self.a = nn.ModuleList()  # a
        for i in range(2):
            self.a.append(nn.Linear(1, 1))  # a.0 a.2
            self.a.append(nn.ReLU())  # a.1 a.3
        self.b = nn.ModuleList([  # b
            nn.Linear(1, 1)  # b.0 b.1
            for _ in range(2)
        ])
    """,
    "a list that becomes a container": """
        layers = [nn.Linear(1, 1)]  # a.0
        layers.append(nn.ReLU())  # a.1
        if layers:
            layers += [nn.Tanh(), nn.Dropout()]  # a.2 a.3
        self.a = nn.Sequential(*layers)  # a
        self.b = nn.Sequential(  # b
            *[nn.Linear(1, 1) for _ in range(2)],  # b.0 b.1
            nn.ReLU(),  # b.2
        )
    """,
    "a name that grows out of itself": """
        layer = nn.Linear(1, 1)  # a.0
        layer = nn.Sequential(layer, nn.ReLU())  # a a.1
        self.a = layer
    """,
    "arguments that are layers": """
        self.a = Block(  # a
            conv=nn.Linear(1, 1),  # a.conv
            act=nn.ReLU(),  # a.act
        )
    """,
}
SOURCE = """
from collections import OrderedDict
import torch
from torch import nn


def make():
    return nn.Linear(1, 1), nn.ReLU()


class Block(nn.Module):
    def __init__(self, conv, act):
        super().__init__()
        self.conv = conv
        self.act = act


class Net(nn.Module):
    def __init__(self):
        super().__init__()
"""


@pytest.mark.parametrize("form", FORMS)
def test_the_line_of_a_layer_is_where_its_value_stands(form, tmp_path):
    source = SOURCE + textwrap.indent(textwrap.dedent(FORMS[form]), " " * 8)
    file = tmp_path / "net.py"
    file.write_text(source)
    names = {"__name__": "net"}
    exec(compile(source, str(file), "exec"), names)
    linecache.checkcache(str(file))
    net = names["Net"]()
    found = {}
    for name, child in net._modules.items():
        found[name] = constructor_line(net, name)
        for path, line in element_lines(net, name, child, child.named_modules()).items():
            found[f"{name}.{path}"] = line
    wanted = {
        name: f"{file}:{number}"
        for number, line in enumerate(source.splitlines(), 1)
        for name in line.partition("# ")[2].split()
    }
    everything = {name for name, _ in net.named_modules(remove_duplicate=False)} - {""}
    assert {name: found.get(name) for name in wanted} == wanted
    assert set(wanted) == everything & set(wanted)
