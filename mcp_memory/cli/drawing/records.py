"""What fetch, runbook, retain, consolidate and delete answer, as a person reads it."""

from collections.abc import Iterator
from typing import Any

from mcp_memory.cli.drawing.notes import noted
from mcp_memory.cli.drawing.screen import Page
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.models import Consolidation, Deletion, Retained, Runbook
from mcp_memory.text.counting import counted


def fetched(page: Page, result: FetchResult) -> Iterator[Any]:
    """The text behind refs, each below a line that says what it is."""
    for place, item in enumerate(result.items):
        yield from ([] if place == 0 else [""])
        marks: list[str] = [item.origin] if item.origin else []
        marks += [item.kind] if item.kind != "steps" else []
        marks += [f"from {item.source.value}", *item.flags]
        where = f"{result.folder}/{item.path}" if item.path and result.folder else ""
        yield page.text((item.ref, "ref"), "  ", (" · ".join(marks), "dim"))
        if where:
            yield page.path(where)
        for line in item.text.splitlines():
            yield page.text(line)
        if item.next_ref:
            yield page.text(("Go on: ", "dim"), f"mcp-memory fetch '{item.next_ref}'")
    if result.unknown:
        yield page.text(("Unknown refs: ", "warn"), ", ".join(result.unknown))


def runbook(page: Page, made: Runbook) -> Iterator[Any]:
    """Sections, each line with its ref set apart."""
    if not made.sections:
        yield page.text(("Nothing in this history bears on it.", "warn"))
        yield page.text(
            ("Ask in other words, with ", "dim"), "--error", (" or ", "dim"), "--file",
            (", or of all projects with ", "dim"), "--project '*'",
        )  # fmt: skip
    for premise in made.premises:
        yield page.text(("In doubt: ", "warn"), premise)
    for section in made.sections:
        yield ""
        yield page.text((section.title, "head"))
        for line in section.lines:
            told, _, ref = line.rpartition(" ")
            yield page.body(f"• {told}")
            yield page.body(ref, indent=4, style="ref")
    if made.spans:
        yield ""
        yield page.text(("Read: ", "dim"), f"mcp-memory fetch {' '.join(made.spans)}")
    yield from noted(page, made.notes)


def retained(page: Page, result: Retained) -> Iterator[Any]:
    """What was kept, and how to take it back."""
    verb = "Kept" if result.created else "Known already"
    yield page.text(
        (f"{verb}: ", "good"), (result.ref, "ref"), f" version {result.version}, ",
        result.standing.value,
    )  # fmt: skip
    if result.masked:
        told = ", ".join(f"{name} {count}" for name, count in result.masked.items())
        yield page.text(("Masked: ", "warn"), told)
    for other in result.resembles:
        yield page.text(
            "Resembles ", (other.ref, "ref"), f" ({other.similarity:.2f}): {other.title}"
        )
    yield page.text(("Take it back: ", "dim"), f"mcp-memory undo {result.batch}")
    yield from noted(page, result.notes)


def consolidation(page: Page, result: Consolidation) -> Iterator[Any]:
    """Groups of a plan, or the batch that was applied or undone."""
    for group in result.groups:
        yield page.text((f"{group.reason}: ", "head"), group.about)
        yield page.body(f"shared: {', '.join(group.shared)}", style="dim")
        yield page.body(" ".join(group.refs), style="ref")
    if result.batch:
        yield page.text(("Batch ", "good"), result.batch, ": ", (" ".join(result.refs), "ref"))
    elif result.refs:
        yield page.text(("Undone: ", "good"), (" ".join(result.refs), "ref"))
    yield from noted(page, result.notes)


def deletion(page: Page, result: Deletion, confirming: str) -> Iterator[Any]:
    """What goes, what goes with it, and how it is carried out or taken back."""
    first = " ".join(result.refs[:20])
    yield page.text(
        (f"{result.mode}: ", "head"), counted(len(result.refs), "record"), "  ", (first, "ref")
    )
    for name, refs in (
        ("With them go", result.cascade),
        ("These lose evidence and become candidates", result.weakened),
    ):
        if refs:
            yield page.text((f"{name}: ", "warn"), (" ".join(refs), "ref"))
    for check in result.checks:
        style = "bad" if check.left else "good"
        yield page.text("Checked ", check.where, f": found {check.control} before, ",
                        (f"{check.left} after", style))  # fmt: skip
    if result.confirm:
        yield page.text(confirming.format(result.confirm))
    if result.batch:
        yield page.text(("Batch ", "dim"), result.batch)
    if result.beyond_reach:
        yield page.text(("Beyond reach: ", "warn"), "; ".join(result.beyond_reach))
    yield from noted(page, result.notes)
