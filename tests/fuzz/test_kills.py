"""A slice of the kills, and that they would notice a target that is mixed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUN = "from tests.fuzz import kills; import sys; from pathlib import Path; kills.kill(int(sys.argv[1]), 3, Path(sys.argv[2]))"
INDEX_FIRST = """
import convert.write.safetensors_file as writer
publish_set = writer.publish_set
def publish(whole, index, shards):
    index.publish()
    publish_set(whole, index, shards)
writer.publish_set = publish
"""


def kills(count: int, folder: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", f"{before}\n{RUN}", str(count), str(folder)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_a_killed_conversion_leaves_the_old_target_or_the_new_one(tmp_path):
    done = kills(72, tmp_path)
    assert done.returncode == 0, done.stderr[-1000:]


def test_an_index_that_comes_before_its_shards_is_noticed(tmp_path):
    done = kills(400, tmp_path, INDEX_FIRST)
    assert done.returncode == 1
    assert "Mixed: kill" in done.stderr
