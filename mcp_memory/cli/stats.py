"""`mcp-memory stats`: whether what hooks say pays."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from mcp_memory.cli import options
from mcp_memory.cli.drawing import screen
from mcp_memory.hooks import ledger
from mcp_memory.settings import Settings


@click.command("stats")
@options.as_json
def stats_command(as_json: bool) -> None:
    """What hooks said unasked, and whether it was opened and used, event by event.

    `opened`: fetched afterwards; `used`: cited by a memory, given feedback, or named by the agent
    in the session that was told. The ledger holds refs and counts, no contents.
    """
    rows = ledger.as_table(ledger.summary(Settings().home))
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    page = screen.Page()
    names = list(rows[0])
    table = page.table(names, right=names[1:])
    for row in rows:
        table.add_row(str(row[names[0]]), *(f"{row[name]:,}" for name in names[1:]))
    page.show([table, *_said(page, rows)])


def _said(page: screen.Page, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    if not any(number for row in rows for number in list(row.values())[1:]):
        yield page.text(
            ("Hooks have said nothing yet; they are put in with ", "dim"),
            "mcp-memory install --hooks",
        )
