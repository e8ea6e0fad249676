"""`mcp-memory status`: what the bank holds and how it is."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, json_text
from mcp_memory.cli.opening import opened
from mcp_memory.text.counting import counted


@click.command("status")
@options.as_json
@command
async def status_command(as_json: bool) -> None:
    """What the bank holds and how it is."""
    async with opened() as bank:
        status = await bank.status()
    if as_json:
        click.echo(json_text(status))
        return
    click.echo(f"{status.home} (schema {status.schema_version}, {status.bytes / 1e6:.1f} MB)")
    click.echo(", ".join(f"{count} {name}" for name, count in status.counts.items()))
    for project, count in sorted(status.projects.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {counted(count, 'session')} · {project}")
    click.echo(f"vectors by {status.model}")
    for note in status.notes:
        click.echo(f"Note: {note}")
