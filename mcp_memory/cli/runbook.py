"""`mcp-memory runbook`: instructions for one task, each line with its evidence."""

from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import ask, command, show
from mcp_memory.domain.asked import Task
from mcp_memory.domain.models import Runbook


@click.command("runbook")
@click.argument("task")
@click.option("--query", "queries", multiple=True, help="A question that the task raises.")
@click.option("--error", default="", help="An error text to get past.")
@options.files
@options.project
@options.as_of
@options.budget_tokens
@options.as_json
@command
async def runbook_command(
    task: str,
    queries: tuple[str, ...],
    error: str,
    files: tuple[str, ...],
    project: str | None,
    as_of: datetime | None,
    budget_tokens: int | None,
    as_json: bool,
) -> None:
    """Evidence-backed instructions for one TASK."""
    asked = Task(
        text=task,
        queries=queries,
        error=error,
        files=files,
        project=project,
        as_of=as_of,
        budget_tokens=budget_tokens,
    )
    show(await ask("runbook", Runbook, **asked.model_dump(mode="json")), as_json=as_json)
