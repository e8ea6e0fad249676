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


def test_another_program_keeps_its_own_collector() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    collecting.opened()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
