"""`mcp-memory fix`: what was done before after an error."""

import sys

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, show_drawn


@click.command("fix")
@click.argument("error", default="")
@click.option(
    "--limit", type=click.IntRange(1, 50), default=5, show_default=True, help="Most ways shown."
)
@options.project
@options.as_json
@command
async def fix_command(error: str, limit: int, project: str | None, as_json: bool) -> None:
    """What was done before after ERROR, until the same command went well.

    Without ERROR it is read from standard input: `make 2>&1 | mcp-memory fix`.
    """
    told = error or ("" if sys.stdin.isatty() else sys.stdin.read())
    if not told.strip():
        raise click.UsageError("Give the error's text, or pipe a command's output in.")
    from mcp_memory.cli.drawing import named
    from mcp_memory.search.named.fix import Fixed

    found = await ask("fix", Fixed, error=told, project=project, limit=limit)
    show_drawn(found, named.fix, as_json=as_json, answered=found.known or bool(found.learned))
