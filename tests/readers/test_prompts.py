"""Histories of prompts: what was typed, by session, where the host deleted the transcript."""

from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass, Trajectory
from mcp_memory.readers import claude_code, claude_prompts, codex_prompts, detect, prompts

SESSION = "3f0f4f2c-1111-4a6b-9a55-000000000001"


def typed(text: str, *, session: str | None = SESSION, minute: int = 0, **more: object) -> dict:
    told = {
        "display": text,
        "pastedContents": {},
        "timestamp": 1767225600000 + minute * 60_000,
        "project": "/home/ada/shop",
        "sessionId": session,
    }
    return {**told, **more}


def asked(text: str, *, session: str = SESSION, second: int = 0) -> dict:
    return {"session_id": session, "ts": 1767225600 + second, "text": text}


def read(path: Path) -> list[Trajectory]:
    return list(detect(path).read(path))


def test_every_session_is_a_trajectory_of_what_was_typed_in_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "history.jsonl",
        typed("fix the export"),
        typed("other work", session="b", minute=1),
        typed("and its test", minute=2),
    )
    first, second = read(path)
    assert [step.text for step in first.steps] == ["fix the export", "and its test"]
    assert {step.source for step in first.steps} == {SourceClass.USER}
    assert first.cwd == "/home/ada/shop"
    assert first.ended_at is not None
    assert first.ended_at.isoformat() == "2026-01-01T00:02:00+00:00"
    assert [step.text for step in second.steps] == ["other work"]


def test_codex_keeps_no_folder_and_counts_seconds(tmp_path: Path) -> None:
    found = only(write(tmp_path / "history.jsonl", asked("port it"), asked("again", second=61)))
    assert (found.format, found.cwd) == ("codex_prompts", None)
    assert [str(step.at) for step in found.steps] == [
        "2026-01-01 00:00:00+00:00",
        "2026-01-01 00:01:01+00:00",
    ]


def test_the_whole_session_is_known_by_the_id_its_transcript_would_have(tmp_path: Path) -> None:
    transcript = SAMPLES / "claude_code" / "ordinary.jsonl"
    whole = next(iter(claude_code.read(transcript)))
    found = only(write(tmp_path / "history.jsonl", typed("hello", session=whole.native_id)))
    assert found.id != whole.id
    assert prompts.session_of(found.format, found.native_id) == whole.id
    assert prompts.session_of(whole.format, whole.native_id) is None


def test_the_same_goes_for_codex(tmp_path: Path) -> None:
    found = only(write(tmp_path / "history.jsonl", asked("hello")))
    assert found.native_id == f"{SESSION}/prompts"
    assert prompts.session_of(found.format, found.native_id) == refs.trajectory_id("codex", SESSION)


def test_pasted_text_stands_where_it_was_pasted(tmp_path: Path) -> None:
    pasted = {"1": {"id": 1, "type": "text", "content": "line 1\nline 2"}, "2": {"type": "image"}}
    text = "see [Pasted text #1 +1 lines], [Image #2] and [Pasted text #3]"
    found = only(write(tmp_path / "history.jsonl", typed(text, pastedContents=pasted)))
    assert found.steps[0].text == "see line 1\nline 2, [Image #2] and [Pasted text #3]"


def test_a_bare_command_of_the_host_is_no_goal(tmp_path: Path) -> None:
    path = write(
        tmp_path / "history.jsonl",
        typed("/model"),
        typed("/review the diff", minute=1),
        typed("/exit", session="b"),
    )
    found = only(path)
    assert found.goal == "/review the diff"
    assert [step.kind for step in found.steps] == ["system", "user"]
    assert found.skipped == {"session:commands": 1}


def test_prompts_without_a_session_are_one_a_day_and_place(tmp_path: Path) -> None:
    path = write(
        tmp_path / "history.jsonl",
        typed("first", session=None),
        typed("second", session=None, minute=60),
        typed("elsewhere", session=None, project="/home/ada/cart"),
        typed("next day", session=None, minute=60 * 24),
    )
    assert [[s.text for s in t.steps] for t in read(path)] == [
        ["first", "second"],
        ["elsewhere"],
        ["next day"],
    ]


def test_what_a_later_version_writes_is_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "history.jsonl", typed("hello", mode="plan"), typed("x"), {"rotated": 1}
    )
    assert only(path).unknown == {"mode": 1, "rotated": 1, "no prompt": 1}


@pytest.mark.parametrize(
    "line",
    [
        {"type": "user", "display": "x", "timestamp": 1, "project": "/p"},
        {"display": "x", "timestamp": 1},
        {"type": "event_msg", "session_id": "a", "ts": 1, "text": "x"},
        {"session_id": "a", "ts": "today", "text": "x"},
    ],
)
def test_a_record_of_another_shape_is_no_prompt(tmp_path: Path, line: dict) -> None:
    path = write(tmp_path / "other.jsonl", line)
    assert not claude_prompts.recognize(path)
    assert not codex_prompts.recognize(path)
