"""`mcp-memory recent`: the newest sessions as they were left."""

from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, show
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult


@click.command("recent")
@options.period
@click.option(
    "--limit", type=click.IntRange(1, 50), default=8, show_default=True, help="Most sessions shown."
)
@options.project
@options.budget_tokens
@options.as_json
@command
async def recent_command(
    since: datetime | None,
    until: datetime | None,
    limit: int,
    project: str | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Where work was left off: the newest sessions, what came of them, and what is open."""
    query = Query(
        since=since, until=until, limit=limit, project=project, budget_tokens=budget_tokens
    )
    found = await ask("recent", SearchResult, vectors=False, **query.model_dump(mode="json"))
    show(found, as_json=as_json)
