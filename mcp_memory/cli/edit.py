"""`mcp-memory edit`: a memory's file in the person's own editor, and taken in again."""

import os
from pathlib import Path

import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.ending import Failed, NotThere
from mcp_memory.cli.retain import by_agent
from mcp_memory.domain import refs
from mcp_memory.importing.by_hand import ByHand
from mcp_memory.settings import Settings
from mcp_memory.store.address import home_of
from mcp_memory.text.counting import counted


@click.command("edit")
@click.argument("ref", default="")
@options.as_json
@command
async def edit_command(ref: str, as_json: bool) -> None:
    """Open the file of REF in $VISUAL or $EDITOR; without REF, take in what was changed in files.

    Files lie in `memories/` of the home, one a memory. What is changed there is the user's word: a
    new version, or, where a file is deleted, a memory that is forgotten; `undo` takes it back.
    """
    from mcp_memory.cli.opening import opened

    if by_agent(os.environ):
        raise Failed("What is edited here is the user's word: an agent keeps memories by `retain`.")
    home_of(Settings()).must_be_folder(
        "keep memories as files to edit",
        instead="`mcp-memory retain --supersedes REF` writes a new version of one.",
    )
    async with opened() as bank:
        done = await bank.read_files()
        if ref:
            _open(bank.rooms.settings.memories_dir, ref)
            done = await bank.read_files()
    if as_json:
        print_json(done)
    else:
        _say(done)
    ending.refused(len(done.broken), done=done.any)


def _say(done: ByHand) -> None:
    """What was taken in, and what was not."""
    for what, changed in (
        ("changed", done.edited),
        ("new", done.added),
        ("forgotten", done.forgotten),
    ):
        if changed:
            click.echo(f"{counted(len(changed), 'memory', 'memories')} {what}: {' '.join(changed)}")
    for each in done.broken:
        click.echo(f"{each.where} was not read: {each.reason}")
    for note in done.notes:
        click.echo(note)
    if not (done.any or done.broken or done.notes):
        click.echo("Nothing was changed.")


def _open(folder: Path, ref: str) -> None:
    """A memory's file in the person's editor, until they leave it."""
    from mcp_memory.archive.memory_files import MemoryFolder

    wanted, held = str(refs.parse(ref)), MemoryFolder(folder)
    names = [name for name, note in held.notes().items() if note.ref == wanted]
    if not names:
        raise NotThere(f"{ref} has no file: no live memory has that ref.")
    click.edit(filename=str(held.root / names[0]))
