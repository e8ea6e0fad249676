"""Hosts: the entries in their settings still start this server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread

from mcp_memory.checkup.findings import Finding, ill, well
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing.launch import is_ours
from mcp_memory.hosts.installing.targets import TARGETS, Target, command_of
from mcp_memory.rooms import Rooms


async def look(rooms: Rooms) -> list[Finding]:
    """Each host that names our server, and whether what it starts is there."""
    del rooms
    return await anyio.to_thread.run_sync(lambda: [each for t in TARGETS for each in _seen(t)])


async def mend(rooms: Rooms) -> list[str]:
    """Nothing: another program's settings are changed by `install` only, which shows what it does."""
    del rooms
    return []


def _seen(target: Target) -> Iterator[Finding]:
    file = target.file()
    if not file.is_file():
        return
    advice = f"`mcp-memory install {target.name}` writes the entry anew."
    try:
        told = target.form.load(file.read_text("utf-8"))
    except (OSError, ValueError, InvalidInput, RecursionError):
        yield ill("hosts", f"{target.title}'s settings cannot be read: {file}", f"Mend {file}.")
        return
    table = told.get(target.table) if isinstance(told, dict) else None
    for name, entry in table.items() if isinstance(table, dict) else ():
        argv = command_of(entry) if isinstance(entry, dict) else ()
        if is_ours(argv):
            program = str(argv[0])
            there = Path(program).is_file() or shutil.which(program) is not None
            what = f"{target.title} starts {program} as {name!r}"
            lacking = f"{what}, which is not there"
            yield well("hosts", what) if there else ill("hosts", lacking, advice)
