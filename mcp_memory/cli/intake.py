"""Intake: what `index` and `setup` read, with progress on standard error."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import click

from mcp_memory import hosts
from mcp_memory.bank import MemoryBank
from mcp_memory.domain.reports import FileReport
from mcp_memory.hooks import spool
from mcp_memory.text.counting import counted

PROCESSES_PAY = 16_000_000
"""Bytes of transcripts from which processes of their own earn the second that each takes to start."""
MOST_PROCESSES = 6


def histories() -> list[Path]:
    """Every transcript that the hosts of this machine keep, and what was typed of those gone."""
    found = [path for host in hosts.HOSTS for path in host.transcripts()]
    return [*found, *hosts.prompts()]


async def everything(bank: MemoryBank) -> list[FileReport]:
    """What hosts keep, and what hooks handed over: that may lie in a folder nobody looks through."""
    notes = spool.waiting(bank.rooms.settings.spool_dir)
    handed = [note.transcript for note in notes if note.transcript.is_file()]
    reports = await read(bank, list(dict.fromkeys([*handed, *histories()])))
    for note in notes:
        spool.done(note)
    return reports


async def read(bank: MemoryBank, found: Sequence[Path]) -> list[FileReport]:
    """Index files with a bar on standard error; interrupted, it says what is kept."""
    with click.progressbar(
        length=len(found), label="Indexing", file=sys.stderr, item_show_func=_shown
    ) as bar:
        try:
            reports = await bank.index(
                found,
                progress=lambda report: bar.update(1, report),
                processes=_processes(found),
            )
        except anyio.get_cancelled_exc_class():
            click.echo(
                f"\nStopped at {bar.pos} of {counted(len(found), 'file')}; what was read is kept and "
                "can be asked. The same command goes on from there.",
                err=True,
            )
            raise
    await bank.rooms.store.maintain()
    return reports


def _processes(found: Sequence[Path]) -> int:
    """As many as there are processors, where the work outweighs starting them."""
    much = sum(path.stat().st_size for path in found if path.exists()) > PROCESSES_PAY
    return min(os.cpu_count() or 1, MOST_PROCESSES) if much else 0


def _shown(report: object) -> str | None:
    """What the bar says of the file that was read last."""
    if not isinstance(report, FileReport):
        return None
    return f"{report.format or report.status}, {counted(report.steps, 'step')}"
