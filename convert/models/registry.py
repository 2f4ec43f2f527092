"""Which networks there are: the names that both model folders share, as plain data.

Nothing here imports a framework or a model folder; a factory is named as "module:function" and is
imported only by whoever builds it. `convert/models/layouts/<name>.json` holds each network's tensors.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

from convert.errors import ConvertError


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One network that exists in both frameworks.

    `form` says whose attribute names it follows ("tutorial", "features", "textbook", ...).
    `input_shape` is the usual input without the batch. `smallest` is the smallest input (height,
    width) that the network accepts and `largest` the largest one, None where there is no limit.
    `parameters` counts the learned numbers of a network built with `defaults`. `module` is the file in
    the model folders when it is not called like the family.
    """

    name: str
    family: str
    title: str
    paper: str
    form: str
    input_shape: tuple[int, ...]
    defaults: Mapping[str, int]
    parameters: int
    smallest: tuple[int, ...]
    largest: tuple[int, ...] | None = None
    module: str = ""

    @property
    def paddle_factory(self) -> str:
        """ "module:function" that builds the Paddle network."""
        return f"paddle_models.{self.module or self.family}:{self.name}"

    @property
    def torch_factory(self) -> str:
        """ "module:function" that builds the torch network."""
        return f"torch_models.{self.module or self.family}:{self.name}"

    def check_input(self, shape: tuple[int, ...]) -> None:
        """Raise ConvertError when an input of `shape` (without the batch) cannot pass the network."""
        if len(shape) != len(self.input_shape):
            usual = "x".join(map(str, self.input_shape))
            raise ConvertError(
                f"{self.name} takes {len(self.input_shape)}-dimensional inputs such as {usual}, "
                f"not {'x'.join(map(str, shape))}; with a batch of 2 in front that is 2,{usual.replace('x', ',')}"
            )
        size = shape[1:]
        small = any(given < least for given, least in zip(size, self.smallest, strict=True))
        if self.largest and (
            small or any(given > most for given, most in zip(size, self.largest, strict=True))
        ):
            raise ConvertError(
                f"an input of {_sides(size)} is too {'small' if small else 'large'} for {self.name}, whose first "
                f"fully connected layer has a fixed size; the smallest that works is {_sides(self.smallest)}, "
                f"the largest {_sides(self.largest)}"
            )
        if small:
            raise ConvertError(
                f"an input of {_sides(size)} is too small for {self.name}, which halves it until nothing "
                f"is left; the smallest that works is {_sides(self.smallest)}"
            )


def _sides(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


VGG = "Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014"
GOOGLENET = "Szegedy et al.: Going Deeper with Convolutions, 2014"
RESNET = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015"
DENSENET = "Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2016"
LENET = "LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, 1998"
ALEXNET = (
    "Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012"
)
NIN = "Lin, Chen, Yan: Network In Network, 2013"

RGB = (3, 224, 224)
GREY = (1, 224, 224)
# The sizes that five halvings bring to 7x7, where a fully connected layer of fixed size follows.
VGG_SIZES: dict[str, Any] = {"smallest": (224, 224), "largest": (255, 255)}


def _spec(name: str, title: str, parameters: int, **fields: Any) -> ModelSpec:
    classes, shape = fields.pop("classes"), fields["input_shape"]
    defaults = {"num_classes": classes, "in_channels": shape[0]}
    return ModelSpec(name=name, title=title, parameters=parameters, defaults=defaults, **fields)


def _vgg() -> Iterator[ModelSpec]:
    family: dict[str, Any] = {"family": "vgg", "paper": VGG}
    tutorial = {**family, "form": "tutorial", "input_shape": RGB, "classes": 1, **VGG_SIZES}
    yield _spec("vgg16", "VGG-16", 134_264_641, **tutorial)
    features = {**family, "form": "features", "input_shape": RGB, "classes": 1000, "smallest": (32, 32)}
    for layers, plain, batch_norm in (
        (11, 132_863_336, 132_868_840),
        (13, 133_047_848, 133_053_736),
        (16, 138_357_544, 138_365_992),
        (19, 143_667_240, 143_678_248),
    ):
        yield _spec(f"vgg{layers}_features", f"VGG-{layers}", plain, **features)
        yield _spec(f"vgg{layers}_bn_features", f"VGG-{layers} with BatchNorm", batch_norm, **features)
    pairs = {**family, "form": "pairs", "input_shape": GREY, "classes": 10, **VGG_SIZES}
    yield _spec("vgg11_pairs", "VGG-11", 128_806_154, **pairs)
    yield _spec("vgg11_pairs_quarter", "VGG-11, a quarter of the width", 43_093_322, **pairs)


def _googlenet() -> Iterator[ModelSpec]:
    fields: dict[str, Any] = {
        "family": "googlenet",
        "paper": GOOGLENET,
        "form": "tutorial",
        "input_shape": RGB,
        "classes": 1,
        "smallest": (1, 1),
    }
    yield _spec("googlenet", "GoogLeNet", 5_974_577, **fields)
    yield _spec("googlenet_auxiliary", "GoogLeNet with auxiliary heads", 10_306_355, **fields)


def _resnet() -> Iterator[ModelSpec]:
    family: dict[str, Any] = {"family": "resnet", "paper": RESNET, "smallest": (1, 1)}
    tutorial = {**family, "form": "tutorial", "input_shape": RGB, "classes": 1}
    embedding = {**family, "form": "embedding", "input_shape": (1, 64, 64), "classes": 9}
    for layers, plain, with_embedding in (
        (18, 11_177_025, 11_694_537),
        (34, 21_285_185, 21_802_697),
        (50, 23_510_081, 25_598_921),
        (101, 42_502_209, 44_591_049),
        (152, 58_145_857, 60_234_697),
    ):
        yield _spec(f"resnet{layers}", f"ResNet-{layers}", plain, **tutorial)
        yield _spec(
            f"resnet{layers}_embedding",
            f"ResNet-{layers} with an embedding",
            with_embedding,
            module="resnet_embedding",
            **embedding,
        )


def _densenet() -> Iterator[ModelSpec]:
    family: dict[str, Any] = {"family": "densenet", "paper": DENSENET}
    features = {**family, "form": "features", "input_shape": RGB, "classes": 1000, "smallest": (29, 29)}
    for layers, parameters in ((121, 7_978_856), (169, 14_149_480), (201, 20_013_928)):
        yield _spec(f"densenet{layers}", f"DenseNet-{layers}", parameters, **features)
    yield _spec(
        "densenet_linear",
        "DenseNet of Linear layers",
        2_880_449,
        module="densenet_linear",
        form="tabular",
        input_shape=(330,),
        classes=1,
        smallest=(),
        **family,
    )


def _textbook() -> Iterator[ModelSpec]:
    textbook: dict[str, Any] = {"form": "textbook", "classes": 10}
    yield _spec(
        "lenet",
        "LeNet",
        61_706,
        family="lenet",
        paper=LENET,
        input_shape=(1, 28, 28),
        smallest=(28, 28),
        largest=(31, 31),
        **textbook,
    )
    yield _spec(
        "alexnet",
        "AlexNet",
        46_764_746,
        family="alexnet",
        paper=ALEXNET,
        input_shape=GREY,
        smallest=(193, 193),
        largest=(224, 224),
        **textbook,
    )
    yield _spec(
        "nin",
        "Network in Network",
        1_992_166,
        family="nin",
        paper=NIN,
        input_shape=GREY,
        smallest=(67, 67),
        **textbook,
    )


def _by_name(specs: Iterable[ModelSpec]) -> Mapping[str, ModelSpec]:
    models: dict[str, ModelSpec] = {}
    for spec in specs:
        if spec.name in models:
            raise ValueError(f"two models are registered as {spec.name!r}")
        models[spec.name] = spec
    return MappingProxyType(models)


MODELS: Mapping[str, ModelSpec] = _by_name(chain(_textbook(), _vgg(), _googlenet(), _resnet(), _densenet()))


def nearest_names(name: str, names: Iterable[str]) -> list[str]:
    """Up to five of `names` that look like `name`, best first; compared without case, - and _."""

    def plain(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "")

    originals = {plain(candidate): candidate for candidate in names}
    return [originals[match] for match in difflib.get_close_matches(plain(name), originals, n=5, cutoff=0.5)]


def find_model(name: str) -> ModelSpec:
    """The registered model called `name`; ConvertError with the nearest names if there is none."""
    if name in MODELS:
        return MODELS[name]
    near = nearest_names(name, MODELS)
    hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(sorted(MODELS))}"
    raise ConvertError(f"no model is called {name!r}; {hint} (`paddle2torch models` lists them all)")
