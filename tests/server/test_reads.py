"""A running server answers the reading commands of its user as an opened bank would."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli import cli
from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Runbook
from mcp_memory.hooks import ready
from mcp_memory.search.named.blame import Blame
from mcp_memory.search.named.fix import Fixed
from mcp_memory.search.named.how import Ways
from mcp_memory.search.named.restore import Restored
from mcp_memory.server import reads
from mcp_memory.server.door import answer_at_door, ask_server
from mcp_memory.settings import Settings

QUESTIONS: tuple[tuple[str, type[Any], dict[str, Any]], ...] = (
    ("search", SearchResult, Query(texts=("charmap",)).model_dump(mode="json")),
    ("recent", SearchResult, Query(limit=2).model_dump(mode="json")),
    ("runbook", Runbook, Task(text="export invoices in euros").model_dump(mode="json")),
    ("blame", Blame, {"path": "export.py", "limit": 3, "project": None}),
    ("fix", Fixed, {"error": "UnicodeEncodeError charmap", "limit": 3, "project": None}),
    ("how", Ways, {"what": "run tests", "limit": 3, "project": None}),
    ("restore", Restored, {"path": "shop/export.py", "until": None, "project": None}),
)


@asynccontextmanager
async def _door(bank: MemoryBank) -> AsyncIterator[Path]:
    home = bank.rooms.settings.home

    async def read(name: str, asked: dict[str, Any]) -> Any:
        return await reads.read(bank, name, asked)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_at_door, home, bank.still_holds, read)
        with anyio.fail_after(30):
            while not (ready.folder(home) / "server.json").exists():
                await anyio.sleep(0.01)
        yield home
        tasks.cancel_scope.cancel()


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as opened:
        await opened.index(written(tmp_path))
        yield opened


async def test_every_reading_question_has_the_same_answer_through_the_door(
    bank: MemoryBank,
) -> None:
    assert {name for name, _, _ in QUESTIONS} | {"fetch"} == set(reads.READS)
    async with _door(bank) as home:
        project = bank.rooms.project
        for name, told, asked in QUESTIONS:
            named = {**asked, "project": project}
            own = await reads.read(bank, name, named)
            through = await ask_server(home, name, named, told)
            assert through is not None
            assert through.model_dump_json() == own.model_dump_json(), name
            assert through != told.model_construct(), name
        ref = (await reads.read(bank, "blame", {"path": "export.py"})).sessions[0].ref  # type: ignore[attr-defined]
        fetched = await ask_server(home, "fetch", {"refs": [ref]}, FetchResult)
        assert fetched is not None
        assert fetched.items[0].ref == ref


async def test_what_a_server_cannot_tell_is_left_to_the_command(bank: MemoryBank) -> None:
    async with _door(bank) as home:
        for name, asked in (
            ("search", {"project": "/nowhere/at-all", "texts": ["x"]}),
            ("search", {"colour": "red"}),
            ("blame", {"folder": "x"}),
            ("delete", {"refs": ["t:abc"]}),
            ("fix", {"error": "x" * 200_000}),
        ):
            assert await ask_server(home, name, asked, SearchResult) is None


async def test_a_command_prints_what_a_running_server_answers(
    bank: MemoryBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(bank.rooms.settings.home))
    monkeypatch.setattr("mcp_memory.bank.open_bank", _nobody)
    async with _door(bank):
        for line in (
            ["blame", "export.py", "--project", bank.rooms.project, "--json"],
            ["fix", "UnicodeEncodeError charmap", "--project", bank.rooms.project, "--json"],
        ):
            done = await anyio.to_thread.run_sync(lambda line=line: CliRunner().invoke(cli, line))
            assert done.exit_code == 0, done.output
            assert json.loads(done.stdout)


def _nobody(*_: Any, **__: Any) -> None:
    raise AssertionError("the bank was opened though a server runs")
