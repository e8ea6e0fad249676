"""`mcp-memory list`: sessions, memories, projects or changes, newest first."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
import orjson

from mcp_memory import hosts
from mcp_memory.cli import options
from mcp_memory.cli.door import command
from mcp_memory.cli.drawing import screen
from mcp_memory.domain.contract import Listable
from mcp_memory.domain.models import Listed
from mcp_memory.domain.projects import pure_path
from mcp_memory.server import answers

EMPTY = {
    "sessions": "No sessions. `mcp-memory index` reads what the agents on this machine left.",
    "memories": "Nothing was learned yet. Agents keep memories with `retain`, and you with "
    "`mcp-memory retain TEXT`; `mcp-memory consolidate` says what may deserve one.",
    "projects": "No projects. `mcp-memory index` reads what the agents on this machine left.",
    "changes": "Nothing was changed yet.",
}


@click.command("list")
@click.argument(
    "what", type=click.Choice(["sessions", "memories", "projects", "changes"]), default="sessions"
)
@click.option(
    "--project",
    metavar="NAME",
    help="Project path or folder name; `*` for all (default).",
    default="*",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="Most lines shown.",
)
@options.as_json
@command
async def list_command(what: Listable, project: str, limit: int, as_json: bool) -> None:
    """List sessions, memories, projects, or changes, newest first.

    Sessions that people began come before those that sessions began as sub-agents.
    """
    from mcp_memory.cli.opening import opened

    async with opened(vectors=False, project=project) as bank:
        lines = await bank.listing(what, project=project, limit=limit)
    if as_json:
        told = [answers.as_structure(line) for line in lines]
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    elif not lines:
        click.echo(EMPTY[what], err=True)
    elif screen.for_people():
        page = screen.Page()
        page.show(_drawn(page, what, lines, full=len(lines) == limit))
    else:
        for line in lines:
            click.echo(answers.one_line(line))


def _drawn(
    page: screen.Page, what: Listable, lines: Sequence[Listed], *, full: bool
) -> Iterator[Any]:
    heads = {
        "sessions": ("when", "agent", "steps", "what", "ref"),
        "memories": ("when", "kind", "standing", "what", "ref"),
        "projects": ("sessions", "what"),
        "changes": ("when", "change", "what", "ref"),
    }[what]
    table = page.table(heads, right=("steps", "sessions"), flexible="what")
    for line in lines:
        table.add_row(*_row(page, what, line))
    yield table
    if full:
        yield page.text(("There may be more: --limit 500", "dim"))


def _row(page: screen.Page, what: Listable, line: Listed) -> list[Any]:
    ref = page.text((line.ref, "ref"))
    when = page.text((page.when(line.at), "dim"))
    title = " ".join(line.title.split())
    if what == "sessions":
        agent, outcome, steps, *marks = line.marks
        style = {"success": "good", "failure": "bad"}.get(outcome, "")
        beside = f"  ({', '.join(marks)})" if marks else ""
        project = pure_path(line.project).name
        told = page.text((f"{project}: ", "dim"), (title, style), (beside, "dim"))
        return [when, hosts.named(agent), steps.split()[0], told, ref]
    if what == "memories":
        kind, standing, *marks = line.marks
        beside = f"  ({', '.join(marks)})" if marks else ""
        return [when, kind, standing, page.text(title, (beside, "dim")), ref]
    if what == "projects":
        return [line.marks[0].split()[0], page.path(line.ref, "")]
    op, *marks = line.marks
    return [when, op, page.text((" · ".join(marks), "dim")), ref]
