"""`mcp-memory resume`: the host's own command that goes on with a past session."""

import shlex

import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, json_text


@click.command("resume")
@click.argument("ref")
@options.as_json
@command
async def resume_command(ref: str, as_json: bool) -> None:
    """Print the host's own command that goes on with the session of REF.

    Run it with `eval "$(mcp-memory resume REF)"`. A sub-agent's session leads to the one that
    started it.
    """
    from mcp_memory import hosts
    from mcp_memory.cli.opening import opened
    from mcp_memory.search.named.resume import resume
    from mcp_memory.trajectories.naming import one_line

    async with opened(vectors=False) as bank:
        told = await resume(bank.rooms, ref)
    if as_json:
        click.echo(json_text(told))
    else:
        click.echo(f"{told.ref} of {hosts.named(told.host)}: {one_line(told.goal, 120)}", err=True)
        for note in told.notes:
            click.echo(note, err=True)
        if told.argv:
            there = f"cd {shlex.quote(told.folder)} && " if told.folder else ""
            click.echo(f"{there}{shlex.join(told.argv)}")
    if not told.argv:
        click.echo(f"Read it instead: mcp-memory fetch {told.ref}", err=True)
        ending.nothing()
