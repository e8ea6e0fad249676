"""The pi reader: trees, results, interrupts, what extensions put in."""

from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.domain.models import SourceClass, Step, Trajectory

ORDINARY, NASTY = SAMPLES / "pi" / "ordinary.jsonl", SAMPLES / "pi" / "nasty.jsonl"
AT = "2026-05-04T10:00:00Z"
HEADER = {"type": "session", "id": "s-1", "timestamp": AT, "cwd": "/home/ada/shop"}


def message(role: str, **more: object) -> dict[str, object]:
    return {"type": "message", "timestamp": AT, "message": {"role": role, **more}}


def session(tmp_path: Path, *entries: object) -> Trajectory:
    return only(write(tmp_path / "session.jsonl", HEADER, *entries))


def answered(tmp_path: Path, text: str, *, failed: bool, tool: str = "bash") -> Step:
    call = {"type": "toolCall", "id": "c", "name": tool, "arguments": {"command": "make"}}
    content = [{"type": "text", "text": text}]
    result = message("toolResult", toolCallId="c", toolName=tool, content=content, isError=failed)
    return session(tmp_path, message("assistant", content=[call]), result).steps[0]


@pytest.mark.parametrize(
    ("text", "failed", "code"),
    [
        ("bad\n\nCommand exited with code 2", True, 2),
        ("Command exited with code 2", False, None),
        ("Command exited with code 2\nbut went on", True, None),
    ],
)
def test_an_exit_code_is_the_hosts_last_line_of_a_failed_command(
    tmp_path: Path, *, text: str, failed: bool, code: int | None
) -> None:
    (seen,) = answered(tmp_path, text, failed=failed).observations
    assert (seen.exit_code, seen.failed) == (code, failed)


def test_a_branch_that_was_left_is_kept_and_marked() -> None:
    marks = {step.text: step.abandoned for step in only(NASTY).steps}
    assert marks["This way was left."] is marks["an abandoned question"] is True
    assert marks["Again."] is marks["The other branch asked in vain."] is False


def test_entries_without_ids_are_one_line(tmp_path: Path) -> None:
    steps = session(tmp_path, message("user", content="a"), message("user", content="b")).steps
    assert [(step.text, step.abandoned) for step in steps] == [("a", False), ("b", False)]


def test_an_interrupt_is_the_users_and_an_error_the_hosts() -> None:
    told = [(s.text, s.source) for s in only(NASTY).steps if s.kind == "system" and s.text]
    assert told == [
        ("[Request interrupted by user]", SourceClass.USER),
        ("[error] 529 overloaded", SourceClass.HOST),
    ]


def test_what_a_person_ran_is_the_users_step() -> None:
    (ran,) = [s for s in only(ORDINARY).steps if s.kind == "user" and s.calls]
    assert (ran.calls[0].command, ran.observations[0].exit_code) == ("npm test -- tax", 0)


def test_an_edit_names_its_file() -> None:
    (edit,) = [c for s in only(ORDINARY).steps for c in s.calls if c.edits]
    assert edit.paths == ("src/tax.ts",)


def test_recalled_memory_stays_out() -> None:
    read = only(NASTY)
    assert "lesson" not in read.model_dump_json()
    assert read.skipped["custom_message"] == 1


def test_summaries_are_marked() -> None:
    summaries = [step.text for step in only(NASTY).steps if step.kind == "summary"]
    assert summaries == ["The other branch asked in vain.", "So far: nothing worked."]


def test_tokens_are_counted_with_those_from_the_cache() -> None:
    assert (only(ORDINARY).tokens_in, only(ORDINARY).tokens_out) == (450, 60)


def test_what_is_not_known_is_counted() -> None:
    assert dict(only(NASTY).unknown) == {
        "brand_new_entry": 1, "message/brandNewRole": 1, "message/": 1,
    }  # fmt: skip


def test_a_title_before_the_header_is_the_sessions(tmp_path: Path) -> None:
    told = only(write(tmp_path / "a.jsonl", {"type": "title", "v": 1, "title": "Carve"}, HEADER))
    assert told.title == "Carve"
