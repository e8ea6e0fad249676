"""`mcp-memory settings`: every setting, its value and its sentence."""

import click

from mcp_memory.cli import settings_table
from mcp_memory.settings import Settings


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
