"""`mcp-memory search`: past sessions and memories, asked."""

from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, show
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Outcome
from mcp_memory.text import wording


@click.command("search")
@click.argument("queries", nargs=-1)
@options.kinds
@click.option(
    "--outcome", type=click.Choice([o.value for o in Outcome]), help="Only what ended so."
)
@options.period
@options.as_of
@click.option("--path", default="", help="A file or folder that steps read, edited or ran.")
@click.option("--within", default="", help="A session, t:…, or an episode, e:….")
@click.option("--match", default="", help="A regular expression over all that is stored.")
@click.option(
    "--order",
    type=click.Choice(["best", "newest"]),
    default="best",
    show_default=True,
    help="What stands first.",
)
@click.option("--explain", is_flag=True, help="With --json: why each hit stands where it does.")
@click.option(
    "--limit", type=click.IntRange(1, 50), default=8, show_default=True, help="Most hits shown."
)
@options.project
@options.budget_tokens
@options.as_json
@command
async def search_command(
    queries: tuple[str, ...],
    kinds: tuple[str, ...],
    outcome: str | None,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
    path: str,
    within: str,
    match: str,
    order: str,
    explain: bool,
    limit: int,
    project: str | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Ask past sessions and memories; several QUERIES share the answer.

    Without QUERIES: what happened within a time, path, session or expression, newest first.
    """
    if not (queries or since or until or path or within or match):
        raise click.UsageError("Ask a question, or narrow by time, path, session or expression.")
    query = Query.model_validate(
        {
            "texts": queries,
            "kinds": kinds,
            "project": project,
            "outcome": outcome,
            "since": since,
            "until": until,
            "as_of": as_of,
            "path": path,
            "within": within,
            "match": match,
            "order": order,
            "explain": explain,
            "limit": limit,
            "budget_tokens": budget_tokens,
        }
    )
    words = wording.informative(" ".join(queries))
    found = await ask("search", SearchResult, **query.model_dump(mode="json"))
    show(found, as_json=as_json, words=words)
