"""`mcp-memory dream`: the user's own agent, started once to consolidate, and what came of it."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
import click

from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, json_text, show
from mcp_memory.cli.drawing import waiting
from mcp_memory.cli.retain import users_own
from mcp_memory.domain.asked import Planning
from mcp_memory.domain.models import Consolidation, Frozen, Memory, State
from mcp_memory.hosts import headless
from mcp_memory.hosts.headless import Ended, Errand, Start
from mcp_memory.hosts.installing.launch import launch
from mcp_memory.settings import Settings
from mcp_memory.text import guard
from mcp_memory.text.counting import counted


class Kept(Frozen):
    """A memory that a dream kept."""

    ref: str
    text: str
    standing: str


class Dreamt(Frozen):
    """What `dream` answers."""

    host: str
    batch: str = ""
    memories: tuple[Kept, ...] = ()
    """What the one batch changed; those it put to rest stand among them."""
    proposals: int = 0
    tokens: int = 0
    """Read by the host from this bank; its model's own use is its host's to tell."""
    refused: int = 0
    """How often the gate said no."""
    seconds: float = 0
    notes: tuple[str, ...] = ()


class Wish(NamedTuple):
    """What the user allows."""

    host: str
    project: str | None
    proposals: int
    tokens: int
    minutes: float
    model: str


class Prepared(NamedTuple):
    """What is started, and how it is known again."""

    id: str
    """Who acts, in the ledger."""
    note: Path
    prompt: str
    start: Start


@click.command("dream")
@click.option(
    "--host", type=click.Choice([*headless.HOSTS]), help="Whose agent is started, as you use it."
)
@click.option(
    "--proposals", type=click.IntRange(1, 20), default=6, show_default=True, help="Most memories."
)
@click.option(
    "--tokens",
    type=click.IntRange(1_000, 1_000_000),
    default=40_000,
    show_default=True,
    help="Most that it may read from the bank.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 120),
    default=10,
    show_default=True,
    help="Then it is stopped.",
)
@click.option("--model", default="", help="Its model, as the host spells it; else the host's own.")
@click.option("--dry-run", is_flag=True, help="Show what it would be given, and start nothing.")
@click.option("--serve", type=click.Path(path_type=Path), hidden=True, help="What the host starts.")
@options.project
@options.as_json
def dream_command(  # PLR0913: each is an option
    host: str | None,
    proposals: int,
    tokens: int,
    minutes: float,
    model: str,
    dry_run: bool,
    serve: Path | None,
    project: str | None,
    as_json: bool,
) -> None:
    """Let your own agent consolidate: it reads the plan's spans and applies one batch.

    It is started headless, with three of our tools and no others, in an empty folder. What the gate
    let in is one batch, which `undo` takes back. It is never started unasked.
    """
    if serve is not None:
        _serve(serve)
        return
    if host is None:
        raise click.UsageError(f"Say which agent: --host {' or '.join(headless.HOSTS)}.")
    wish = Wish(host, project, proposals, tokens, minutes, model)
    _dream(wish, dry_run=dry_run, as_json=as_json)


def _serve(note: Path) -> None:
    """What the host starts, over stdio."""
    from mcp_memory.server import dreaming

    budget = dreaming.Budget.model_validate_json(note.read_bytes())
    dreaming.build(Settings(), budget).run("stdio")


@command
async def _dream(wish: Wish, *, dry_run: bool, as_json: bool) -> None:
    from mcp_memory.cli.opening import opened  # LanceDB: not for what the host starts

    if not dry_run:
        users_own("send an agent to dream")
    async with opened(project=wish.project) as bank:
        planned = await bank.plan(Planning(project=wish.project, limit=wish.proposals))
        place = wish.project or bank.rooms.project
        place = bank.rooms.identities().named(place)
    if not planned.groups and not dry_run:
        show(planned, as_json=as_json)
        return
    home = Settings().dreams_dir
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="dream-", dir=home) as made:
        prepared = _prepared(wish, place, Path(made))
        if dry_run:
            _told(planned, prepared, wish, as_json=as_json)
            return
        began = time.monotonic()
        waiting.begin(f"{wish.host} reads {counted(len(planned.groups), 'proposal')} …")
        ended = await anyio.to_thread.run_sync(
            headless.run, _found(prepared.start, wish.host), Path(made), wish.minutes * 60
        )
        waiting.end()
        seconds = round(time.monotonic() - began, 1)
        dreamt = await _came_of(wish, prepared, ended)
    dreamt = dreamt.model_copy(update={"proposals": len(planned.groups), "seconds": seconds})
    click.echo(json_text(dreamt) if as_json else "\n".join(_lines(dreamt)))
    if ended.code != 0 and not dreamt.batch:
        raise ending.Failed(_went_wrong(wish, ended))


def _prepared(wish: Wish, project: str, folder: Path) -> Prepared:
    from mcp_memory.server import dreaming  # the SDK: 0.3 s

    id_ = f"dream {folder.name.removeprefix('dream-')} by {wish.host}"
    note, told = folder / "spent.json", folder / "budget.json"
    budget = dreaming.Budget(id=id_, proposals=wish.proposals, tokens=wish.tokens, note=note)
    told.write_text(budget.model_dump_json(), encoding="utf-8")
    prompt = dreaming.prompt(budget)
    ours = {name: value for name, value in os.environ.items() if name.startswith("MCP_MEMORY_")}
    launched = launch()
    errand = Errand(
        prompt=prompt,
        argv=(*launched.argv[:-1], "dream", "--serve", str(told)),
        environment={**ours, **launched.environment, "MCP_MEMORY_PROJECT": project},
        tools=tuple(tool.call.__name__ for tool in dreaming.OFFERED),
        folder=folder,
        model=wish.model,
    )
    return Prepared(id_, note, prompt, headless.HOSTS[wish.host](errand))


def _found(start: Start, host: str) -> Start:
    """The start with the program's path.

    Raises:
        Failed: the program is not there.
    """
    program = shutil.which(start.argv[0])
    if program is None:
        raise ending.Failed(
            f"{start.argv[0]}, the program of {host}, is not on the PATH. Nothing was started."
        )
    return Start((program, *start.argv[1:]), start.environment, start.files)


async def _came_of(wish: Wish, prepared: Prepared, ended: Ended) -> Dreamt:
    """What the ledger has of the dream, whatever its host says of it."""
    from mcp_memory.cli.opening import opened
    from mcp_memory.search import spans
    from mcp_memory.server import dreaming

    took = dreaming.spent(prepared.note)
    async with opened(vectors=False) as bank:
        changes = await bank.rooms.store.ledger(op="consolidate")
        rows = [row for row in changes if row.actor == prepared.id]
        refs = rows[-1].refs if rows else ()
        memories = [await spans.current(bank.rooms, ref) for ref in refs]
    late = (f"It was stopped after {wish.minutes:g} minutes.",) if ended.code is None else ()
    return Dreamt(
        host=wish.host,
        batch=rows[-1].batch if rows else "",
        memories=tuple(
            Kept(ref=m.ref, text=m.title or m.text, standing=_standing(m)) for m in memories
        ),
        tokens=took.tokens,
        refused=took.refused,
        notes=late,
    )


def _standing(memory: Memory) -> str:
    return memory.standing.value if memory.state is State.LIVE else memory.state.value


def _lines(dreamt: Dreamt) -> list[str]:
    took = (
        f"{dreamt.host}: {counted(dreamt.proposals, 'proposal')}, {dreamt.tokens:,} tokens read, "
        f"the gate said no {counted(dreamt.refused, 'time')}, {dreamt.seconds:.0f} s"
    )
    if not dreamt.batch:
        return [took, "No batch passed the gate: nothing was changed.", *dreamt.notes]
    kept = [
        f"{one.ref} {one.standing} · {guard.neutralise(' '.join(one.text.split())[:160])}"
        for one in dreamt.memories
    ]
    back = f"Take it back: mcp-memory undo {dreamt.batch}"
    return [took, f"Batch {dreamt.batch}:", *(f"  {line}" for line in kept), back, *dreamt.notes]


def _told(planned: Consolidation, prepared: Prepared, wish: Wish, *, as_json: bool) -> None:
    """What would be started, and for what."""
    show(planned, as_json=as_json)
    if as_json:
        return
    words = ["TOLD" if word == prepared.prompt else word or "''" for word in prepared.start.argv]
    given = "".join(f", with {name}" for name in prepared.start.environment)
    click.echo(f"\nWould start in an empty folder{given}: {' '.join(words)}")
    click.echo(f"for at most {wish.minutes:g} minutes. TOLD is:\n{prepared.prompt}")


def _went_wrong(wish: Wish, ended: Ended) -> str:
    how = "did not end in time" if ended.code is None else f"ended with {ended.code}"
    said = f" It said last: {ended.said[-400:]}" if ended.said else ""
    return f"{wish.host} {how}; nothing was kept.{said}"
