"""`mcp-memory audit`: who did what when to which refs, for whoever must account for it; no text."""

from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, print_json


@click.command("audit")
@options.since
@options.as_json
@command
async def audit_command(since: datetime | None, as_json: bool) -> None:
    """Who did what when to which refs, oldest first, with tokens made, revoked and expired.

    No text of any record stands in it; names of files and projects are counted.
    """
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import auditing

    async with opened(vectors=False) as bank:
        entries = await auditing.audit(bank.rooms, since)
    if as_json:
        print_json([one.model_dump(mode="json", exclude_defaults=True) for one in entries])
        return
    for one in entries:
        click.echo(auditing.line(one))
