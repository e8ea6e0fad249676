"""Other tools' memories: each format gives candidates with counts of what was refused, and why."""

import gzip
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.models import Memory
from mcp_memory.domain.reports import Imported
from mcp_memory.importing import bringing
from mcp_memory.importing.bringing import Source
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where

NOTE = """---
title: Coffee grinder
type: note
permalink: coffee-grinder
tags: [kitchen]
created: 2025-03-04
---
# Coffee grinder
- [setting] Step 14 is right for filter coffee #filter
- [ ] buy new burrs
- belongs_to [[Kitchen]]
"""


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path)) as bank:
        yield bank


async def imported(
    bank: MemoryBank, path: Path, project: str = ""
) -> tuple[Imported, list[Memory]]:
    done = await bringing.import_(bank.rooms, Source(path, project=project))
    rows = await bank.rooms.store.find("memories", Where(states=()))
    return done, sorted(map(spans.memory_of, rows), key=lambda one: one.text)


def counts(done: Imported) -> tuple[str, int, int]:
    return done.format, done.memories, len(done.refused)


def lines(path: Path, *told: object) -> Path:
    path.write_text("\n".join(json.dumps(each) for each in told) + "\n", encoding="utf-8")
    return path


async def test_the_reference_servers_graph_gives_a_memory_an_observation_and_a_relation(
    bank: MemoryBank, tmp_path: Path
) -> None:
    file = lines(
        tmp_path / "memory.jsonl",
        {"type": "entity", "name": "till", "entityType": "service",
         "observations": ["listens on 8080", "The till needs flask"]},
        {"type": "relation", "from": "till", "to": "ledger", "relationType": "writes_to"},
        {"type": "relation", "from": "till"},
        {"type": "entity", "name": "nothing", "entityType": "x", "observations": []},
    )  # fmt: skip
    done, memories = await imported(bank, file, project="shop")
    assert counts(done) == ("knowledge-graph", 3, 2)
    assert [each.text for each in memories] == [
        "The till needs flask", "till writes to ledger", "till: listens on 8080",
    ]  # fmt: skip
    assert {(one.standing, one.source, one.trust, one.project) for one in memories} == {
        ("candidate", "external", 0.2, "shop")
    }
    again, _ = await imported(bank, file, project="shop")
    assert (again.memories, again.known, again.batch) == (0, 3, "")
    await bank.undo(done.batch)
    assert {one.state for one in (await imported(bank, file))[1]} >= {"forgotten"}


RECORD = {
    "id": "0f7c",
    "memory": "Prefers tabs",
    "user_id": "ada",
    "hash": "ab",
    "created_at": "2025-02-03T10:00:00Z",
    "categories": ["preference"],
    "metadata": {"project": "shop"},
}
BACKED_UP = {
    "id": "1",
    "content": "Deploys on Fridays are forbidden",
    "app": "cursor",
    "state": "active",
    "created_at": "2025-05-01T00:00:00+00:00",
    "updated_at": None,
    "categories": [],
    "metadata": {},
}


async def test_mem0_and_openmemory_are_read_as_they_export(
    bank: MemoryBank, tmp_path: Path
) -> None:
    file = tmp_path / "mem0.json"
    file.write_text(json.dumps({"results": [RECORD, {**RECORD, "memory": ""}]}), encoding="utf-8")
    done, (memory,) = await imported(bank, file)
    assert counts(done) == ("mem0", 1, 1)
    assert (memory.kind, memory.project, memory.created_at.year) == ("preference", "shop", 2025)
    packed = tmp_path / "memories_export_ada.zip"
    told = [BACKED_UP, {**BACKED_UP, "id": "2", "state": "deleted"}]
    raw = b"\n".join(json.dumps(each).encode() for each in told)
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("memories.json", json.dumps({"memories": told}))
        out.writestr("memories.jsonl.gz", gzip.compress(raw))
    done, memories = await imported(bank, packed)
    assert counts(done) == ("mem0", 1, 1)
    assert memories[0].text == "Deploys on Fridays are forbidden"


async def test_basic_memorys_notes_give_observations_and_relations(
    bank: MemoryBank, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "coffee.md").write_text(NOTE, encoding="utf-8")
    (folder / "broken.md").write_text("---\ntitle: [\n---\nx\n", encoding="utf-8")
    done, memories = await imported(bank, folder)
    assert counts(done) == ("basic-memory", 2, 1)
    assert memories[0].text == "Coffee grinder belongs to Kitchen"
    assert (memories[1].text, memories[1].tags) == (
        "Step 14 is right for filter coffee",
        ("setting", "filter"),
    )


async def test_a_repositorys_own_file_is_a_files_content_and_a_hosts_its_agents(
    bank: MemoryBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "shop"
    (project / ".git").mkdir(parents=True)
    (project / "CLAUDE.md").write_text(
        "# Build\n\nRun `make all` first.\n\n## Tests\n- use pytest -q\n  with two workers\n- never mock\n",
        encoding="utf-8",
    )
    done, memories = await imported(bank, project / "CLAUDE.md")
    assert counts(done) == ("host-files", 3, 0)
    assert {(one.source, one.project) for one in memories} == {("external", str(project))}
    assert ("Build > Tests", "use pytest -q\n  with two workers") in {
        (one.title, one.text) for one in memories
    }
    home = tmp_path / "claude"
    notes = home / "projects" / "-home-ada-shop" / "memory"
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("- [ports](ports.md)\n", encoding="utf-8")
    (notes / "ports.md").write_text(
        "---\nname: ports\ndescription: which ports are taken\nmetadata:\n  type: project\n---\n"
        "8080 is the till's.\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home))
    done, memories = await imported(bank, notes, project=str(project))
    assert counts(done) == ("host-files", 1, 0)
    (note,) = [one for one in memories if one.title == "which ports are taken"]
    assert (note.source, note.trust, note.standing) == ("agent", 0.6, "candidate")


async def test_what_hosts_load_here_is_found_with_its_projects(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, home = tmp_path / "shop", tmp_path / "claude"
    (project / ".git").mkdir(parents=True)
    (project / "AGENTS.md").write_text("- use pytest\n", encoding="utf-8")
    notes = home / "projects" / str(project).replace("/", "-").replace("_", "-") / "memory"
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("- the till is on 8080\n", encoding="utf-8")
    (home / "CLAUDE.md").write_text("- answer briefly\n", encoding="utf-8")
    for variable, place in (("CLAUDE_CONFIG_DIR", home), ("CODEX_HOME", tmp_path / "none"),
                            ("GEMINI_CLI_HOME", tmp_path / "none")):  # fmt: skip
        monkeypatch.setenv(variable, str(place))
    async with open_bank(settings, cwd=str(project)) as bank:
        sources = await bringing.of_hosts(bank.rooms)
        for source in sources:
            await bringing.import_(bank.rooms, source)
        rows = await bank.rooms.store.find("memories", Where(states=()))
    assert sorted((row.text.rpartition("\n")[2], row.project, row.source) for row in rows) == [
        ("answer briefly", "user", "agent"),
        ("the till is on 8080", str(project), "agent"),
        ("use pytest", str(project), "external"),
    ]


async def test_claude_mems_database_gives_observations_learnings_and_directives(
    bank: MemoryBank, tmp_path: Path
) -> None:
    file = tmp_path / "claude-mem.db"
    with closing(sqlite3.connect(file)) as base:
        base.executescript("""
            CREATE TABLE observations (id INTEGER PRIMARY KEY, memory_session_id TEXT, project TEXT,
              text TEXT, type TEXT, title TEXT, narrative TEXT, facts TEXT, concepts TEXT,
              files_read TEXT, files_modified TEXT, created_at TEXT);
            CREATE TABLE session_summaries (id INTEGER PRIMARY KEY, project TEXT, request TEXT,
              learned TEXT, created_at TEXT);
            CREATE TABLE directives (id INTEGER PRIMARY KEY, project TEXT, content TEXT, status TEXT,
              created_at TEXT);
            INSERT INTO observations VALUES (1, 's', 'shop', NULL, 'bugfix', 'Lock first',
              'The till lost rows without the lock.', '["db.py takes a lock"]', '["locking"]',
              '[]', '["src/db.py"]', '2025-04-01T10:00:00Z');
            INSERT INTO observations VALUES (2, 's', 'shop', NULL, 'change', 'x', NULL, NULL, NULL,
              NULL, NULL, 'no date');
            INSERT INTO session_summaries VALUES (1, 'shop', 'mend the till', 'flask was missing', '');
            INSERT INTO directives VALUES (1, NULL, 'Answer briefly', 'active', '');
        """)
    done, memories = await imported(bank, file)
    assert counts(done) == ("claude-mem", 3, 1)
    (found,) = [one for one in memories if one.title == "Lock first"]
    assert (found.kind, found.files, found.tags) == (
        "gotcha",
        ("src/db.py",),
        ("bugfix", "locking"),
    )
    assert "db.py takes a lock" in found.text


async def test_engrams_export_gives_its_observations(bank: MemoryBank, tmp_path: Path) -> None:
    file = tmp_path / "engram.json"
    told = {"id": 1, "session_id": "s", "type": "decision", "title": "Postgres", "project": "shop",
            "content": "We use Postgres 16", "created_at": "2025-06-01 10:00:00"}  # fmt: skip
    gone = {**told, "id": 2, "deleted_at": "2025-06-02"}
    file.write_text(json.dumps({"version": "0.2", "observations": [told, gone]}), encoding="utf-8")
    done, (memory,) = await imported(bank, file)
    assert counts(done) == ("engram", 1, 1)
    assert (memory.title, memory.project, memory.created_at.month) == ("Postgres", "shop", 6)


async def test_what_came_with_a_secret_is_masked_and_counted(
    bank: MemoryBank, tmp_path: Path
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    graph = {"type": "entity", "name": "ci", "entityType": "x", "observations": [f"token {secret}"]}
    done, (memory,) = await imported(bank, lines(tmp_path / "memory.jsonl", graph))
    assert done.masked == 1
    assert secret not in memory.text


async def test_what_was_purged_is_not_brought_back_by_another_tool(
    bank: MemoryBank, tmp_path: Path
) -> None:
    graph = {
        "type": "entity",
        "name": "till",
        "entityType": "x",
        "observations": ["the till  sings"],
    }
    file = lines(tmp_path / "memory.jsonl", graph)
    _, (memory,) = await imported(bank, file)
    preview = await bank.delete([memory.ref])
    await bank.delete([memory.ref], mode="purge", confirm=preview.confirm or "")
    done, memories = await imported(bank, file, project="elsewhere")
    assert memories == []
    assert [each.reason for each in done.refused] == ["it was purged from this bank"]


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b"\0\1\2", b"[1, 2]", b'{"observations": [1]}', b"hello"]
)
async def test_what_no_importer_knows_is_named(
    bank: MemoryBank, tmp_path: Path, raw: bytes
) -> None:
    file = tmp_path / "strange.json"
    file.write_bytes(raw)
    with pytest.raises(InvalidInput, match="nothing that can be imported"):
        await imported(bank, file)
