"""`mcp-memory setup`: hosts and history found, one screen of what will be done, done once it is agreed to."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from mcp_memory import hosts
from mcp_memory.cli import changes, ending, options
from mcp_memory.cli.changes import NAMES, Changes, Planned
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.drawing.screen import Page, short
from mcp_memory.search.named.overview import Overview
from mcp_memory.settings import Settings
from mcp_memory.text.counting import counted

UNDO = "mcp-memory uninstall --everything"
BYTES_A_SECOND = 8_000_000
"""How fast transcripts were indexed on two cores, masks and vectors included."""


@dataclass(slots=True)
class Found:
    """The transcripts of one host."""

    name: str
    files: int
    bytes: int


@click.command("setup")
@click.argument("hosts", nargs=-1, type=NAMES, metavar="[HOST]...")
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option(
    "--no-hooks", is_flag=True, help="Leave hooks out: memory is asked, and says nothing unasked."
)
@click.option("--no-index", is_flag=True, help="Read no history now.")
@options.as_json
@command
async def setup_command(
    hosts: tuple[str, ...],
    yes: bool,
    dry_run: bool,
    no_hooks: bool,
    no_index: bool,
    as_json: bool,
) -> None:
    """Find the agents on this machine and their history, and set memory up for all of them.

    One screen says what will be done; it asks once. What was there is kept beside it, and
    `mcp-memory uninstall --everything` takes all of it back.
    """
    if as_json and not (yes or dry_run):
        raise click.UsageError("--json asks nothing: add --yes or --dry-run.")
    planned = changes.arriving(hosts, hooks=not no_hooks)
    histories = [] if no_index else _histories()
    page = Page()
    if not as_json:
        page.show(_told(page, planned, histories))
    anything = bool(planned.news or histories)
    if not (dry_run or anything) and planned.refused:
        raise ending.Failed("Nothing could be set up; nothing was changed.")
    done, seen = anything and not dry_run, None
    if done:
        _agreed(yes=yes)
        planned.carry_out(partial(_say, page, quiet=as_json))
        seen = await _indexed() if histories else None
    if as_json:
        told = {"done": done, "changes": planned.told()}
        print_json({**told, "histories": histories, "learned": seen})
    elif done:
        page.show([*(_learned(page, seen) if seen else ()), *_next(page, planned)])
    ending.refused(len(planned.refused), done=anything)


def _histories() -> list[Found]:
    found = []
    for host in hosts.HOSTS:
        sizes = [path.stat().st_size for path in host.transcripts() if path.is_file()]
        if sizes:
            found.append(Found(host.NAME, len(sizes), sum(sizes)))
    return sorted(found, key=lambda each: -each.bytes)


def _told(page: Page, planned: Changes, histories: Sequence[Found]) -> Iterator[Any]:
    """The one screen."""
    if not (planned.every or histories):
        yield page.text(("No agent and no history was found on this machine.", "warn"))
        yield page.text(
            "Name a host: ", ("mcp-memory setup claude-code", "head"), "; see it at work: ",
            ("mcp-memory tour", "head"),
        )  # fmt: skip
    if histories:
        yield page.text(("History found", "head"))
        for each in histories:
            size = f"{each.bytes / 1e6:.1f} MB"
            yield page.text(
                f"  {each.name:<14} {counted(each.files, 'transcript'):>18}  {size:>10}"
            )
        yield ""
    yield page.text(("What will be done", "head"))
    for planned_one in (*planned.news, *planned.refused):
        yield from planned_one.lines(page, done=False)
    idle = [each for each in planned.every if each.change is not None and not each.news]
    if idle:
        titles = ", ".join(dict.fromkeys(each.target.title for each in idle))
        yield page.labelled("·", f"{titles}: set up already, left as it is", wide=1)
    if histories:
        yield page.labelled("•", _reading(histories), wide=1)
    yield ""
    yield page.text(("Nothing leaves this machine. Undo all of it: ", "dim"), UNDO)


def _reading(histories: Sequence[Found]) -> str:
    """What reading the history comes to."""
    files = counted(sum(found.files for found in histories), "transcript")
    seconds = max(1, round(sum(found.bytes for found in histories) / BYTES_A_SECOND))
    took = f"{counted(round(seconds / 60), 'minute')}" if seconds >= 90 else f"{seconds} s"  # noqa: PLR2004
    return (
        f"{files} read into {short(Settings().home)}, secrets masked, about {took}; "
        "from then on new ones by themselves"
    )


def _agreed(*, yes: bool) -> None:
    """Ask once; without somebody to ask, nothing is done.

    Raises:
        ending.Failed: nobody agreed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ending.Failed("Nothing was changed: add --yes to carry it out without being asked.")
    if not click.confirm("Go on?", default=True):
        raise ending.Failed("Nothing was changed.")


def _say(page: Page, each: Planned, *, quiet: bool) -> None:
    """What became of one change; that nothing was to be done stood on the screen."""
    if not quiet and (each.news or each.change is None):
        page.show(each.lines(page, done=True))


async def _indexed() -> Overview:
    """All of the history, and the first that can be learned from it."""
    from mcp_memory.cli import intake
    from mcp_memory.cli.opening import opened
    from mcp_memory.history import following
    from mcp_memory.search.named.overview import overview

    async with opened() as bank:
        following.allow_everything(bank.rooms)
        await intake.everything(bank)
        return await overview(bank.rooms, project="*")


def _learned(page: Page, seen: Overview) -> Iterator[Any]:
    since = f" since {seen.since:%B %Y}" if seen.since else ""
    helped = f", {counted(seen.agents, 'sub-agent')}" if seen.agents else ""
    yield ""
    yield page.text(
        (
            f"{counted(seen.sessions, 'session')} of {counted(seen.projects, 'project')}{since}{helped}",
            "head",
        )
    )
    if seen.returning:
        yield page.text("Errors that came back:")
    for each in seen.returning:
        mended = "mended in" if each.mended else "met last in"
        yield page.labelled("•", each.error, wide=1)
        yield page.text(
            ("    ", ""), (f"{each.sessions} sessions, {mended} ", "dim"), (each.ref, "ref")
        )
    if seen.relied:
        yield page.text("Run most:")
    for one in seen.relied:
        failed = f", {one.failed} of them failed" if one.failed else ""
        yield page.text("  • ", (one.command, "head"), (f"  {one.runs} times{failed}", "dim"))


def _next(page: Page, planned: Changes) -> Iterator[Any]:
    yield ""
    yield page.text(("Next", "head"))
    stand = [each for each in planned.every if each.change is not None]
    if stand:
        titles = ", ".join(dict.fromkeys(each.target.title for each in stand))
        yield page.labelled("1", f"Start {titles} anew, and ask: “Where did we leave off?”", wide=1)
    yield page.text("  2 Ask here: ", ("mcp-memory recent --project '*'", "head"))
    yield page.text(("  Undo all of it: ", "dim"), UNDO)
