"""`mcp-memory projects`: the bank's projects with the folders and remotes that are one; rename, merge."""

from collections.abc import Mapping

import click

from mcp_memory.cli.door import command
from mcp_memory.cli.opening import opened
from mcp_memory.domain.identities import Identities
from mcp_memory.history import indexer, regrouping
from mcp_memory.text.counting import counted


@click.group("projects", invoke_without_command=True)
@click.pass_context
def projects_command(ctx: click.Context) -> None:
    """Show the bank's projects; with a command, rename or merge them."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(_show)


@command
async def _show() -> None:
    async with opened() as bank:
        sizes = await bank.rooms.store.projects()
        for line in _table(sizes, bank.rooms.identities()):
            click.echo(line)


@projects_command.command("rename")
@click.argument("project")
@click.argument("name")
@command
async def rename(project: str, name: str) -> None:
    """Call PROJECT by NAME, such as the folder it lies in now; the former name is still found."""
    async with opened() as bank:
        with indexer.elected(bank.rooms):
            moved = await regrouping.rename(bank.rooms, project, name)
    click.echo(f"Moved to {name}: {counted(moved, 'session')}.")


@projects_command.command("merge")
@click.argument("project")
@click.argument("into")
@command
async def merge(project: str, into: str) -> None:
    """Count PROJECT as INTO from now on: its sessions, its memories, and what is still to come."""
    async with opened() as bank:
        with indexer.elected(bank.rooms):
            moved = await regrouping.merge(bank.rooms, project, into)
    click.echo(f"{counted(moved, 'session')} moved; `mcp-memory undo` takes a batch of them back.")


def _table(sizes: Mapping[str, int], known: Identities) -> list[str]:
    """One line a project, the largest first, and below it what else it is called."""
    lines = []
    for name, count in sorted(sizes.items(), key=lambda each: (-each[1], each[0])):
        lines.append(f"{count:>6} sessions  {name}")
        also = [r for r, project in known.remotes.items() if known.named(project) == name]
        also += [a for a in known.names if known.named(a) == name and a != name.casefold()]
        lines += [f"{'':>17} also {other}" for other in sorted(also)]
    return lines or ["No sessions yet; `mcp-memory index` reads them."]
