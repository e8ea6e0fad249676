"""`mcp-memory index`: histories of the agents on this machine, or the paths that are named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
import click
import orjson

from mcp_memory import hosts, readers
from mcp_memory.bank import MemoryBank
from mcp_memory.cli import closing, clusters, intake, options
from mcp_memory.cli.door import command
from mcp_memory.domain.reports import FileReport
from mcp_memory.history import following, indexer, repositories, watching
from mcp_memory.history.crew import Hire
from mcp_memory.settings import Settings


@click.command("index")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--formats", is_flag=True, help="List the formats that can be read, and stop.")
@click.option("--no-vectors", is_flag=True, help="Index words only.")
@click.option("--verbose", is_flag=True, help="Name record types and every refused piece.")
@click.option("--watch", is_flag=True, help="Stay, and follow transcripts while they grow.")
@click.option(
    "--git",
    "repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the commits of this repository, and link them to sessions; transcripts only as PATHS.",
)
@clusters.on
@options.as_json
@command
async def index_command(
    paths: tuple[Path, ...],
    formats: bool,
    no_vectors: bool,
    verbose: bool,
    watch: bool,
    repository: Path | None,
    on: str | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Read the agents' histories on this machine, or PATHS, into the bank."""
    if formats:
        named = [reader.FORMAT for reader in readers.READERS]
        click.echo(orjson.dumps(named).decode() if as_json else "\n".join(_titled(named)))
        return
    from mcp_memory.cli.opening import opened

    async with (
        clusters.reached(on, workers) as cluster,
        opened(vectors=not no_vectors) as bank,
    ):
        if repository is not None:
            await _repository(bank, paths, repository)
            return
        if not paths:
            following.allow_everything(bank.rooms)
        if watch:
            await _watch(bank, lambda: indexer.transcripts(paths) if paths else intake.histories())
            return
        reports = await _read(bank, paths, clusters.hiring(cluster, bank))
        rows = await bank.rooms.store.catalogue()
    if as_json:
        click.echo(orjson.dumps(closing.counts(reports, rows), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in closing.closing(reports, rows, verbose=verbose):
            click.echo(line)
    if not (paths or as_json):
        click.echo(closing.endangered(datetime.now(UTC)))
    closing.end(reports)


def _titled(formats: Sequence[str]) -> list[str]:
    """Each format with what people call the agent that writes it, where that is another word."""
    wide = max(map(len, formats))
    titles = [(name, hosts.named(name)) for name in formats]
    return [f"{name:<{wide}}  {title}" if title != name else name for name, title in titles]


async def _read(bank: MemoryBank, paths: Sequence[Path], hire: Hire | None) -> list[FileReport]:
    if not paths:
        return await intake.everything(bank, hire)
    return await intake.read(bank, list(indexer.transcripts(paths)), hire)


async def _repository(bank: MemoryBank, paths: Sequence[Path], repository: Path) -> None:
    """Transcripts first: commits are linked to what the bank has."""
    reports = await intake.read(bank, list(indexer.transcripts(paths))) if paths else []
    async with indexer.elected(bank.rooms):
        told = await repositories.index_repository(bank.rooms, repository)
    click.echo(closing.read([*reports, told]))
    if told.reason:
        click.echo(told.reason)
    closing.end([*reports, told])


async def _watch(bank: MemoryBank, sources: watching.Sources) -> None:
    """One line a pass that read anything, until interrupted."""
    async with (
        _pushing(bank.rooms.settings),
        aclosing(watching.watch(bank.rooms, sources)) as passes,
    ):
        async for reports in passes:
            click.echo(closing.read(reports) if reports else "up to date")
            click.echo("watching; interrupt to stop")


@asynccontextmanager
async def _pushing(settings: Settings) -> AsyncIterator[None]:
    """Push in the background of a block, where a remote bank is set."""
    if not settings.push_url:
        yield
        return
    from mcp_memory.remote.background import keep_pushed

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_pushed, settings, str(Path.cwd()))
        yield
        tasks.cancel_scope.cancel()
