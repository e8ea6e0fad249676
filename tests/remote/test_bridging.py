"""The bridge: a remote bank over stdio, as a host that speaks nothing else meets it."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mcp import Client, MCPError, StdioServerParameters
from serving import INITIALIZE, LIST, listening, made, started

from mcp_memory.domain.access import AccessTokens
from mcp_memory.settings import Settings

SIX = ["search", "fetch", "runbook", "retain", "consolidate", "delete"]
NOTE = "The heron build needs LIBHERON_HOME set to the vendored folder."


def command(url: str, token: str, home: Path) -> StdioServerParameters:
    env = {**os.environ, "MCP_MEMORY_HOME": str(home / "none"), "MCP_MEMORY_REMOTE_TOKEN": token}
    return StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_memory", "bridge", url], env=env
    )


@asynccontextmanager
async def bridged(url: str, token: str, home: Path, *, mode: str = "auto") -> AsyncIterator[Client]:
    async with Client(command(url, token, home), mode=mode) as client:
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_six_tools_are_listed_and_called_over_stdio(settings: Settings, mode: str) -> None:
    token = made(settings)
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(listening(settings))
        connecting = bridged(listener.url, token, settings.home, mode=mode)
        async with connecting as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == SIX
            kept = await client.call_tool("retain", {"text": NOTE, "project": "shop"})
            assert kept.structured_content["created"]
            found = await client.call_tool("search", {"query": "LIBHERON_HOME heron build"})
            assert found.structured_content["hits"][0]["ref"] == kept.structured_content["ref"]
            wrong = await client.call_tool("fetch", {"refs": ["m:000000000000"]})
            assert wrong.is_error
            ref = kept.structured_content["ref"].removeprefix("m:")
            opened = await client.read_resource(f"memory://{ref}")
            assert "LIBHERON_HOME" in opened.contents[0].text


async def test_a_token_that_opens_nothing_is_said_plainly(settings: Settings) -> None:
    token = made(settings)
    AccessTokens(settings.access_dir).revoke("laptop", now=datetime.now(UTC))
    async with listening(settings) as listener:
        with pytest.raises((MCPError, ExceptionGroup)) as refused:
            async with bridged(listener.url, token, settings.home, mode="legacy"):
                pass
        assert "expired or revoked" in _all(refused.value)


async def test_a_bank_out_of_reach_is_an_error_of_the_call(settings: Settings) -> None:
    async with listening(settings) as listener:
        url = listener.url
    done = said(url, [INITIALIZE])
    (answer,) = done
    assert answer["id"] == 1
    assert "out of reach" in answer["error"]["message"]


def said(url: str, messages: list[object], token: str = "") -> list[dict[str, object]]:
    """What the bridge answers to lines on its input, until the input ends and it ends itself."""
    env = {**os.environ, "MCP_MEMORY_REMOTE_TOKEN": token}
    lines = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in messages)
    done = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "bridge", url],
        input=lines,
        capture_output=True,
        text=True,
        env=env,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not token or token not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_stdout_holds_the_protocol_alone_and_the_end_of_input_ends_it(tmp_path: Path) -> None:
    token = made(Settings(home=tmp_path / "home"))
    with started(tmp_path / "home") as (_, url):
        answers = said(url, [INITIALIZE, "no json", LIST], token)
    by_id = {each["id"]: each for each in answers}
    assert by_id[1]["result"]["serverInfo"]["name"] == "memory"
    assert by_id[None]["error"]["code"] == -32700
    assert [tool["name"] for tool in by_id[2]["result"]["tools"]] == SIX


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_server_that_was_started_again_is_found_again(tmp_path: Path, mode: str) -> None:
    home = tmp_path / "home"
    token = made(Settings(home=home))
    with started(home) as (process, url):
        async with bridged(url, token, home, mode=mode) as client:
            assert len((await client.list_tools()).tools) == 6
            process.kill()
            process.wait()
            with pytest.raises(MCPError, match="out of reach"):
                await client.call_tool("search", {"query": "heron"})
            with started(home, MCP_MEMORY_LISTEN_PORT=url.rpartition(":")[2]):
                for _ in range(2):
                    found = await client.call_tool("search", {"query": "heron"})
                    assert not found.is_error


def test_an_unencrypted_address_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_memory", "bridge", "http://memory.example.org"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Use https" in done.stderr


def _all(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return " ".join(map(_all, error.exceptions))
    return str(error)
