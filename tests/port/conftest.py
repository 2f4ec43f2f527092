"""Short ways to port a piece of source."""

from __future__ import annotations

import textwrap
import warnings

import pytest

from paddle2torch.port.source import port_source

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Paddle warns when it is imported (no ccache)
    import paddle  # noqa: F401

HEAD = "import paddle\nimport paddle.nn.functional as F\nfrom paddle import nn\n\n\n"


@pytest.fixture
def port():
    """The port of a piece that begins with the usual imports: its text without them."""

    def ported(text, *, left=0, head=HEAD):
        done = port_source(head + textwrap.dedent(text).strip("\n") + "\n")
        assert len(done.left) == left, [item.why for item in done.left]
        lines = done.text.splitlines()
        while lines and (not lines[0].strip() or lines[0].startswith(("import ", "from "))):
            lines.pop(0)
        return "\n".join(lines)

    return ported
