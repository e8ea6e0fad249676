"""`mcp-memory said`: every text that hooks put before a model, as it was said."""

import json
from datetime import UTC, datetime

import click

from mcp_memory.cli import options
from mcp_memory.hooks import diary, ledger
from mcp_memory.hooks.ready import short
from mcp_memory.settings import Settings


@click.command("said")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Most texts shown."
)
@click.option("--kind", type=click.Choice([*ledger.KINDS, "switch"]), help="Only of this kind.")
@click.option("--session", default="", help="Only to this session, by its host's id.")
@options.as_json
def said_command(limit: int, kind: str | None, session: str, as_json: bool) -> None:
    """What was said unasked, newest last: when, of which kind, in which project, and its words."""
    asked = {session, short(session)} if session else set()
    found = [
        one
        for one in diary.entries(Settings().home)
        if kind in (None, one.kind) and (not asked or one.session in asked)
    ]
    shown = found[-limit:]
    if as_json:
        click.echo(json.dumps([one._asdict() for one in shown], indent=2, ensure_ascii=False))
        return
    if not shown:
        click.echo("Nothing was said yet: hooks speak when a session starts.")
        click.echo("Where there are none: mcp-memory install --hooks")
    for one in shown:
        at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{at} {one.kind} · {one.project} · session {one.session[:8]}")
        click.echo("".join(f"  {line}\n" for line in one.text.splitlines()))
