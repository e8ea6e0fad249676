"""The Cursor reader: databases of bubbles, edits a person took or refused, plain transcripts."""

import sqlite3
from pathlib import Path

import orjson
import pytest
from transcripts import only, write

from mcp_memory.domain import refs
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import SourceClass, Trajectory
from mcp_memory.readers import cursor, detect

TABS = "workbench.panel.aichat.view.aichat.chatdata"
UUID = "0b0e7a1c-1111-4222-8333-444455556666"


def database(path: Path, **tables: dict[str, object]) -> Path:
    with sqlite3.connect(path) as base:
        for name, rows in tables.items():
            base.execute(f"CREATE TABLE {name} (key TEXT UNIQUE, value BLOB)")
            stored = [(k, v if isinstance(v, bytes) else orjson.dumps(v)) for k, v in rows.items()]
            base.executemany(f"INSERT INTO {name} VALUES (?, ?)", stored)
    base.close()
    return path


def composer(tmp_path: Path, *bubbles: dict[str, object], **facts: object) -> Path:
    headers = [{"bubbleId": str(number)} for number in range(len(bubbles))]
    rows: dict[str, object] = {"composerData:c": {"fullConversationHeadersOnly": headers, **facts}}
    rows |= {f"bubbleId:c:{number}": bubble for number, bubble in enumerate(bubbles)}
    return database(tmp_path / "state.vscdb", cursorDiskKV=rows)


def calling(name: str, status: str = "completed", **more: object) -> dict[str, object]:
    return {"type": 2, "toolFormerData": {"name": name, "status": status, **more}}


def read(path: Path) -> list[Trajectory]:
    return list(detect(path).read(path))


@pytest.mark.parametrize(
    ("result", "exit_code", "failed"),
    [
        ({"output": "x", "exitCodeV2": 0}, 0, False),
        ({"output": "x", "exitCodeV2": 2}, 2, True),
        ({"output": "exit code 3"}, None, False),
    ],
)
def test_a_command_has_the_exit_code_that_the_host_states(
    tmp_path: Path, result: dict[str, object], *, exit_code: int | None, failed: bool
) -> None:
    params = orjson.dumps({"command": "make"}).decode()
    told = orjson.dumps(result).decode()
    bubble = calling("run_terminal_command_v2", params=params, result=told)
    (step,) = only(composer(tmp_path, bubble)).steps
    assert step.calls[0].command == "make"
    assert (step.observations[0].exit_code, step.observations[0].failed) == (exit_code, failed)


def test_a_call_that_a_person_rejected_is_theirs(tmp_path: Path) -> None:
    bubble = calling("run_terminal_cmd", userDecision="rejected", result='{"rejected":true}')
    (seen,) = only(composer(tmp_path, bubble)).steps[0].observations
    assert (seen.source, seen.failed) == (SourceClass.USER, True)


def test_a_call_under_way_has_no_result(tmp_path: Path) -> None:
    (step,) = only(composer(tmp_path, calling("grep", "loading"))).steps
    assert len(step.calls) == 1
    assert step.observations == ()


def test_a_bubble_that_the_host_deleted_is_counted(tmp_path: Path) -> None:
    headers = [{"bubbleId": "gone"}, {"bubbleId": "b"}]
    rows: dict[str, object] = {
        "composerData:c": {"fullConversationHeadersOnly": headers},
        "bubbleId:c:b": {"type": 1, "text": "hi"},
    }
    found = only(database(tmp_path / "a.vscdb", cursorDiskKV=rows))
    assert found.skipped == {"bubble:missing": 1}
    assert [step.text for step in found.steps] == ["hi"]


def test_a_composer_in_both_tables_is_one_session(tmp_path: Path) -> None:
    made = {"composerId": "c", "conversation": [{"type": 1, "text": "hi"}]}
    path = database(
        tmp_path / "a.vscdb",
        ItemTable={"composer.composerData": {"allComposers": [made]}},
        cursorDiskKV={"composerData:c": made},
    )
    assert [found.native_id for found in read(path)] == ["c"]


def test_a_workspace_lends_its_folder(tmp_path: Path) -> None:
    path = composer(tmp_path, {"type": 1, "text": "hi"})
    assert only(path).cwd is None
    (tmp_path / "workspace.json").write_text('{"folder":"file:///home/u/a%20b"}', encoding="utf-8")
    assert only(path).cwd == "/home/u/a b"


def _workspace(user: Path, name: str, folder: str, *composers: str) -> None:
    place = user / "workspaceStorage" / name
    place.mkdir(parents=True)
    (place / "workspace.json").write_text(f'{{"folder":"file://{folder}"}}', encoding="utf-8")
    heads = [{"type": "head", "composerId": id_} for id_ in composers]
    told = {"composer.composerData": {"allComposers": heads}}
    database(place / "state.vscdb", ItemTable=told)


def test_conversations_of_all_workspaces_are_placed_by_who_lists_them(tmp_path: Path) -> None:
    user = tmp_path / "User"
    (user / "globalStorage").mkdir(parents=True)
    _workspace(user, "aa11", "/home/u/one", "a", "both")
    _workspace(user, "bb22", "/home/u/two", "b", "both")
    said = {"conversation": [{"type": 1, "text": "hi"}]}
    path = database(
        user / "globalStorage" / "state.vscdb",
        cursorDiskKV={
            **{
                f"composerData:{id_}": {**said, "composerId": id_}
                for id_ in ("a", "b", "both", "c")
            },
            "composerData:d": {**said, "workspaceIdentifier": {"id": "bb22"}},
            "composerData:e": {**said, "workspaceIdentifier": {"id": "../bb22"}},
        },
    )
    assert {found.native_id: found.cwd for found in read(path)} == {
        "a": "/home/u/one",
        "b": "/home/u/two",
        "both": None,
        "c": None,
        "d": "/home/u/two",
        "e": None,
    }


def test_an_agent_of_an_agent_has_a_parent(tmp_path: Path) -> None:
    path = composer(tmp_path, {"type": 1, "text": "hi"}, subagentInfo={"parentComposerId": "p"})
    assert only(path).parent == refs.trajectory_id("cursor", "p")


def test_a_broken_value_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    rows: dict[str, object] = {
        "composerData:a": b"{broken",
        "composerData:b": {"conversation": [{"type": 1, "text": "hi"}, 7, {"type": 9}]},
    }
    (found,) = read(database(tmp_path / "a.vscdb", cursorDiskKV=rows))
    assert [refusal.where for refusal in found.refusals] == ["composerData:a", "bubble 2"]
    assert found.unknown == {"bubble/9": 1}


def test_a_value_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_memory.readers.cursor_store.LINE_BYTES", 200)
    path = composer(tmp_path, {"type": 1, "text": "hi"}, {"type": 2, "text": "long " * 100})
    found = only(path)
    assert [refusal.where for refusal in found.refusals] == ["bubbleId:c:1"]
    assert len(found.steps) == 1


def test_a_database_is_never_written(tmp_path: Path) -> None:
    path = composer(tmp_path, {"type": 1, "text": "hi"})
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["state.vscdb"]


def test_a_database_with_a_live_journal_is_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "state.vscdb"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE cursorDiskKV (key TEXT UNIQUE, value BLOB)")
    said = orjson.dumps({"conversation": [{"type": 1, "text": "hi"}]})
    writer.execute("INSERT INTO cursorDiskKV VALUES ('composerData:c', ?)", (said,))
    writer.commit()
    assert [step.text for step in only(path).steps] == ["hi"]
    writer.close()


def test_another_editors_database_is_not_claimed(tmp_path: Path) -> None:
    path = database(tmp_path / "state.vscdb", ItemTable={"terminal": {}}, cursorDiskKV={"x": {}})
    with pytest.raises(UnknownTranscript):
        detect(path)


def test_a_view_instead_of_a_table_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "state.vscdb"
    with sqlite3.connect(path) as base:
        base.execute("CREATE VIEW cursorDiskKV AS SELECT 'composerData:c' AS key, '{}' AS value")
    base.close()
    assert not cursor.recognize(path)


def test_the_hosts_words_round_a_query_are_not_the_users(tmp_path: Path) -> None:
    text = "<user_info>\nWorkspace Path: /w\n</user_info>\n<user_query>\nfix it\n</user_query>"
    line = {"role": "user", "message": {"content": [{"type": "text", "text": text}]}}
    found = only(write(tmp_path / f"{UUID}.jsonl", line))
    assert [(step.kind, step.source) for step in found.steps] == [
        ("system", SourceClass.HOST),
        ("user", SourceClass.USER),
    ]
    assert (found.goal, found.cwd, found.native_id) == ("fix it", "/w", f"{UUID}/transcript")


def test_a_transcript_of_a_subagent_has_a_parent(tmp_path: Path) -> None:
    folder = tmp_path / UUID / "subagents"
    folder.mkdir(parents=True)
    line = {"role": "user", "message": {"content": [{"type": "text", "text": "look"}]}}
    found = only(write(folder / "a.jsonl", line))
    assert found.parent == refs.trajectory_id("cursor", f"{UUID}/transcript")


@pytest.mark.parametrize(("status", "verdict"), [("success", "unknown"), ("error", "failure")])
def test_a_turn_that_ended_well_is_no_success_without_a_test(
    tmp_path: Path, status: str, verdict: str
) -> None:
    line = {"role": "user", "message": {"content": [{"type": "text", "text": "look"}]}}
    ended = {"type": "turn_ended", "status": status}
    assert only(write(tmp_path / "a.jsonl", line, ended)).verdict == verdict
