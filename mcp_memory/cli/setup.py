"""`mcp-memory setup`: hosts and history found, one screen of what will be done, done once it is agreed to."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click

from mcp_memory import hosts
from mcp_memory.cli import ending, options
from mcp_memory.cli.door import command, print_json
from mcp_memory.cli.drawing.screen import Page, short
from mcp_memory.cli.install import NAMES, chosen, told
from mcp_memory.domain.errors import InvalidInput, MemoryBankError
from mcp_memory.hosts.installing.changes import Change, apply, plan_install
from mcp_memory.hosts.installing.hooking import HOOKS, plan_hooks
from mcp_memory.hosts.installing.launch import Launch, launch
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


@dataclass(slots=True)
class Plan:
    """All that will be done."""

    histories: Sequence[Found] = ()
    changes: list[Change] = field(default_factory=list)
    hooks: list[Change] = field(default_factory=list)
    plans: list[Callable[[], Change]] = field(default_factory=list)
    """How each of them is planned anew: one file may take the server and hooks."""
    refused: list[str] = field(default_factory=list)
    """What cannot be done, said plainly; the rest is done all the same."""

    def add(self, into: list[Change], title: str, plan: Callable[[], Change]) -> None:
        """Plan one change; one that cannot be is named, and keeps no other from being made."""
        try:
            into.append(plan())
            self.plans.append(plan)
        except InvalidInput as error:
            self.refused.append(f"{title}: {error}")

    @property
    def news(self) -> list[Change]:
        """What is not there already."""
        return [each for each in (*self.changes, *self.hooks) if each.kind != "unchanged"]

    @property
    def bytes(self) -> int:
        """Of all transcripts."""
        return sum(found.bytes for found in self.histories)


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
    try:
        started = launch()
    except MemoryBankError as error:
        raise ending.Failed(str(error)) from error
    plan = planned(started, hosts, hooks=not no_hooks, index=not no_index)
    page = Page()
    if not as_json:
        page.show(_told(page, plan, Settings().home))
    if not (dry_run or plan.news or plan.histories) and plan.refused:
        raise ending.Failed("Nothing could be set up; nothing was changed.")
    done, seen = not dry_run and bool(plan.news or plan.histories), None
    if done:
        _agreed(yes=yes)
        for again in plan.plans:
            _carried_out(page, again, quiet=as_json)
        seen = await _indexed() if plan.histories else None
    if as_json:
        _report(plan, seen, done=done)
    elif done:
        page.show([*(_learned(page, seen) if seen else ()), *_next(page, plan)])


def _report(plan: Plan, seen: Overview | None, *, done: bool) -> None:
    """What was or would be done, and the first that was learned, for a program."""
    changes = [
        told(change.target.title + (", hooks" if change in plan.hooks else ""), change)
        for change in (*plan.changes, *plan.hooks)
    ]
    print_json(
        {"done": done, "changes": changes, "histories": list(plan.histories),
         "refused": plan.refused, "learned": seen}
    )  # fmt: skip


def planned(started: Launch, names: Sequence[str], *, hooks: bool, index: bool) -> Plan:
    """What setting up comes to on this machine; nothing is changed."""
    plan = Plan(histories=_histories() if index else ())
    targets = chosen(names)
    for target in targets:
        plan.add(plan.changes, target.title, partial(plan_install, target, started))
    wanted = {target.name for target in targets}
    for hooked in HOOKS if hooks else ():
        if hooked.host in wanted:
            title = f"{hooked.target.title}, hooks"
            plan.add(plan.hooks, title, partial(plan_hooks, hooked, started))
    return plan


def _histories() -> list[Found]:
    found = []
    for host in hosts.HOSTS:
        sizes = [path.stat().st_size for path in host.transcripts() if path.is_file()]
        if sizes:
            found.append(Found(host.NAME, len(sizes), sum(sizes)))
    return sorted(found, key=lambda each: -each.bytes)


def _told(page: Page, plan: Plan, home: Path) -> Iterator[Any]:
    """The one screen."""
    if not (plan.changes or plan.histories):
        yield page.text(("No agent and no history was found on this machine.", "warn"))
        yield page.text(
            "Name a host: ", ("mcp-memory setup claude-code", "head"), "; see it at work: ",
            ("mcp-memory tour", "head"),
        )  # fmt: skip
    if plan.histories:
        yield page.text(("History found", "head"))
        for each in plan.histories:
            size = f"{each.bytes / 1e6:.1f} MB"
            yield page.text(
                f"  {each.name:<14} {counted(each.files, 'transcript'):>18}  {size:>10}"
            )
        yield ""
    yield page.text(("What will be done", "head"))
    yield from (page.labelled("•", line, wide=1) for line in _steps(plan, home))
    yield from (page.labelled("!", line, wide=1, style="warn") for line in plan.refused)
    yield ""
    yield page.text(("Nothing leaves this machine. Undo all of it: ", "dim"), UNDO)


def _steps(plan: Plan, home: Path) -> Iterator[str]:
    done = [change for change in (*plan.changes, *plan.hooks) if change.kind == "unchanged"]
    for change in plan.news:
        what = "hooks" if change in plan.hooks else "the server"
        kept = f"; as it was: {change.backup.name}" if change.before is not None else ""
        yield f"{change.target.title}: {what} into {short(change.file)}{kept}"
    if done:
        titles = ", ".join(dict.fromkeys(change.target.title for change in done))
        yield f"{titles}: set up already, left as it is"
    if plan.histories:
        files = counted(sum(found.files for found in plan.histories), "transcript")
        seconds = max(1, round(plan.bytes / BYTES_A_SECOND))
        took = f"{counted(round(seconds / 60), 'minute')}" if seconds >= 90 else f"{seconds} s"  # noqa: PLR2004
        yield (
            f"{files} read into {short(home)}, secrets masked, about {took}; "
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


def _carried_out(page: Page, plan: Callable[[], Change], *, quiet: bool) -> None:
    """One change; what cannot be written does not keep the others from theirs."""
    try:
        change = plan()
        apply(change)
    except InvalidInput as error:
        click.echo(str(error), err=True)
        return
    if quiet or change.kind == "unchanged":
        return
    title = page.text(("✓ ", "good"), f"{change.target.title}: ")
    noted = [page.labelled("!", change.note, wide=1, style="warn")] if change.note else []
    page.show([title + page.path(change.file, ""), *noted])


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


def _next(page: Page, plan: Plan) -> Iterator[Any]:
    yield ""
    yield page.text(("Next", "head"))
    if plan.changes:
        titles = ", ".join(change.target.title for change in plan.changes)
        yield page.labelled("1", f"Start {titles} anew, and ask: “Where did we leave off?”", wide=1)
    yield page.text("  2 Ask here: ", ("mcp-memory recent --project '*'", "head"))
    yield page.text(("  Undo all of it: ", "dim"), UNDO)
