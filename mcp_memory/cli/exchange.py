"""`mcp-memory export` and `import`: a bank as JSON lines, and other banks' and tools' memories here."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, print_json, some
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.domain.reports import Imported
from mcp_memory.domain.vacancy import must_be_vacant
from mcp_memory.history import exchange
from mcp_memory.importing import bringing
from mcp_memory.store.home import read_meta
from mcp_memory.text.counting import counted


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--skills", is_flag=True, help="Established procedures as Agent Skills in a folder.")
@click.option("--project", default="*", help="With --skills: of one project only.")
@click.option("--force", is_flag=True, help="Overwrite what lies there.")
@options.as_json
@command
async def export_command(
    file: Path, skills: bool, project: str, force: bool, as_json: bool
) -> None:
    """Write the bank as JSON lines to FILE, or with --skills its procedures into the folder FILE.

    Secrets were masked before they came in.
    """
    from mcp_memory.cli.opening import opened
    from mcp_memory.memories import skills as made

    left: list[Path] = []
    if not skills:
        _free(file, force=force)
    async with opened() as bank:
        if skills:
            what = "skill"
            count, left = await made.export(bank.rooms, file, project=project, force=force)
        else:
            what, count = "record", await exchange.export(bank.rooms, file)
    if as_json:
        told = {"file": file, "what": what, "written": count}
        print_json({**told, "left": list(map(str, left))} if left else told)
    else:
        click.echo(f"{counted(count, what)} written to {file}")
        if left:
            click.echo(
                f"{len(left)} left as they are, which say something else; --force overwrites:"
            )
            for line in some(list(map(str, left))):
                click.echo(line)
    ending.refused(len(left), done=count > 0)


def _free(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder.", next_step="Name a file, or add --skills.")
    must_be_vacant(file, force=force)


@click.command("import")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--hosts", is_flag=True, help="Instead of PATH: CLAUDE.md, AGENTS.md and the like, and notes."
)
@click.option(
    "--format", "format_", type=click.Choice(bringing.FORMATS), help="Default: by content."
)
@click.option("--project", default="", help="Where memories go that name no project.")
@click.option(
    "--of-home",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A home of your own that wrote the export: what it sealed comes in as it was there.",
)
@options.as_json
@command
async def import_command(
    path: Path | None,
    hosts: bool,
    format_: str | None,
    project: str,
    of_home: Path | None,
    as_json: bool,
) -> None:
    """Read an export, or what another memory tool keeps in PATH; it comes in as candidates.

    Only lines that this home wrote itself (or one named by --of-home) keep their standing.
    """
    from mcp_memory.cli.opening import opened

    keys = () if of_home is None else (_key(of_home),)
    if (path is None) is not hosts:
        raise click.UsageError("Name a PATH, or give --hosts.")
    async with opened() as bank:
        if path is None:
            sources = await bringing.of_hosts(bank.rooms)
        else:
            sources = [bringing.Source(path, format_ or "", project, keys)]
        every = []
        for source in sources:
            done = await bringing.import_(bank.rooms, source)
            every.append((source.path, done))
            for line in () if as_json else told(done):
                click.echo(f"{source.path}: {line}" if hosts else line)
    if as_json:
        print_json([{"path": path, **done.model_dump(mode="json")} for path, done in every])
    elif not sources:
        click.echo("No host keeps a memory of its own here.")
    took = any(done.sessions or done.memories or done.uses or done.known for _, done in every)
    ending.refused(sum(len(done.refused) for _, done in every), done=took)


def told(done: Imported) -> Iterator[str]:
    """What an import came to: what was taken, and how often what was refused."""
    parts = [
        counted(count, *names)
        for count, names in (
            (done.sessions, ("session",)),
            (done.memories, ("memory", "memories")),
            (done.uses, ("use",)),
        )
        if count
    ]
    standing = "" if done.own or not done.memories else ", as candidates"
    masked = f"; {counted(done.masked, 'secret')} masked" if done.masked else ""
    yield (
        f"{done.format}: {', '.join(parts) or 'nothing'} taken{standing}, {done.known} were there, "
        f"{len(done.refused)} refused{masked}"
    )
    reasons = Counter(each.reason for each in done.refused)
    first = {each.reason: each.where for each in reversed(done.refused)}
    yield from some(
        [f"{count} x {why} (first: {first[why]})" for why, count in reasons.most_common()]
    )
    if done.batch:
        yield f"Batch {done.batch}: `mcp-memory undo {done.batch}` takes it back."


def _key(home: Path) -> bytes:
    meta = read_meta(home / "store")
    if meta is None:
        raise InvalidInput(f"{home} is no home of a bank.", next_step="Name the folder itself.")
    return bytes.fromhex(meta.key)
