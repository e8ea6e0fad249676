"""`mcp-memory history`: what hosts keep on this machine, what is indexed, what they will delete."""

from collections.abc import Sequence
from typing import Any

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, json_text
from mcp_memory.cli.drawing import screen
from mcp_memory.history import keeping
from mcp_memory.history.keeping import History, Kept

_HEAD = (
    "host",
    "found",
    "indexed",
    "changed",
    "new",
    "left out",
    "gone",
    "kept for",
    "next deletion",
)


@click.command("history")
@options.as_json
@command
async def history_command(as_json: bool) -> None:
    """What hosts keep here, what of it is indexed, and what they will delete when.

    No transcript is opened.
    """
    from mcp_memory.cli.opening import opened

    async with opened() as bank:
        told = await keeping.history(bank.rooms)
    if as_json:
        click.echo(json_text(told))
        return
    page = screen.Page()
    page.show([*_table(page, told.hosts), *map(page.text, _lines(told))])


def _lines(told: History) -> list[str]:
    lines = []
    for kept in told.hosts:
        if kept.soon:
            risk = f", {kept.at_risk} of them new or changed" if kept.at_risk else ""
            lines.append(f"{kept.host} will delete {kept.soon} within a week{risk}.")
    gone = sum(kept.gone for kept in told.hosts)
    if gone:
        lines.append(f"{gone} gone from where they were indexed; the archive keeps them.")
    if told.recovered:
        lines.append(f"{told.recovered} sessions are known by what was typed only.")
    if any(kept.left_out for kept in told.hosts):
        lines.append("Left out: read, and refused, excluded, or without a session of its own.")
    if told.unused:
        lines.append(f"No transcripts of {', '.join(told.unused)}.")
    return [*lines, told.next_step]


def _row(kept: Kept) -> tuple[str, ...]:
    counts = (kept.found, kept.indexed, kept.changed, kept.new, kept.left_out, kept.gone)
    days = "" if kept.keeps_days is None else f"{kept.keeps_days:g} days"
    end = "" if kept.next_deletion is None else kept.next_deletion.date().isoformat()
    return (kept.host, *map(str, counts), days, end)


def _table(page: screen.Page, hosts: Sequence[Kept]) -> list[Any]:
    """A line a host; columns in which nothing stands are left out."""
    rows = [_row(kept) for kept in hosts]
    told = [
        place for place, _ in enumerate(_HEAD) if any(row[place] not in ("", "0") for row in rows)
    ]
    table = page.table([_HEAD[place] for place in told], right=_HEAD[1:-2])
    for row in rows:
        table.add_row(*(row[place] for place in told))
    return [table] if rows else []
