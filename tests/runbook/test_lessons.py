"""Lessons say what never went well, and what is said otherwise than it was done."""

from worked import attempt, session, touched

from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import SourceClass
from mcp_memory.runbook import lessons
from mcp_memory.search.consenting import ODD


def test_a_command_that_never_went_well_in_two_sessions_is_a_lesson() -> None:
    bad = touched("npm ci", 3, 7, failed=(3, 7), last="npm ci --quiet")
    good = touched("make test", 5, 9, failed=(5,))
    a, b = session("a", commands=(bad, good)), session("b", "2026-03-02", commands=(bad,))
    told = lessons.of_task([attempt(a)], (), {one.entry.id: one for one in (a, b)})
    line = "`npm ci --quiet` never went well: it failed 4 times in 2 sessions"
    assert told == [(line, f"t:{b.entry.id}#7")]


def test_one_session_or_a_run_that_went_well_anywhere_is_none() -> None:
    bad = touched("npm ci", 3, failed=(3,))
    a, b = session("a", commands=(bad,)), session("b", commands=(touched("npm ci", 4),))
    assert not lessons.of_task([attempt(a)], (), {a.entry.id: a})
    assert not lessons.of_task([attempt(a)], (), {one.entry.id: one for one in (a, b)})


def test_a_sub_agent_counts_with_its_parent() -> None:
    bad = touched("npm ci", 3, failed=(3,))
    a = session("a", commands=(bad,))
    sub = session("s", parent=a.entry.id, commands=(bad,))
    assert not lessons.of_task([attempt(a)], (), {one.entry.id: one for one in (a, sub)})


def test_what_is_said_otherwise_than_it_was_done_is_a_lesson() -> None:
    flags = ("challenged by m:b", f"{ODD}another command, npx ship, than t:a#1 t:b#2: make release")
    hit = Hit(ref="m:a", score=0.5, text="", source=SourceClass.AGENT, flags=flags)
    told = lessons.of_task((), [hit], {})
    assert told == [("asks for another command, npx ship, than t:a#1 t:b#2: make release", "m:a")]
