"""Hits, and the newest sessions, as a person reads them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from typing import Any

from mcp_memory.cli.drawing.notes import noted
from mcp_memory.cli.drawing.screen import Page
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.leaving import LeftOff
from mcp_memory.domain.models import Outcome

OUTCOMES = {Outcome.SUCCESS: "good", Outcome.FAILURE: "bad", Outcome.UNKNOWN: "dim"}


def drawn(page: Page, result: SearchResult, words: Sequence[str]) -> Iterator[Any]:
    """Everything of an answer of search."""
    if result.sessions:
        yield from noted(page, result.notes)
        for place, left in enumerate(result.sessions):
            yield from ([] if place == 0 else [""])
            yield from _session(page, left)
        yield page.text("")
        yield page.text(("Go on with one: ", "dim"), f"mcp-memory resume {result.sessions[0].ref}")
        return
    if result.unknown:
        yield page.text(("Nowhere in this history: ", "warn"), ", ".join(result.unknown))
    hits = result.hits if result.found else result.nearest
    if not result.found:
        yield page.text(
            ("Nothing found.", "warn"), " Nearest, and below the floor:" if hits else ""
        )
    for place, hit in enumerate(hits):
        yield from ([] if place == 0 and result.found else [""])
        yield from _hit(page, hit, words)
    yield from _footing(page, result, hits)


def _footing(page: Page, result: SearchResult, hits: Sequence[Hit]) -> Iterator[Any]:
    yield ""
    if result.more:
        yield page.text((f"{result.beyond}: --budget-tokens 2000", "dim"))
    if hits:
        yield page.text(("Read one in full: ", "dim"), f"mcp-memory fetch {hits[0].ref}")
    else:
        yield page.text(
            ("Other words, ", "dim"), "--project '*'", (" for all projects, or ", "dim"),
            "mcp-memory index", (" where history is new.", "dim"),
        )  # fmt: skip
    if result.files:
        yield page.text(("Files: ", "dim")) + page.path(result.files)
    yield from noted(page, result.notes)


def _hit(page: Page, hit: Hit, words: Sequence[str]) -> Iterator[Any]:
    at = datetime.combine(hit.at, time(12), UTC) if hit.at else None
    marks = [hit.origin, hit.kind if hit.kind != "step" else "", f"{hit.source.value} said"]
    marks += [f"{page.ago(at)} ({hit.at})" if at else "undated", hit.project]
    marks += [hit.standing.value if hit.standing else ""]
    told = " · ".join(mark for mark in marks if mark)
    outcome = hit.outcome if hit.outcome and hit.outcome is not Outcome.UNKNOWN else None
    yield page.text(
        (hit.ref, "ref"), "  ", (told, "dim"),
        *([(f" · {outcome.value}", OUTCOMES[outcome])] if outcome else []),
        *([(f" · {', '.join(hit.flags)}", "warn")] if hit.flags else []),
        (f" · {hit.score:.2f}", "dim"),
    )  # fmt: skip
    if hit.title:
        yield page.body(hit.title, style="head", words=words)
    for line in hit.text.splitlines():
        yield page.body(line, words=words)
    for one in hit.later:
        yield page.labelled("later", one, style="warn")
    if hit.also:
        yield page.labelled("also", " ".join(hit.also), style="dim")


def _session(page: Page, left: LeftOff) -> Iterator[Any]:
    day, _, clock = left.when.partition(" ")
    marks = [left.origin, f"{_ago(page, day)} ({left.when})" if clock else left.when]
    marks += [left.project]
    marks += [f"{left.steps} steps"]
    marks += [f"{left.agents} sub-agent{'s' * (left.agents > 1)}"] if left.agents else []
    marks += [f"and {left.alike} older that began alike"] if left.alike else []
    outcome = (
        [(f" · {left.outcome.value}", OUTCOMES[left.outcome])]
        if left.outcome is not Outcome.UNKNOWN
        else []
    )
    told = " · ".join(mark for mark in marks if mark)
    yield page.text((left.ref, "ref"), "  ", (told, "dim"), *outcome)
    yield page.body(left.goal, style="head")
    for name, lines, style in (
        ("asked", left.asked, ""),
        ("said", (left.said,) if left.said else (), ""),
        ("open", left.open, "warn"),
        ("done", left.done, "good"),
        ("files", (", ".join(left.files),) if left.files else (), "dim"),
    ):
        for line in lines:
            yield page.labelled(name, line, style=style)


def _ago(page: Page, day: str) -> str:
    try:
        return page.ago(datetime.combine(datetime.fromisoformat(day), time(12), UTC))
    except ValueError:
        return day
