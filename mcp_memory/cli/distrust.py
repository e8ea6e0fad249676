"""`mcp-memory distrust`: nothing of a source is told any more, nor what rests on it."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show
from mcp_memory.cli.opening import opened
from mcp_memory.cli.retain import users_own


@click.command("distrust")
@click.argument("source")
@options.as_json
@command
async def distrust_command(source: str, as_json: bool) -> None:
    """Hold back all of SOURCE, backwards too: a session t:…, or a file's path, or a host's name."""
    users_own("distrust a source")
    async with opened() as bank:
        show(await bank.distrust(source), as_json=as_json)
