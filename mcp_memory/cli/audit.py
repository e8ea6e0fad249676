"""`mcp-memory audit`: who did what when to which refs, for whoever must account for it; no text."""

from datetime import datetime
from pathlib import Path

import click

from mcp_memory.cli import options, remote
from mcp_memory.cli.door import command, print_json
from mcp_memory.domain.teams import Entry


@click.command("audit")
@click.option(
    "--at",
    "url",
    default="",
    metavar="URL",
    help="A team's bank elsewhere, asked by a token of scope `admin`; else this machine's own.",
)
@remote.reaching
@options.since
@options.as_json
@command
async def audit_command(
    url: str, token_file: Path | None, insecure: bool, since: datetime | None, as_json: bool
) -> None:
    """Who did what when to which refs, oldest first, with tokens made, revoked and expired.

    No text of any record stands in it; names of files and projects are counted.
    """
    from mcp_memory.memories import auditing

    if url:
        from mcp_memory.remote import reaching

        there = remote.team(url, token_file, insecure=insecure)
        async with reaching.open_remote(there.address, there.token) as bank:
            entries = await bank.audit(since)
    else:
        entries = await _own(since)
    if as_json:
        print_json([one.model_dump(mode="json", exclude_defaults=True) for one in entries])
        return
    for one in entries:
        click.echo(auditing.line(one))


async def _own(since: datetime | None) -> list[Entry]:
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import auditing

    async with opened(vectors=False) as bank:
        return await auditing.audit(bank.rooms, since)
