"""`mcp-memory stats`: whether what hooks say pays."""

import json

import click

from mcp_memory.cli import options
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
    names = list(rows[0])
    click.echo(
        "  ".join(f"{name:>8}" if place else f"{name:<17}" for place, name in enumerate(names))
    )
    for row in rows:
        click.echo(
            "  ".join(
                f"{row[name]:>8,}" if place else f"{row[name]:<17}"
                for place, name in enumerate(names)
            )
        )
