"""What Paddle's layers can do by themselves: add others, have a name, find their weights."""

from pathlib import Path

from torch import nn


def add_sublayer(layer, name, sublayer):
    """`layer.add_module`, which gives back what was added.

    Paddle takes a name with dots as it is. Here its parts become modules in one another: the state dict has the same keys.
    """
    *outer, last = str(name).split(".")
    holder = layer
    for part in outer:
        holder = holder._modules.setdefault(part, nn.Module())
    holder._modules[last] = sublayer
    if outer:
        vars(layer)[name] = sublayer  # getattr(layer, name) is taken too
    return sublayer


def add_parameter(layer, name, parameter):
    """`layer.register_parameter`, which gives back what was added."""
    layer.register_parameter(name, parameter)
    return parameter


def as_it_is(function):
    """A mark for Paddle's compiler, which torch has not: the function itself."""
    return function


def full_name(layer):
    """A name that no other layer has, as Paddle's: `linear_0`. The number counts the layers that were asked."""
    if "name_like_paddle" not in vars(layer):
        kind = type(layer).__name__.lower()
        FULL_NAMES[kind] = FULL_NAMES.get(kind, -1) + 1
        layer.name_like_paddle = f"{kind}_{FULL_NAMES[kind]}"
    return layer.name_like_paddle


FULL_NAMES = {}


def weights_path(url, md5sum=None):
    """The place of converted weights: `~/.cache/paddle2torch/NAME.pth` for a Paddle file of this address.

    Raises:
        FileNotFoundError: if they are not there: it says how to get them.
    """
    name = url.rpartition("/")[2].rpartition(".")[0]
    path = Path.home() / ".cache" / "paddle2torch" / f"{name}.pth"
    if not path.exists():
        raise FileNotFoundError(f"no {path}: download {url} and run `paddle2torch convert FILE --to {path}`")
    return str(path)


class InputSpec:
    """What a static graph is told of an input; torch asks for none of it."""

    def __init__(self, shape=None, dtype="float32", name=None, stop_gradient=False):
        self.shape, self.dtype, self.name, self.stop_gradient = shape, dtype, name, stop_gradient
