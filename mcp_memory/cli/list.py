"""`mcp-memory list`: sessions, memories, projects or changes, newest first."""

import click

from mcp_memory.cli.door import command
from mcp_memory.cli.opening import opened
from mcp_memory.domain.contract import Listable
from mcp_memory.server import answers


@click.command("list")
@click.argument(
    "what", type=click.Choice(["sessions", "memories", "projects", "changes"]), default="sessions"
)
@click.option("--project", help="Project path or folder name; '*' for all (default).", default="*")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@command
async def list_command(what: Listable, project: str, limit: int) -> None:
    """List sessions, memories, projects, or changes, newest first."""
    async with opened() as bank:
        lines = await bank.listing(what, project=project, limit=limit)
        for line in lines:
            click.echo(answers.one_line(line))
