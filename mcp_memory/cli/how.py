"""`mcp-memory how`: the commands that worked here for something."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, show_drawn


@click.command("how")
@click.argument("what", nargs=-1, required=True)
@click.option(
    "--limit", type=click.IntRange(1, 50), default=6, show_default=True, help="Most commands shown."
)
@options.project
@options.as_json
@command
async def how_command(
    what: tuple[str, ...], limit: int, project: str | None, as_json: bool
) -> None:
    """Commands that worked here for WHAT: `how run the tests`, `how lint`.

    Best are those that went well often and lately; each with the step that ran it last.
    """
    from mcp_memory.cli.drawing import named
    from mcp_memory.search.named.how import Ways

    wanted = " ".join(what)
    found = await ask("how", Ways, vectors=False, what=wanted, project=project, limit=limit)
    show_drawn(found, named.how, as_json=as_json, answered=bool(found.ways))
