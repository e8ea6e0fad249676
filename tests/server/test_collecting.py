"""A server's own process looks for garbage seldom, and not among what stays; others are left alone."""

import gc
from collections.abc import Iterator

import pytest

from mcp_memory.server import collecting


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(collecting, "_seldom", False)
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_loaded_is_left_out_where_the_process_is_the_servers() -> None:
    collecting.begin()
    collecting.opened()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] == collecting.YOUNG


def test_nothing_is_looked_for_while_modules_load_and_not_among_them_later() -> None:
    before = gc.get_freeze_count()
    with collecting.put_off():
        assert not gc.isenabled()
        loaded = [[number] for number in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() - before >= len(loaded)


def test_a_module_that_cannot_be_loaded_leaves_the_collector_at_work() -> None:
    with pytest.raises(ImportError), collecting.put_off():
        raise ImportError("no such module")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collecting.put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_another_program_keeps_its_own_collector() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    collecting.opened()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
