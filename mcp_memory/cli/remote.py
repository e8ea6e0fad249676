"""`mcp-memory push`, `pull` and `bridge`: this machine as the client of a bank elsewhere."""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from mcp_memory.cli.door import command
from mcp_memory.domain import projects
from mcp_memory.settings import Settings

MOST_NAMED = 20

_OPTIONS = (
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        default=None,
        help="File with the access token; else MCP_MEMORY_REMOTE_TOKEN_FILE, or the token itself "
        "in MCP_MEMORY_REMOTE_TOKEN.",
    ),
    click.option("--insecure", is_flag=True, help="Allow http beyond this machine."),
)


def _reaching(body: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        body = option(body)
    return body


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
@_reaching
@command
async def push_command(
    url: str,
    paths: tuple[Path, ...],
    only: tuple[str, ...],
    name: str,
    token_file: Path | None,
    insecure: bool,
) -> None:
    """Send sessions of this machine, or in PATHS, to the bank at URL: masked, and only what is new."""
    from mcp_memory.history import indexer
    from mcp_memory.remote import background, pushing, reaching
    from mcp_memory.remote.outgoing import Terms

    settings = _settings()
    address = reaching.address_of(url, insecure=insecure or settings.remote_insecure)
    token = reaching.token_of(token_file or settings.remote_token_file)
    only = tuple(map(_project, only))
    if not only and not paths:
        only = (projects.project_of(str(Path.cwd())),)
        click.echo(f"Of {only[0]} alone; --project names others, --project '*' all.", err=True)
    terms = Terms(settings.include, settings.exclude, only, name)
    found = list(indexer.transcripts(paths)) if paths else background.histories(terms)
    memo = background.memo_of(settings, address, terms)
    async with reaching.open_remote(address, token) as remote:
        with _bar(len(found), "Pushing") as advance:
            report = await pushing.push(
                remote, found, terms, memo, again=True, progress=lambda *_: advance(1)
            )
    click.echo(
        f"{report.files} files, {report.unchanged} of them unchanged: {report.sent} sessions sent "
        f"({report.grown} grown), {report.held} there already"
    )
    click.echo(
        f"{report.steps} steps in {report.requests} requests, {report.bytes / 1e6:.1f} MB; "
        f"{report.masked} secrets masked here, {report.masked_there} there"
    )
    if report.excluded:
        click.echo(f"{report.excluded} not among what may be pushed")
    _name(report.refused, "not pushed; everything else was:")


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
@_reaching
@command
async def pull_command(
    url: str, project: str | None, folder: Path, token_file: Path | None, insecure: bool
) -> None:
    """Bring the archive of a project at URL into a folder, as files to grep and read."""
    from mcp_memory.remote import pulling, reaching

    settings = _settings()
    address = reaching.address_of(url, insecure=insecure or settings.remote_insecure)
    token = reaching.token_of(token_file or settings.remote_token_file)
    async with reaching.open_remote(address, token) as remote:
        report = await pulling.pull(remote, project, folder, progress=_dots())
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(
        f"{report.project}: {report.written} files written ({report.bytes / 1e6:.1f} MB), "
        f"{report.unchanged} unchanged, {report.removed} removed"
    )
    _name(report.refused, "not written; everything else was:")


@click.command("bridge")
@click.argument("url")
@_reaching
@command
async def bridge_command(url: str, token_file: Path | None, insecure: bool) -> None:
    """Serve the bank at URL over stdio until the host closes the input."""
    from mcp_memory.remote import bridging, reaching

    settings = _settings()
    address = reaching.address_of(url, insecure=insecure or settings.remote_insecure)
    token = reaching.token_of(token_file or settings.remote_token_file)
    for name in ("mcp", "httpx2", "httpcore2"):  # they tell messages below WARNING
        logging.getLogger(name).setLevel(logging.WARNING)
    await bridging.bridge(address, token)


def _project(named: str) -> str:
    """The project that a folder belongs to; a mere name stays one."""
    folder = Path(named).expanduser()
    spelled_so = named in {".", ".."} or "/" in named or os.sep in named
    return projects.project_of(str(folder.resolve())) if spelled_so and folder.is_dir() else named


def _settings() -> Settings:
    settings = Settings()
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s", force=True
    )
    # They would tell addresses with what was asked.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return settings


@contextmanager
def _bar(length: int, label: str) -> Iterator[Callable[[int], None]]:
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def _dots() -> Callable[[str, int], None] | None:
    """Files as they are done, on a terminal: how many there are is known to the bank alone."""
    if not sys.stderr.isatty():
        return None
    done = 0

    def told(_: str, __: int) -> None:
        nonlocal done
        done += 1
        click.echo(f"\rPulling: {done} files", nl=False, err=True)

    return told


def _name(refused: Sequence[tuple[str, str]], what: str) -> None:
    if not refused:
        return
    click.echo(f"{len(refused)} {what}")
    for name, reason in refused[:MOST_NAMED]:
        click.echo(f"  {name}: {reason}")
    if len(refused) > MOST_NAMED:
        click.echo(f"  and {len(refused) - MOST_NAMED} more")
