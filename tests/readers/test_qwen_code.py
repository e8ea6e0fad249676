"""The Qwen Code reader: told from Claude Code, whose envelope it has; branches; sub-agents."""

from pathlib import Path

from transcripts import SAMPLES, only, write

from mcp_memory.readers import READERS, claude_code, detect

ORDINARY = SAMPLES / "qwen_code" / "ordinary.jsonl"


def test_it_is_not_taken_for_claude_code() -> None:
    assert not claude_code.recognize(ORDINARY)
    assert detect(ORDINARY).FORMAT == "qwen_code"


def test_a_session_that_opens_with_what_neither_knows_is_of_neither(tmp_path: Path) -> None:
    told = {"uuid": "1", "sessionId": "s", "timestamp": "2026-01-01T00:00:00Z", "type": "hologram"}
    path = write(tmp_path / "a.jsonl", told)
    assert [reader.FORMAT for reader in READERS if reader.recognize(path)] == []


def test_its_thoughts_calls_and_results_stand_in_one_step() -> None:
    session = only(ORDINARY)
    step = session.steps[1]
    assert (step.text, step.reasoning) == ("I look for a cloth.", "A cloth will do.")
    assert step.calls[0].command == "ls cloths"
    assert (step.observations[0].text, step.observations[0].failed) == ("soft", False)
    assert (session.tokens_in, session.tokens_out) == (100, 15)
