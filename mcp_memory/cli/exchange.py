"""`mcp-memory export` and `import`: a bank as one file of JSON lines."""

from pathlib import Path

import click

from mcp_memory.cli.door import command
from mcp_memory.cli.opening import opened
from mcp_memory.history import exchange
from mcp_memory.text.counting import counted


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@command
async def export_command(file: Path) -> None:
    """Write the bank as JSON lines to FILE; secrets were masked before they came in."""
    async with opened() as bank:
        count = await exchange.export(bank.rooms, file)
    click.echo(f"{counted(count, 'record')} written to {file}")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@command
async def import_command(file: Path) -> None:
    """Read JSON lines that `export` wrote; what the bank has already is passed over."""
    async with opened() as bank:
        done = await exchange.import_(bank.rooms, file)
    click.echo(
        f"{counted(done.added, 'record')} added, {done.known} were there, {len(done.refused)} refused"
    )
    for reason in done.refused[:20]:
        click.echo(f"  {reason}")
    if done.batch:
        click.echo(f"Batch {done.batch}")
