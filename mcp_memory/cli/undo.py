"""`mcp-memory undo`: a batch of changes taken back."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show


@click.command("undo")
@click.argument("batch")
@options.as_json
@command
async def undo_command(batch: str, as_json: bool) -> None:
    """Take BATCH back."""
    from mcp_memory.cli.opening import opened

    async with opened() as bank:
        show(await bank.undo(batch), as_json=as_json)
