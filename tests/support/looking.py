"""What the tests of the page share: a bank worth looking at, a page on loopback, and a visitor."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from tour_sessions import written

from mcp_memory.bank import open_bank
from mcp_memory.domain.models import Draft, SourceClass
from mcp_memory.server.listening import open_viewer
from mcp_memory.settings import Settings

HOSTILE = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
WORD = "Never deploy the shop on a Friday."


def claude_session(
    folder: Path, name: str, said: Sequence[str], *, cwd: str, output: str = ""
) -> Path:
    """A Claude Code transcript: each saying asked by a user and answered by a command."""
    lines = []
    for place, text in enumerate(said):
        at = f"2026-03-{1 + place % 28:02d}T10:{place % 60:02d}:00.000Z"
        fixed = {"sessionId": name, "cwd": cwd, "version": "2.0.0", "timestamp": at}
        asked = {"role": "user", "content": text}
        lines.append({"type": "user", "uuid": f"u{place}", "message": asked, **fixed})
        call = {
            "type": "tool_use", "id": f"c{place}", "name": "Bash", "input": {"command": "make test"},
        }  # fmt: skip
        told = {"role": "assistant", "model": "m", "content": [call]}
        lines.append({"type": "assistant", "uuid": f"a{place}", "message": told, **fixed})
        back = {"type": "tool_result", "tool_use_id": f"c{place}", "content": output or "3 passed"}
        seen = {"role": "user", "content": [back]}
        lines.append({"type": "user", "uuid": f"r{place}", "message": seen, **fixed})
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


async def filled(settings: Settings, folder: Path, *more: Path) -> str:
    """The tour's sessions and a memory of the user's own, indexed; the memory's ref."""
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        await bank.index([*written(folder), *more])
        kept = await bank.retain(Draft(text=WORD, project="user"), by=SourceClass.USER)
        await bank.retain(Draft(text="The export writes 214 rows.", project=str(folder / "shop")))
    return kept.ref


@asynccontextmanager
async def viewing(settings: Settings, *, read_only: bool = False) -> AsyncIterator[tuple[str, str]]:
    """The page on loopback: its address, and the link that lets one browser in."""
    there = settings.model_copy(update={"listen_port": 0})
    async with open_viewer(there, cwd=settings.home.parent, read_only=read_only) as listener:
        yield f"{listener.url}/view", listener.view


@asynccontextmanager
async def visitor(link: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who came in by a link."""
    async with httpx2.AsyncClient(follow_redirects=True, timeout=60) as client:
        assert (await client.get(link)).status_code == 200
        yield client


def proof(page: str) -> str:
    """What the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]
