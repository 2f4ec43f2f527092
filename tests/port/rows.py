"""The port of every example of the Rosetta table, and what it gives."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass

from convert.rosetta.rows import Exactness, Example, Kind, Row
from paddle2torch.port.source import port_source
from parity.rosetta.prove import SAME, SAME_IN_FLOAT32, measure

HEAD = (
    "import random\n\nimport numpy as np\nimport paddle\nimport paddle.nn.functional as F\n"
    "{}from paddle import nn\nfrom PIL import Image\n\n"
)
TRANSFORMS = "import paddle.vision.transforms as T\n"  # torchvision is imported only where it is needed
CONSTANTS = 3e-7
"""What a constant in float32 makes of a number: a port writes 0.1, not float32(0.1)."""


@dataclass(frozen=True)
class Outcome:
    """`refused` is why an example was not translated; `wrong` what came out instead of Paddle's numbers."""

    text: str
    refused: str = ""
    wrong: str = ""


def source(example: Example) -> str:
    """The example as a file; what it is given is said by annotations."""
    lines = []
    for name, text in example.inputs.items():
        kind = text.split()[0].split("<")[0]
        if kind in ("image", "pixels", "parameters", "metrics") or name in ("parameters", "metrics"):
            continue
        lines.append(f"{name}: paddle.Tensor\n")
    head = HEAD.format(TRANSFORMS if "T." in example.paddle else "")
    return head + "".join(lines) + example.paddle + "\n"


def outcome(row: Row, example: Example, precision: str = "float64") -> Outcome:
    """Port an example of a row, run it, and compare with Paddle's."""
    done = port_source(source(example))
    if done.left:
        return Outcome(done.text, refused=done.left[0].why)
    text = done.text
    if row.kind is Kind.INITIALIZER and example.inputs.keys() == {"w"}:
        head, _, last = text.rstrip("\n").rpartition("\n")
        text = f"{head}\n({last})(w)"
    if _same(text, example.torch):
        return Outcome(text)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            measured = measure(example, text, precision)
    except Exception as error:
        return Outcome(text, wrong=f"{type(error).__name__}: {error}"[:300])
    limit = max(row.within, SAME if precision == "float64" else SAME_IN_FLOAT32)
    if row.exactness is not Exactness.BIT or row.kind is Kind.LAYER:
        limit = max(limit, CONSTANTS)
    if measured.worst > limit:
        return Outcome(text, wrong=f"{measured.worst:.1e} apart")
    return Outcome(text)


def _same(text: str, torch: str) -> bool:
    """Whether the port is what the row says, which is proven by the row itself."""
    last = [line for line in text.splitlines() if line and not line.startswith(("import ", "from "))]
    body = "\n".join(line for line in last if not line.endswith(": torch.Tensor"))
    return body.replace('"', "'") == torch.replace('"', "'")
