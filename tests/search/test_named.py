"""Questions that have a name: who changed a file, what mended an error, what worked, what was there."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli.drawing import named
from mcp_memory.cli.drawing.screen import Page
from mcp_memory.domain.asked import Reading
from mcp_memory.domain.errors import UnknownRef
from mcp_memory.search.named.blame import blame
from mcp_memory.search.named.fix import Fixed, Met, fix, nearest_first
from mcp_memory.search.named.how import how
from mcp_memory.search.named.restore import restore
from mcp_memory.search.named.resume import resume
from mcp_memory.settings import Settings


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as opened:
        await opened.index(written(tmp_path))
        yield opened


FIRST = 'with open(path, "w", newline="") as out:'
THEN = 'with open(path, "w", newline="", encoding="utf-8") as out:'


async def test_blame_tells_who_changed_a_file_and_why(bank: MemoryBank) -> None:
    found = await blame(bank.rooms, "export.py")
    (one,) = found.sessions
    assert one.path == "shop/export.py"
    assert "crashes as soon as a customer pays in euros" in one.asked
    assert one.said.startswith("The file is opened with the locale's encoding")
    (change,) = one.changes
    assert (change.old, change.new) == (FIRST, THEN)
    assert change.ref == one.ref
    assert THEN in (await bank.fetch(Reading(refs=[one.ref]))).items[0].text


async def test_blame_takes_a_folder_for_all_that_lies_in_it(bank: MemoryBank) -> None:
    found = await blame(bank.rooms, "shop/")
    assert {one.path for one in found.sessions} == {"shop/export.py", "shop/invoice.py"}
    assert found.files == ("shop/export.py", "shop/invoice.py")


@pytest.mark.parametrize("path", ["xport.py", "other/export.py/deeper", "", "."])
async def test_blame_takes_no_file_for_another(bank: MemoryBank, path: str) -> None:
    assert (await blame(bank.rooms, path)).sessions == ()


async def test_fix_tells_what_was_done_until_the_same_command_went_well(bank: MemoryBank) -> None:
    whole = (
        'Traceback (most recent call last):\n  File "/elsewhere/report.py", line 99, in write\n'
        "UnicodeEncodeError: 'charmap' codec can't encode character '\\u20ac' in position 3: "
        "character maps to <undefined>"
    )
    for asked in (whole, "UnicodeEncodeError charmap", "charmap codec can't encode"):
        found = await fix(bank.rooms, asked)
        assert found.cures, asked
        best = found.cures[0]
        assert best.done[0].startswith("edited `shop/")
        assert best.done[-1].endswith("went well")
        assert THEN in {change.new for cure in found.cures for change in cure.changes}
        assert best.ref.startswith("t:")
    assert (await fix(bank.rooms, whole)).cures[0].likeness == 1


@pytest.mark.parametrize(
    "asked",
    [
        "UnicodeEncodeError",
        "UnicodeEncodeError charmap",
        "codec can't encode character",
        "tests/other.py:7: UnicodeEncodeError: 'charmap' codec can't encode character",
    ],
)
async def test_fix_knows_an_error_by_a_part_of_it_and_wherever_it_lies(
    bank: MemoryBank, asked: str
) -> None:
    found = await fix(bank.rooms, asked)
    assert found.known
    assert found.sessions > 0
    assert found.cures[0].likeness == 1


async def test_fix_says_of_a_near_error_that_it_is_another(bank: MemoryBank) -> None:
    whole = await fix(bank.rooms, "UnicodeEncodeError charmap")
    near = [one.model_copy(update={"likeness": 0.8}) for one in whole.cures]
    page = Page()
    told = "\n".join(map(str, named.fix(page, Fixed(error="another", cures=tuple(near)))))
    assert told.index("not met before; these are near it") < told.index("UnicodeEncodeError")
    assert "Met in" not in told
    both = "\n".join(map(str, named.fix(page, Fixed(error="it", cures=(*near, *whole.cures)))))
    assert both.index("UnicodeEncodeError") < both.index("Near it, and another error")


def test_the_error_that_was_asked_for_stands_before_newer_ones_that_are_near() -> None:
    near, far, same = (
        Met(ref=f"t:{n}", error=str(n), likeness=likeness)
        for n, likeness in enumerate((0.99, 0.6, 1.0))
    )
    assert nearest_first([near, far, same]) == [same, near, far]


async def test_fix_knows_nothing_of_an_error_that_was_never_met(bank: MemoryBank) -> None:
    for asked in ("segmentation fault (core dumped)", "ModuleNotFoundError: No module named 'x'"):
        found = await fix(bank.rooms, asked)
        assert (found.cures, found.met, found.sessions) == ((), (), 0)


async def test_how_tells_commands_that_worked(bank: MemoryBank) -> None:
    (way,) = (await how(bank.rooms, "export the orders")).ways[:1]
    assert way.command == "python -m shop.export --out orders.csv"
    assert (way.runs, way.failed) == (2, 1)
    text = (await bank.fetch(Reading(refs=[way.ref]))).items[0].text
    assert "wrote 214 rows" in text


async def test_how_is_silent_where_no_command_bears_on_it(bank: MemoryBank) -> None:
    assert (await how(bank.rooms, "deploy to kubernetes")).ways == ()
    assert (await how(bank.rooms, "run")).ways == ()


async def test_restore_gives_a_file_as_it_was_left(bank: MemoryBank) -> None:
    found = await restore(bank.rooms, "shop/export.py")
    assert found.text.startswith("import csv\n\ndef write(rows, path):\n")
    assert THEN in found.text
    assert FIRST not in found.text
    assert (found.how, found.doubts) == ("changed", 0)


async def test_restore_gives_a_file_as_it_was_before_a_time(bank: MemoryBank) -> None:
    then = datetime(2026, 3, 2, 9, 1, 45, tzinfo=UTC)
    found = await restore(bank.rooms, "shop/export.py", until=then)
    assert FIRST in found.text
    assert found.how == "read"
    early = await restore(bank.rooms, "shop/export.py", until=datetime(2020, 1, 1, tzinfo=UTC))
    assert early.ref == ""


async def test_restore_invents_nothing(bank: MemoryBank) -> None:
    found = await restore(bank.rooms, "shop/nowhere.py")
    assert (found.text, found.ref, found.touched) == ("", "", ())


async def test_resume_gives_the_hosts_own_command(bank: MemoryBank) -> None:
    (listed, *_) = await bank.listing("sessions")
    told = await resume(bank.rooms, listed.ref)
    assert told.argv[:2] == ("claude", "--resume")
    assert told.argv[2].endswith("000000000001") or told.argv[2].endswith("000000000002")
    assert told.folder.endswith("/shop")
    assert told.notes == ()
    assert await resume(bank.rooms, f"{listed.ref}#2-3") == told


async def test_resume_says_what_may_stand_in_its_way(bank: MemoryBank, tmp_path: Path) -> None:
    for path in tmp_path.glob("*.jsonl"):
        path.unlink()
    (listed, *_) = await bank.listing("sessions")
    assert "no longer has this transcript" in (await resume(bank.rooms, listed.ref)).notes[0]


@pytest.mark.parametrize("ref", ["m:000000000000", "t:000000000000", "b:000000000000"])
async def test_resume_knows_sessions_only(bank: MemoryBank, ref: str) -> None:
    with pytest.raises(UnknownRef):
        await resume(bank.rooms, ref)
