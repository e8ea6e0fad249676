"""`mcp-memory unasked`: how much hooks say, everywhere, in a project, to a host or in a session."""

import json
from collections.abc import Mapping

import click

from mcp_memory.cli import options
from mcp_memory.domain import identities, projects
from mcp_memory.hooks import ledger, switches
from mcp_memory.settings import Settings


@click.command("unasked")
@click.argument("level", required=False, type=click.Choice(["on", *switches.LEVELS]))
@click.option("--project", help="Only in the project of this folder; `.` is the one you stand in.")
@click.option("--host", help="Only to this host, such as claude-code.")
@click.option("--session", help="Only in this session, by its host's id.")
@click.option("--kind", type=click.Choice(ledger.KINDS), help="Only of this kind.")
@options.as_json
def unasked_command(
    level: str | None,
    project: str | None,
    host: str | None,
    session: str | None,
    kind: str | None,
    as_json: bool,
) -> None:
    """How much is said unasked: off, quiet, normal or talkative; `on` takes a switch back.

    Without LEVEL: what is switched. The narrowest switch counts: a session's before a host's before a
    project's. In a session its user can say `memory off` (or on, quiet, normal, talkative) as a prompt
    of its own. `quiet` says the briefing and what is surest; `talkative` also what helps in
    half of the cases.
    """
    home = Settings().home
    if level is not None:
        scope, name = _scope(project, host, session, kind)
        if scope == "kinds" and level not in ("on", "off"):
            raise click.UsageError("A kind is on or off.")
        switches.switch(home, scope, name, level)
    told = switches.read(home)
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    _show(told)


def _scope(
    project: str | None, host: str | None, session: str | None, kind: str | None
) -> tuple[str, str]:
    given = {"projects": project, "hosts": host, "sessions": session, "kinds": kind}
    named = [(scope, name) for scope, name in given.items() if name is not None]
    if len(named) > 1:
        raise click.UsageError("Name one of --project, --host, --session and --kind.")
    scope, name = named[0] if named else ("everywhere", "")
    if scope == "projects":
        from pathlib import Path

        folder = str(Path(name).expanduser().absolute())
        name = identities.read(Settings().home).named(projects.project_of(folder))
    return scope, name


def _show(told: Mapping[str, Mapping[str, str]]) -> None:
    lines = [
        f"{scope.removesuffix('s') if name else scope}{f' {name}' if name else ''}: {level}"
        for scope, switched in told.items()
        for name, level in switched.items()
    ]
    click.echo("\n".join(lines) or "Nothing is switched: normal everywhere.")
