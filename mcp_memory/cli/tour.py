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
from mcp import Client, StdioServerParameters

from mcp_memory.cli import ending
from mcp_memory.cli.door import command

SESSIONS = ("orders.jsonl", "invoices.jsonl")
WAIT_SECONDS = 60.0
TEXT_LINES = 22
LEARNED = {
    "kind": "gotcha",
    "title": "Name the encoding when opening files",
    "text": "open() without encoding raises UnicodeEncodeError for the euro sign; "
    'pass encoding="utf-8", as in shop/export.py and shop/invoice.py.',
    "when_to_use": "a UnicodeEncodeError while writing a file",
}


@click.command("tour")
@command
async def tour_command() -> None:
    """See index, search, fetch, runbook, retain, consolidate and delete at work; leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="mcp-memory-tour-", ignore_cleanup_errors=True) as name:
        folder, project = await anyio.to_thread.run_sync(_history, Path(name))
        click.echo(f"Two past sessions of an agent lie in {folder / 'claude' / 'projects'}.")
        click.echo("Starting `mcp-memory serve` over stdio, as a host would.")
        async with Client(_server(folder, project)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            click.echo(f"Connected; the server offers {', '.join(tools)}.")
            await _walk(_Guide(client))
    click.echo("\nThat was all of it; the tour's folder is gone again. Next: `mcp-memory index`.")


class _Guide:
    """Makes calls and prints them with their answers."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, title: str, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One call, printed; a refusal ends the tour with what the server said."""
        result = await self._client.call_tool(tool, dict(arguments))
        text = "\n".join(getattr(block, "text", "") for block in result.content)
        if result.is_error:
            raise ending.Failed(text)
        click.secho(f"\n── {title}", bold=True)
        click.secho(f"{tool}({json.dumps(dict(arguments), ensure_ascii=False)})", fg="cyan")
        lines = text.splitlines()
        for line in lines[:TEXT_LINES]:
            click.echo(f"  {line[:160]}")
        if len(lines) > TEXT_LINES:
            click.echo(f"  … {len(lines) - TEXT_LINES} more lines")
        return result.structured_content or {}

    async def indexed(self) -> None:
        """Wait until the server has filled itself from both sessions."""
        started = time.monotonic()
        with anyio.fail_after(WAIT_SECONDS):
            while True:
                asked = {
                    "queries": ["UnicodeEncodeError export orders", "invoices Greek customers"]
                }
                found = await self._client.call_tool("search", {**asked, "kinds": ["episode"]})
                hits = (found.structured_content or {}).get("hits", [])
                if len({hit["ref"].split(".")[0] for hit in hits}) == len(SESSIONS):
                    break
                await anyio.sleep(0.2)
        took = time.monotonic() - started
        click.secho("\n── index: the server filled itself", bold=True)
        click.echo(
            f"  Both sessions were found {took:.1f} s after the first question; nothing was asked of us."
        )


async def _walk(guide: _Guide) -> None:
    await guide.indexed()
    await _ask(guide)
    await guide.call("consolidate: what deserves a memory?", "consolidate", {"action": "plan"})
    evidence = await _evidence(guide)
    kept, batch = await _keep(guide, evidence)
    await guide.call("delete: a preview first", "delete", {"refs": [kept]})
    await guide.call(
        "undo: the consolidation is taken back", "consolidate", {"action": "undo", "batch": batch}
    )
    await _purge(guide, evidence[0].split("#")[0])


async def _ask(guide: _Guide) -> None:
    found = await guide.call(
        "search: has this error been met before?",
        "search",
        {
            "query": "UnicodeEncodeError 'charmap' codec when writing a file",
            "kinds": ["step"],
            "limit": 3,
        },
    )
    refs = [hit["ref"] for hit in found["hits"]]
    await guide.call(
        "fetch: what happened there, in full", "fetch", {"refs": refs[:1], "around": 1}
    )
    await guide.call(
        "search: something that history does not know",
        "search",
        {"query": "Kubernetes ingress certificate rotation", "limit": 1},
    )


async def _keep(guide: _Guide, refs: Sequence[str]) -> tuple[str, str]:
    """A candidate, a memory, and a runbook with it; the candidate's ref and the memory's batch."""
    evidence = [{"ref": ref} for ref in refs]
    kept = await guide.call(
        "retain: one session's evidence makes a candidate",
        "retain",
        {**LEARNED, "evidence": evidence[:1]},
    )
    applied = await guide.call(
        "consolidate: the same memory with evidence from two sessions passes the gate",
        "consolidate",
        {"action": "apply", "memories": [{**LEARNED, "evidence": evidence}]},
    )
    await guide.call(
        "runbook: a new task",
        "runbook",
        {
            "task": "Write the customer list to a file with shop/customers.py",
            "error": "UnicodeEncodeError",
        },
    )
    return kept["ref"], applied["batch"]


async def _purge(guide: _Guide, session: str) -> None:
    preview = await guide.call("delete: a whole session, previewed", "delete", {"refs": [session]})
    await guide.call(
        "delete: purged, with a receipt of what was looked at again",
        "delete",
        {"refs": preview["refs"], "mode": "purge", "confirm": preview["confirm"]},
    )


async def _evidence(guide: _Guide) -> list[str]:
    """One step of each session that shows error, cause and cure."""
    found = await guide.call(
        "search: which steps show the cure, one a session?",
        "search",
        {
            "queries": [
                "shop/export.py encoding utf-8 edit",
                "shop/invoice.py encoding utf-8 edit",
            ],
            "kinds": ["episode"],
        },
    )
    first: dict[str, str] = {}
    for hit in found["hits"]:
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


def _server(folder: Path, project: Path) -> StdioServerParameters:
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
