"""`mcp-memory tour`: the real server, started as a host would, shown at work on two small sessions."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click

from mcp_memory.cli import ending
from mcp_memory.cli.door import command
from mcp_memory.cli.drawing.screen import Page

SESSIONS = ("orders.jsonl", "invoices.jsonl")
WAIT_SECONDS = 60.0
SHORT, WHOLE = 10, 60
"""Lines shown of an answer that is only looked at, and of one that is read."""
LEARNED = {
    "kind": "gotcha",
    "title": "Name the encoding when opening files",
    "text": "open() without encoding raises UnicodeEncodeError for the euro sign; "
    'pass encoding="utf-8", as in shop/export.py and shop/invoice.py.',
    "when_to_use": "a UnicodeEncodeError while writing a file",
}
TASK = {
    "task": "Write the customer list to a file with shop/customers.py",
    "error": "UnicodeEncodeError",
}
NEXT = (
    ("mcp-memory setup", "your own agents and their history: one screen, asks once"),
    ("mcp-memory recent", "where you left off, in the project that you stand in"),
    ("mcp-memory --help", "blame, fix, how, restore, resume: questions that have a name"),
)


@click.command("tour")
@command
async def tour_command() -> None:
    """See index, search, fetch, runbook, retain, consolidate and delete at work; leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="mcp-memory-tour-", ignore_cleanup_errors=True) as name:
        folder, project = await anyio.to_thread.run_sync(_history, Path(name))
        page = Page()
        page.show(
            [
                page.text(("In March an agent mended the same crash twice, in two files.", "head")),
                "See what it would have known the second time, and what the next one will know.",
                page.text((f"Both sessions lie in {folder / 'claude' / 'projects'}.", "dim")),
                page.text(("Starting `mcp-memory serve` over stdio, as a host would …", "dim")),
            ]
        )
        await _taken(page, folder, project)
    page.show(["", page.text(("That was all; the tour's folder is gone again. Next:", "head"))])
    page.show(page.text("  ", (f"{typed:<20}", "ref"), told) for typed, told in NEXT)


async def _taken(page: Page, folder: Path, project: Path) -> None:
    from mcp import Client  # a second: what comes first is said before it

    async with Client(_server(folder, project)) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        page.show([page.text((f"Connected; it offers {', '.join(tools)}.", "dim"))])
        await _walk(_Guide(client, page, folder))


class _Guide:
    """Makes calls and prints them with their answers."""

    def __init__(self, client: Any, page: Page, folder: Path) -> None:
        self._client = client
        self._page = page
        self._folder = str(folder)

    async def call(
        self, title: str, tool: str, arguments: Mapping[str, Any], lines: int = SHORT
    ) -> dict[str, Any]:
        """One call, printed; a refusal ends the tour with what the server said."""
        result = await self.quiet(tool, arguments)
        text = "\n".join(getattr(block, "text", "") for block in result.content)
        page = self._page
        asked = json.dumps(dict(arguments), ensure_ascii=False)
        page.show(["", page.text((f"── {title}", "head")), page.text((f"{tool}({asked})", "ref"))])
        told = text.replace(f"{self._folder}/", "…/").splitlines()
        told = [line for line in told if not line.startswith(("<recalled", "</recalled"))]
        page.show(page.body(line) for line in told[:lines])
        if len(told) > lines:
            page.show([page.body(f"… {len(told) - lines} more lines", style="dim")])
        return result.structured_content or {}

    async def quiet(self, tool: str, arguments: Mapping[str, Any]) -> Any:
        """One call that is not shown.

        Raises:
            ending.Failed: the server refused it.
        """
        result = await self._client.call_tool(tool, dict(arguments))
        if result.is_error:
            raise ending.Failed("\n".join(getattr(each, "text", "") for each in result.content))
        return result

    async def indexed(self) -> None:
        """Wait until the server has filled itself from both sessions."""
        started = time.monotonic()
        with anyio.fail_after(WAIT_SECONDS):
            while True:
                asked = {
                    "queries": ["UnicodeEncodeError export orders", "invoices Greek customers"]
                }
                found = await self.quiet("search", {**asked, "kinds": ["episode"]})
                hits = (found.structured_content or {}).get("hits", [])
                if len({hit["ref"].split(".")[0] for hit in hits}) == len(SESSIONS):
                    break
                await anyio.sleep(0.2)
        took = time.monotonic() - started
        page = self._page
        page.show(
            [
                "",
                page.text(("── index: the server filled itself", "head")),
                page.body(
                    f"Both sessions are read, {took:.1f} s after it started; nothing was asked of us."
                ),
            ]
        )


async def _walk(guide: _Guide) -> None:
    await guide.indexed()
    found = await guide.call(
        "search: has this error been met before?",
        "search",
        {"query": "UnicodeEncodeError 'charmap' codec when writing a file", "limit": 2},
        WHOLE,
    )
    refs = [hit["ref"] for hit in found["hits"]]
    await guide.call("fetch: what happened there", "fetch", {"refs": refs[:1], "around": 1})
    evidence = await _evidence(guide)
    kept, batch = await _keep(guide, evidence)
    await guide.call(
        "runbook: a third file, the same danger; what an agent knows before it begins",
        "runbook",
        TASK,
        WHOLE,
    )
    await guide.call(
        "search: what history does not know, it does not claim to know",
        "search",
        {"query": "Kubernetes ingress certificate rotation", "limit": 1},
    )
    await guide.quiet("delete", {"refs": [kept]})
    await guide.quiet("consolidate", {"action": "undo", "batch": batch})
    await _purge(guide, evidence[0].split("#")[0])


async def _keep(guide: _Guide, refs: Sequence[str]) -> tuple[str, str]:
    """A candidate, and a memory; the candidate's ref and the memory's batch."""
    evidence = [{"ref": ref} for ref in refs]
    kept = await guide.call(
        "retain: one session's evidence makes a candidate, no more",
        "retain",
        {**LEARNED, "evidence": evidence[:1]},
    )
    applied = await guide.call(
        "consolidate: with evidence from two sessions it passes the gate",
        "consolidate",
        {"action": "apply", "memories": [{**LEARNED, "evidence": evidence}]},
    )
    return kept["ref"], applied["batch"]


async def _purge(guide: _Guide, session: str) -> None:
    preview = await guide.quiet("delete", {"refs": [session]})
    told = preview.structured_content or {}
    await guide.call(
        "delete: a session purged, with a receipt of what was looked at again",
        "delete",
        {"refs": told["refs"], "mode": "purge", "confirm": told["confirm"]},
        WHOLE,
    )


async def _evidence(guide: _Guide) -> list[str]:
    """One span of each session that shows error, cause and cure."""
    asked = ["shop/export.py encoding utf-8 edit", "shop/invoice.py encoding utf-8 edit"]
    found = await guide.quiet("search", {"queries": asked, "kinds": ["episode"]})
    first: dict[str, str] = {}
    for hit in (found.structured_content or {})["hits"]:
        first.setdefault(hit["ref"].split(".")[0].removeprefix("e:"), hit["ref"])
    return [f"t:{session}#1-6" for session in first]


def _history(place: Path) -> tuple[Path, Path]:
    """The two sessions in a host's own folder layout, their project beside them."""
    folder = place.resolve()
    project = folder / "shop-project"
    (project / ".git").mkdir(parents=True)
    slug = "".join(letter if letter.isalnum() else "-" for letter in str(project))
    target = folder / "claude" / "projects" / slug
    target.mkdir(parents=True)
    for name in SESSIONS:
        text = (resources.files("mcp_memory.cli") / "samples" / name).read_text(encoding="utf-8")
        spelled = json.dumps(str(project))[1:-1]
        (target / name).write_text(text.replace("{project}", spelled), encoding="utf-8")
    return folder, project


def _server(folder: Path, project: Path) -> Any:
    from mcp import StdioServerParameters

    env = {
        **os.environ,
        "CLAUDE_CONFIG_DIR": str(folder / "claude"),
        "MCP_MEMORY_HOME": str(folder / "home"),
        "MCP_MEMORY_INDEX_AUTO": "true",
        "MCP_MEMORY_INDEX_SCOPE": "project",
    }
    return StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_memory", "serve"], env=env, cwd=str(project)
    )
