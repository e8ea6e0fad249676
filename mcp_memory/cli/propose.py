"""`mcp-memory propose`: a memory of one's own, sent to the team's bank to be reviewed."""

from pathlib import Path

import click

from mcp_memory.cli import options, remote
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.retain import users_own
from mcp_memory.text.counting import counted


@click.command("propose")
@click.argument("ref")
@click.option("--to", "url", default="", metavar="URL", help="The bank; else MCP_MEMORY_TEAM_URL.")
@click.option("--as", "name", default="", help="What that bank is to call the project.")
@remote.reaching
@options.as_json
@command
async def propose_command(
    ref: str, url: str, name: str, token_file: Path | None, insecure: bool, as_json: bool
) -> None:
    """Send the memory REF and the steps that it cites, masked, as a proposal.

    There it is a candidate until somebody else approves it.
    """
    users_own("propose a memory to a team")
    there = remote.team(url, token_file, insecure=insecure)
    from mcp_memory.cli.opening import opened
    from mcp_memory.remote import promoting, reaching

    async with (
        opened() as bank,
        reaching.open_remote(there.address, there.token) as bank_there,
    ):
        sent = await promoting.promote(
            bank.rooms, bank_there, ref, to=there.address.base, name=name
        )
    if as_json:
        print_json(sent)
        return
    click.echo(
        f"{'Proposed' if sent.there.created else 'Known there'}: {sent.there.ref} in "
        f"{sent.project}, {sent.there.standing.value}; "
        f"{counted(sent.steps, 'step')} of evidence sent, {sent.masked} secrets masked"
    )
    for note in sent.there.notes:
        click.echo(f"Note: {note}")
