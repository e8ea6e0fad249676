"""The Aider reader: whose words a line is, edits and their results, and runs of one second."""

from pathlib import Path

from mcp_memory.domain.models import SourceClass, Trajectory
from mcp_memory.readers import aider

START = "# aider chat started at 2025-03-01 10:00:00\n\n"


def runs(folder: Path, text: str) -> list[Trajectory]:
    path = folder / "history.md"
    path.write_text(text, encoding="utf-8")
    assert aider.recognize(path)
    return list(aider.read(path))


def test_headings_and_quotes_of_the_model_are_its_own(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, START + "#### go  \n\nYes:\n\n#### Plan\n> quoted\n")
    assert [step.kind for step in run.steps] == ["user", "agent"]
    assert run.steps[1].text.endswith("#### Plan\n> quoted")


def test_an_edit_is_a_call_that_an_applied_line_answers(tmp_path: Path) -> None:
    edit = "a.py\n```\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n```\n"
    (run,) = runs(tmp_path, START + "#### go  \n\n" + edit + "\n> Applied edit to a.py  \n")
    (call,) = run.steps[1].calls
    assert (call.paths, call.edits) == (("a.py",), True)
    assert dict(call.arguments) == {"path": "a.py", "old": "x", "new": "y"}
    assert [seen.call_id for seen in run.steps[1].observations] == [call.id]


def test_a_request_to_mend_errors_is_the_programs(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, START + "#### # Fix any errors below, if possible.  \n")
    assert (run.steps[0].source, run.goal) == (SourceClass.HOST, "")


def test_the_goal_has_every_line_that_was_asked(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, START + "#### one  \n#### two  \n")
    assert run.goal == "one\ntwo"


def test_a_command_of_a_person_is_a_call(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, START + "#### /run make test  \n\n> ok  \n")
    assert run.steps[0].calls[0].command == "make test"
    assert run.steps[1].source is SourceClass.TOOL


def test_two_runs_of_one_second_are_two_sessions(tmp_path: Path) -> None:
    first, second = runs(tmp_path, START + "#### a  \n\n" + START + "#### b  \n")
    assert first.id != second.id


def test_damage_is_named_in_the_run_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "history.md"
    path.write_bytes(f"{START}#### a  \n\n{START}".encode() + b"#### caf\xe9  \n")
    first, second = aider.read(path)
    assert (first.refusals, second.refusals[0].where) == ((), "line 7")
