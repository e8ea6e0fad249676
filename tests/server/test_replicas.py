"""Replicas: servers of one bank on an object store, any of which may answer any call."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import connected, http, listening, made, started

from mcp_memory.domain.access import AccessTokens
from mcp_memory.domain.errors import StoreAway
from mcp_memory.server.buckets import Buckets
from mcp_memory.server.listening import Listener, open_listener
from mcp_memory.settings import Settings
from mcp_memory.store import opening
from mcp_memory.store.address import home_of
from mcp_memory.store.sharing import sharing


def replica(folder: Path, address: str) -> Settings:
    told = {"embedding_model": "hash", "index_auto": False}
    return Settings(home=folder, address=address, **told)


async def token_of(settings: Settings, **wanted: object) -> str:
    async with sharing(home_of(settings)):
        return made(settings, **wanted)


@asynccontextmanager
async def two(folder: Path, address: str) -> AsyncIterator[tuple[Listener, Listener, str]]:
    """Two replicas of one bank, and a token of both."""
    token = await token_of(replica(folder / "maker", address))
    one, other = (replica(folder / name, address) for name in ("one", "other"))
    async with listening(one) as first, listening(other) as second:
        await ready(first.url)
        await ready(second.url)
        yield first, second, token


async def ready(url: str) -> None:
    with anyio.fail_after(20):
        async with http(url) as client:
            while (await client.get("/readyz")).status_code != 200:
                await anyio.sleep(0.02)


async def test_what_a_caller_wrote_here_the_next_call_reads_there(
    tmp_path: Path, address: str
) -> None:
    async with (
        two(tmp_path, address) as (one, other, token),
        connected(one.url, token) as here,
        connected(other.url, token) as there,
    ):
        for number in range(3):
            for writer, reader in ((here, there), (there, here)):
                text = f"The heron build {number}{uuid4().hex[:6]} needs a nest."
                kept = await writer.call_tool("retain", {"text": text, "project": "user"})
                ref = kept.structured_content["ref"]
                read = await reader.call_tool("fetch", {"refs": [ref]})
                assert not read.is_error
                assert text in str(read.structured_content)


async def test_no_call_needs_the_replica_of_the_one_before_it_and_tokens_are_good_everywhere(
    tmp_path: Path, address: str
) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-06-18",  # an older one, which knows sessions
    }
    async with two(tmp_path, address) as (one, other, token):
        for url in (one.url, other.url, one.url):
            async with http(url, {**headers, "authorization": f"Bearer {token}"}) as client:
                answer = await client.post("/mcp", json=asked)
                assert answer.status_code == 200
                assert "mcp-session-id" not in answer.headers
                assert "runbook" in answer.text
        maker = replica(tmp_path / "maker", address)
        late = await token_of(maker, name="late")
        async with http(other.url, {**headers, "authorization": f"Bearer {late}"}) as client:
            answer = await client.post("/mcp", json=asked)
            assert answer.status_code == 200, "made elsewhere a moment ago"
            async with sharing(home_of(maker)):
                AccessTokens(maker.access_dir).revoke("late", now=datetime.now(UTC))
            with anyio.fail_after(30):
                while (await client.post("/mcp", json=asked)).status_code != 401:
                    await anyio.sleep(0.1)


async def test_what_a_caller_took_here_is_told_there(tmp_path: Path, address: str) -> None:
    homes = [home_of(replica(tmp_path / name, address)) for name in ("one", "other")]
    async with sharing(homes[0]) as one, sharing(homes[1]) as other:
        await one.usage.tell({"token:a": 40})
        assert await other.usage.heard() == {"token:a": 40}
        assert await other.usage.heard() == {}
        assert await one.usage.heard() == {}, "its own is known"
        await one.usage.tell({"token:a": 2})
        assert await other.usage.heard() == {"token:a": 2}


async def test_a_replica_whose_bank_could_not_be_opened_tries_again_until_it_can(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[str] = []
    whole = opening.open_tables

    async def once_not(*asked: Any, **more: Any) -> Any:
        if not failed:
            failed.append("as if the store was away")
            raise StoreAway("The store", failed[0])
        return await whole(*asked, **more)

    monkeypatch.setattr(opening, "open_tables", once_not)
    async with listening(replica(tmp_path / "one", address)) as listener:
        await ready(listener.url)
        assert failed


async def test_who_is_told_to_stop_still_answers_and_sends_callers_elsewhere(
    tmp_path: Path, address: str
) -> None:
    settings = replica(tmp_path / "one", address)
    told = settings.model_copy(update={"listen_port": 0, "drain_seconds": 2.0})
    urls: list[str] = []
    stop = anyio.Event()

    async def serve() -> None:
        served = open_listener(told, transports=("streamable-http",), cwd=tmp_path)
        async with served as listener:
            await ready(listener.url)
            urls.append(listener.url)
            await stop.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        while not urls:
            await anyio.sleep(0.02)
        stop.set()
        async with http(urls[0]) as client:
            with anyio.fail_after(30):
                while (answer := await client.get("/readyz")).status_code == 200:
                    await anyio.sleep(0.02)
            assert answer.headers["connection"] == "close"
            assert (await client.get("/healthz")).status_code == 200, "it still answers"


async def test_a_stream_is_served_through_the_drain_and_ended_in_order_after_it(
    tmp_path: Path,
) -> None:
    with started(tmp_path / "home", MCP_MEMORY_DRAIN_SECONDS="2") as (process, url):
        async with http(url) as plain, plain.stream("GET", "/sse") as stream:
            parts = stream.aiter_text()
            assert "endpoint" in await anext(parts)
            async with connected(url, transport="sse") as client:
                assert not (await client.call_tool("search", {"query": "heron"})).is_error
                process.send_signal(signal.SIGTERM)
                with anyio.fail_after(20):
                    while (await plain.get("/readyz")).status_code == 200:
                        await anyio.sleep(0.02)
                assert not (await client.call_tool("search", {"query": "nest"})).is_error
            with anyio.fail_after(20):
                assert [part async for part in parts if "event:" in part] == [], "whole to its end"
                code = await anyio.to_thread.run_sync(process.wait)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert code in {0, -signal.SIGTERM}


@given(
    takes=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 3)), max_size=200),
    per_minute=st.integers(1, 60),
)
def test_replicas_that_tell_each_other_let_no_more_through_in_the_long_run(
    takes: list[tuple[int, float]], per_minute: int
) -> None:
    now = 0.0
    replicas = [Buckets(lambda: now) for _ in range(4)]
    let_in = 0
    for which, pause in takes:
        now += pause
        let_in += replicas[which].take("a", per_minute) == 0.0
        told = [each.untold() for each in replicas]
        for n, each in enumerate(replicas):
            for m, counts in enumerate(told):
                if n != m:
                    each.spent(counts)
    # One bucket, what fills it, and a quarter that each of the others may not have told yet.
    untold = 3 * (per_minute * 0.25 + 1)
    assert let_in <= per_minute + now * per_minute / 60 + untold


def test_a_caller_who_asks_little_is_not_told() -> None:
    now = 0.0
    buckets = Buckets(lambda: now)
    for _ in range(20):
        buckets.take("a", 100)
    assert buckets.untold() == {}
    now += 3600
    for _ in range(10):
        buckets.take("a", 100)
    assert buckets.untold() == {"a": 30}
    assert buckets.untold() == {}


@pytest.mark.parametrize("elsewhere", [30, 10_000])
def test_what_was_taken_elsewhere_is_waited_for_here_at_most_a_minute_longer(
    elsewhere: int,
) -> None:
    now = 0.0
    buckets = Buckets(lambda: now)
    for _ in range(60):
        assert buckets.take("a", 60) == 0.0
    buckets.spent({"a": elsewhere, "b": elsewhere})
    assert buckets.take("a", 60) == 1 + min(elsewhere, 60)
    assert (buckets.take("b", 60) == 0.0) is (elsewhere < 60), "also of who was never here"
