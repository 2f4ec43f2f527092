"""What the suite relies on without any test failing for it."""

import pytest


def test_groups_stay_in_one_process(request):
    """pytest-xdist tells a group by its name behind the test's; without it, what a group shares is made once a process."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not run by several processes with --dist loadgroup")
    grouped = [item for item in request.session.items if item.get_closest_marker("xdist_group")]
    assert [item.nodeid for item in grouped if "@" not in item.nodeid] == []
