"""`mcp-memory index`: histories of the agents on this machine, or the paths that are named."""

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import click

from mcp_memory import hosts, readers
from mcp_memory.bank import MemoryBank
from mcp_memory.cli.door import command, some
from mcp_memory.cli.opening import opened
from mcp_memory.domain.reports import FileReport
from mcp_memory.history import following, indexer, repositories, watching
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings

SOON = timedelta(days=7)
PROCESSES_PAY = 16_000_000
"""Bytes of transcripts from which processes of their own earn the second that each takes to start."""
MOST_PROCESSES = 6


@click.command("index")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--formats", is_flag=True, help="List the formats that can be read, and stop.")
@click.option("--no-vectors", is_flag=True, help="Index words only.")
@click.option("--watch", is_flag=True, help="Stay, and follow transcripts while they grow.")
@click.option(
    "--git",
    "repository",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the commits of this repository, and link them to sessions; transcripts only as PATHS.",
)
@command
async def index_command(
    paths: tuple[Path, ...],
    formats: bool,
    no_vectors: bool,
    watch: bool,
    repository: Path | None,
) -> None:
    """Read the agents' histories on this machine, or PATHS, into the bank."""
    if formats:
        for reader in readers.READERS:
            click.echo(reader.FORMAT)
        return
    async with opened(vectors=not no_vectors) as bank:
        if repository is not None:
            await _repository(bank, paths, repository)
            return
        if not paths:
            following.allow_everything(bank.rooms)
        if watch:
            await _watch(bank, lambda: indexer.transcripts(paths) if paths else _histories())
            return
        reports = await (_index(bank, list(indexer.transcripts(paths))) if paths else _all(bank))
    for line in _summary(reports):
        click.echo(line)
    if not paths:
        for line in _endangered():
            click.echo(line)


async def _repository(bank: MemoryBank, paths: Sequence[Path], repository: Path) -> None:
    """Transcripts first: commits are linked to what the bank has."""
    reports = await _index(bank, list(indexer.transcripts(paths))) if paths else []
    with indexer.elected(bank.rooms):
        told = await repositories.index_repository(bank.rooms, repository)
    for line in _summary([*reports, told]):
        click.echo(line)
    if told.reason:
        click.echo(told.reason)


def _histories() -> list[Path]:
    found = [path for host in hosts.HOSTS for path in host.transcripts()]
    return [*found, *hosts.prompts()]


async def _all(bank: MemoryBank) -> list[FileReport]:
    """What hosts keep, and what hooks handed over: that may lie in a folder nobody looks through."""
    notes = spool.waiting(bank.rooms.settings.spool_dir)
    handed = [note.transcript for note in notes if note.transcript.is_file()]
    reports = await _index(bank, list(dict.fromkeys([*handed, *_histories()])))
    for note in notes:
        spool.done(note)
    return reports


async def _index(bank: MemoryBank, found: Sequence[Path]) -> list[FileReport]:
    with click.progressbar(length=len(found), label="Indexing", file=sys.stderr) as bar:
        reports = await bank.index(
            found, progress=_advance(bar.update), processes=_processes(found)
        )
    await bank.rooms.store.maintain()
    return reports


async def _watch(bank: MemoryBank, sources: watching.Sources) -> None:
    """One line a pass that read anything, until interrupted."""
    async with (
        _pushing(bank.rooms.settings),
        aclosing(watching.watch(bank.rooms, sources)) as passes,
    ):
        async for reports in passes:
            for line in _summary(reports)[:2] if reports else ["up to date"]:
                click.echo(line)
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


def _processes(found: Sequence[Path]) -> int:
    """As many as there are processors, where the work outweighs starting them."""
    much = sum(path.stat().st_size for path in found if path.exists()) > PROCESSES_PAY
    return min(os.cpu_count() or 1, MOST_PROCESSES) if much else 0


def _advance(update: Callable[[int], None]) -> indexer.Progress:
    return lambda _: update(1)


def _summary(reports: Sequence[FileReport]) -> list[str]:
    states = Counter(report.status for report in reports)
    read = [report for report in reports if report.status == "indexed"]
    size = sum(report.bytes for report in read) / 1e6
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"
    lines = [
        f"{len(reports)} files: {told}",
        (
            f"{sum(r.sessions for r in read)} sessions, {sum(r.steps for r in read)} steps, "
            f"{size:.1f} MB read; {sum(r.masked for r in read)} secrets masked"
        ),
    ]
    lines += _counted("left out on purpose", [r.skipped for r in reports])
    lines += _counted("unknown record types", [r.unknown for r in reports])
    refused = [f"{r.path.name}: {r.reason}" for r in reports if r.status == "refused"]
    refused += [f"{r.path.name} {x.where}: {x.reason}" for r in reports for x in r.refusals]
    if refused:
        lines.append(f"{len(refused)} pieces were refused; everything else was kept:")
        lines += some(refused)
    return lines


def _counted(title: str, counts: Sequence[Mapping[str, int]]) -> list[str]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    told = ", ".join(f"{name} {number}" for name, number in sorted(total.items()))
    return [f"{title}: {told}"] if told else []


def _endangered() -> list[str]:
    """What a host will delete within a week: the archive keeps it."""
    lines = []
    for host in hosts.HOSTS:
        kept = hosts.retention(host)
        if kept is None:
            continue
        now = datetime.now(UTC)
        ends = [
            datetime.fromtimestamp(path.stat().st_mtime, UTC) + kept
            for path in host.transcripts()
            if path.is_file()
        ]
        soon = [end for end in ends if end - now <= SOON]
        if soon:
            lines.append(
                f"{host.NAME} deletes transcripts after {kept.days} days: {len(soon)} within "
                f"a week, the first on {min(soon).date().isoformat()}; the archive keeps them."
            )
    return lines
