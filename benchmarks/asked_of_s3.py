"""Requests to the object store that each call of a bank at an address makes, counted at moto's S3.

    python benchmarks/asked_of_s3.py

A small bank is filled, then asked by another process's bank on the same store. Prices are those of
S3 Standard: $5 a million of PUT and LIST, $0.40 a million of GET and HEAD; nothing for DELETE.
"""

import argparse
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from apparatus import tables
from apparatus.words import WORDS

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.models import Draft, MemoryKind
from mcp_memory.settings import Settings

KINDS = ("LIST", "PUT", "GET", "HEAD", "DELETE")
DOLLARS = {"LIST": 5.0, "PUT": 5.0, "GET": 0.4, "HEAD": 0.4}
MEMORIES = 60


class Counted:
    """An application that counts what it is asked, by kind and by what of the store is meant."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.seen: Counter[tuple[str, str]] = Counter()

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        """Count, and answer."""
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        listed = method == "GET" and ("list-type" in query or "prefix=" in query)
        kind = "LIST" if listed else {"POST": "PUT"}.get(method, method)
        self.seen[kind, _part(query if listed else environ["PATH_INFO"])] += 1
        return self._application(environ, start)


def _part(place: str) -> str:
    """Which table, and what of it."""
    names = place.replace("%2F", "/").split("/")
    table = next((name for name in names if name.endswith(".lance")), "")
    at = names.index(table) if table else 0
    below = names[at + 1] if table and len(names) > at + 1 else ""
    return f"{table.removesuffix('.lance')} {below}".strip() or "other"


@contextmanager
def counting() -> Iterator[tuple[str, Counted]]:
    """Moto's S3 on loopback, counted; a bucket's address."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_: object, **__: object) -> None:
            """Be silent."""

    counted = Counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, counted, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    os.environ.update(
        AWS_ACCESS_KEY_ID="tried", AWS_SECRET_ACCESS_KEY="on-loopback", AWS_REGION="us-east-1",
        AWS_ENDPOINT_URL=url,
    )  # fmt: skip
    httpx2.put(f"{url}/bank-of-requests", timeout=60).raise_for_status()
    yield "s3://bank-of-requests/one", counted
    server.shutdown()


async def measure(address: str, counted: Counted, folder: Path, *, parts: bool) -> None:
    def settings(name: str) -> Settings:
        return Settings(
            home=folder / name, address=address, embedding_model="hash", index_auto=False
        )

    async with open_bank(settings("one"), cwd=str(folder)) as bank:
        await fill(bank)
    async with AsyncExitStack() as until_closed:

        async def opened(name: str) -> MemoryBank:
            return await until_closed.enter_async_context(
                open_bank(settings(name), cwd=str(folder))
            )

        async def told(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
            counted.seen.clear()
            answer = await call()
            tell(name, counted.seen, parts=parts)
            return answer

        other = await opened("two")
        await other.search(Query(texts=("otter cache schema",), project="*"))
        here = await told("open a bank that is there", lambda: opened("three"))
        asked = Query(texts=("heron build socket",), project="*")
        once = Query(texts=("otter cache schema",), project="*")
        for name in ("the first search", "search, the same again"):
            await told(name, lambda: here.search(asked))
        await told("search, other words", lambda: here.search(once))
        await told("look, nothing was written", here.fresh)
        await told("look again at once", here.fresh)
        texts = (
            "The heron and the otter share a socket.",
            "The parser wants a token of the cache.",
        )
        first, draft = (Draft(text=text, project="user") for text in texts)
        await told("the first retain", lambda: acknowledged(here, first))
        kept = await told("retain", lambda: acknowledged(here, draft))
        await told("look at another, written to", other.fresh)
        await told("search there, after it", lambda: other.search(once))
        await acknowledged(here, Draft(text="The badger shares it, too.", project="user"))
        await other.fresh()
        await told("search there, after one more", lambda: other.search(once))
        await told("fetch", lambda: here.fetch(Reading(refs=(kept.ref,))))
        task = Task(text="make the heron build share a socket", project="*")
        for name in ("runbook", "runbook, the same again"):
            await told(name, lambda: here.runbook(task))


async def acknowledged(bank: MemoryBank, draft: Draft) -> Any:
    """A memory kept as a server keeps it: others are told before the caller is."""
    kept = await bank.retain(draft)
    await bank.tell()
    return kept


async def fill(bank: MemoryBank) -> None:
    kinds = (MemoryKind.FACT, MemoryKind.GOTCHA, MemoryKind.PROCEDURE)
    for number in range(MEMORIES):
        words = " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 7))
        text = f"The {words} was seen as number {number}."
        await bank.retain(Draft(text=text, kind=kinds[number % 3], project="user"))
    await bank.maintain()


def tell(name: str, seen: Counter[tuple[str, str]], *, parts: bool) -> None:
    counts: Counter[str] = Counter()
    for (kind, _), number in seen.items():
        counts[kind] += number
    price = sum(counts[kind] * dollars for kind, dollars in DOLLARS.items())
    tables.line(
        name, *(counts[kind] or "" for kind in KINDS), sum(counts.values()), f"${price:.1f}"
    )
    if parts:
        for (kind, part), number in sorted(seen.items()):
            print(f"    {kind} {part}: {number}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", action="store_true", help="tell what of the store was asked")
    asked = parser.parse_args()
    tables.begin("call", *KINDS, "all", "a million calls cost")
    with counting() as (address, counted), tempfile.TemporaryDirectory() as folder:
        anyio.run(lambda: measure(address, counted, Path(folder), parts=asked.parts))


if __name__ == "__main__":
    main()
