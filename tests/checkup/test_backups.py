"""Backups: one moment of a bank that others write to, checked when it is read, never over another bank."""

import gzip
import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from tour_sessions import archived, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.checkup import backups, doctor, remaking, restoring
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import Busy, InvalidInput
from mcp_memory.domain.models import Draft
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"home": tmp_path / "elsewhere"})


async def made(settings: Settings, tmp_path: Path) -> Path:
    file = tmp_path / "bank.backup"
    async with open_bank(settings) as bank:
        await bank.index(written(tmp_path))
        await bank.retain(Draft(text="The pump needs grease"))
        await backups.back_up(bank.rooms, file)
    return file


async def whole(bank: MemoryBank) -> bool:
    found = await doctor.check(bank.rooms)
    return all(each.good for each in found if each.subject not in {"disk", "hosts"})


async def test_a_backup_holds_sessions_memories_and_files(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    file = await made(settings, tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    before = archived(settings)
    restoring.restore(elsewhere, file, now=NOW)
    async with open_bank(elsewhere) as bank:
        await doctor.repair(bank.rooms)
        await remaking.derived(bank.rooms)
        assert archived(elsewhere) == before
        assert await whole(bank)
        assert (await bank.search(Query(texts=("pump grease",), project="*"))).found
        assert await bank.rooms.store.count("sessions", Where(states=())) == 2


async def test_a_backup_under_writers_is_one_moment(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    async with open_bank(settings) as bank, open_bank(settings) as other:
        said: list[str] = []

        async def keep(writer: MemoryBank, name: str) -> None:
            for number in range(30):
                kept = await writer.retain(Draft(text=f"Valve {name}{number} needs {number} turns"))
                said.append(kept.ref)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keep, bank, "a")
            tasks.start_soon(keep, other, "b")
            while len(said) < 10:
                await anyio.sleep(0.01)
            acknowledged = set(said)
            await backups.back_up(bank.rooms, tmp_path / "b")
    restoring.restore(elsewhere, tmp_path / "b", now=NOW)
    async with open_bank(elsewhere) as bank:
        await doctor.repair(bank.rooms)
        assert await whole(bank)
        kept = {row.key for row in await bank.rooms.store.find("memories", Where(states=()))}
        assert acknowledged <= kept <= set(said)


async def test_a_file_or_a_bank_that_is_there_is_never_overwritten_unasked(
    settings: Settings, tmp_path: Path
) -> None:
    file = await made(settings, tmp_path)
    async with open_bank(settings) as bank:
        with pytest.raises(InvalidInput, match="exists and was left as it is"):
            await backups.back_up(bank.rooms, file)
        with pytest.raises(InvalidInput, match="is a bank"):
            restoring.restore(settings, file, now=NOW)
        with pytest.raises(Busy, match="Stop it first"):
            restoring.restore(settings, file, now=NOW, replace=True)
    _, former = restoring.restore(settings, file, now=NOW, replace=True)
    assert former == settings.home.with_name("home.before-20260501-120000")
    assert (former / "store" / "meta.json").is_file()


@pytest.mark.parametrize("end", [0.2, 0.9, 0.97])
async def test_a_backup_that_was_cut_off_changes_nothing(
    settings: Settings, elsewhere: Settings, tmp_path: Path, end: float
) -> None:
    file = await made(settings, tmp_path)
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * end)])
    with pytest.raises(InvalidInput, match="cannot be restored"):
        restoring.restore(elsewhere, file, now=NOW)
    assert not elsewhere.home.exists()
    assert not [place for place in tmp_path.iterdir() if place.name.startswith(".mcp-memory")]


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "store\\..\\out", "link"])
async def test_a_backup_puts_nothing_outside_the_home(
    settings: Settings, elsewhere: Settings, tmp_path: Path, name: str
) -> None:
    file = await made(settings, tmp_path)
    plain = io.BytesIO(gzip.decompress(file.read_bytes()))
    with tarfile.open(fileobj=plain, mode="a:") as tar:
        told = tarfile.TarInfo(name)
        if name == "link":
            told.type, told.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(told, io.BytesIO(b""))
    file.write_bytes(gzip.compress(plain.getvalue()))
    with pytest.raises(InvalidInput, match="cannot be restored"):
        restoring.restore(elsewhere, file, now=NOW)
    assert not (tmp_path / "out").exists()


async def test_a_changed_byte_is_found(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    file = await made(settings, tmp_path)
    plain = gzip.decompress(file.read_bytes())
    assert b"wrote 214 rows" in plain
    file.write_bytes(gzip.compress(plain.replace(b"wrote 214 rows", b"wrote 215 rows")))
    with pytest.raises(InvalidInput, match="its list says"):
        restoring.restore(elsewhere, file, now=NOW)


async def test_what_was_purged_since_does_not_come_back_with_a_backup(
    settings: Settings, tmp_path: Path
) -> None:
    file = await made(settings, tmp_path)
    async with open_bank(settings) as bank:
        listed = (await bank.listing("sessions"))[0]
        preview = await bank.delete([listed.ref])
        receipt = await bank.delete([listed.ref], mode="purge", confirm=preview.confirm or "")
        assert any(str(file) in each for each in receipt.beyond_reach)
    restoring.restore(settings, file, now=NOW, replace=True)
    async with open_bank(settings) as bank:
        assert await doctor.repair(bank.rooms)
        assert await whole(bank)
        assert listed.ref not in {each.ref for each in await bank.listing("sessions")}
