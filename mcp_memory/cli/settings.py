"""`mcp-memory settings`: every setting, its value and its sentence."""

from collections.abc import Iterator
from typing import Any

import click
import orjson

from mcp_memory.cli import options, settings_table
from mcp_memory.cli.drawing import screen
from mcp_memory.settings import PREFIX, Settings


@click.command("settings")
@click.option("--markdown", is_flag=True, help="Print them as a table in Markdown.")
@options.as_json
def settings_command(markdown: bool, as_json: bool) -> None:
    """Every setting, its value and its sentence; those that were set are marked."""
    if markdown:
        click.echo(settings_table.markdown())
        return
    current = Settings()
    if as_json:
        told = {
            f"{PREFIX}{name.upper()}": value
            for name, value in current.model_dump(mode="json").items()
        }
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
        return
    page = screen.Page()
    page.show(_lines(page, current))


def _lines(page: screen.Page, current: Settings) -> Iterator[Any]:
    for name, field in Settings.model_fields.items():
        value = getattr(current, name)
        told = ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        style = "good" if name in current.model_fields_set else ""
        yield page.text((f"{PREFIX}{name.upper()}", "head"), "=", (told, style))
        yield page.body(field.description or "")
