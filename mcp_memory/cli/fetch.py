"""`mcp-memory fetch`: what refs name, within a budget."""

from datetime import datetime

import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import ask, command, show
from mcp_memory.domain.asked import Reading, Show
from mcp_memory.domain.fetched import FetchResult


@click.command("fetch")
@click.argument("refs", nargs=-1, required=True)
@click.option("--around", type=click.IntRange(0, 20), default=0, help="Steps before and after.")
@click.option("--match", default="", help="Words: of long steps, the lines that hold them stay.")
@click.option(
    "--show",
    "shown",
    type=click.Choice(["everything", "prose", "calls"]),
    default="everything",
    help="All; what was said; or commands and edits with how they ended.",
)
@options.as_of
@options.budget_tokens
@options.as_json
@command
async def fetch_command(
    refs: tuple[str, ...],
    around: int,
    match: str,
    shown: Show,
    as_of: datetime | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Read what REFS name; those too long for the budget are shortened, and say where to go on."""
    asked = Reading(
        refs=refs,
        around=around,
        match=match,
        show=shown,
        as_of=as_of,
        budget_tokens=budget_tokens,
    )
    found = await ask("fetch", FetchResult, **asked.model_dump(mode="json"))
    show(found, as_json=as_json)
    ending.refused(len(found.unknown), done=bool(found.items))
