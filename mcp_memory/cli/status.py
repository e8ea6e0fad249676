"""`mcp-memory status`: what the bank holds and how it is."""

from collections.abc import Iterator
from typing import Any

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, json_text
from mcp_memory.cli.drawing import screen
from mcp_memory.cli.drawing.notes import noted
from mcp_memory.domain.models import Status
from mcp_memory.text.counting import counted


@click.command("status")
@options.as_json
@command
async def status_command(as_json: bool) -> None:
    """What the bank holds and how it is."""
    from mcp_memory.cli.opening import opened

    async with opened() as bank:
        status = await bank.status()
    if as_json:
        click.echo(json_text(status))
        return
    page = screen.Page()
    page.show(_lines(page, status))


def _lines(page: screen.Page, status: Status) -> Iterator[Any]:
    where = f"(schema {status.schema_version}, {status.bytes / 1e6:.1f} MB)"
    yield page.path(status.home, "head") + page.text(f" {where}")
    nouns = {"memory versions": ("memory version", "memory versions")}
    yield page.text(
        ", ".join(
            counted(count, *nouns.get(name, (name.removesuffix("s"), name)))
            for name, count in status.counts.items()
        )
    )
    for project, count in sorted(status.projects.items(), key=lambda item: (-item[1], item[0])):
        yield page.text(f"  {counted(count, 'session')}", (" · ", "dim")) + page.path(project)
    yield page.text(f"vectors by {status.model}")
    yield from noted(page, status.notes)
    if not status.projects:
        yield page.text(("Nothing is indexed yet: ", "dim"), "mcp-memory setup")
