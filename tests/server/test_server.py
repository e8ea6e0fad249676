"""The server as a host meets it: six tools, lean schemas, speaking errors, over memory and stdio."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.server.app import INSTRUCTIONS, build_server
from mcp_memory.server.listening import open_listener
from mcp_memory.settings import Settings
from mcp_memory.store import upkeep
from mcp_memory.store.locking import elected

Connect = Callable[[], AbstractAsyncContextManager[Client]]
SIX = ["search", "fetch", "runbook", "retain", "consolidate", "delete"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one project and two sessions of it in a host's own folder."""
    projects = tmp_path / "claude" / "projects"
    slug = "".join(c if c.isalnum() else "-" for c in str(tmp_path / "shop"))
    (projects / slug).mkdir(parents=True)
    for path in written(tmp_path):
        path.rename(projects / slug / path.name)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    return tmp_path / "shop"


@pytest.fixture(params=["memory", "stdio", "sse", "streamable-http"])
def connect(request: pytest.FixtureRequest, host: Path, home: Path) -> Connect:
    """The same client calls over every transport."""
    settings = Settings(home=home, embedding_model="hash", index_seconds=0.2)

    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Client]:
        async with Client(build_server(settings, cwd=host)) as client:
            yield client

    @asynccontextmanager
    async def over_stdio() -> AsyncIterator[Client]:
        env = {
            **os.environ,
            "MCP_MEMORY_HOME": str(home),
            "MCP_MEMORY_EMBEDDING_MODEL": "hash",
            "MCP_MEMORY_INDEX_SECONDS": "0.2",
        }
        parameters = StdioServerParameters(
            command=sys.executable, args=["-m", "mcp_memory", "serve"], env=env, cwd=str(host)
        )
        async with Client(parameters) as client:
            yield client

    @asynccontextmanager
    async def over_network() -> AsyncIterator[Client]:
        both = ("streamable-http", "sse")
        listening_there = settings.model_copy(update={"listen_port": 0})
        async with open_listener(listening_there, transports=both, cwd=host) as listener:
            there = (
                sse_client(f"{listener.url}/sse")
                if request.param == "sse"
                else f"{listener.url}/mcp"
            )
            async with Client(there) as client:
                yield client

    return {"memory": in_memory, "stdio": over_stdio}.get(request.param, over_network)


async def answered(client: Client, query: str) -> dict[str, object]:
    """The first answer that is found: the server fills itself meanwhile."""
    with anyio.fail_after(30):
        while True:
            result = await client.call_tool("search", {"query": query})
            found = result.structured_content or {}
            if found.get("found"):
                return found
            await anyio.sleep(0.1)


async def test_six_tools_are_offered_in_a_fixed_order(connect: Connect) -> None:
    async with connect() as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == SIX


async def test_a_server_that_is_only_attached_fills_itself(connect: Connect) -> None:
    async with connect() as client:
        found = await answered(client, "UnicodeEncodeError charmap shop/export.py")
        hits = found["hits"]
        assert isinstance(hits, list)
        ref = hits[0]["ref"]
        fetched = await client.call_tool("fetch", {"refs": [ref]})
        assert fetched.structured_content is not None
        assert fetched.structured_content["items"][0]["ref"].startswith(
            ref.split("#")[0][:3].replace("e:", "t:")
        )
        assert "<recalled" in fetched.content[0].text


async def test_what_is_kept_is_found_opened_and_taken_back(connect: Connect) -> None:
    async with connect() as client:
        note = {"text": "The heron build needs LIBHERON_HOME set.", "project": "user"}
        kept = (await client.call_tool("retain", note)).structured_content
        assert kept is not None
        assert (await client.call_tool("retain", note)).structured_content["ref"] == kept["ref"]
        found = await answered(client, "LIBHERON_HOME heron build")
        assert kept["ref"] in [hit["ref"] for hit in found["hits"]]
        opened = await client.call_tool("fetch", {"refs": [kept["ref"]]})
        assert "LIBHERON_HOME" in opened.content[0].text
        read = await client.read_resource(f"memory://{kept['ref'][2:]}")
        own = ("Use: ", "<recalled", "</recalled")
        told, again = (
            [line for line in one.text.splitlines() if not line.startswith(own)]
            for one in (opened.content[0], read.contents[0])
        )
        assert told == again  # but for what is counted, and the fence's own tag
        undone = await client.call_tool("consolidate", {"action": "undo", "batch": kept["batch"]})
        assert not undone.is_error
        found = await client.call_tool("search", {"query": "LIBHERON_HOME", "kinds": ["fact"]})
        assert not found.structured_content["found"]


async def test_the_models_faults_are_tool_errors_and_the_clients_are_protocol_errors(
    connect: Connect,
) -> None:
    async with connect() as client:
        fault = await client.call_tool("fetch", {"refs": ["m:000000000000"]})
        assert fault.is_error
        assert "take one from an answer of `search`" in fault.content[0].text
        with pytest.raises(MCPError) as raised:
            await client.read_resource("memory://000000000000")
        assert raised.value.code == -32602


async def test_a_long_call_tells_of_itself_and_can_be_cancelled(
    connect: Connect, home: Path
) -> None:
    told: list[str] = []
    first = anyio.Event()

    async def progress(done: float, total: float | None, message: str | None) -> None:
        told.append(f"{done:.0f} {total} {message}")
        first.set()

    async with connect() as client:
        kept = await client.call_tool(
            "retain", {"text": "The heron build needs a nest.", "project": "user"}
        )
        refs = [kept.structured_content["ref"]]
        seen = await client.call_tool("delete", {"refs": refs})
        purge = {"refs": refs, "mode": "purge", "confirm": seen.structured_content["confirm"]}
        # While another process is at its upkeep, a purge waits for it.
        async with elected(home / "locks" / "maintenance.lock", seconds=10, work="a test"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(
                    lambda: client.call_tool("delete", purge, progress_callback=progress)
                )
                with anyio.fail_after(30):
                    await first.wait()
                tasks.cancel_scope.cancel()
            with anyio.fail_after(30):
                assert not (await client.call_tool("fetch", {"refs": refs})).is_error
        assert told[0] == "1 None at work, 1 s"
        gone = await client.call_tool("delete", purge)
        assert gone.structured_content["checks"], "the cancelled call left nothing behind"


async def test_an_empty_plan_says_so_where_only_its_json_is_shown(connect: Connect) -> None:
    async with connect() as client:
        planned = await client.call_tool("consolidate", {"action": "plan", "project": "*"})
    assert planned.structured_content == {"notes": ["Nothing to consolidate."]}


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search", {"query": "x", "limit": 0}, "limit"),
        ("search", {"query": "x", "kinds": ["nonsense"]}, "kinds"),
        ("fetch", {"refs": []}, "1 to 50"),
        ("fetch", {"refs": ["m:000000000000"]}, "take one from an answer of `search`"),
        ("retain", {"text": ""}, "text"),
        ("retain", {"text": "x", "used": ["m:000000000000"]}, "exclude each other"),
        ("retain", {"used": ["m:000000000000"], "outcome": "success"}, "Nothing is known"),
        ("consolidate", {"action": "apply"}, "action=plan"),
        ("consolidate", {"action": "apply", "memories": [{"text": "x"}]}, "gate refused"),
        ("consolidate", {"action": "undo", "batch": "b:000000000000"}, "Nothing is known"),
        ("delete", {}, "Give refs, or a filter"),
        ("delete", {"filter": {}, "mode": "purge"}, "at least one field"),
        ("delete", {"refs": ["../../etc/passwd"], "mode": "purge"}, "is not a ref"),
    ],
)
async def test_bad_input_gets_an_error_that_says_what_to_do(
    host: Path, home: Path, tool: str, arguments: dict[str, object], said: str
) -> None:
    settings = Settings(home=home, embedding_model="hash", index_auto=False)
    async with Client(build_server(settings, cwd=host)) as client:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert said in result.content[0].text


async def test_a_query_of_a_megabyte_is_cut_and_answered(host: Path, home: Path) -> None:
    settings = Settings(home=home, embedding_model="hash", index_auto=False)
    async with Client(build_server(settings, cwd=host)) as client:
        with anyio.fail_after(20):
            result = await client.call_tool("search", {"query": "heron " * 170_000})
        assert not result.is_error


async def test_a_store_of_the_future_is_an_error_in_every_tool(host: Path, home: Path) -> None:
    (home / "store").mkdir(parents=True)
    (home / "store" / "meta.json").write_text('{"schema": 99, "model": "x", "dim": 1, "key": "00"}')
    settings = Settings(home=home, embedding_model="hash")
    async with Client(build_server(settings, cwd=host)) as client:
        result = await client.call_tool("search", {"query": "x"})
        assert result.is_error
        assert "Upgrade" in result.content[0].text
        (home / "store" / "meta.json").unlink()
        result = await client.call_tool("search", {"query": "x"})
        assert not result.is_error, "what was in the way is gone: the next call opens the bank"


async def test_names_descriptions_and_schemas_stay_under_8000_characters() -> None:
    async with Client(build_server(Settings())) as client:
        tools = (await client.list_tools()).tools
    told = [
        {"name": t.name, "description": t.description, "inputSchema": t.input_schema} for t in tools
    ]
    assert len(json.dumps(told, separators=(",", ":"), ensure_ascii=False)) < 8_000
    assert all(t.output_schema for t in tools)


async def test_times_are_taken_as_people_write_them(home: Path) -> None:
    settings = Settings(home=home, embedding_model="none", index_auto=False)
    async with Client(build_server(settings)) as client:
        for told in ({"since": "2w"}, {"until": "2026-06"}, {"as_of": "last monday"}):
            asked = {"query": "anything", "project": "*"} | told
            assert not (await client.call_tool("search", asked)).is_error
        wrong = await client.call_tool("search", {"query": "anything", "as_of": "whenever"})
        assert "says no time" in wrong.content[0].text


async def test_reading_tools_say_that_they_only_read() -> None:
    async with Client(build_server(Settings())) as client:
        tools = {t.name: t.annotations for t in (await client.list_tools()).tools}
    reading = {name for name, a in tools.items() if a is not None and a.read_only_hint}
    destructive = {name for name, a in tools.items() if a is not None and a.destructive_hint}
    assert reading == {"search", "fetch", "runbook"}
    assert destructive == {"delete"}
    assert all(a is not None and a.open_world_hint is False for a in tools.values())


def test_the_instructions_are_short() -> None:
    assert len(INSTRUCTIONS.split()) < 150


def test_the_server_exits_when_its_input_ends(home: Path) -> None:
    env = {**os.environ, "MCP_MEMORY_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "serve"],
        input=b"",
        capture_output=True,
        timeout=30,
        check=False,
        env=env,
    )
    assert done.returncode == 0
    assert done.stdout == b""
    assert not (home / "store").exists()


def test_nothing_heavy_is_imported_before_the_handshake() -> None:
    program = (
        "import sys, mcp_memory.cli.serve as s; from mcp_memory.settings import Settings;"
        "s.build_server(Settings());"
        "print([m for m in ('lancedb','pyarrow','numpy','fastembed','onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_a_server_that_is_written_to_keeps_its_fragments_few(host: Path, home: Path) -> None:
    settings = Settings(home=home, embedding_model="hash", index_auto=False)
    async with Client(build_server(settings, cwd=host)) as client:
        for number in range(3 * upkeep.MOST_FRAGMENTS_SMALL):
            await client.call_tool("retain", {"text": f"The heron build needs {number} nests."})
        async with open_bank(settings) as bank:
            memories, most = bank.rooms.store._tables["memories"], upkeep.MOST_FRAGMENTS_SMALL
            with anyio.fail_after(20):
                while (await memories.stats())["fragment_stats"]["num_fragments"] > most:
                    await anyio.sleep(0.1)
                    await memories.checkout_latest()
