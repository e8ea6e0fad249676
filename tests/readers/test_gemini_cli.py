"""The Gemini CLI reader: messages written anew, exit codes, rewinds, compaction, sub-agents."""

from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, SourceClass, Trajectory

FACTS = {"sessionId": "s-1", "projectHash": "ab" * 32, "startTime": "2026-03-01T10:00:00Z"}


def user(id_: str, text: object) -> dict[str, object]:
    return {"id": id_, "type": "user", "content": text, "timestamp": "2026-03-01T10:00:01Z"}


def agent(id_: str, text: object, *calls: dict[str, object]) -> dict[str, object]:
    return {"id": id_, "type": "gemini", "content": text, "toolCalls": list(calls)}


def call(output: str, *, display: object = "", status: str = "success") -> dict[str, object]:
    response = {"functionResponse": {"id": "c", "response": {"output": output}}}
    return {
        "id": "c",
        "name": "run_shell_command",
        "args": {"command": "make"},
        "result": [response],
        "status": status,
        "resultDisplay": display,
    }


def session(tmp_path: Path, *lines: object) -> Trajectory:
    return only(write(tmp_path / "s.jsonl", FACTS, *lines))


def observed(tmp_path: Path, told: dict[str, object]) -> Observation:
    (seen,) = session(tmp_path, agent("a", "", told)).steps[0].observations
    return seen


OLD = "Command: make\nDirectory: (root)\nOutput: {}\nError: (none)\nExit Code: {}\nSignal: 0\n"
OLD += "Background PIDs: (none)\nProcess Group PGID: 7"


@pytest.mark.parametrize(
    ("output", "display", "code"),
    [
        (OLD.format("all well", 0), "all well", 0),
        (OLD.format("Exit Code: 9", 2), "Exit Code: 9", 2),
        (OLD.format("x", "(none)"), "x", None),
        ("Output: all well\nProcess Group PGID: 7", "all well", 0),
        ("Output: bad\nExit Code: 2\nProcess Group PGID: 7", "bad", 2),
        (
            (
                "<untrusted_context>\nOutput: bad\nExit Code: 2\nProcess Group PGID: 7\n"
                "</untrusted_context>\n\n<hook_context>said</hook_context>"
            ),
            "bad",
            2,
        ),
        ("Output: (empty)\nExit Code: 1\nProcess Group PGID: 7", "exited with code: 1", 1),
        ("Output: Exit Code: 5\nProcess Group PGID: 7", "Exit Code: 5", 0),
        ("Output: a\nExit Code: 5\nProcess Group PGID: 7", "a\nExit Code: 5", 0),
        ("Output: a\nExit Code: 5\nProcess Group PGID: 7", None, None),
        ("Output: a\nSignal: SIGKILL\nProcess Group PGID: 7", "a", None),
        ("Exit Code: 5", "Exit Code: 5", None),
    ],
)
def test_an_exit_code_is_the_hosts_and_never_the_programs(
    tmp_path: Path, output: str, display: object, code: int | None
) -> None:
    seen = observed(tmp_path, call(output, display=display))
    assert seen.exit_code == code
    assert seen.failed is bool(code)


def test_a_cancelled_call_is_the_users_word(tmp_path: Path) -> None:
    seen = observed(tmp_path, call("[Operation Cancelled]", status="cancelled"))
    assert (seen.failed, seen.source) == (True, SourceClass.USER)


def test_a_message_written_anew_is_one_step(tmp_path: Path) -> None:
    started = call("", status="executing")
    read = session(tmp_path, agent("a", "x"), agent("a", "x", started), agent("a", "x", call("y")))
    (step,) = read.steps
    assert (step.text, len(step.calls), [o.text for o in step.observations]) == ("x", 1, ["y"])


def test_a_result_in_the_users_place_only_repeats(tmp_path: Path) -> None:
    told = call("y")
    read = session(tmp_path, agent("a", "x", told), user("u", told["result"]))
    assert [o.text for s in read.steps for o in s.observations] == ["y"]
    assert read.skipped == {"user:functionResponse": 1}


def test_calls_without_an_id_of_their_own_are_all_kept(tmp_path: Path) -> None:
    nameless = {**call("y"), "id": None}
    read = session(tmp_path, agent("a", "", nameless, nameless), agent("b", "", call("1")))
    masked = session(tmp_path, agent("a", "", call("1")), agent("b", "", call("2")))
    assert [len(s.observations) for s in read.steps] == [2, 1]
    assert [o.text for s in masked.steps for o in s.observations] == ["1", "2"]


def test_a_rewind_abandons_the_message_and_all_after_it(tmp_path: Path) -> None:
    lines = (user("u1", "a"), user("u2", "b"), agent("a", "c"), {"$rewindTo": "u2"})
    assert [s.abandoned for s in session(tmp_path, *lines, user("u3", "d")).steps] == [
        False,
        True,
        True,
        False,
    ]


def test_a_compaction_keeps_the_full_history_and_adds_the_summary(tmp_path: Path) -> None:
    snapshot = user("z", [{"text": "<state_snapshot>what was done</state_snapshot>"}])
    context = {"$set": {"messages": [snapshot, agent("a", "sh[...]"), user("v", "do it")]}}
    read = session(tmp_path, user("u", "do it"), agent("a", "shown in full"), context)
    assert [(s.kind, s.source.value) for s in read.steps] == [
        ("user", "user"),
        ("agent", "agent"),
        ("summary", "agent"),
    ]
    assert read.steps[1].text == "shown in full"
    assert read.skipped == {"message:rewritten": 2}


def test_the_users_words_are_parted_from_hooks_and_files(tmp_path: Path) -> None:
    words = "<hook_context>recalled</hook_context>\n\nsee @a.md"
    files = "\n--- Content from referenced files ---"
    parts = [{"text": words}, {"text": files}, {"text": "# A"}]
    read = session(tmp_path, user("u", parts))
    assert read.goal == "see @a.md"
    assert read.steps[1].source is SourceClass.EXTERNAL
    assert "recalled" not in read.model_dump_json()


def test_the_working_folder_stands_beside_the_chats(tmp_path: Path) -> None:
    chats = tmp_path / "shop" / "chats"
    chats.mkdir(parents=True)
    (tmp_path / "shop" / ".project_root").write_text("/home/ada/shop\n", encoding="utf-8")
    path = write(chats / "session-1.jsonl", FACTS, user("u", "a"))
    assert only(path).cwd == "/home/ada/shop"


def test_a_sub_agents_file_names_its_parent(tmp_path: Path) -> None:
    folder = tmp_path / "chats" / "s-0"
    folder.mkdir(parents=True)
    facts = {**FACTS, "kind": "subagent", "directories": ["/home/ada/shop"]}
    read = only(write(folder / "s-1.jsonl", facts, user("u", "look into it")))
    assert read.parent == refs.trajectory_id("gemini_cli", "s-0")
    assert (read.cwd, read.steps[0].source) == ("/home/ada/shop", SourceClass.AGENT)


def test_a_session_carried_over_to_lines_stays_the_same_session(tmp_path: Path) -> None:
    message = user("u", "a")
    whole = only(write(tmp_path / "s.json", {**FACTS, "messages": [message]}))
    lines = session(tmp_path, message)
    assert (whole.id, whole.steps) == (lines.id, lines.steps)


def test_what_a_memory_server_said_is_left_out() -> None:
    read = only(SAMPLES / "gemini_cli" / "nasty.jsonl")
    assert "we built it with make" not in read.model_dump_json()


def test_unknown_records_are_counted_and_lost_results_are_kept() -> None:
    read = only(SAMPLES / "gemini_cli" / "nasty.jsonl")
    assert {"hologram", "gemini:quantum", "session/holiday", "record/surprise"} <= set(read.unknown)
    assert any("a call that was lost" in o.text for s in read.steps for o in s.observations)
