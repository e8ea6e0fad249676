"""`mcp-memory backup`: a bank as one file, and back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread
import click

from mcp_memory.checkup.findings import Finding
from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, print_json
from mcp_memory.settings import Settings
from mcp_memory.text.counting import counted


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--restore", is_flag=True, help="Put the bank that FILE holds into the home instead.")
@click.option(
    "--replace",
    "--force",
    "replace",
    is_flag=True,
    help="Replace a FILE that is there; with --restore, put the bank that is there aside unasked.",
)
@options.as_json
@command
async def backup_command(file: Path, restore: bool, replace: bool, as_json: bool) -> None:
    """Write the whole bank as it is now to FILE, while servers and commands go on; or restore it.

    A restored bank is checked to the last byte before anything is moved; the bank that was there
    stays beside it, and what was purged since does not come back.
    """
    if restore:
        await _restored(file, replace=replace, as_json=as_json)
        return
    from mcp_memory.checkup import backups  # LanceDB: not for a help page
    from mcp_memory.cli.opening import opened

    async with opened() as bank:
        made = await backups.back_up(bank.rooms, file, replace=replace)
    if as_json:
        print_json(made)
        return
    click.echo(f"{counted(made.files, 'file')}, {made.bytes / 1e6:,.1f} MB, in {made.file}")


async def _restored(file: Path, *, replace: bool, as_json: bool) -> None:
    from mcp_memory.checkup import doctor, remaking, restoring  # LanceDB: not for a help page
    from mcp_memory.cli.opening import opened

    settings = Settings()
    if restoring.is_used(settings.home) and not replace:
        click.confirm(f"There is a bank in {settings.home}. Put it aside?", abort=True, err=True)
        replace = True
    contents, former = await anyio.to_thread.run_sync(
        lambda: restoring.restore(settings, file, now=datetime.now(UTC), replace=replace)
    )
    async with opened() as bank:
        done = await doctor.repair(bank.rooms)
        await remaking.derived(bank.rooms)
        ill = [finding for finding in await doctor.check(bank.rooms) if not finding.good]
    if as_json:
        told = {"home": settings.home, "made_at": contents.made_at, "former": former}
        print_json({**told, "done": list(done), "findings": ill})
    else:
        _say(contents.made_at, settings.home, former, done, ill)
    ending.refused(len(ill), done=True)


def _say(
    made_at: datetime, home: Path, former: Path | None, done: Iterable[str], ill: Iterable[Finding]
) -> None:
    click.echo(f"The bank of {made_at:%Y-%m-%d %H:%M} is in {home}.")
    if former is not None:
        click.echo(f"What was there: {former}")
    for each in done:
        click.echo(f"mended: {each}")
    for finding in ill:
        click.echo(f"BAD {finding.subject}: {finding.what} {finding.advice}")
