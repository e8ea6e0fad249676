"""`mcp-memory consolidate`: what deserves a memory, and memories applied from a file."""

from datetime import datetime
from pathlib import Path

import click
import orjson

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, show
from mcp_memory.domain.asked import Planning
from mcp_memory.domain.models import Draft


@click.command("consolidate")
@click.argument("action", type=click.Choice(["plan", "apply", "undo"]), default="plan")
@click.argument("argument", default="")
@click.option("--retire", multiple=True, help="A memory to put to rest, m:….")
@options.since
@click.option("--about", multiple=True, help="plan: only what touches this ref, file or error.")
@click.option("--limit", type=click.IntRange(1, 100), default=12, help="plan: most proposals.")
@options.project
@options.as_json
@command
async def consolidate_command(
    action: str,
    argument: str,
    retire: tuple[str, ...],
    since: datetime | None,
    about: tuple[str, ...],
    limit: int,
    project: str | None,
    as_json: bool,
) -> None:
    """`plan`, `apply FILE` (a JSON list of memories), or `undo BATCH`."""
    from mcp_memory.cli.opening import opened

    async with opened(project=project) as bank:
        if action == "plan":
            asked = Planning(project=project, since=since, about=about, limit=limit)
            show(await bank.plan(asked), as_json=as_json)
        elif action == "undo":
            show(await bank.undo(argument), as_json=as_json)
        else:
            drafts = _drafts(Path(argument)) if argument else ()
            show(await bank.apply(drafts, retire=retire), as_json=as_json)


def _drafts(path: Path) -> tuple[Draft, ...]:
    try:
        listed = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ending.Failed(f"{path}: {error}. Nothing was changed.") from error
    if not isinstance(listed, list):
        raise ending.Failed(f"{path} is not a JSON list of memories. Nothing was changed.")
    return tuple(Draft.model_validate(item) for item in listed)
