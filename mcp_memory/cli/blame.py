"""`mcp-memory blame`: which sessions changed a file, what they were asked for, and what became of it."""

from pathlib import Path

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, here, show_drawn


@click.command("blame")
@click.argument("path")
@click.option(
    "--limit",
    type=click.IntRange(1, 200),
    default=8,
    show_default=True,
    help="Most sessions shown.",
)
@options.project
@options.as_json
@command
async def blame_command(path: str, limit: int, project: str | None, as_json: bool) -> None:
    """Which sessions changed PATH, a file or a folder, and why; newest first.

    The request that led to the change, what the agent said just before it, what was taken out and
    put in, and what was committed.
    """
    from mcp_memory.cli.drawing import named
    from mcp_memory.search.named.blame import Blame

    where = inside(path, here())
    found = await ask("blame", Blame, vectors=False, path=where, project=project, limit=limit)
    show_drawn(found, named.blame, as_json=as_json, answered=bool(found.sessions))


def inside(path: str, root: str) -> str:
    """A path that lies here, as it is called in the project; any other as it was typed."""
    told = Path(path).expanduser()
    here = told if told.is_absolute() else Path.cwd() / told
    try:
        return here.resolve().relative_to(root).as_posix() if here.exists() else path
    except ValueError:
        return path
