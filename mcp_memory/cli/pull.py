"""`mcp-memory pull`: a project's archive from a bank elsewhere, as files."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from mcp_memory.cli import ending, options, remote
from mcp_memory.cli.door import command, print_json
from mcp_memory.remote.reports import Pulled
from mcp_memory.text.counting import counted


@click.command("pull")
@click.argument("url")
@click.option("--project", default=None, help="Whose archive; a token of one project needs none.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of its own to put the files in.",
)
@remote.reaching
@options.as_json
@command
async def pull_command(
    url: str,
    project: str | None,
    folder: Path,
    token_file: Path | None,
    insecure: bool,
    as_json: bool,
) -> None:
    """Bring the archive of a project at URL into a folder, as files to grep and read."""
    from mcp_memory.remote import pulling, reaching

    there = remote.there(url, token_file, insecure=insecure)
    async with reaching.open_remote(there.address, there.token) as bank:
        report = await pulling.pull(bank, project, folder, progress=_dots())
    if sys.stderr.isatty():
        click.echo(err=True)
    if as_json:
        print_json(report)
    else:
        _say(report)
    ending.refused(len(report.refused), done=report.stands)


def _say(report: Pulled) -> None:
    """What a pull came to, and what was not written."""
    click.echo(
        f"{report.project}: {counted(report.written, 'file')} written ({report.bytes / 1e6:.1f} MB), "
        f"{report.unchanged} unchanged, {report.removed} removed"
    )
    remote.name(report.refused, "not written", done=report.stands)


def _dots() -> Callable[[str, int], None] | None:
    """Files as they are done, on a terminal: how many there are is known to the bank alone."""
    if not sys.stderr.isatty():
        return None
    done = 0

    def told(_: str, __: int) -> None:
        nonlocal done
        done += 1
        click.echo(f"\rPulling: {counted(done, 'file')}", nl=False, err=True)

    return told
