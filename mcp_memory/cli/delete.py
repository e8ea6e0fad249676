"""`mcp-memory delete`: a preview first, then forgotten, restored or purged."""

from datetime import datetime

import click

from mcp_memory.cli import options
from mcp_memory.cli.door import command, show
from mcp_memory.domain.asked import DeletionMode, Filter

CONFIRMING = "To carry it out, run it again with --mode … --confirm {}"


@click.command("delete")
@click.argument("refs", nargs=-1)
@click.option(
    "--mode",
    type=click.Choice(["preview", "forget", "restore", "purge"]),
    default="preview",
    show_default=True,
    help="Forgotten records can be restored; purged ones are gone.",
)
@click.option("--contains", default="", help="Exact words that the record's text holds.")
@click.option("--session", default="", help="A session, t:….")
@click.option("--in-project", default="", metavar="NAME", help="Records of this project.")
@click.option("--path", default="", help="A file that the record touches.")
@options.sender
@options.kinds
@options.period
@click.option("--confirm", default="", help="What the preview printed.")
@options.as_json
@command
async def delete_command(
    refs: tuple[str, ...],
    mode: DeletionMode,
    contains: str,
    session: str,
    in_project: str,
    path: str,
    sender: str,
    kinds: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    confirm: str,
    as_json: bool,
) -> None:
    """Preview, forget, restore or purge REFS, or what the options describe."""
    asked = Filter.model_validate(
        {
            "contains": contains,
            "session": session,
            "project": in_project,
            "path": path,
            "kinds": kinds,
            "since": since,
            "until": until,
        }
    )
    chosen = None if asked == Filter() else asked
    from mcp_memory.cli import leaving
    from mcp_memory.cli.opening import opened
    from mcp_memory.forgetting import purging

    if mode == "purge":
        purging.telling.set(lambda what: click.echo(f"purge: {what}", err=True))
    async with opened() as bank:
        if sender:
            refs = (*refs, *await leaving.refs_of(bank, sender))
        done = await bank.delete(refs, chosen, mode=mode, confirm=confirm)
        show(done, as_json=as_json, confirming=CONFIRMING)
