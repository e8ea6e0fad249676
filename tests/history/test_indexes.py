"""The archive's indexes: they follow memories and sessions, at any cut points, and a purge empties them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tour_sessions import archived, written

from mcp_memory.archive.files import INDEXES, MEMORIES, PROJECTS
from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Reading
from mcp_memory.domain.models import Draft, Evidence, MemoryKind
from mcp_memory.history import writing
from mcp_memory.settings import Settings

PLANTED = "the heron sleeps under violet bridges"
CAUSE = "violet herons need an encoding"


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path, plant=PLANTED))
        yield bank


def memories(bank: MemoryBank) -> str:
    found = list(bank.rooms.settings.archive_dir.rglob(MEMORIES))
    return "".join(file.read_text(encoding="utf-8") for file in sorted(found))


async def kept(bank: MemoryBank, text: str = CAUSE) -> str:
    ref = (await bank.listing("sessions"))[0].ref
    evidence = (Evidence(ref=f"{ref}#1-6", quote=""),)
    made = await bank.retain(Draft(text=text, kind=MemoryKind.GOTCHA, evidence=evidence))
    await bank.settle()
    return made.ref


async def test_a_memory_that_is_kept_is_in_the_files_as_a_candidate(bank: MemoryBank) -> None:
    ref = await kept(bank)
    before, _, after = memories(bank).partition("## Candidates")
    assert ref in after
    assert ref not in before


async def test_undoing_and_forgetting_take_it_out_and_restoring_puts_it_back(
    bank: MemoryBank,
) -> None:
    ref = await kept(bank)
    await bank.delete([ref], mode="forget")
    assert CAUSE not in memories(bank)
    await bank.delete([ref], mode="restore")
    assert CAUSE in memories(bank)
    applied = await bank.apply([], retire=[ref])
    assert ref in memories(bank).partition("## No longer holds")[2]
    await bank.undo(applied.batch or "")
    assert "## No longer holds" not in memories(bank)


async def test_a_purged_memory_leaves_no_word_in_any_file(bank: MemoryBank) -> None:
    ref = await kept(bank)
    preview = await bank.delete([ref], mode="preview")
    receipt = await bank.delete([ref], mode="purge", confirm=preview.confirm or "")
    files = archived(bank.rooms.settings)
    assert not [name for name, text in files.items() if b"violet" in text and MEMORIES in name]
    (check,) = (each for each in receipt.checks if each.where == "archive")
    assert (check.control > 0, check.left) == (True, 0)


async def test_a_purged_session_leaves_no_word_in_any_index(
    bank: MemoryBank, tmp_path: Path
) -> None:
    await kept(bank)
    for listed in await bank.listing("sessions"):
        preview = await bank.delete([listed.ref], mode="preview")
        await bank.delete([listed.ref], mode="purge", confirm=preview.confirm or "")
    files = archived(bank.rooms.settings)
    assert not [name for name, text in files.items() if PLANTED.encode() in text]
    assert not [name for name in files if name.rpartition("/")[2] in {*INDEXES, "prose.md"}]
    assert "shop" not in files[PROJECTS].decode()


async def test_a_purged_step_is_gone_from_prose_and_indexes(bank: MemoryBank) -> None:
    sessions = [each.ref for each in await bank.listing("sessions")]
    refs = [f"{ref}#{number}" for ref in sessions for number in range(2, 9)]
    there = [
        ref for ref in refs if not (await bank.fetch(Reading(refs=[ref, sessions[0]]))).unknown
    ]
    preview = await bank.delete(there, mode="preview")
    await bank.delete(there, mode="purge", confirm=preview.confirm or "")
    told = {n: t.decode() for n, t in archived(bank.rooms.settings).items() if n.endswith(".md")}
    assert told
    for ref in there:
        lines = [f"{name}: {line}" for name, text in told.items() for line in text.splitlines()
                 if f"{ref} " in line and not name.endswith("README.md")]  # fmt: skip
        assert lines == []


async def test_indexes_are_the_same_at_any_cut_points(tmp_path: Path) -> None:
    paths = written(tmp_path)
    lines = paths[1].read_text(encoding="utf-8").splitlines(keepends=True)
    grown, once = (Settings(home=tmp_path / n, embedding_model="none") for n in ("grown", "once"))
    async with open_bank(grown) as bank:
        for cut in (3, 6, len(lines)):
            paths[1].write_text("".join(lines[:cut]), encoding="utf-8")
            await bank.index(paths)
    async with open_bank(once) as bank:
        await bank.index(list(reversed(paths)))
    # The folder's name is given at first sight: it may say less where less was there.
    assert {n.rpartition("/")[2]: t for n, t in sorted(archived(grown).items())} == {
        n.rpartition("/")[2]: t for n, t in sorted(archived(once).items())
    }


async def test_what_an_older_version_wrote_is_made_whole_at_the_next_change(
    bank: MemoryBank,
) -> None:
    root = bank.rooms.settings.archive_dir
    whole = archived(bank.rooms.settings)
    (root / "README.md").write_text("older", encoding="utf-8")
    for name in ("prose.md", "by-change.md", "INDEX.md"):
        for file in root.rglob(name):
            file.unlink()
    await writing.write_projects(bank.rooms, ())
    assert archived(bank.rooms.settings) == whole
