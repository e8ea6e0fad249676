"""`mcp-memory fetch`: what refs name, in full."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show
from mcp_memory.cli.opening import opened


@click.command("fetch")
@click.argument("refs", nargs=-1, required=True)
@click.option("--around", type=click.IntRange(0, 20), default=0, help="Steps before and after.")
@options.budget_tokens
@options.as_json
@command
async def fetch_command(
    refs: tuple[str, ...], around: int, budget_tokens: int | None, as_json: bool
) -> None:
    """Read in full what REFS name."""
    async with opened() as bank:
        show(await bank.fetch(refs, around=around, budget_tokens=budget_tokens), as_json=as_json)
