"""The roger-roger reader: lines of plain text, a session named by how it begins."""

from pathlib import Path

from transcripts import SAMPLES

from mcp_memory.readers import roger_roger

ORDINARY = SAMPLES / "roger_roger" / "ordinary.jsonl"


def test_speakers_take_turns_and_times_are_kept() -> None:
    (session,) = roger_roger.read(ORDINARY)
    assert [step.kind for step in session.steps] == ["user", "agent", "user", "agent"]
    assert session.goal == "create the file notes.txt"
    assert str(session.started_at) == "2026-03-06 11:19:46+00:00"
    assert session.skipped == {"key:uuid": 1}


def test_a_growing_file_keeps_its_session(tmp_path: Path) -> None:
    (whole,) = roger_roger.read(ORDINARY)
    begun = tmp_path / "other-name.jsonl"
    begun.write_bytes(ORDINARY.read_bytes().splitlines(keepends=True)[0])
    (first,) = roger_roger.read(begun)
    assert first.id == whole.id
    assert first.steps == whole.steps[:1]


def test_lines_with_more_than_a_message_are_another_programs(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    line = '{"type":"user","timestamp":"2026-03-06T12:19:46","message":"hi","sessionId":"s"}'
    path.write_text(line, encoding="utf-8")
    assert not roger_roger.recognize(path)
