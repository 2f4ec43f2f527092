"""A reader who follows the pages to the letter sees what they show."""

from __future__ import annotations

import pytest

from docs.tools.blocks import blocks
from docs.tools.notebooks import execute
from docs.tools.pages import NOTEBOOKS, PAGES, RUN
from docs.tools.reader import Reader, page_examples

PAGE = """
```python
# answer.py
print("the answer is", 40 + 2)
```

```console
$ python answer.py
the answer is 42
```
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_command_prints_what_the_page_shows(page, followed):
    assert followed.problems(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_one_that_the_tests_run(page):
    text = page.read_text(encoding="utf-8")
    found = blocks(text)
    assert text.count("```") == 2 * len(found)
    for block in found:
        assert block.kind == "console" or block.file_name, block.text


def test_a_page_that_shows_something_else_is_noticed(tmp_path):
    reader = Reader(tmp_path)
    reader.write(PAGE)
    (example,) = page_examples(PAGE)
    assert reader.problem(example) == ""
    (outdated,) = page_examples(PAGE.replace("is 42", "is 41"))
    assert "the answer is 41" in reader.problem(outdated)
    (failing,) = page_examples(PAGE.replace("$ python answer.py", "$ python question.py"))
    assert "exit code 2, not 0" in reader.problem(failing)


def test_refreshing_writes_down_what_comes_out(tmp_path):
    old = PAGE.replace("is 42", "is 41")
    with pytest.raises(LookupError, match="the answer is 41"):
        Reader(tmp_path).refreshed(old)
    assert Reader(tmp_path).refreshed(PAGE.replace("the answer is 42", "?")) == PAGE
    assert Reader(tmp_path).refreshed(PAGE.replace("the answer is 42", "?answer")) == PAGE


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path):
    import nbformat

    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert [cell for cell in cells if cell.outputs or cell.execution_count] == []


def test_a_notebook_that_raises_is_noticed(tmp_path):
    import nbformat
    from nbclient.exceptions import CellExecutionError

    path = tmp_path / "raises.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert 1 == 2")]), path)
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(path, tmp_path)
