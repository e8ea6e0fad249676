"""What a session left open is told in its own words, and what was made good is not."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue
from steps import edited, ran, said

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.trajectories import unfinished
from mcp_memory.trajectories.unfinished import Left


def agent(number: int, text: str) -> Step:
    return said(number, text, "agent")


def called(number: int, name: str, text: str = "", **given: JsonValue) -> Step:
    call = ToolCall(id="c", name=name, arguments=given)
    seen = Observation(call_id="c", text=text, failed=False)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,))


def left(*steps: Step, committed: bool = False) -> Sequence[Left]:
    return list(unfinished.left(steps, path=lambda path: path, committed=committed))


def test_the_users_last_words_are_open_while_nobody_answered() -> None:
    asked = said(3, "and now the invoices")
    assert left(said(1, "hello"), agent(2, "done."), asked) == [
        Left(3, "user, unanswered", "and now the invoices")
    ]
    assert left(asked, agent(4, "done.")) == []


def test_a_question_that_the_agent_ended_with_is_open() -> None:
    question = agent(2, "All is green.\n\nShall I open a **pull request?**")
    assert left(said(1, "go"), question) == [
        Left(2, "agent asked", "Shall I open a **pull request?**")
    ]


@pytest.mark.parametrize(
    "end",
    ["All is green.\n\nAnything else?", "Done. Is there anything else you'd like me to do?",
     "All is green.\n\nLet me know if you have any questions!", "Works. Does that help?"],
)  # fmt: skip
def test_a_courtesy_at_the_end_is_not_open(end: str) -> None:
    assert left(said(1, "go"), agent(2, end)) == []
    assert left(said(1, "go"), agent(2, "Done."), said(3, "thanks, that is all!")) == []


@pytest.mark.parametrize("after", ["\n\nLet me know if you need anything else!", " Thanks!", ""])
def test_a_question_before_a_courtesy_is_open(after: str) -> None:
    asked = f"All is green. Shall I merge it?{after}"
    assert left(said(1, "go"), agent(2, asked)) == [
        Left(2, "agent asked", "All is green. Shall I merge it?")
    ]


def test_an_assent_that_nobody_answered_is_open() -> None:
    assert [each.words for each in left(agent(1, "Shall I?"), said(2, "yes, go on"))] == [
        "yes, go on"
    ]


def test_a_check_that_failed_is_open_until_one_of_its_kind_goes_well() -> None:
    bad = ran(1, "pytest -q", "1 failed", 1)
    assert [each.words for each in left(bad, agent(2, "hm."))] == ["pytest -q → exit code 1"]
    assert left(bad, ran(2, "pytest -q", "1 passed", 0), agent(3, "well.")) == []


def test_a_check_before_a_commit_is_not_open() -> None:
    commit = ran(2, "git commit -m 'Mend it'", "[main 1234567] Mend it\n 1 file changed", 0)
    assert left(ran(1, "pytest -q", "1 failed", 1), commit, agent(3, "done.")) == []


def test_items_of_the_last_list_that_are_not_done_are_open() -> None:
    first = [{"content": "a", "status": "pending"}, {"content": "b", "status": "pending"}]
    second = [{"content": "a", "status": "completed"}, {"content": "b", "status": "in_progress"}]
    steps = (called(1, "TodoWrite", todos=first), called(2, "TodoWrite", todos=second))
    assert left(*steps) == [Left(2, "to do", "b")]
    plan: list[JsonValue] = [
        {"step": "read", "status": "completed"},
        {"step": "write", "status": "pending"},
    ]
    assert left(called(1, "update_plan", plan=plan)) == [Left(1, "to do", "write")]


def test_tasks_that_were_begun_and_never_ended_are_open() -> None:
    steps = (
        called(1, "TaskCreate", "Task #1 created successfully: a", subject="a"),
        called(2, "TaskCreate", "Task #2 created successfully: b", subject="b"),
        called(3, "TaskUpdate", taskId="1", status="completed"),
    )
    assert left(*steps) == [Left(2, "to do", "b")]


@pytest.mark.parametrize("committed", [False, True])
def test_edits_after_the_last_commit_are_open_unless_a_newer_session_committed(
    *, committed: bool
) -> None:
    commit = ran(2, "git commit -m 'Mend it'", "[main 1234567] Mend it\n 1 file changed", 0)
    steps = (
        edited(1, "a.py", "a", "b"),
        commit,
        edited(3, "b.py", "a", "b"),
        edited(4, "c.py", "a", "b"),
    )
    told = [] if committed else [Left(4, "edited, not committed", "c.py, b.py")]
    assert left(*steps, committed=committed) == told
