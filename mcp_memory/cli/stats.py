"""`mcp-memory stats`: whether what hooks say pays, and which of it may as well be silent."""

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
    """What hooks said unasked, by event and by kind, and whether it was opened, used and gone by.

    `opened`: fetched afterwards; `used`: cited by a memory, given feedback, or named by the agent
    in the session that was told; `followed`: the session ran or edited what it was told. The ledger
    holds refs and counts, no contents; `mcp-memory said` shows the texts.
    """
    home = Settings().home
    kinds = ledger.summary(home, by_kind=True)
    rows, said = ledger.as_table(ledger.summary(home)), ledger.as_table(kinds, "kind")
    idle = [name for name, tally in kinds.items() if tally.idle]
    if as_json:
        click.echo(json.dumps([*rows, *said], indent=2))
        return
    page = screen.Page()
    if any(number for row in rows for number in list(row.values())[1:]):
        page.show([_table(page, rows), page.text(""), _table(page, said), *_told(page, idle)])
    else:
        page.show(
            [
                page.text("Hooks have said nothing yet: they speak when a session starts."),
                page.text(("Where there are none: ", "dim"), "mcp-memory install --hooks"),
            ]
        )


def _table(page: screen.Page, rows: Sequence[Mapping[str, Any]]) -> Any:
    names = list(rows[0])
    table = page.table(names, right=names[1:])
    for row in rows:
        table.add_row(str(row[names[0]]), *(f"{row[name]:,}" for name in names[1:]))
    return table


def _told(page: screen.Page, idle: Sequence[str]) -> Iterator[Any]:
    for kind in idle:
        yield page.text(
            (f"Nothing came of what was said of kind {kind}: it may as well be silent. ", "dim"),
            f"mcp-memory unasked off --kind {kind}",
        )
