"""`status`, `export`, `import`, `doctor` and `settings`: the bank looked at, moved and mended."""

from pathlib import Path

import click

from mcp_memory import checkup
from mcp_memory.cli import settings_table
from mcp_memory.cli.door import command, json_text, opened
from mcp_memory.history import exchange
from mcp_memory.settings import Settings


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@command
async def status_command(as_json: bool) -> None:
    """What the bank holds and how it is."""
    async with opened() as bank:
        status = await bank.status()
    if as_json:
        click.echo(json_text(status))
        return
    click.echo(f"{status.home} (schema {status.schema_version}, {status.bytes / 1e6:.1f} MB)")
    click.echo(", ".join(f"{count} {name}" for name, count in status.counts.items()))
    for project, count in sorted(status.projects.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {count} sessions · {project}")
    click.echo(f"vectors by {status.model}")
    for note in status.notes:
        click.echo(f"Note: {note}")


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@command
async def export_command(file: Path) -> None:
    """Write the bank as JSON lines to FILE; secrets were masked before they came in."""
    async with opened() as bank:
        count = await exchange.export(bank.rooms, file)
    click.echo(f"{count} records written to {file}")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@command
async def import_command(file: Path) -> None:
    """Read JSON lines that `export` wrote; what the bank has already is passed over."""
    async with opened() as bank:
        done = await exchange.import_(bank.rooms, file)
    click.echo(f"{done.added} records added, {done.known} were there, {len(done.refused)} refused")
    for reason in done.refused[:20]:
        click.echo(f"  {reason}")
    if done.batch:
        click.echo(f"Batch {done.batch}")


@click.command("doctor")
@click.option("--rebuild", is_flag=True, help="Write the archive and the indexes anew.")
@click.option("--reembed", is_flag=True, help="Make all vectors anew with the configured model.")
@command
async def doctor_command(rebuild: bool, reembed: bool) -> None:
    """Check the bank; what is derived can be made anew from the store."""
    async with opened() as bank:
        if reembed:
            click.echo(f"{await checkup.reembed(bank.rooms)} vectors made anew")
        if rebuild:
            click.echo(f"{await checkup.rebuild(bank.rooms)} sessions written anew")
        findings = await checkup.check(bank.rooms)
    for finding in findings:
        click.echo(f"{'ok ' if finding.good else 'BAD'} {finding.what}")
    if not all(finding.good for finding in findings):
        raise click.ClickException("`mcp-memory doctor --rebuild` repairs what is derived.")


@click.command("settings")
@click.option("--markdown", is_flag=True, help="Print the table of the README.")
def settings_command(markdown: bool) -> None:
    """Every setting, its value and its sentence."""
    if markdown:
        click.echo(settings_table.markdown())
        return
    current = Settings()
    for name, field in Settings.model_fields.items():
        click.echo(f"MCP_MEMORY_{name.upper()}={getattr(current, name)}\n  {field.description}")
