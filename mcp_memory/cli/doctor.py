"""`mcp-memory doctor`: the bank checked and repaired, and what is derived made anew."""

import click

from mcp_memory.cli.door import command


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what is found; what is lost by it is named.")
@click.option("--rebuild", is_flag=True, help="Write the archive and the indexes anew.")
@click.option("--reembed", is_flag=True, help="Make all vectors anew with the configured model.")
@click.option(
    "--stale", is_flag=True, help="List memories whose files or commands changed or went."
)
@command
async def doctor_command(repair: bool, rebuild: bool, reembed: bool, stale: bool) -> None:
    """Check the bank, and repair it: records, ledger, purges, archive, indexes, disk, modes, hosts."""
    from mcp_memory.checkup import doctor, remaking  # LanceDB: not for a help page
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import freshness

    async with opened() as bank:
        if stale:
            for one in await freshness.stale(bank.rooms):
                click.echo(f"{one.ref} {one.title}: {'; '.join(one.told)}")
            return
        if reembed:
            click.echo(f"{await remaking.reembed(bank.rooms)} vectors made anew")
        if rebuild:
            click.echo(f"{await remaking.rebuild(bank.rooms)} sessions written anew")
        if repair:
            for done in await doctor.repair(bank.rooms):
                click.echo(f"mended: {done}")
        findings = await doctor.check(bank.rooms)
    ill = [finding for finding in findings if not finding.good]
    for finding in findings:
        click.echo(f"{'ok ' if finding.good else 'BAD'} {finding.subject}: {finding.what}")
    if ill:
        raise click.ClickException(" ".join(dict.fromkeys(finding.advice for finding in ill)))
