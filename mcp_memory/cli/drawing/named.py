"""What blame, fix, how, restore and resume answer: for a person drawn, in a pipe fenced as data."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mcp_memory.cli.drawing.hits import OUTCOMES
from mcp_memory.cli.drawing.notes import noted
from mcp_memory.cli.drawing.screen import Page, for_people
from mcp_memory.domain.models import Outcome
from mcp_memory.search.named.blame import Blame, Blamed
from mcp_memory.search.named.fix import Cure, Fixed, Met
from mcp_memory.search.named.held import Change
from mcp_memory.search.named.how import Way, Ways
from mcp_memory.text import fencing
from mcp_memory.text.counting import counted


def fenced(page: Page, lines: Iterable[Any]) -> Iterator[Any]:
    """Recalled text as data: who reads it in a pipe may be a model."""
    if for_people():
        yield from lines
        return
    told = list(lines)
    tag = fencing.tag("\n".join(map(str, told)))
    yield page.fence(f"<recalled {tag}>")
    yield from told
    yield page.fence(f"</recalled {tag}>")


def blame(page: Page, found: Blame) -> Iterator[Any]:
    """Which sessions changed a file, newest first."""
    yield from noted(page, found.notes)
    if not found.sessions:
        yield page.text(("No session changed ", "warn"), found.path, (" here.", "warn"))
        yield page.text(
            ("Name it as it lies in the project, or ask all: ", "dim"),
            f"mcp-memory blame {found.path} --project '*'",
        )
        return
    if found.files:
        told = ", ".join(found.files[:4]) + (
            " …" if len(found.files) > len(found.files[:4]) else ""
        )
        yield page.text((f"{counted(len(found.files), 'file')}: {told}", "dim"))
    yield from fenced(
        page, _spaced(_blamed(page, one, several=bool(found.files)) for one in found.sessions)
    )
    yield ""
    if found.more:
        yield page.text((f"{counted(found.more, 'older session')}: --limit 50", "dim"))
    yield page.text(("Read one in full: ", "dim"), f"mcp-memory fetch '{found.sessions[0].ref}'")


def _blamed(page: Page, one: Blamed, *, several: bool) -> Iterator[Any]:
    day = f" ({one.at.date()})" if one.at and for_people() else ""
    marks = [one.origin, f"{page.ago(one.at)}{day}", one.project, one.path if several else ""]
    yield page.text(
        (one.ref, "ref"), "  ", (" · ".join(mark for mark in marks if mark), "dim"),
        *([(f" · {one.outcome.value}", OUTCOMES[one.outcome])]
          if one.outcome is not Outcome.UNKNOWN else []),
    )  # fmt: skip
    yield page.body(one.asked, style="head")
    if one.said:
        yield page.body(one.said)
    for change in one.changes:
        yield from _change(page, change)
    if one.more:
        yield page.body(f"and {counted(one.more, 'earlier change')}", style="dim")
    for commit in one.commits:
        yield page.body(f"commit {commit}", style="good")


def _change(page: Page, change: Change) -> Iterator[Any]:
    for sign, told, style in (("-", change.old, "old"), ("+", change.new, "new")):
        for line in told.split(" / ") if for_people() else [told]:
            if line:
                yield page.labelled(sign, line, wide=1, style=style)
    if change.undone:
        yield page.body(f"taken back in {change.undone}", style="warn")


def fix(page: Page, found: Fixed) -> Iterator[Any]:
    """What was done before after an error."""
    yield from noted(page, found.notes)
    if not (found.cures or found.learned or found.met):
        yield page.text(("This error was not met before.", "warn"))
        yield page.text(
            ("Give the line that names its cause, or ask all projects: ", "dim"), "--project '*'"
        )
        return
    if not found.known:
        yield page.text(("This error was not met before; these are near it.", "warn"))
    yield from fenced(page, _fixed(page, found))
    yield ""
    if found.known:
        yield page.text((f"Met in {counted(found.sessions, 'session')}.", "dim"))
    if found.cures:
        yield page.text(("See how: ", "dim"), f"mcp-memory fetch '{found.cures[0].ref}'")


def _fixed(page: Page, found: Fixed) -> Iterator[Any]:
    for hit in found.learned:
        yield page.text(
            (hit.ref, "ref"), "  ", (f"{_whose(hit.origin)}{hit.kind}, kept as a memory", "dim")
        )
        yield page.body(hit.title or hit.text, style="head")
    same, near = ([c for c in found.cures if (c.likeness >= 1) is so] for so in (True, False))
    yield from _spaced(_cure(page, one) for one in same)
    yield from _met(page, "Met, and not seen mended:", [m for m in found.met if m.likeness >= 1])
    if near and found.known:
        yield from ("", page.text(("Near it, and another error:", "dim")), "")
    yield from _spaced(_cure(page, one) for one in near)
    yield from _met(page, "Near it, and not seen mended:", [m for m in found.met if m.likeness < 1])


def _met(page: Page, title: str, told: Sequence[Met]) -> Iterator[Any]:
    if not told:
        return
    yield ""
    yield page.text((title, "dim"))
    for one in told:
        yield page.text(
            "  ", (one.ref, "ref"), "  ", (f"{_whose(one.origin)}{page.ago(one.at)}", "dim")
        )
        yield page.body(one.error, indent=4)


def _cure(page: Page, one: Cure) -> Iterator[Any]:
    marks = [
        one.origin,
        page.ago(one.at),
        one.project,
        f"{one.times} times" if one.times > 1 else "",
    ]
    yield page.text((one.ref, "ref"), "  ", (" · ".join(filter(None, marks)), "dim"))
    yield page.body(one.error, style="bad")
    for told in one.done:
        yield page.labelled("→", told.replace("`", ""), wide=1)
    for change in one.changes:
        yield from _change(page, change)


def _whose(origin: str) -> str:
    return f"{origin}: " if origin else ""


def how(page: Page, found: Ways) -> Iterator[Any]:
    """The commands that worked."""
    yield from noted(page, found.notes)
    if not found.ways:
        yield page.text(("No command that worked here is known for ", "warn"), found.what)
        yield page.text(
            ("Ask it as a question: ", "dim"), f"mcp-memory search '{found.what}'",
            (", or of all projects: ", "dim"), "--project '*'",
        )  # fmt: skip
        return
    several = len({way.project for way in found.ways}) > 1
    yield from fenced(page, _spaced(_way(page, way, several=several) for way in found.ways))


def _way(page: Page, way: Way, *, several: bool) -> Iterator[Any]:
    yield page.text((way.command, "command"))
    good = way.runs - way.failed
    marks = [way.origin, f"worked {good} of {way.runs} times", counted(way.sessions, "session")]
    marks += [f"last {page.ago(way.at)}", way.project if several else ""]
    yield page.text("  ", (" · ".join(filter(None, marks)), "dim"), "  ", (way.ref, "ref"))
    if way.asked:
        yield page.body(f"when asked: {way.asked}", style="dim")


def _spaced(blocks: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """Blocks with an empty line between them."""
    for place, block in enumerate(blocks):
        yield from ([""] if place else [])
        yield from block
