"""`mcp-memory distrust`: nothing of a source is told any more, nor what rests on it."""

import click

from mcp_memory.cli import leaving, options
from mcp_memory.cli.door import command, show
from mcp_memory.cli.opening import opened
from mcp_memory.cli.retain import users_own


@click.command("distrust")
@click.argument("source", default="")
@options.sender
@options.as_json
@command
async def distrust_command(source: str, sender: str, as_json: bool) -> None:
    """Hold back all of SOURCE, backwards too: a session t:…, or a file's path, or a host's name."""
    if bool(source) == bool(sender):
        raise click.UsageError("Give a source, or --from.")
    users_own("distrust a source")
    async with opened() as bank:
        named = await leaving.refs_of(bank, sender) if sender else source
        show(await bank.distrust(named), as_json=as_json)
