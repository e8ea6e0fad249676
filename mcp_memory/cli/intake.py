"""Intake: what `index` and `setup` read, with progress on standard error."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
import click

from mcp_memory import hosts
from mcp_memory.bank import MemoryBank
from mcp_memory.domain.reports import FileReport
from mcp_memory.history.crew import Hire
from mcp_memory.hooks import spool
from mcp_memory.text.counting import counted

PROCESSES_PAY = 16_000_000
"""Bytes of transcripts from which processes of their own earn the second that each takes to start."""
MOST_PROCESSES = 6
TOLD_SECONDS = 10.0
"""Between two lines of a run that nobody watches."""


def histories() -> list[Path]:
    """Every transcript that the hosts of this machine keep, and what was typed of those gone."""
    found = [path for host in hosts.HOSTS for path in host.transcripts()]
    return [*found, *hosts.prompts()]


async def everything(bank: MemoryBank, hire: Hire | None = None) -> list[FileReport]:
    """What hosts keep, and what hooks handed over: that may lie in a folder nobody looks through."""
    notes = spool.waiting(bank.rooms.settings.spool_dir)
    handed = [note.transcript for note in notes if note.transcript.is_file()]
    reports = await read(bank, list(dict.fromkeys([*handed, *histories()])), hire)
    for note in notes:
        spool.done(note)
    return reports


async def read(
    bank: MemoryBank, found: Sequence[Path], hire: Hire | None = None
) -> list[FileReport]:
    """Index files with a bar on standard error; interrupted, it says what is kept."""
    line = _Line(len(found)) if hire and not sys.stderr.isatty() else None
    with click.progressbar(
        length=len(found), label="Indexing", file=sys.stderr, item_show_func=_shown
    ) as bar:
        try:
            reports = await bank.index(
                found,
                progress=lambda report: line.tell(report) if line else bar.update(1, report),
                processes=hire or _processes(found),
            )
        except anyio.get_cancelled_exc_class():
            read = line.read if line else bar.pos
            click.echo(
                f"\nStopped at {read} of {counted(len(found), 'file')}; what was read is kept and "
                "can be asked. The same command goes on from there.",
                err=True,
            )
            raise
    await bank.rest(0)  # upkeep has the memory that the model took
    await bank.rooms.store.maintain()
    return reports


class _Line:
    """How far a long run is, where nobody sees a bar: a line now and then, with names and counts."""

    def __init__(self, files: int) -> None:
        self._files, self.read, self._steps, self._bytes = files, 0, 0, 0
        self._told = time.monotonic()

    def tell(self, report: FileReport) -> None:
        """Count a file; a line once some seconds have passed."""
        self.read += 1
        self._steps += report.steps
        self._bytes += report.bytes
        if time.monotonic() - self._told < TOLD_SECONDS and self.read < self._files:
            return
        self._told = time.monotonic()
        click.echo(
            f"{self.read:,} of {counted(self._files, 'file')}: {counted(self._steps, 'step')}, "
            f"{self._bytes / 1e6:,.0f} MB; last {report.path.name}, {report.status}",
            err=True,
        )


def _processes(found: Sequence[Path]) -> int:
    """As many as there are processors, where the work outweighs starting them."""
    much = sum(path.stat().st_size for path in found if path.exists()) > PROCESSES_PAY
    return min(os.cpu_count() or 1, MOST_PROCESSES) if much else 0


def _shown(report: object) -> str | None:
    """What the bar says of the file that was read last."""
    if not isinstance(report, FileReport):
        return None
    return f"{report.format or report.status}, {counted(report.steps, 'step')}"
