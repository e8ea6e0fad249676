"""`mcp-memory undo`: a batch of changes taken back, or all of them since a moment."""

from datetime import datetime

import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, show


@click.command("undo")
@click.argument("batch", default="")
@click.option(
    "--since",
    type=options.When("start"),
    metavar="WHEN",
    help="Instead of a batch: all that was changed since then, newest first, as 2h or 2026-06-12T14:30.",
)
@options.as_json
@command
async def undo_command(batch: str, since: datetime | None, as_json: bool) -> None:
    """Take BATCH back; `mcp-memory list changes` shows the batches."""
    from mcp_memory.cli.opening import opened
    from mcp_memory.forgetting import undo

    if bool(batch) == (since is not None):
        raise click.UsageError("Give a batch, b:…, or --since.")
    async with opened() as bank:
        told = await bank.undo(batch, since=since)
        show(told, as_json=as_json)
    ending.refused(undo.left(told), done=bool(told.refs))
