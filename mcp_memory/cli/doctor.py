"""`mcp-memory doctor`: the bank checked and repaired, and what is derived made anew."""

from collections.abc import Sequence

import click

from mcp_memory.checkup.findings import Finding
from mcp_memory.cli import clusters, ending, options
from mcp_memory.cli.door import command, print_json


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what is found; what is lost by it is named.")
@click.option("--rebuild", is_flag=True, help="Write the archive and the indexes anew.")
@click.option("--reembed", is_flag=True, help="Make all vectors anew with the configured model.")
@click.option(
    "--stale", is_flag=True, help="List memories whose files or commands changed or went."
)
@clusters.on
@options.as_json
@command
async def doctor_command(
    repair: bool,
    rebuild: bool,
    reembed: bool,
    stale: bool,
    on: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Check the bank, and repair it: records, ledger, purges, archive, indexes, disk, modes, hosts."""
    from mcp_memory.checkup import doctor, remaking  # LanceDB: not for a help page
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import freshness

    async with clusters.reached(on, workers) as cluster, opened() as bank:
        if stale:
            found = await freshness.stale(bank.rooms)
            if as_json:
                print_json(found)
                return
            for one in found:
                click.echo(f"{one.ref} {one.title}: {'; '.join(one.told)}")
            return
        done = []
        if reembed:
            made = await remaking.reembed(bank.rooms, clusters.embedding(cluster, bank))
            done.append(f"{made} vectors made anew")
        if rebuild:
            done.append(f"{await remaking.rebuild(bank.rooms)} sessions written anew")
        if repair:
            done += [f"mended: {each}" for each in await doctor.repair(bank.rooms)]
        findings = await doctor.check(bank.rooms)
    _told(done, findings, as_json=as_json)


def _told(done: Sequence[str], findings: Sequence[Finding], *, as_json: bool) -> None:
    """What was done and found; ill findings end the command with what to do about them."""
    ill = [finding for finding in findings if not finding.good]
    if as_json:
        print_json({"done": done, "findings": findings})
        if ill:
            ending.nothing()
        return
    for line in done:
        click.echo(line)
    for finding in findings:
        click.echo(f"{'ok ' if finding.good else 'BAD'} {finding.subject}: {finding.what}")
    if ill:
        raise click.ClickException(" ".join(dict.fromkeys(finding.advice for finding in ill)))
