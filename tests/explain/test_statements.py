"""What the source around a line says."""

from __future__ import annotations

from parity.explain.statements import (
    WITHOUT_GRADIENT,
    block_around,
    collected,
    flag_set,
    hands_on,
    loop_around,
    number_given,
    put_in_list,
)

SOURCE = """
class Other:
    def __init__(self):
        self.norm.eval()

class Net:
    def __init__(self):
        self.norm = Norm()
        self.norm.weight.requires_grad_(False)

    def forward(self, x):
        for block in self.blocks:
            with torch.no_grad():
                x = block(x)
        return x
"""


def test_the_statement_around_a_line_is_found(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(SOURCE)
    assert loop_around(f"{path}:14") == f"{path}:12"
    assert block_around(f"{path}:14", WITHOUT_GRADIENT) == f"{path}:13"
    assert flag_set(f"{path}:8", "blocks.0.norm", frozenset({"requires_grad_"})) == f"{path}:9"
    assert loop_around(f"{path}:15") == block_around(f"{path}:15", WITHOUT_GRADIENT) == ""
    assert flag_set(f"{path}:8", "norm", frozenset({"eval"})) == "", "of another class"


def test_what_a_loop_keeps_and_hands_on_is_found(tmp_path):
    path = tmp_path / "loop.py"
    path.write_text("""def loop(self, x, h, c):
    kept, other = [], []
    for t in range(3):
        h, c = self.step(x[:, t], h, c)
        y = self.step(x[:, t], h)
        kept.append(h)
    other.append(y)
    other.append(c)
    first = torch.stack(kept)
    return first, torch.stack(other)
""")
    assert [hands_on(f"{path}:{line}") for line in (4, 5, 6)] == [True, False, False]
    assert collected(f"{path}:9") == f"{path}:6"
    assert collected(f"{path}:10") == "", "of several"


def test_what_is_put_into_the_list_that_a_line_runs_over_is_found(tmp_path):
    path = tmp_path / "heads.py"
    path.write_text("""def forward(self, image):
    first, second = self.body(image)
    maps = [first]
    maps.extend((second,))
    last = self.last(maps[-1])
    for m in maps:
        y = self.one(m)
    return [head(m) for head, m in zip(self.heads, maps)], y, last
""")
    assert [put_in_list(f"{path}:{line}") for line in (5, 7, 8)] == ["", f"{path}:4", f"{path}:4"]


def test_a_source_that_cannot_be_read_says_nothing(tmp_path):
    (tmp_path / "broken.py").write_text("for x in (:\n  pass\n")
    for path in (tmp_path / "none.py", tmp_path / "broken.py"):
        assert loop_around(f"{path}:2") == flag_set(f"{path}:2", "a", frozenset({"eval"})) == ""
    assert loop_around("") == ""


def test_a_number_of_the_objects_own_is_given_where_it_is_assigned_or_where_its_argument_has_a_default(
    tmp_path,
):
    path = tmp_path / "net.py"
    path.write_text("""class Net:
    def __init__(self, dim,
                 eps=1e-3):
        self.scale = dim**-0.5
        self.eps = eps
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        y = self.fc(x) * self.scale
        y = y * self.scale * self.scale
        return y / (y.sum() + self.eps)

    def other(self, x):
        return x * self.scale**2
""")
    found = {number: number_given(f"{path}:{number}") for number in (9, 10, 11, 14)}
    assert found == {9: f"{path}:4", 10: "", 11: f"{path}:3", 14: ""}
