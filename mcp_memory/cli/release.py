"""`mcp-memory release`: what was held back is told after all."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show
from mcp_memory.cli.opening import opened
from mcp_memory.cli.retain import users_own


@click.command("release")
@click.argument("refs", nargs=-1, required=True)
@options.as_json
@command
async def release_command(refs: tuple[str, ...], as_json: bool) -> None:
    """Tell REFS from now on, though they give power away: m:…, t:…#12, or a whole session, t:…."""
    users_own("release what is held back")
    async with opened() as bank:
        show(await bank.release(refs), as_json=as_json)
