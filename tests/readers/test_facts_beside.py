"""Facts beside a transcript: what a session is called, where it was and whose it is."""

import hashlib
from pathlib import Path
from shutil import copy

import orjson
from transcripts import SAMPLES, only

from mcp_memory.readers import is_aside

ID = "12345678-0000-4000-8000-000000000001"


def beside(path: Path, **facts: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(facts))


def test_kiro_tells_title_folder_and_model(tmp_path: Path) -> None:
    path = Path(copy(SAMPLES / "kiro_cli" / "ordinary.jsonl", tmp_path / f"{ID}.jsonl"))
    state = {"rts_model_state": {"model_info": {"model_id": "qwen3"}}}
    beside(path.with_suffix(".json"), session_id=ID, cwd="/w", title="List", session_state=state)
    session = only(path)
    assert (session.native_id, session.title, session.cwd, session.model) == (
        ID,
        "List",
        "/w",
        "qwen3",
    )


def test_vibe_tells_title_folder_and_branch(tmp_path: Path) -> None:
    path = Path(copy(SAMPLES / "mistral_vibe" / "ordinary.jsonl", tmp_path / "messages.jsonl"))
    place = {"working_directory": "/w"}
    beside(tmp_path / "meta.json", session_id=ID, title="Run", environment=place, git_branch="b")
    session = only(path)
    assert (session.native_id, session.title, session.cwd, session.git_branch) == (
        ID,
        "Run",
        "/w",
        "b",
    )


def test_a_session_of_vibes_first_version_holds_its_facts(tmp_path: Path) -> None:
    place = {"working_directory": "/w"}
    facts = {"session_id": "test-123", "environment": place, "git_branch": "main"}
    told = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}, 7]
    path = tmp_path / "session_1.json"
    path.write_bytes(orjson.dumps({"metadata": facts, "messages": told}))
    session = only(path)
    assert (session.native_id, session.cwd, session.goal) == ("test-123", "/w", "Hi")
    assert session.unknown == {"record without role": 1}


def test_kimi_knows_its_folder_by_a_hash_of_it(tmp_path: Path) -> None:
    digest = hashlib.md5(b"/home/ada/shop", usedforsecurity=False).hexdigest()
    folder = tmp_path / "sessions" / digest / ID
    folder.mkdir(parents=True)
    copy(SAMPLES / "kimi_cli" / "ordinary.jsonl", folder / "context.jsonl")
    beside(tmp_path / "kimi.json", work_dirs=[{"path": "/elsewhere"}, {"path": "/home/ada/shop"}])
    session = only(folder / "context.jsonl")
    assert (session.native_id, session.cwd) == (ID, "/home/ada/shop")


def test_antigravity_is_named_by_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "brain" / ID / ".system_generated" / "logs"
    folder.mkdir(parents=True)
    copy(SAMPLES / "antigravity" / "ordinary.jsonl", folder / "transcript.jsonl")
    assert only(folder / "transcript.jsonl").native_id == ID


def test_crush_works_where_its_folder_lies(tmp_path: Path) -> None:
    (tmp_path / ".crush").mkdir()
    path = Path(copy(SAMPLES / "crush" / "ordinary.db", tmp_path / ".crush" / "crush.db"))
    assert only(path).cwd == str(tmp_path)


def test_facts_that_are_no_facts_are_passed_over(tmp_path: Path) -> None:
    path = Path(copy(SAMPLES / "kiro_cli" / "ordinary.jsonl", tmp_path / "a.jsonl"))
    path.with_suffix(".json").write_bytes(b"[torn")
    assert only(path).steps


def test_files_beside_a_transcript_are_known_for_none() -> None:
    aside = (
        "/h/.claude/projects/p/s/subagents/workflows/wf_1/journal.jsonl",
        "/h/Claude/local-agent-mode-sessions/o/a/local_1/audit.jsonl",
        "/h/.openhands/conversations/c/events/event-00001-a.json",
        "/h/opencode/storage/message/ses_1/msg_1.json",
        "/h/.copilot/jb/c/partition-1.jsonl",
    )
    own = (
        "/h/.claude/projects/p/s.jsonl",
        "/h/journal.jsonl",
        "/h/.copilot/jb/c/partition-0.jsonl",
    )
    assert all(is_aside(Path(place)) for place in aside)
    assert not any(is_aside(Path(place)) for place in own)
