"""`mcp-memory push`: sessions of this machine, masked, to a bank elsewhere."""

import os
import sys
from pathlib import Path

import click

from mcp_memory.cli import ending, options, remote
from mcp_memory.cli.door import command, print_json
from mcp_memory.domain import projects
from mcp_memory.remote.reports import Pushed
from mcp_memory.text.counting import counted


@click.command("push")
@click.argument("url")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--project",
    "only",
    multiple=True,
    help="The only projects to push, whole or by their folder's name; `*` for all. Without PATHS "
    "the default is the project of this folder.",
)
@click.option("--as", "name", default="", help="What the remote bank is to call the project.")
@remote.reaching
@options.as_json
@command
async def push_command(
    url: str,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    name: str,
    token_file: Path | None,
    insecure: bool,
    as_json: bool,
) -> None:
    """Send sessions of this machine, or in PATHS, to the bank at URL: masked, and only what is new."""
    from mcp_memory.history import indexer
    from mcp_memory.remote import background, pushing, reaching
    from mcp_memory.remote.outgoing import Terms

    there = remote.there(url, token_file, insecure=insecure)
    only = tuple(map(_project, only))
    if not only and not paths:
        only = (projects.project_of(str(Path.cwd())),)
        click.echo(f"Of {only[0]} alone; --project names others, --project '*' all.", err=True)
    terms = Terms(there.settings.include, there.settings.exclude, only, name)
    found = list(indexer.transcripts(paths)) if paths else background.histories(terms)
    memo = background.memo_of(there.settings, there.address, terms)
    async with reaching.open_remote(there.address, there.token) as bank:
        with click.progressbar(length=len(found), label="Pushing", file=sys.stderr) as bar:
            report = await pushing.push(
                bank, found, terms, memo, again=True, progress=lambda *_: bar.update(1)
            )
    if as_json:
        print_json(report)
    else:
        _say(report)
    ending.refused(len(report.refused), done=report.stands)


def _say(report: Pushed) -> None:
    """What a push came to, and what was not pushed."""
    click.echo(
        f"{counted(report.files, 'file')}, {report.unchanged} of them unchanged: "
        f"{counted(report.sent, 'session')} sent "
        f"({report.grown} grown), {report.held} there already"
    )
    click.echo(
        f"{counted(report.steps, 'step')} in {counted(report.requests, 'request')}, "
        f"{report.bytes / 1e6:.1f} MB; "
        f"{report.masked} secrets masked here, {report.masked_there} there"
    )
    if report.excluded:
        click.echo(f"{report.excluded} not among what may be pushed")
    remote.name(report.refused, "not pushed", done=report.stands)


def _project(named: str) -> str:
    """The project that a folder belongs to; a mere name stays one."""
    folder = Path(named).expanduser()
    spelled_so = named in {".", ".."} or "/" in named or os.sep in named
    return projects.project_of(str(folder.resolve())) if spelled_so and folder.is_dir() else named
