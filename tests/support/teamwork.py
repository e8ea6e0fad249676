"""A person's bank over a team's, as two machines and a server between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from serving import connected, listening, made
from tour_sessions import written

from mcp_memory.remote import reaching
from mcp_memory.remote.memo import Memo
from mcp_memory.remote.outgoing import Terms
from mcp_memory.remote.pushing import push
from mcp_memory.settings import Settings

TEAMS = "The heron build needs LIBHERON_HOME set to the vendored folder."


def team_of(folder: Path) -> Settings:
    return Settings(home=folder / "team", embedding_model="hash", index_auto=False)


def machine(folder: Path, url: str, token: str, **more: Any) -> Settings:
    """A machine of a team's person, with a bank of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "token"
    file.write_text(token, encoding="utf-8")
    file.chmod(0o600)
    told = {"embedding_model": "hash", "index_auto": False, "project": "/home/ana/shop"}
    return Settings(home=folder / "home", team_url=url, team_token_file=file, **{**told, **more})


@asynccontextmanager
async def teamed(folder: Path, **more: Any) -> AsyncIterator[tuple[Any, Settings]]:
    """A person's bank over a team's, into which a colleague pushed two sessions and kept a memory."""
    settings = team_of(folder)
    bo = made(settings, "bo")
    token = made(settings, "ana", **more)
    laptop = folder / "bo"
    laptop.mkdir(exist_ok=True)
    written(laptop)
    async with listening(settings) as listener:
        address = reaching.address_of(listener.url)
        terms = Terms()
        async with reaching.open_remote(address, bo) as remote:
            await push(
                remote, sorted(laptop.glob("*.jsonl")), terms, Memo(laptop / "memo", "x", terms)
            )
        async with connected(listener.url, bo) as client:
            await client.call_tool("retain", {"text": TEAMS, "project": "shop"})
        yield listener, machine(folder / "ana", listener.url, token)
