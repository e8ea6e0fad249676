"""The Copilot CLI reader: pairing, exit codes, denials, sub-agents, rewinds, what is left out."""

from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Outcome, SourceClass, Trajectory
from mcp_memory.readers import copilot_cli

NASTY = SAMPLES / "copilot_cli" / "nasty.jsonl"
START = {"sessionId": "s-1", "copilotVersion": "1.0.64", "context": {"cwd": "/home/ada/shop"}}


def event(number: int, kind: str, data: object, **more: object) -> dict[str, object]:
    at = f"2026-05-02T09:00:{number:02d}Z"
    return {"type": kind, "data": data, "id": str(number), "parentId": "", "timestamp": at, **more}


def session(tmp_path: Path, *told: tuple[str, object]) -> Trajectory:
    events = [
        event(n, kind, data) for n, (kind, data) in enumerate((("session.start", START), *told))
    ]
    return only(write(tmp_path / "events.jsonl", *events))


def called(name: str, **arguments: object) -> tuple[str, object]:
    request = {"toolCallId": "c", "name": name, "arguments": arguments}
    return "assistant.message", {"messageId": "m", "content": "", "toolRequests": [request]}


def completed(text: str, **more: object) -> tuple[str, object]:
    data = {"toolCallId": "c", "success": True, "result": {"content": text}, **more}
    return "tool.execution_complete", data


def observed(tmp_path: Path, *told: tuple[str, object]) -> Observation:
    (seen,) = session(tmp_path, *told).steps[0].observations
    return seen


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ok\n<shellId: 3 completed with exit code 0>", 0),
        ("bad\n<shellId: 3 completed with exit code 128>\n", 128),
        (
            "<shellId: 3 completed with exit code 9>\n<command with shellId: 3 is still running>",
            None,
        ),
        ("exit code 9", None),
    ],
)
def test_an_exit_code_stands_in_the_hosts_own_last_line(
    tmp_path: Path, text: str, code: int | None
) -> None:
    seen = observed(tmp_path, called("bash", command="make"), completed(text))
    assert seen.exit_code == code
    assert seen.failed is bool(code)


def test_a_file_that_shows_an_exit_code_has_none(tmp_path: Path) -> None:
    text = "<shellId: 3 completed with exit code 9>"
    seen = observed(tmp_path, called("view", path="log"), completed(text))
    assert (seen.exit_code, seen.failed, seen.source) == (None, False, SourceClass.EXTERNAL)


def test_a_call_lasts_from_its_start_to_its_result(tmp_path: Path) -> None:
    began = ("tool.execution_start", {"toolCallId": "c", "toolName": "bash"})
    waited = ("assistant.turn_start", {"turnId": "0"})
    seen = observed(tmp_path, called("bash", command="make"), began, waited, completed("x"))
    assert seen.seconds == 2


def test_a_denial_is_the_users_word(tmp_path: Path) -> None:
    asked = {"requestId": "p", "permissionRequest": {"toolCallId": "c"}}
    denied = {"requestId": "p", "result": {"kind": "denied-interactively-by-user"}}
    seen = observed(
        tmp_path,
        called("bash", command="rm x"),
        ("permission.requested", asked),
        ("permission.completed", denied),
        completed("", success=False, error={"message": "denied"}),
    )
    assert (seen.source, seen.failed, seen.text) == (SourceClass.USER, True, "denied")


def test_what_the_user_answers_is_the_users_word(tmp_path: Path) -> None:
    seen = observed(tmp_path, called("ask_user", question="blue?"), completed("yes"))
    assert seen.source is SourceClass.USER


@pytest.mark.parametrize("name", ["memory-search", "mcp_memory.search"])
def test_what_a_memory_server_said_is_left_out(tmp_path: Path, name: str) -> None:
    seen = observed(tmp_path, called(name, query="q"), completed("we used make"))
    assert seen.text.startswith("[recalled memory: left out")


def test_the_users_words_are_those_typed(tmp_path: Path) -> None:
    data = {"content": "fix it", "transformedContent": "<current_datetime/>fix it<reminder/>"}
    read = session(
        tmp_path, ("user.message", data), ("user.message", {**data, "source": "skill-x"})
    )
    assert read.goal == "fix it"
    assert [(s.text, s.kind, s.source.value) for s in read.steps] == [
        ("fix it", "user", "user"),
        ("fix it", "system", "host"),
    ]


def test_the_system_prompt_is_kept_once(tmp_path: Path) -> None:
    prompt = ("system.message", {"role": "system", "content": "You are an assistant."})
    read = session(tmp_path, prompt, prompt)
    assert [s.kind for s in read.steps] == ["boot"]
    assert read.skipped == {"system.message:repeated": 1}


def test_a_sub_agent_is_a_session_of_its_own() -> None:
    main, sub = copilot_cli.read(NASTY)
    assert sub.parent == refs.trajectory_id("copilot_cli", main.native_id)
    assert (sub.title, sub.goal) == ("Explorer", "Find the deploy script.")
    assert [(s.kind, s.source.value) for s in sub.steps] == [("user", "agent"), ("agent", "agent")]
    assert [o.text for o in sub.steps[1].observations] == ["deploy.sh"]


def test_an_old_sub_agent_is_named_by_the_call_that_began_it(tmp_path: Path) -> None:
    inner = {"messageId": "i", "content": "found", "parentToolCallId": "c"}
    lines = [event(0, "session.start", START), event(1, *called("task", prompt="look"))]
    path = write(tmp_path / "events.jsonl", *lines, event(2, "assistant.message", inner))
    assert [t.native_id for t in copilot_cli.read(path)] == ["s-1", "s-1/c"]


def test_a_rewind_abandons_what_came_since(tmp_path: Path) -> None:
    said = [("user.message", {"content": text}) for text in ("a", "b", "c")]
    read = session(tmp_path, *said, ("session.snapshot_rewind", {"upToEventId": "2"}))
    assert [s.abandoned for s in read.steps] == [False, True, True]


def test_a_replayed_event_is_read_once(tmp_path: Path) -> None:
    lines = [event(0, "session.start", START), event(1, "user.message", {"content": "a"})]
    read = only(write(tmp_path / "events.jsonl", *lines, lines[1]))
    assert len(read.steps) == 1
    assert read.skipped == {"replayed line": 1}


def test_only_a_shutdown_on_an_error_is_a_verdict() -> None:
    assert next(copilot_cli.read(NASTY)).verdict is Outcome.FAILURE
    ordinary = only(SAMPLES / "copilot_cli" / "ordinary.jsonl")
    assert ordinary.verdict is Outcome.UNKNOWN
    assert (ordinary.tokens_in, ordinary.tokens_out, ordinary.git_branch) == (5000, 80, "main")


def test_files_without_their_start_are_told_apart(tmp_path: Path) -> None:
    said = {"content": "a"}
    paths = [tmp_path / name / "events.jsonl" for name in "ab"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        write(path, event(number, "user.message", said))
    assert only(paths[0]).id != only(paths[1]).id


def test_the_parts_of_a_session_in_an_editor_of_jetbrains_are_one(tmp_path: Path) -> None:
    folder = tmp_path / "9e9e9e9e-0000-4000-8000-000000000001"
    folder.mkdir()
    for number, text in ((0, "Mend the sail"), (1, "And the mast"), (10, "And the keel")):
        write(
            folder / f"partition-{number}.jsonl",
            event(number * 2, "user.message_rendered", {"content": text}),
            event(number * 2 + 1, "user.message", {"content": text}),
        )
    session = only(folder / "partition-0.jsonl")
    assert session.native_id == folder.name
    assert [s.text for s in session.steps] == ["Mend the sail", "And the mast", "And the keel"]


def test_a_transcript_in_an_editors_workspace_belongs_to_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "GitHub.copilot-chat" / "transcripts"
    folder.mkdir(parents=True)
    (tmp_path / "workspace.json").write_text('{"folder":"file:///home/ada/shop"}', encoding="utf-8")
    start = event(0, "session.start", {"sessionId": "s", "copilotVersion": "0.44.0"})
    path = write(folder / "s.jsonl", start, event(1, "user.message", {"content": "Fold the tent"}))
    assert only(path).cwd == "/home/ada/shop"
