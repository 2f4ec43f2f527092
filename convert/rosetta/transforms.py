"""Image transforms, on Pillow images unless a row says otherwise.

Paddle chooses by the input: Pillow's code for Pillow images, its own for tensors, OpenCV's for arrays. OpenCV's is
not proven here (unverified): its interpolation differs from Pillow's, which filters when it shrinks.
"""

from __future__ import annotations

from typing import Any

from convert.rosetta.rows import Argument, Exactness, Example, Kind, Row, Source, Trap

IMAGE = {"image": "image 13,9"}
SMALL = {"image": "image 8,7"}
INTERPOLATION = Argument(
    "interpolation",
    "interpolation",
    values={
        "nearest": "NEAREST",
        "bilinear": "BILINEAR",
        "bicubic": "BICUBIC",
        "box": "BOX",
        "lanczos": "LANCZOS",
        "hamming": "HAMMING",
    },
    note="a word in Paddle, torchvision's is InterpolationMode",
)
KEYS = Argument("keys", None, note="which entries of a tuple are images; torchvision transforms one image")
FILL = Argument("fill", "fill", paddle_default=0, torch_default=0)
PADDING_MODE = Argument("padding_mode", "padding_mode", paddle_default="constant", torch_default="constant")
PROB = Argument("prob", "p", paddle_default=0.5, torch_default=0.5)
THOUSAND = "np.array([float(np.asarray({}(image)).mean()) for _ in range(1000)])"
MODE = "T.InterpolationMode."


def _cases(*calls: tuple[str, str] | str, inputs: dict[str, str] = IMAGE) -> tuple[Example, ...]:
    pairs = [(call, call) if isinstance(call, str) else call for call in calls]
    return tuple(Example(inputs, f"T.{p}", f"T.{t}") for p, t in pairs)


def _drawn(paddle: str, torch: str, inputs: dict[str, str] = SMALL) -> Example:
    """The means of a thousand random results."""
    return Example(
        inputs,
        f"t = T.{paddle}\n{THOUSAND.format('t')}",
        f"t = T.{torch}\n{THOUSAND.format('t')}",
        compare="distribution",
    )


def _row(name: str, twin: str, *examples: Example, exactness: Exactness = Exactness.BIT, **more: Any) -> Row:
    file = "functional" if name[0].islower() else "transforms"
    return Row(
        Kind.TRANSFORM,
        f"vision.transforms.{name}",
        f"torchvision.transforms.{twin}" if twin else "",
        exactness,
        examples=examples,
        source=Source(
            f"vision/transforms/{file}.py: {name}",
            f"torchvision/transforms/{file}.py: {twin.rpartition('.')[2] or file}",
        ),
        **more,
    )


CORNERS = "[[0, 0], [8, 0], [8, 12], [0, 12]]"
MOVED = "[[1, 2], [7, 1], [6, 11], [0, 9]]"
SOLVED = (
    f"rows, right = [], {CORNERS}\n"
    f"for (x, y), (u, v) in zip({MOVED}, right):\n"
    "    rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]\n"
    "found = np.linalg.lstsq(np.array(rows, float), np.array(right).reshape(8))[0]\n"
    "image.transform(image.size, Image.PERSPECTIVE, list(found)"
)
"""Paddle's coefficients, by its own least squares; the interpolation follows."""

RESIZE = _row(
    "Resize",
    "Resize",
    *_cases(
        "Resize(6)(image)",
        "Resize(20)(image)",
        "Resize((5, 4))(image)",
        ("Resize(6, 'nearest')(image)", f"Resize(6, {MODE}NEAREST)(image)"),
        ("Resize(6, 'bicubic')(image)", f"Resize(6, {MODE}BICUBIC)(image)"),
        ("Resize(6, 'lanczos')(image)", f"Resize(6, {MODE}LANCZOS)(image)"),
    ),
    arguments=(
        Argument(
            "size",
            "size",
            note="a number is the shorter side, the longer one int(size * long / short) in both",
        ),
        INTERPOLATION,
        Argument(None, "antialias", torch_default=True, note="tensors only"),
        KEYS,
    ),
    traps=(
        Trap(
            "a number keeps the proportions; Paddle's scripts often mean a square",
            naive="T.Resize((6, 6))(image)",
        ),
        Trap(
            "on tensors Paddle filters nothing when it shrinks: antialias=False",
            naive="T.Resize((3, 4))(x)",
            example=Example(
                {"x": "float 3,9,12 constant"}, "T.Resize((3, 4))(x)", "T.Resize((3, 4), antialias=False)(x)"
            ),
        ),
    ),
    reason="both call Pillow",
)

ROWS: tuple[Row, ...] = (
    RESIZE,
    _row(
        "resize",
        "functional.resize",
        *_cases(
            ("resize(image, 6)", "functional.resize(image, 6)"),
            ("resize(image, (5, 4))", "functional.resize(image, (5, 4))"),
        ),
        arguments=(Argument("img", "img"), Argument("size", "size"), INTERPOLATION),
        reason="both call Pillow",
    ),
    _row(
        "CenterCrop",
        "CenterCrop",
        *_cases("CenterCrop(6)(image)", "CenterCrop((8, 4))(image)"),
        arguments=(Argument("size", "size"), KEYS),
        traps=(
            Trap(
                "the offset is rounded half to even: (13 - 6) / 2 = 3.5 is 4, (9 - 6) / 2 = 1.5 is 2; // 2 gives 3 and 1",
                naive="y, x = (13 - 6) // 2, (9 - 6) // 2\nimage.crop((x, y, x + 6, y + 6))",
            ),
        ),
        reason="int(round(difference / 2))",
    ),
    _row(
        "center_crop",
        "functional.center_crop",
        *_cases(("center_crop(image, 6)", "functional.center_crop(image, 6)")),
        arguments=(Argument("img", "img"), Argument("output_size", "output_size")),
        reason="int(round(difference / 2))",
    ),
    _row(
        "crop",
        "functional.crop",
        *_cases(("crop(image, 2, 3, 5, 4)", "functional.crop(image, 2, 3, 5, 4)")),
        arguments=(
            Argument("img", "img"),
            Argument("top", "top"),
            Argument("left", "left"),
            Argument("height", "height"),
            Argument("width", "width"),
        ),
        traps=(Trap("Pillow's own crop takes left, upper, right, lower", naive="image.crop((2, 3, 5, 4))"),),
        reason="Pillow's crop",
    ),
    _row(
        "RandomCrop",
        "RandomCrop",
        _drawn("RandomCrop(3)", "RandomCrop(3)"),
        _drawn("RandomCrop(5, padding=2)", "RandomCrop(5, padding=2)"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("size", "size"),
            Argument("padding", "padding"),
            Argument("pad_if_needed", "pad_if_needed", paddle_default=False, torch_default=False),
            FILL,
            PADDING_MODE,
            KEYS,
        ),
        reason="every position alike",
    ),
    _row(
        "RandomResizedCrop",
        "RandomResizedCrop",
        _drawn("RandomResizedCrop(4)", "RandomResizedCrop(4)", {"image": "image 24,20"}),
        _drawn(
            "RandomResizedCrop(4, scale=(0.3, 0.5), ratio=(1.0, 1.0))",
            "RandomResizedCrop(4, scale=(0.3, 0.5), ratio=(1.0, 1.0))",
            {"image": "image 24,20"},
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("size", "size"),
            Argument("scale", "scale", paddle_default=(0.08, 1.0), torch_default=(0.08, 1.0)),
            Argument("ratio", "ratio", paddle_default=(0.75, 4 / 3), torch_default=(0.75, 4 / 3)),
            INTERPOLATION,
            KEYS,
        ),
        reason="ten tries of area and aspect ratio, then the centre",
    ),
    _row(
        "RandomHorizontalFlip",
        "RandomHorizontalFlip",
        *_cases("RandomHorizontalFlip(1.0)(image)", "RandomHorizontalFlip(0.0)(image)"),
        arguments=(PROB, KEYS),
        traps=(
            Trap(
                "the probability is called prob, torchvision's p",
                naive="T.RandomHorizontalFlip(prob=1.0)(image)",
            ),
        ),
        reason="mirrors with probability p; the draws differ",
    ),
    _row(
        "RandomVerticalFlip",
        "RandomVerticalFlip",
        *_cases("RandomVerticalFlip(1.0)(image)", "RandomVerticalFlip(0.0)(image)"),
        arguments=(PROB, KEYS),
        reason="turns upside down with probability p; the draws differ",
    ),
    *(
        _row(
            name,
            f"functional.{name}",
            *_cases((f"{name}(image)", f"functional.{name}(image)")),
            arguments=(Argument("img", "img"),),
            reason="Pillow's transpose",
        )
        for name in ("hflip", "vflip")
    ),
    _row(
        "Transpose",
        "",
        Example({"image": "pixels 5,4,3"}, "T.Transpose()(image)", "np.transpose(image, (2, 0, 1))"),
        Example(IMAGE, "T.Transpose((1, 0, 2))(image)", "np.transpose(np.asarray(image), (1, 0, 2))"),
        exactness=Exactness.NONE,
        remedy="numpy.transpose: it gives an array, unscaled",
        arguments=(Argument("order", None, paddle_default=(2, 0, 1)), KEYS),
        traps=(
            Trap(
                "it is not ToTensor: nothing is divided by 255",
                naive="T.ToTensor()(image)",
            ),
        ),
        reason="the axes of the array in another order",
    ),
    _row(
        "Normalize",
        "Normalize",
        Example(
            IMAGE,
            "T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(T.ToTensor()(image))",
            "T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(T.ToTensor()(image))",
        ),
        Example(
            IMAGE,
            "T.Normalize([127.5] * 3, [127.5] * 3, data_format='HWC')(image)",
            "T.Normalize([127.5] * 3, [127.5] * 3)(torch.tensor(np.asarray(image)).float().permute(2, 0, 1)).permute(1, 2, 0)",
        ),
        arguments=(
            Argument("mean", "mean", paddle_default=0.0),
            Argument("std", "std", paddle_default=1.0),
            Argument("data_format", None, values={"CHW": None}, paddle_default="CHW"),
            Argument(
                "to_rgb", None, values={False: None}, paddle_default=False, note="turns BGR into RGB first"
            ),
            KEYS,
        ),
        traps=(
            Trap(
                "before ToTensor Paddle normalises 0..255: mean and std are 127.5 there",
                naive="T.Normalize([127.5] * 3, [127.5] * 3)(T.ToTensor()(image))",
                example=Example(
                    IMAGE,
                    "T.Normalize([127.5] * 3, [127.5] * 3, data_format='HWC')(image).transpose(2, 0, 1)",
                    "T.Normalize([127.5] * 3, [127.5] * 3)(T.functional.pil_to_tensor(image).float())",
                ),
            ),
            Trap(
                "torchvision normalises tensors only",
                naive="T.Normalize([127.5] * 3, [127.5] * 3)(image)",
                example=Example(
                    IMAGE,
                    "T.Normalize([127.5] * 3, [127.5] * 3, data_format='HWC')(image).transpose(2, 0, 1)",
                    "T.Normalize([127.5] * 3, [127.5] * 3)(T.functional.pil_to_tensor(image).float())",
                ),
            ),
        ),
        reason="(x - mean) / std",
    ),
    _row(
        "normalize",
        "functional.normalize",
        Example(
            IMAGE,
            "T.normalize(T.to_tensor(image), [0.5] * 3, [0.25] * 3)",
            "T.functional.normalize(T.functional.to_tensor(image), [0.5] * 3, [0.25] * 3)",
        ),
        arguments=(
            Argument("img", "tensor"),
            Argument("mean", "mean"),
            Argument("std", "std"),
            Argument("data_format", None),
            Argument("to_rgb", None),
        ),
        reason="(x - mean) / std",
    ),
    _row(
        "ToTensor",
        "ToTensor",
        *_cases("ToTensor()(image)"),
        Example({"image": "pixels 5,4,3"}, "T.ToTensor()(image)", "T.ToTensor()(image)"),
        Example(IMAGE, "T.ToTensor()(image.convert('L'))", "T.ToTensor()(image.convert('L'))"),
        Example(IMAGE, "T.ToTensor(data_format='HWC')(image)", "T.ToTensor()(image).permute(1, 2, 0)"),
        arguments=(Argument("data_format", None, values={"CHW": None}, paddle_default="CHW"), KEYS),
        traps=(
            Trap(
                "it divides by 255; a tensor made of the array does not",
                naive="torch.tensor(np.asarray(image)).permute(2, 0, 1).float()",
            ),
        ),
        reason="channels first, divided by 255",
    ),
    _row(
        "to_tensor",
        "functional.to_tensor",
        *_cases(("to_tensor(image)", "functional.to_tensor(image)")),
        arguments=(Argument("pic", "pic"), Argument("data_format", None)),
        reason="channels first, divided by 255",
    ),
    _row(
        "Pad",
        "Pad",
        *_cases(
            "Pad(2)(image)",
            "Pad((1, 2))(image)",
            "Pad((1, 2, 3, 4), fill=(10, 20, 30))(image)",
            "Pad(2, padding_mode='edge')(image)",
            "Pad(2, padding_mode='reflect')(image)",
            "Pad(2, padding_mode='symmetric')(image)",
        ),
        arguments=(
            Argument(
                "padding",
                "padding",
                note="all, (left and right, top and bottom) or (left, top, right, bottom) in both",
            ),
            FILL,
            PADDING_MODE,
            KEYS,
        ),
        traps=(
            Trap(
                "F.pad's order is left, right, top, bottom",
                naive="F.pad(T.functional.pil_to_tensor(image), (1, 2, 3, 4)).permute(1, 2, 0)",
                example=Example(
                    IMAGE,
                    "np.asarray(T.Pad((1, 2, 3, 4))(image))",
                    "np.asarray(T.Pad((1, 2, 3, 4))(image))",
                ),
            ),
        ),
        reason="both call Pillow or numpy.pad",
    ),
    _row(
        "pad",
        "functional.pad",
        *_cases(("pad(image, (1, 2, 3, 4))", "functional.pad(image, (1, 2, 3, 4))")),
        arguments=(Argument("img", "img"), Argument("padding", "padding"), FILL, PADDING_MODE),
        reason="both call Pillow or numpy.pad",
    ),
    *(
        _row(
            f"{word.capitalize()}Transform",
            "ColorJitter",
            _drawn(f"{word.capitalize()}Transform({value})", f"ColorJitter({word}={value})"),
            exactness=Exactness.DISTRIBUTION,
            arguments=(Argument("value", word), KEYS),
            traps=(
                Trap(
                    "a range, not a factor: the factor is drawn anew for every image",
                    naive=f"t = lambda i: T.functional.adjust_{word}(i, {value})\n{THOUSAND.format('t')}",
                ),
            ),
            reason=reason,
        )
        for word, value, reason in (
            ("brightness", 0.4, "blends with black by a factor of 1 - value .. 1 + value"),
            ("contrast", 0.4, "blends with the mean gray by a factor of 1 - value .. 1 + value"),
            ("saturation", 0.4, "blends with gray by a factor of 1 - value .. 1 + value"),
            ("hue", 0.2, "turns the hue by -value .. value of a circle"),
        )
    ),
    _row(
        "ColorJitter",
        "ColorJitter",
        _drawn("ColorJitter(0.4, 0.4, 0.4, 0.1)", "ColorJitter(0.4, 0.4, 0.4, 0.1)"),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument("brightness", "brightness", paddle_default=0, torch_default=0),
            Argument("contrast", "contrast", paddle_default=0, torch_default=0),
            Argument("saturation", "saturation", paddle_default=0, torch_default=0),
            Argument("hue", "hue", paddle_default=0, torch_default=0, note="at most 0.5 in both"),
            KEYS,
        ),
        reason="the four in a random order",
    ),
    *(
        _row(
            f"adjust_{word}",
            f"functional.adjust_{word}",
            *_cases(
                *((f"adjust_{word}(image, {v})", f"functional.adjust_{word}(image, {v})") for v in values)
            ),
            arguments=(Argument("img", "img"), Argument(f"{word}_factor", f"{word}_factor")),
            reason="both call Pillow",
        )
        for word, values in (("brightness", (0.5, 1.7)), ("contrast", (0.5, 1.7)), ("hue", (0.25, -0.1)))
    ),
    _row(
        "Grayscale",
        "Grayscale",
        *_cases("Grayscale()(image)", "Grayscale(3)(image)"),
        arguments=(
            Argument("num_output_channels", "num_output_channels", paddle_default=1, torch_default=1),
            KEYS,
        ),
        reason="Pillow's L",
    ),
    _row(
        "to_grayscale",
        "functional.to_grayscale",
        *_cases(("to_grayscale(image, 3)", "functional.to_grayscale(image, 3)")),
        arguments=(
            Argument("img", "img"),
            Argument("num_output_channels", "num_output_channels", paddle_default=1, torch_default=1),
        ),
        reason="Pillow's L",
    ),
    _row(
        "RandomRotation",
        "RandomRotation",
        *_cases(
            "RandomRotation((30, 30))(image)",
            "RandomRotation((30, 30), expand=True)(image)",
            (
                "RandomRotation((30, 30), 'bilinear')(image)",
                f"RandomRotation((30, 30), {MODE}BILINEAR)(image)",
            ),
        ),
        arguments=(
            Argument("degrees", "degrees"),
            INTERPOLATION,
            Argument("expand", "expand", paddle_default=False, torch_default=False),
            Argument("center", "center"),
            FILL,
            KEYS,
        ),
        reason="Pillow's rotate, counter-clockwise; the angle is uniform in both",
    ),
    _row(
        "rotate",
        "functional.rotate",
        *_cases(
            ("rotate(image, 30)", "functional.rotate(image, 30)"),
            ("rotate(image, -45, expand=True, fill=9)", "functional.rotate(image, -45, expand=True, fill=9)"),
        ),
        arguments=(
            Argument("img", "img"),
            Argument("angle", "angle"),
            INTERPOLATION,
            Argument("expand", "expand"),
            Argument("center", "center"),
            FILL,
        ),
        reason="Pillow's rotate",
    ),
    _row(
        "RandomAffine",
        "RandomAffine",
        *_cases(
            "RandomAffine((30, 30))(image)",
            "RandomAffine((30, 30), scale=(1.5, 1.5))(image)",
            "RandomAffine((0, 0), shear=(10, 10))(image)",
        ),
        arguments=(
            Argument("degrees", "degrees"),
            Argument("translate", "translate"),
            Argument("scale", "scale"),
            Argument("shear", "shear"),
            INTERPOLATION,
            FILL,
            Argument("center", "center"),
            KEYS,
        ),
        reason="one affine map; the draws are uniform in both",
    ),
    _row(
        "affine",
        "functional.affine",
        *_cases(
            ("affine(image, 30, (1, 2), 1.2, (5, 3))", "functional.affine(image, 30, (1, 2), 1.2, (5, 3))"),
        ),
        arguments=(
            Argument("img", "img"),
            Argument("angle", "angle"),
            Argument("translate", "translate"),
            Argument("scale", "scale"),
            Argument("shear", "shear"),
            INTERPOLATION,
            FILL,
            Argument("center", "center"),
        ),
        reason="one affine map about the centre",
    ),
    _row(
        "RandomPerspective",
        "RandomPerspective",
        _drawn(
            "RandomPerspective(1.0, 0.5, 'nearest')",
            f"RandomPerspective(0.5, 1.0, {MODE}NEAREST)",
            {"image": "image 16,14"},
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            Argument(
                "prob",
                "p",
                paddle_default=0.5,
                torch_default=0.5,
                note="first in Paddle, second in torchvision",
            ),
            Argument("distortion_scale", "distortion_scale", paddle_default=0.5, torch_default=0.5),
            INTERPOLATION,
            FILL,
            KEYS,
        ),
        traps=(
            Trap(
                "the order of the first two arguments is turned round",
                naive=f"t = T.RandomPerspective(0.0, 0.5, {MODE}NEAREST)\n{THOUSAND.format('t')}",
            ),
        ),
        reason="the corners move uniformly by up to half of distortion_scale",
    ),
    _row(
        "perspective",
        "",
        Example(IMAGE, f"T.perspective(image, {CORNERS}, {MOVED})", f"{SOLVED}, Image.NEAREST)"),
        Example(
            IMAGE,
            f"T.perspective(image, {CORNERS}, {MOVED}, 'bilinear')",
            f"{SOLVED}, Image.BILINEAR)",
        ),
        exactness=Exactness.NONE,
        remedy="Pillow's transform with coefficients solved in float64; torchvision.transforms.functional.perspective is "
        "the same map, but rounds its coefficients to float32",
        arguments=(
            Argument("img", None),
            Argument("startpoints", None),
            Argument("endpoints", None),
            Argument(
                "interpolation", None, paddle_default="nearest", note="torchvision's default is bilinear"
            ),
            Argument("fill", None, paddle_default=0),
        ),
        traps=(
            Trap(
                "torchvision's default interpolation is bilinear",
                naive=f"T.functional.perspective(image, {CORNERS}, {MOVED})",
            ),
            Trap(
                "torchvision's coefficients are 1e-8 away (float32): a pixel on an edge takes its neighbour's colour",
                naive=f"T.functional.perspective(image, {CORNERS}, {MOVED}, {MODE}NEAREST)",
            ),
        ),
        reason="the projective map of four points",
    ),
    _row(
        "RandomErasing",
        "RandomErasing",
        Example(
            {"x": "ones 3,16,14 constant"},
            "t = T.RandomErasing(1.0)\nnp.array([float(t(x).mean()) for _ in range(1000)])",
            "t = T.RandomErasing(1.0)\nnp.array([float(t(x).mean()) for _ in range(1000)])",
            compare="distribution",
        ),
        exactness=Exactness.DISTRIBUTION,
        arguments=(
            PROB,
            Argument("scale", "scale", paddle_default=(0.02, 0.33), torch_default=(0.02, 0.33)),
            Argument("ratio", "ratio", paddle_default=(0.3, 3.3), torch_default=(0.3, 3.3)),
            Argument("value", "value", paddle_default=0, torch_default=0),
            Argument("inplace", "inplace", paddle_default=False, torch_default=False),
            KEYS,
        ),
        traps=(
            Trap(
                "torchvision erases tensors only: put it behind ToTensor",
                naive="T.RandomErasing(1.0)(image)",
                example=Example(IMAGE, "np.asarray(T.RandomErasing(0.0)(image))", "np.asarray(image)"),
            ),
        ),
        reason="a rectangle of random area and aspect ratio",
    ),
    _row(
        "erase",
        "functional.erase",
        Example(
            {"x": "float 3,6,5 constant", "v": "float 3,2,3 constant"},
            "T.erase(x, 1, 2, 2, 3, v)",
            "T.functional.erase(x, 1, 2, 2, 3, v)",
        ),
        arguments=(
            Argument("img", "img"),
            Argument("i", "i"),
            Argument("j", "j"),
            Argument("h", "h"),
            Argument("w", "w"),
            Argument("v", "v"),
            Argument("inplace", "inplace", paddle_default=False, torch_default=False),
        ),
        reason="writes v into the rectangle",
    ),
    _row(
        "Compose",
        "Compose",
        *_cases("Compose([T.Resize(8), T.CenterCrop(6), T.ToTensor()])(image)"),
        arguments=(Argument("transforms", "transforms"),),
        reason="one after the other",
    ),
    _row(
        "BaseTransform",
        "",
        Example(
            IMAGE,
            "class Half(T.BaseTransform):\n"
            "    def _apply_image(self, image):\n"
            "        return T.resize(image, (6, 4))\n"
            "Half()(image)",
            "class Half(nn.Module):\n"
            "    def forward(self, image):\n"
            "        return T.functional.resize(image, (6, 4))\n"
            "Half()(image)",
        ),
        exactness=Exactness.NONE,
        remedy="an nn.Module, or any callable; with keys=('image', 'mask') transform both yourself",
        arguments=(KEYS,),
        traps=(
            Trap(
                "it is called through _apply_image: in torch that is nobody's name",
                naive="class Half(nn.Module):\n"
                "    def _apply_image(self, image):\n"
                "        return T.functional.resize(image, (6, 4))\n"
                "Half()(image)",
            ),
        ),
        reason="a callable",
    ),
)
