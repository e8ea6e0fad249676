"""A server on a disk that takes nothing: it reads, it refuses with its own words, it goes on by itself."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import Busy, MemoryBankError, TookTooLong
from mcp_memory.domain.models import Draft
from mcp_memory.server import callers, held
from mcp_memory.server.app import build_server
from mcp_memory.server.held import Banks, lasting
from mcp_memory.settings import Settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a file size limit")

FULL = """
import os, resource, runpy, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
open({note!r}, "w").write(str(os.getpid()))
resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
sys.argv = ["mcp-memory", "serve"]
runpy.run_module("mcp_memory", run_name="__main__")
"""


@pytest.fixture
async def settings(home: Path) -> Settings:
    """A home with one memory, and what a killed writer left."""
    settings = Settings(home=home, embedding_model="hash", index_auto=False)
    async with open_bank(settings) as bank:
        await bank.retain(Draft(text="The gasket wants three turns.", project="shop"))
    (settings.locks_dir / "writer-0123.lock").touch()
    return settings


@asynccontextmanager
async def served(settings: Settings, note: Path) -> AsyncIterator[Client]:
    env = {
        **os.environ,
        "MCP_MEMORY_HOME": str(settings.home),
        "MCP_MEMORY_EMBEDDING_MODEL": "hash",
    }
    started = FULL.format(note=str(note))
    parameters = StdioServerParameters(
        command=sys.executable, args=["-c", started], env=env, cwd=str(note.parent)
    )
    async with Client(parameters) as client:
        yield client


async def said(client: Client, tool: str, **asked: object) -> str:
    with anyio.fail_after(60):
        result = await client.call_tool(tool, dict(asked))
    return ("refused: " if result.is_error else "") + result.content[0].text  # type: ignore[union-attr]


async def test_a_server_started_on_a_full_disk_reads_and_writes_again_once_there_is_room(
    settings: Settings, tmp_path: Path
) -> None:
    import resource

    note = tmp_path / "pid"
    async with served(settings, note) as client:
        assert "three turns" in await said(client, "search", query="gasket", project="*")
        # What goes on in the background has failed by now: the next call is answered all the same.
        assert "three turns" in await said(client, "search", query="turns", project="*")
        refused = await said(client, "retain", text="The valve wants oil.", project="shop")
        assert refused.startswith("refused: ")
        assert "The disk took no more" in refused
        endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(int(note.read_text()), resource.RLIMIT_FSIZE, endless)
        kept = await said(client, "retain", text="The valve wants oil.", project="shop")
        assert kept.startswith("Kept: ")
        assert "oil" in await said(client, "search", query="valve", project="*")
    assert not (settings.locks_dir / "writer-0123.lock").exists()


async def test_what_fails_in_the_background_begins_again_and_takes_no_call_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    twice = anyio.Event()

    async def failing(*_: object) -> None:
        begun.append("")
        if len(begun) == 2:
            twice.set()
        raise ExceptionGroup("many", [ValueError("a fault nobody thought of")])

    monkeypatch.setattr(held, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(held, "answer_at_door", failing)
    async with Client(build_server(settings, cwd=settings.home)) as client:
        assert "three turns" in await said(client, "search", query="gasket", project="*")
        with anyio.fail_after(30):
            await twice.wait()
        assert "three turns" in await said(client, "search", query="gasket", project="*")


async def test_what_is_done_in_the_background_is_not_begun_again() -> None:
    begun: list[str] = []

    async def done() -> None:
        begun.append("")

    await lasting("it", done)
    assert begun == [""]


async def test_a_bank_that_cannot_be_opened_for_a_reason_nobody_knows_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = held._opening

    async def broken(_: Settings) -> object:
        monkeypatch.setattr(held, "_opening", opening)
        return ValueError  # not even callable as what opens a bank is

    monkeypatch.setattr(held, "_opening", broken)
    async with Client(build_server(settings, cwd=settings.home)) as client:
        first = await said(client, "search", query="gasket", project="*")
        assert first.startswith("refused: ")
        assert "could not be opened" in first
        assert "three turns" in await said(client, "search", query="gasket", project="*")


async def test_a_call_whose_turn_does_not_come_is_told_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_READING", 1)
    banks = Banks(settings, str(settings.home))
    async with banks.open(), banks.lent():
        monkeypatch.setattr(held, "MOST_WAIT", 0.05)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_refused, banks)


async def _refused(banks: Banks, *, writes: bool = False) -> None:
    with pytest.raises(Busy, match="other calls"):
        async with banks.lent(writes=writes):
            pass


async def test_writers_that_wait_for_each_other_leave_room_for_readers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks = Banks(settings, str(settings.home))
    release = anyio.Event()

    async def write(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with banks.lent(writes=True):
            task_status.started()
            await release.wait()

    async with banks.open(), anyio.create_task_group() as tasks:
        for _ in range(held.MOST_WRITING):
            await tasks.start(write)
        monkeypatch.setattr(held, "MOST_WAIT", 0.05)
        async with anyio.create_task_group() as more:
            more.start_soon(lambda: _refused(banks, writes=True))
        async with banks.lent() as bank:
            assert bank is not None
        release.set()


async def test_an_answer_that_does_not_come_is_given_up_with_words(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "HANDSHAKE_SECONDS", 0.0)
    banks = Banks(settings, str(settings.home))
    async with banks.open():
        async with banks.lent() as bank:

            async def for_ever(_: Query) -> None:
                await anyio.sleep_forever()

            monkeypatch.setattr(bank, "search", for_ever)
        monkeypatch.setattr(callers, "ANSWER_SECONDS", 0.05)
        with pytest.raises(TookTooLong, match="given up") as told:
            await callers.Caller(banks, None).search(Query(texts=("gasket",)))
    assert isinstance(told.value, MemoryBankError)
