"""`mcp-memory projects`: the bank's projects with the folders and remotes that are one; rename, merge."""

from collections.abc import Mapping, Sequence

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.drawing import screen
from mcp_memory.domain import projects
from mcp_memory.domain.identities import Identities
from mcp_memory.domain.models import Frozen
from mcp_memory.history import indexer, regrouping
from mcp_memory.text.counting import counted


class Shown(Frozen):
    """A project with its number of sessions, and what else it is called."""

    project: str
    sessions: int
    also: tuple[str, ...] = ()


@click.group("projects", invoke_without_command=True)
@options.as_json
@click.pass_context
def projects_command(ctx: click.Context, as_json: bool) -> None:
    """Show the bank's projects; with a command, rename or merge them."""
    if ctx.invoked_subcommand is None:
        _show(as_json)


@command
async def _show(as_json: bool) -> None:
    from mcp_memory.cli.opening import opened

    async with opened(vectors=False) as bank:
        shown = _known(await bank.rooms.store.projects(), bank.rooms.identities())
    if as_json:
        print_json(shown)
        return
    page = screen.Page()
    page.show(map(page.text, _table(shown)))


@projects_command.command("rename")
@click.argument("project")
@click.argument("name")
@options.as_json
@command
async def rename(project: str, name: str, as_json: bool) -> None:
    """Call PROJECT by NAME, such as the folder it lies in now; the former name is still found."""
    from mcp_memory.cli.opening import opened

    async with opened() as bank, indexer.elected(bank.rooms):
        moved = await regrouping.rename(bank.rooms, project, name)
    if as_json:
        print_json({"project": name, "moved": moved})
        return
    click.echo(f"Moved to {name}: {counted(moved, 'session')}.")


@projects_command.command("merge")
@click.argument("project")
@click.argument("into")
@options.as_json
@command
async def merge(project: str, into: str, as_json: bool) -> None:
    """Count PROJECT as INTO from now on: its sessions, its memories, and what is still to come."""
    from mcp_memory.cli.opening import opened

    async with opened() as bank, indexer.elected(bank.rooms):
        moved = await regrouping.merge(bank.rooms, project, into)
    if as_json:
        print_json({"project": into, "moved": moved})
        return
    click.echo(f"{counted(moved, 'session')} moved; `mcp-memory undo` takes a batch of them back.")


def _known(sizes: Mapping[str, int], known: Identities) -> list[Shown]:
    """The projects, the largest first; hashes that stand for a folder are no names."""
    shown = []
    for name, count in sorted(sizes.items(), key=lambda each: (-each[1], each[0])):
        also = [r for r, project in known.remotes.items() if known.named(project) == name]
        also += [a for a in known.names if known.named(a) == name and a != name.casefold()]
        named = sorted(one for one in also if not one.startswith(projects.HASHED))
        shown.append(Shown(project=name, sessions=count, also=tuple(named)))
    return shown


def _table(shown: Sequence[Shown]) -> list[str]:
    """One line a project, and below it what else it is called."""
    lines = []
    for one in shown:
        noun = "session " if one.sessions == 1 else "sessions"
        lines.append(f"{one.sessions:>6,} {noun}  {screen.short(one.project)}")
        lines += [f"{'':>17} also {screen.short(other)}" for other in one.also]
    return lines or ["No sessions yet; `mcp-memory index` reads them."]
