"""`mcp-memory doctor`: the bank checked, and what is derived made anew."""

import click

from mcp_memory import checkup
from mcp_memory.cli.door import command


@click.command("doctor")
@click.option("--rebuild", is_flag=True, help="Write the archive and the indexes anew.")
@click.option("--reembed", is_flag=True, help="Make all vectors anew with the configured model.")
@click.option(
    "--stale", is_flag=True, help="List memories whose files or commands changed or went."
)
@command
async def doctor_command(rebuild: bool, reembed: bool, stale: bool) -> None:
    """Check the bank; what is derived can be made anew from the store."""
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import freshness

    async with opened() as bank:
        if stale:
            for one in await freshness.stale(bank.rooms):
                click.echo(f"{one.ref} {one.title}: {'; '.join(one.told)}")
            return
        if reembed:
            click.echo(f"{await checkup.reembed(bank.rooms)} vectors made anew")
        if rebuild:
            click.echo(f"{await checkup.rebuild(bank.rooms)} sessions written anew")
        findings = await checkup.check(bank.rooms)
    for finding in findings:
        click.echo(f"{'ok ' if finding.good else 'BAD'} {finding.what}")
    if not all(finding.good for finding in findings):
        raise click.ClickException("`mcp-memory doctor --rebuild` repairs what is derived.")
