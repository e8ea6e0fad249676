"""`mcp-memory restore`: a file's text as a past session last wrote or read it."""

from datetime import datetime
from pathlib import Path

import anyio.to_thread
import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.blame import inside
from mcp_memory.cli.door import ask, command, here, json_text
from mcp_memory.cli.drawing.notes import spoken
from mcp_memory.search.named.restore import Restored
from mcp_memory.text.counting import counted


@click.command("restore")
@click.argument("path")
@options.until
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there instead of printing it; a file that exists is not overwritten.",
)
@click.option("--force", is_flag=True, help="Overwrite that file all the same.")
@options.project
@options.as_json
@command
async def restore_command(
    path: str,
    until: datetime | None,
    output: Path | None,
    force: bool,
    project: str | None,
    as_json: bool,
) -> None:
    """The text of PATH as a past session last wrote or read it, later changes carried out again.

    The text goes to standard output, what is known of it to standard error. Secrets were masked
    before they were kept and stay masks.
    """
    found = await ask(
        "restore",
        Restored,
        vectors=False,
        path=inside(path, here()),
        project=project,
        until=until.isoformat() if until else None,
    )
    if as_json:
        click.echo(json_text(found))
    else:
        _say(found)
    if not found.ref:
        ending.nothing()
    if output is not None:
        await anyio.to_thread.run_sync(_write, output, found.text, force)
    elif not as_json:
        click.echo(found.text, nl=False)


def _write(file: Path, text: str, force: bool) -> None:
    """Write it, but over nothing that is there unless that was said."""
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ending.Failed(
            f"{file} exists and was left as it is. Name another file, or give --force to overwrite it."
        ) from error
    except OSError as error:
        raise ending.Failed(f"{file} cannot be written ({error.strerror}).") from error
    click.echo(f"Written to {file}.", err=True)


def _say(found: Restored) -> None:
    """What is known of the text, on standard error."""
    for note in found.notes:
        click.echo(f"Note: {spoken(note)}", err=True)
    if not found.ref:
        click.echo(_nothing(found), err=True)
        return
    done = {"wrote": "written", "read": "read whole", "changed": "changed", "deleted": "deleted"}
    when = f" on {found.at.astimezone():%Y-%m-%d %H:%M}" if found.at else ""
    lines = [f"{found.path} as it was {done[found.how]}{when} in {found.ref} ({found.project})."]
    if found.doubts:
        lines.append(f"{counted(found.doubts, 'later change')} did not fit and may be missing.")
    if found.masked:
        lines.append(f"{counted(found.masked, 'secret')} in it is a mask: it was never kept.")
    if found.files:
        others = ", ".join(found.files[:3]) + (
            " …" if len(found.files) > len(found.files[:3]) else ""
        )
        lines.append(f"Also of that name: {others}")
    for line in lines:
        click.echo(line, err=True)


def _nothing(found: Restored) -> str:
    if not found.touched:
        return (
            f"No session touched {found.path}. "
            "Name it as it lies in the project, or ask all projects: --project '*'."
        )
    refs = " ".join(f"'{ref}'" for ref in found.touched[:3])
    return (
        f"{found.path} was touched in {counted(len(found.touched), 'session')}, and never seen "
        f"whole. Read what was seen of it: mcp-memory fetch {refs}"
    )
