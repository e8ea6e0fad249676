"""A bank that version 0.1.0 wrote opens, is moved over with a backup, answers, and is read again."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.models import Outcome
from mcp_memory.domain.refs import session_of
from mcp_memory.settings import Settings
from mcp_memory.store import opening
from mcp_memory.store.home import read_meta
from mcp_memory.store.schema import SCHEMA

FORMER = Path(__file__).parent.parent / "samples" / "former"
PROJECT = "/home/dev/shop"
HELD: dict[str, Any] = json.loads((FORMER / "bank-0.1.0.json").read_text(encoding="utf-8"))
MEMORIES: dict[str, str] = HELD["memories"]


@pytest.fixture
def former(tmp_path: Path) -> Settings:
    """A home as revision 3ccc941 left it: two sessions, five memories, one superseded, one forgotten."""
    home = tmp_path / "former"
    with zipfile.ZipFile(FORMER / "bank-0.1.0.zip") as held:
        held.extractall(home)
    return Settings(home=home, index_auto=False)


async def _answers(bank: MemoryBank) -> None:
    listed = {line.ref: line.marks for line in await bank.listing("memories")}
    assert set(listed) == set(MEMORIES.values())
    assert "forgotten" in listed[MEMORIES["forgotten"]]
    assert "superseded" in listed[MEMORIES["old"]]
    assert {line.ref for line in await bank.listing("sessions")} == set(HELD["sessions"])
    asked = Query(texts=("UnicodeEncodeError when a report is written",), project=PROJECT)
    found = await bank.search(asked)
    assert found.found
    assert MEMORIES["gotcha"] in {hit.ref for hit in found.hits}
    assert {f"t:{session_of(hit.ref)}" for hit in found.hits} & set(HELD["sessions"])
    gone = await bank.search(Query(texts=("where do invoices go",), project=PROJECT))
    assert MEMORIES["forgotten"] not in {hit.ref for hit in gone.hits}
    read = await bank.fetch(Reading(refs=[MEMORIES["gotcha"], HELD["sessions"][0]]))
    assert "UnicodeEncodeError" in read.items[0].text
    assert read.unknown == ()


async def test_it_opens_with_a_backup_and_answers(former: Settings) -> None:
    async with open_bank(former, cwd=PROJECT) as bank:
        await _answers(bank)
    meta = read_meta(former.store_dir)
    assert meta is not None
    assert meta.schema == SCHEMA
    backup = read_meta(former.store_dir.with_name("store.schema-1"))
    assert backup is not None
    assert backup.schema == 1


async def test_what_was_used_and_may_be_undone_is_still_so(former: Settings) -> None:
    async with open_bank(former, cwd=PROJECT) as bank:
        await bank.feedback([MEMORIES["gotcha"]], Outcome.SUCCESS)
        changes = await bank.listing("changes")
        forget = next(line for line in changes if line.marks[0] == "forget")
        await bank.undo(forget.ref)
        marks = {line.ref: line.marks for line in await bank.listing("memories")}
        assert "forgotten" not in marks[MEMORIES["forgotten"]]


async def test_its_sessions_are_read_again_and_are_then_as_if_they_were_new(
    former: Settings, tmp_path: Path
) -> None:
    paths = written(tmp_path)
    for path in paths:
        text = path.read_text(encoding="utf-8").replace((tmp_path / "shop").as_posix(), PROJECT)
        path.write_text(text, encoding="utf-8")
    fresh = Settings(home=tmp_path / "fresh", index_auto=False)
    async with open_bank(fresh, cwd=PROJECT) as bank:
        await bank.index(paths)
        new = [row.model_dump() for row in await _steps(bank)]
    async with open_bank(former, cwd=PROJECT) as bank:
        told = []
        reports = await bank.index(paths, progress=told.append)
        assert {report.status for report in reports} == {"indexed"}
        assert len(told) == len(paths)
        assert bank.rooms.store.vectors_ready
        assert {report.status for report in await bank.index(paths)} == {"unchanged"}
        await _answers(bank)
        assert [row.model_dump() for row in await _steps(bank)] == new


async def _steps(bank: MemoryBank) -> list[Any]:
    fetched = await bank.fetch(Reading(refs=sorted(HELD["sessions"]), budget_tokens=20_000))
    return list(fetched.items)


@pytest.mark.parametrize("at", ["_add_columns", "migrated", "back_up"])
async def test_a_move_that_was_cut_off_goes_on_at_the_next_opening(
    former: Settings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def cut(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(opening, at, cut)
        with pytest.raises(Exception, match="the power went"):
            async with open_bank(former, cwd=PROJECT):
                pass
    async with open_bank(former, cwd=PROJECT) as bank:
        await _answers(bank)


@pytest.mark.skipif(sys.platform == "win32", reason="a kill of Unix")
async def test_a_move_that_was_killed_half_way_goes_on(former: Settings) -> None:
    program = (
        "import anyio, os, sys\n"
        "from mcp_memory.bank import open_bank\n"
        "from mcp_memory.settings import Settings\n"
        "from mcp_memory.store import opening\n"
        "real = opening._add_columns\n"
        "async def half(tables):\n"
        "    await real(tables)\n"
        "    os.kill(os.getpid(), 9)\n"
        "opening._add_columns = half\n"
        "async def main():\n"
        "    async with open_bank(Settings(home=sys.argv[1], index_auto=False)):\n"
        "        pass\n"
        "anyio.run(main)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(former.home)], check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr
    async with open_bank(former, cwd=PROJECT) as bank:
        await _answers(bank)


async def test_its_backup_opens_as_the_bank_that_it_was(former: Settings) -> None:
    async with open_bank(former, cwd=PROJECT):
        pass
    shutil.rmtree(former.store_dir)
    former.store_dir.with_name("store.schema-1").rename(former.store_dir)
    async with open_bank(former, cwd=PROJECT) as bank:
        await _answers(bank)
