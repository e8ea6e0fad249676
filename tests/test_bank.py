"""The bank: six verbs over real sessions, a real store and real files."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from exports import records
from tour_sessions import SECRET, archived, evidence, sessions, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Filter, Query
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Draft, MemoryKind, Standing
from mcp_memory.embedding import embedder
from mcp_memory.history import exchange
from mcp_memory.settings import Settings

PLANTED = "the heron sleeps under violet bridges"
LEARNED = 'open() without encoding raises UnicodeEncodeError; pass encoding="utf-8"'


def ask(*texts: str, **fields: object) -> Query:
    return Query.model_validate({"texts": texts, **fields})


@pytest.fixture(params=["folder", "s3"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """A bank keeps one contract wherever it lies."""
    if request.param == "folder":
        return settings
    address = f"{request.getfixturevalue('objects')}/{uuid4().hex[:8]}"
    return Settings(**{**settings.model_dump(), "address": address})


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = written(tmp_path, plant=PLANTED)
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(paths)
        yield bank


async def planted_ref(bank: MemoryBank) -> str:
    found = await bank.search(ask("heron sleeps violet bridges", kinds=["step"]))
    return found.hits[0].ref


async def test_a_second_indexing_changes_nothing(
    bank: MemoryBank, settings: Settings, tmp_path: Path
) -> None:
    before = archived(settings)
    reports = await bank.index(written(tmp_path, plant=PLANTED))
    assert {report.status for report in reports} == {"unchanged"}
    assert archived(settings) == before


async def test_a_grown_transcript_ends_as_if_it_was_indexed_once(tmp_path: Path) -> None:
    paths = written(tmp_path)
    whole = paths[1].read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    grown, once = (Settings(home=tmp_path / n, embedding_model="hash") for n in ("grown", "once"))
    async with open_bank(grown) as bank:
        for cut in (2, 5, len(lines)):
            paths[1].write_text("".join(lines[:cut]), encoding="utf-8")
            await bank.index(paths)
        rows = await exchange.export(bank.rooms, tmp_path / "grown.jsonl")
    async with open_bank(once) as bank:
        await bank.index(paths)
        assert await exchange.export(bank.rooms, tmp_path / "once.jsonl") == rows
    folders = archived(grown)
    assert {
        k.split("/")[-1]: v for k, v in folders.items() if k.endswith(("steps.jsonl", "INDEX.md"))
    } == {
        k.split("/")[-1]: v
        for k, v in archived(once).items()
        if k.endswith(("steps.jsonl", "INDEX.md"))
    }


async def test_no_secret_reaches_store_or_archive(settings: Settings, tmp_path: Path) -> None:
    paths = written(tmp_path, plant=SECRET)
    async with open_bank(settings) as bank:
        reports = await bank.index(paths)
        assert sum(report.masked for report in reports) >= 1
        await bank.retain(Draft(text=f"the token is {SECRET}"))
        await exchange.export(bank.rooms, tmp_path / "export.jsonl")
    assert SECRET in paths[1].read_text(encoding="utf-8")
    assert SECRET not in (tmp_path / "export.jsonl").read_text(encoding="utf-8")
    assert not any(SECRET.encode() in content for content in archived(settings).values())


async def test_excluded_projects_are_never_kept(settings: Settings, tmp_path: Path) -> None:
    chosen = settings.model_copy(update={"exclude": (str(tmp_path / "shop"),)})
    async with open_bank(chosen) as bank:
        reports = await bank.index(written(tmp_path))
        assert {report.status for report in reports} == {"excluded"}
        assert await sessions(bank) == []


async def test_a_broken_file_stops_nothing(settings: Settings, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b'{"type": "user"\n\xff\xfe[1]\n')
    async with open_bank(settings) as bank:
        reports = await bank.index([broken, tmp_path / "missing.jsonl", *written(tmp_path)])
        assert [report.status for report in reports] == ["refused", "refused", "indexed", "indexed"]
        assert all(report.reason for report in reports[:2])


async def test_the_same_content_keeps_its_ref(bank: MemoryBank) -> None:
    first = await bank.retain(Draft(text=LEARNED))
    again = await bank.retain(Draft(text=LEARNED))
    assert first.created
    assert not again.created
    assert (again.ref, again.version) == (first.ref, 1)


async def test_evidence_of_two_sessions_makes_a_memory_stand(bank: MemoryBank) -> None:
    cited = await evidence(bank)
    draft = Draft(text=LEARNED, kind=MemoryKind.GOTCHA, when_to_use="writing files")
    alone = await bank.retain(draft.model_copy(update={"evidence": cited[:1]}))
    both = await bank.retain(draft.model_copy(update={"evidence": cited}))
    assert (alone.standing, both.standing) == (Standing.CANDIDATE, Standing.ESTABLISHED)
    assert (both.ref, both.version) == (alone.ref, 2)


async def test_a_consolidation_is_taken_back_as_one_batch(bank: MemoryBank) -> None:
    cited = await evidence(bank)
    applied = await bank.apply([Draft(text=LEARNED, evidence=cited)])
    assert (await bank.search(ask("UnicodeEncodeError encoding", kinds=["fact"]))).found
    undone = await bank.undo(applied.batch or "")
    assert not (await bank.search(ask("UnicodeEncodeError encoding", kinds=["fact"]))).found
    await bank.undo(undone.batch or "")
    assert (await bank.search(ask("UnicodeEncodeError encoding", kinds=["fact"]))).found


async def test_a_superseded_memory_comes_back_marked(bank: MemoryBank) -> None:
    old = await bank.retain(Draft(text="the export listens on port 8080"))
    await bank.retain(Draft(text="the export listens on port 9090", supersedes=old.ref))
    hits = (await bank.search(ask("which port does the export listen on", kinds=["fact"]))).hits
    assert "9090" in hits[0].text
    assert [hit.flags for hit in hits if hit.ref == old.ref] in ([("superseded",)], [])


async def test_a_memory_that_was_only_retained_anew_is_marked_and_comes_later(
    bank: MemoryBank,
) -> None:
    old = await bank.retain(Draft(text="the export of the shop listens on port 8080"))
    new = await bank.retain(Draft(text="the export of the shop now listens on port 9090"))
    hits = (await bank.search(ask("which port does the export listen on", kinds=["fact"]))).hits
    assert [hit.ref for hit in hits] == [new.ref, old.ref]
    assert [hit.flags for hit in hits] == [(), (f"restated in {new.ref}",)]


async def test_what_is_forgotten_is_restored_whole(bank: MemoryBank, settings: Settings) -> None:
    before = archived(settings)
    ref = await planted_ref(bank)
    await bank.delete([ref], mode="forget")
    assert not any(PLANTED.encode() in content for content in archived(settings).values())
    assert not (await bank.search(ask("heron sleeps violet bridges"))).found
    await bank.delete([ref], mode="restore")
    assert await planted_ref(bank) == ref
    assert archived(settings) == before


async def test_forgetting_a_session_can_be_undone(bank: MemoryBank, settings: Settings) -> None:
    before = archived(settings)
    done = await bank.delete([(await sessions(bank))[0]], mode="forget")
    assert archived(settings) != before
    await bank.undo(done.batch or "")
    assert archived(settings) == before


async def test_a_filter_needs_the_confirmation_of_its_preview(bank: MemoryBank) -> None:
    chosen = Filter(contains=PLANTED)
    preview = await bank.delete([], chosen)
    assert len(preview.refs) == 1
    with pytest.raises(InvalidInput, match="preview"):
        await bank.delete([], chosen, mode="forget")
    await bank.delete([], chosen, mode="forget", confirm=preview.confirm or "")
    with pytest.raises(InvalidInput, match="empty"):
        await bank.delete([], Filter(), mode="purge")


async def test_a_purged_sentence_is_gone_and_does_not_come_back(
    bank: MemoryBank, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    typed = tmp_path / "codex" / "history.jsonl"
    typed.parent.mkdir()
    typed.write_text(
        json.dumps({"text": f'they said "so":\nwrote 214 rows {PLANTED}'}), encoding="utf-8"
    )
    ref = await planted_ref(bank)
    kept = await bank.retain(Draft(text=LEARNED, evidence=await evidence(bank)))
    preview = await bank.delete([ref])
    assert preview.weakened == (kept.ref,) or preview.cascade == ()
    receipt = await bank.delete([ref], mode="purge", confirm=preview.confirm or "")
    assert sum(check.control for check in receipt.checks) > 0
    assert [check for check in receipt.checks if check.left] == []
    assert set(receipt.beyond_reach) == {str(tmp_path / "orders.jsonl"), str(typed)}
    os.utime(tmp_path / "orders.jsonl")
    await bank.index([tmp_path / "orders.jsonl"])
    assert not (await bank.search(ask("heron sleeps violet bridges"))).found
    assert not any(PLANTED.encode() in content for content in archived(settings).values())


async def test_a_purged_session_stays_away(bank: MemoryBank, tmp_path: Path) -> None:
    ref = (await planted_ref(bank)).split("#")[0]
    preview = await bank.delete([ref])
    await bank.delete([ref], mode="purge", confirm=preview.confirm or "")
    os.utime(tmp_path / "orders.jsonl")
    reports = await bank.index([tmp_path / "orders.jsonl"])
    assert [report.status for report in reports] == ["purged"]
    assert ref not in await sessions(bank)


async def test_an_undone_indexing_hides_its_sessions(bank: MemoryBank) -> None:
    batch = (await bank.listing("changes"))[-1].ref
    await bank.undo(batch)
    assert not (await bank.search(ask("UnicodeEncodeError"))).found


async def test_without_a_model_words_still_answer(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", embedding_model="none")
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        found = await bank.search(ask("UnicodeEncodeError charmap"))
        assert found.found
        assert any("Words only" in note for note in found.notes)


async def test_a_newer_bundled_model_moves_the_bank_over_at_the_next_indexing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, cwd = Settings(home=tmp_path / "home"), str(tmp_path / "shop")
    monkeypatch.setattr(embedder, "DEFAULT_NAME", f"{embedder.BUNDLED}0")
    async with open_bank(settings, cwd=cwd) as bank:
        await bank.index(written(tmp_path))
        assert (await bank.search(ask("UnicodeEncodeError charmap"))).notes == ()
    monkeypatch.undo()
    async with open_bank(settings, cwd=cwd) as bank:
        found = await bank.search(ask("UnicodeEncodeError charmap"))
        assert found.found
        assert any("another model" in note for note in found.notes)
        await bank.index([])
        assert bank.rooms.store.model == embedder.DEFAULT_NAME
        assert (await bank.search(ask("UnicodeEncodeError charmap"))).notes == ()


@pytest.mark.parametrize(
    ("name", "former", "moves"),
    [
        (f"{embedder.BUNDLED}3", f"{embedder.BUNDLED}2", True),
        (f"{embedder.BUNDLED}3", "", True),
        (f"{embedder.BUNDLED}3", "BAAI/bge-small-en-v1.5", False),
        ("BAAI/bge-small-en-v1.5", f"{embedder.BUNDLED}2", False),
    ],
)
def test_only_the_bundled_model_follows_itself(name: str, former: str, *, moves: bool) -> None:
    assert embedder.succeeds(name, former) is moves


KILLED = """
import anyio, os, sys
from pathlib import Path
from mcp_memory.archive.files import Archive
from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

def stop(*_):
    os._exit(9)

async def main():
    async with open_bank(Settings(home=Path({home!r}), embedding_model="hash")) as bank:
        setattr({point}, {name!r}, stop)
        await bank.index([Path(path) for path in {paths!r}])

from mcp_memory.store import changes
anyio.run(main)
"""


@pytest.mark.parametrize(
    ("point", "name"),
    [("Archive", "write_session"), ("changes", "carry_out"), ("Archive", "write_indexes")],
)
async def test_a_kill_while_indexing_leaves_no_trace(tmp_path: Path, point: str, name: str) -> None:
    paths = written(tmp_path)
    killed, calm = (Settings(home=tmp_path / n, embedding_model="hash") for n in ("killed", "calm"))
    program = KILLED.format(
        home=str(killed.home), point=point, name=name, paths=[str(path) for path in paths]
    )
    child = subprocess.run([sys.executable, "-c", program], check=False, timeout=50)
    assert child.returncode == 9
    for settings, file in ((killed, "killed.jsonl"), (calm, "calm.jsonl")):
        async with open_bank(settings) as bank:
            await bank.index(paths)
            await exchange.export(bank.rooms, tmp_path / file)
    assert archived(killed) == archived(calm)
    assert records(tmp_path / "killed.jsonl") == records(tmp_path / "calm.jsonl")


async def test_the_clock_of_a_bank_can_be_given(settings: Settings) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    async with open_bank(settings, now=lambda: noon) as bank:
        await bank.retain(Draft(text=LEARNED))
        assert [each.at for each in await bank.listing("memories")] == [noon]
