"""Prose: every line is short, cites its step, and is as greppable as what was said."""

from hypothesis import given, settings
from hypothesis import strategies as st
from steps import edited, ran, said

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.trajectories.prose import LINE_CHARS, prose

ID = "0" * 12


def told(*steps: Step) -> list[str]:
    return prose(ID, steps, path=lambda path: path.removeprefix("/app/")).splitlines()


def test_a_line_says_day_ref_who_and_the_words() -> None:
    assert told(said(1, "Mend the login"), said(2, "I look.", "agent")) == [
        f"2026-03-04 t:{ID}#1 user: Mend the login",
        f"2026-03-04 t:{ID}#2 agent: I look.",
    ]


def test_lines_of_one_thought_stand_together_and_long_ones_are_broken_at_spaces() -> None:
    joined, *rest = told(said(1, "Two causes:\n\n- the lock\n- the clock"))
    assert joined.endswith("user: Two causes: / - the lock / - the clock")
    assert not rest
    words = "word " * 400
    lines = told(said(1, words))
    assert len(lines) > 3
    assert " ".join(line.split("user: ")[1] for line in lines) == words.strip()


def test_commands_go_by_their_first_line_and_failures_by_their_error() -> None:
    lines = told(
        ran(1, "go test ./... &&\nmake", "ok"),
        ran(2, "make", "x\nerror: no rule\n", 2),
    )
    assert lines[0].endswith("#1 ran: go test ./... &&…")
    assert lines[1].endswith("#2 ran: make → exit code 2; error: no rule")


def test_edits_name_their_files_and_answers_are_the_users_words() -> None:
    call = ToolCall(id="c", name="Ask", arguments={"q": "which?"})
    seen = Observation(call_id="c", text="the second", source=SourceClass.USER)
    asked = Step(number=2, kind="agent", calls=(call,), observations=(seen,))
    first, second = told(edited(1, "/app/src/a.py", "x = 1", "x = 2"), asked)
    assert first.endswith("#1 edit: src/a.py")
    assert second == f"undated t:{ID}#2 user: the second"


def test_system_prompts_are_no_prose() -> None:
    assert told(said(1, "You are a helpful agent", "boot"), said(2, "reminder", "system")) == []


@settings(deadline=None)
@given(st.text(max_size=3_000))
def test_no_line_is_long_or_obeyed_whatever_was_said(text: str) -> None:
    for line in told(said(1, text)):
        assert len(line) < LINE_CHARS * 5
        assert "](" not in line
        assert line.isprintable() or " " in line


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6), st.integers(0, 6))
def test_a_growing_session_keeps_the_lines_it_has(texts: list[str], cut: int) -> None:
    steps = [said(number, text) for number, text in enumerate(texts, 1)]
    whole = prose(ID, steps, path=str)
    assert whole.startswith(prose(ID, steps[:cut], path=str))
