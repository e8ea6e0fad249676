"""A purge to its end: kills, full disks, titles, branches, copies, and what was pushed elsewhere."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from talks import Record, copied, kept, talk
from tour_sessions import archived

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.checkup import doctor
from mcp_memory.domain.asked import Filter, Query
from mcp_memory.settings import Settings

SAID = "The zebrafish ledger must be sealed by Marlow"


def session(folder: Path, name: str = "s1") -> list[Record]:
    """A session whose title, branch and words hold what is to be purged."""
    records = talk(name, SAID, "I will seal it", "now the other thing", "done", cwd=str(folder))
    for record in records:
        record["gitBranch"] = "feature/zebrafish-ledger"
    title = {"type": "summary", "summary": "zebrafish ledger sealing", "sessionId": name}
    return [*records, {**title, "leafUuid": records[-1]["uuid"]}]


def traces(settings: Settings) -> list[str]:
    return [
        name
        for name, raw in archived(settings).items()
        if "zebrafish" in name or b"zebrafish" in raw
    ]


async def purged(bank: MemoryBank) -> object:
    preview = await bank.delete([], Filter(contains="zebrafish"))
    assert any("title" in note and "git_branch" in note for note in preview.notes)
    return await bank.delete(
        [], Filter(contains="zebrafish"), mode="purge", confirm=preview.confirm or ""
    )


async def test_words_that_are_purged_go_from_title_branch_folder_and_indexes_too(
    settings: Settings, tmp_path: Path
) -> None:
    path = kept(tmp_path / "s1.jsonl", session(tmp_path))
    other = kept(tmp_path / "s2.jsonl", talk("s2", "tidy the shop", "yes", cwd=str(tmp_path)))
    async with open_bank(settings) as bank:
        await bank.index([path, other])
        assert len(traces(settings)) > 3
        receipt = await purged(bank)
        assert traces(settings) == []
        assert all(check.left == 0 for check in receipt.checks)
        assert sum(check.control for check in receipt.checks) > 10
        kept(path, [*session(tmp_path), *talk("s1", "more", "words", first=5, cwd=str(tmp_path))])
        assert [r.status for r in await bank.index([path])] == ["indexed"]
        assert traces(settings) == []
        assert not (await bank.search(Query(texts=("zebrafish",), project="*"))).found


async def test_a_title_alone_that_holds_the_words_is_emptied(
    settings: Settings, tmp_path: Path
) -> None:
    records = talk("s1", "please tidy the shop", "I do", cwd=str(tmp_path))
    records.append({**session(tmp_path)[-1], "leafUuid": records[-1]["uuid"]})
    path = kept(tmp_path / "s1.jsonl", records)
    async with open_bank(settings) as bank:
        await bank.index([path])
        assert traces(settings)
        preview = await bank.delete([], Filter(contains="zebrafish"))
        assert preview.refs == ()
        await bank.delete([], Filter(contains="zebrafish"), mode="purge", confirm=preview.confirm)
        assert traces(settings) == []


@pytest.mark.parametrize("whole", [False, True])
async def test_a_fork_does_not_bring_back_what_was_purged(
    settings: Settings, tmp_path: Path, *, whole: bool
) -> None:
    path = kept(tmp_path / "s1.jsonl", session(tmp_path))
    fork = [*copied(session(tmp_path), "s3"), *talk("s3", "go on", "yes", first=5)]
    async with open_bank(settings) as bank:
        await bank.index([path])
        if whole:
            (listed,) = await bank.listing("sessions")
            preview = await bank.delete([listed.ref])
            await bank.delete([listed.ref], mode="purge", confirm=preview.confirm or "")
        else:
            await purged(bank)
        await bank.index([kept(tmp_path / "s3.jsonl", fork)])
        assert "go on" in str(archived(settings))
        left = [n for n, raw in archived(settings).items() if SAID.encode() in raw]
        assert left == []


async def test_a_bank_that_a_session_was_pushed_to_is_named_beyond_reach(
    settings: Settings, tmp_path: Path
) -> None:
    path = kept(tmp_path / "s1.jsonl", session(tmp_path))
    async with open_bank(settings) as bank:
        await bank.index([path])
        (row,) = await bank.rooms.store.sessions()
        note = settings.home / "pushed" / "0.json"
        note.parent.mkdir()
        note.write_text(f'{{"reading":"","bank":"https://m.example","files":{{"x":"{row.id}"}}}}')
        receipt = await purged(bank)
        assert any("https://m.example" in each for each in receipt.beyond_reach)


KILLED = """
import asyncio, os, resource, signal, sys
from pathlib import Path
from mcp_memory.bank import open_bank
from mcp_memory.domain.errors import PurgeUnfinished
from mcp_memory.settings import Settings
from mcp_memory.store import purging, store
from mcp_memory.history import writing

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def stop(at):
    async def until(*a, **k):
        if {full!r}:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            return await at(*a, **k)
        os._exit(9)
    return until

Store = store.Store
if {place!r} == "tombstones":
    Store.put_tombstones = stop(Store.put_tombstones)
elif {place!r} == "erasure":
    Store.purge = stop(Store.purge)
elif {place!r} == "middle":
    store.purge = stop(store.purge)
else:
    writing.rerender = stop(writing.rerender)

async def main():
    async with open_bank(Settings(home=Path({home!r}), embedding_model="hash")) as bank:
        preview = await bank.delete([{ref!r}])
        try:
            await bank.delete([{ref!r}], mode="purge", confirm=preview.confirm)
        except PurgeUnfinished as error:
            print(error)

asyncio.run(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("place", ["tombstones", "erasure", "middle", "files"])
async def test_a_purge_that_was_cut_off_comes_to_its_end_at_the_next_opening(
    settings: Settings, tmp_path: Path, place: str, *, full: bool
) -> None:
    path = kept(tmp_path / "s1.jsonl", session(tmp_path))
    other = kept(tmp_path / "s2.jsonl", talk("s2", "tidy the shop", "yes", cwd=str(tmp_path)))
    async with open_bank(settings) as bank:
        await bank.index([path, other])
        (row,) = [r for r in await bank.rooms.store.sessions() if r.title.startswith("zebra")]
    program = KILLED.format(full=full, place=place, home=str(settings.home), ref=f"t:{row.id}")
    ran = subprocess.run(  # a child of its own: it is killed
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    if full:
        assert "goes on by itself" in ran.stdout, ran.stderr
    else:
        assert ran.returncode in {9, -signal.SIGKILL}, ran.stderr
    async with open_bank(settings) as bank:
        found = await bank.search(Query(texts=("zebrafish ledger",), project="*"))
        assert not [hit for hit in found.hits if row.id in hit.ref]
        assert traces(settings) == []
        assert all(f.good for f in await doctor.check(bank.rooms) if f.subject != "hosts")
        assert [r.status for r in await bank.index([path])] == ["purged"]
