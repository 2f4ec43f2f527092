"""From images to normalised tensors, erasing, and how transforms are put together."""

from __future__ import annotations

from convert.rosetta.rows import Argument, Exactness, Example, Row, Trap
from convert.rosetta.transforms.common import IMAGE, KEYS, PROB, cases, transform

ROWS: tuple[Row, ...] = (
    transform(
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
    transform(
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
    transform(
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
    transform(
        "ToTensor",
        "ToTensor",
        *cases("ToTensor()(image)"),
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
    transform(
        "to_tensor",
        "functional.to_tensor",
        *cases(("to_tensor(image)", "functional.to_tensor(image)")),
        arguments=(Argument("pic", "pic"), Argument("data_format", None)),
        reason="channels first, divided by 255",
    ),
    transform(
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
    transform(
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
    transform(
        "Compose",
        "Compose",
        *cases("Compose([T.Resize(8), T.CenterCrop(6), T.ToTensor()])(image)"),
        arguments=(Argument("transforms", "transforms"),),
        reason="one after the other",
    ),
    transform(
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
