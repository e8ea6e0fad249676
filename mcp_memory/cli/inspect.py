"""`mcp-memory inspect`: steps of one session, within a cap."""

import click

from mcp_memory.cli.door import command
from mcp_memory.cli.opening import opened
from mcp_memory.domain.asked import Inspection


@click.command("inspect")
@click.argument("ref")
@click.option("--span", "span", help="Steps A:B, counted from 1.")
@click.option("--match", default="", help="Only steps whose words match this regular expression.")
@click.option("--files", is_flag=True, help="Only the files that the steps touch.")
@click.option("--errors", is_flag=True, help="Only what failed.")
@click.option("--commands", is_flag=True, help="Only commands, with their exit codes.")
@click.option("--cap", type=click.IntRange(200, 1_000_000), default=12_000, show_default=True)
@command
async def inspect_command(
    ref: str,
    span: str | None,
    match: str,
    files: bool,
    errors: bool,
    commands: bool,
    cap: int,
) -> None:
    """Show the steps that REF names (t:…, t:…#12-15, e:….2), within a cap of characters."""
    asked = Inspection(
        match=match, files=files, errors=errors, commands=commands, cap=cap, span=span or ""
    )
    async with opened() as bank:
        click.echo(await bank.inspect(ref, asked))
