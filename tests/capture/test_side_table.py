"""What is kept beside an object goes with it, and never becomes another one's."""

from __future__ import annotations

import gc
import weakref

import pytest

from parity.capture.side_table import SideTable


class Thing:
    def __eq__(self, other):
        return True

    __hash__ = None


def test_equal_objects_are_two():
    table, one, other = SideTable(), Thing(), Thing()
    table.put(one, 1)
    assert table.get(one) == 1
    assert table.get(other) is None
    table.put(one, 2)
    assert table.get(one) == 2


def test_what_is_known_goes_with_the_object():
    table = SideTable()
    things = [Thing() for _ in range(100)]
    for i, thing in enumerate(things):
        table.put(thing, i)
    del things[10:], thing
    assert len(table._held) == 10
    # Objects made anew may get the places of those that are gone.
    assert all(table.get(Thing()) is None for _ in range(100))


def test_a_table_keeps_neither_object_nor_owner():
    class Owner:
        def __init__(self):
            self.table = SideTable()

    owner, thing = Owner(), Thing()
    owner.table.put(thing, owner)
    gone = weakref.ref(thing)
    del thing
    assert gone() is None
    last = weakref.ref(owner)
    gc.disable()
    try:
        del owner
        assert last() is None
    finally:
        gc.enable()


def test_an_object_without_weak_references_is_an_error():
    with pytest.raises(TypeError):
        SideTable().put(3, 1)
