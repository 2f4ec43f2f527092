"""Correct ports in other styles, by name. All of them must come out EQUIVALENT, without a finding."""

from tests.mutants.styles import fused, layouts, mirrors, operators, strangers, structure

ALL = [
    style for group in (mirrors, structure, operators, fused, strangers, layouts) for style in group.STYLES
]
STYLES = {style.name: style for style in ALL}
if len(STYLES) != len(ALL):
    raise ValueError("two styles have one name")
