"""`mcp-memory inspect`: steps of one session, within a cap."""

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, json_text
from mcp_memory.cli.drawing import screen
from mcp_memory.domain.asked import Inspection
from mcp_memory.domain.models import Frozen


class Inspected(Frozen):
    """What was asked for, and the steps as text."""

    ref: str
    text: str


@click.command("inspect")
@click.argument("ref")
@click.option("--span", "span", metavar="A-B", help="Steps from A to B, as `5-9`, counted from 1.")
@click.option("--match", default="", help="Only steps whose words match this regular expression.")
@click.option("--files", is_flag=True, help="Only the files that the steps touch.")
@click.option("--errors", is_flag=True, help="Only what failed.")
@click.option("--commands", is_flag=True, help="Only commands, with their exit codes.")
@click.option(
    "--cap",
    type=click.IntRange(200, 1_000_000),
    default=12_000,
    show_default=True,
    help="Most characters shown.",
)
@options.as_json
@command
async def inspect_command(
    ref: str,
    span: str | None,
    match: str,
    files: bool,
    errors: bool,
    commands: bool,
    cap: int,
    as_json: bool,
) -> None:
    """Show the steps that REF names (t:…, t:…#12-15, e:….2), within a cap of characters."""
    asked = Inspection(
        match=match, files=files, errors=errors, commands=commands, cap=cap, span=span or ""
    )
    from mcp_memory.cli.opening import opened

    async with opened() as bank:
        told = await bank.inspect(ref, asked)
    if as_json:
        click.echo(json_text(Inspected(ref=ref, text=told)))
    elif screen.for_people():
        page = screen.Page()
        page.show(page.text(line) for line in told.splitlines())
    else:
        click.echo(told)
