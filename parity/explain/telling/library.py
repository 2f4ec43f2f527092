"""A line of an installed package is nobody's to edit: what can be changed is how the package's model is made."""

from __future__ import annotations

import re
from dataclasses import replace

from parity.results.finding import Finding
from parity.trace.trace import Trace

INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\](.+)$")


def of_the_user(finding: Finding, trace: Trace) -> Finding:
    """The finding at the user's line that makes the package's layer, if there is one; and what to do if no argument does it."""
    found = INSTALLED.search(finding.where)
    if found is None:
        return finding
    inside = found[1].replace("\\", "/")
    package = inside.partition("/")[0]
    path, line = finding.layer, ""
    while path and not line:
        path = path.rpartition(".")[0]
        made = trace.constructors.get(path, "")
        line = "" if INSTALLED.search(made) else made
    what = trace.modules.get(path, {}).get("type", "") if line else ""
    told = (
        f"{finding.fix}: that is in {package}'s own code ({inside}), so hand {what or 'its factory'} an argument that does it; if it "
        f"has none, {package}'s model is another one than Paddle's"
    )
    return replace(finding, where=line or finding.where, fix=told)
