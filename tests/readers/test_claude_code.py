"""The Claude Code reader: records, results, sub-agents, branches and titles."""

from pathlib import Path

import pytest
from transcripts import only, write

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass, Trajectory
from mcp_memory.readers import claude_code

SESSION = "33333333-3333-4333-8333-333333333333"


def record(uuid: str, kind: str, content: object, **fields: object) -> dict[str, object]:
    message = {"role": kind, "content": content, "id": fields.pop("message_id", f"msg_{uuid}")}
    envelope = {
        "uuid": uuid,
        "type": kind,
        "sessionId": SESSION,
        "timestamp": "2026-03-01T09:00:00Z",
    }
    return {**envelope, "message": message, **fields}


def call(id_: str, name: str, **arguments: object) -> dict[str, object]:
    return {"type": "tool_use", "id": id_, "name": name, "input": arguments}


def result(id_: str, text: object, **fields: object) -> dict[str, object]:
    return {"type": "tool_result", "tool_use_id": id_, "content": text, **fields}


def read_claude(tmp_path: Path, *lines: object) -> Trajectory:
    return only(write(tmp_path / "session.jsonl", *lines))


def bash_result(
    tmp_path: Path, text: str, told: object, **fields: object
) -> tuple[int | None, bool | None]:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("c", "Bash", command="make")]),
        record("u2", "user", [result("c", text, **fields)], toolUseResult=told),
    )
    (seen,) = trajectory.steps[0].observations
    return seen.exit_code, seen.failed


def named(name: str) -> dict[str, object]:
    kind, _, part = name.partition("/")
    role, _, block = name.partition(":")
    if block:
        return record("u1", role, [{"type": block, "id": "x", "name": "Read", "text": "t"}])
    if kind in ("user", "assistant"):
        return record("u1", kind, "hello")
    inner = {"subtype": part, "attachment": {"type": part}, "data": {"type": part}}
    return {"type": kind, "uuid": "u1", "sessionId": SESSION, "leafUuid": "x", **inner}


@pytest.mark.parametrize("name", sorted(claude_code.MAPPED - {"progress/agent_progress"}))
def test_a_mapped_record_is_neither_skipped_nor_unknown(tmp_path: Path, name: str) -> None:
    trajectory = read_claude(tmp_path, named(name), record("u9", "user", "so that there is a step"))
    assert (trajectory.skipped, trajectory.unknown) == ({}, {})


@pytest.mark.parametrize("name", sorted(claude_code.LEFT_OUT))
def test_a_record_left_out_is_counted_by_name(tmp_path: Path, name: str) -> None:
    trajectory = read_claude(tmp_path, named(name), record("u9", "user", "so that there is a step"))
    assert (trajectory.skipped, trajectory.unknown) == ({name: 1}, {})


@pytest.mark.parametrize("name", ["time-travel", "system/hum", "attachment/song", "user:smell"])
def test_an_unknown_record_is_counted_by_name(tmp_path: Path, name: str) -> None:
    trajectory = read_claude(tmp_path, named(name), record("u9", "user", "so that there is a step"))
    assert (trajectory.skipped, trajectory.unknown) == ({}, {name: 1})


def test_a_call_with_its_result_in_one_record_is_both(tmp_path: Path) -> None:
    told = {"role": "tool", "tool_name": "Bash", "tool_input": {"command": "make nest"},
            "tool_output": "no twigs", "status": "error"}  # fmt: skip
    asked = record("a", "user", "Build the nest.")
    read = read_claude(tmp_path, asked, {**record("b", "tool", ""), "message": told})
    (made,) = read.steps[1:]
    assert (made.calls[0].command, made.observations[0].text) == ("make nest", "no twigs")
    assert made.observations[0].failed


def test_a_record_without_a_type_is_refused_by_its_line(tmp_path: Path) -> None:
    read = read_claude(tmp_path, record("a", "user", "Build the nest."), {"silly": "this"})
    assert [(one.where, one.reason) for one in read.refusals] == [
        ("line 2", "a record without a type")
    ]


def test_a_command_that_ended_well_has_exit_code_zero(tmp_path: Path) -> None:
    told = {"stdout": "fine", "stderr": "", "interrupted": False}
    assert bash_result(tmp_path, "fine", told) == (0, False)


def test_an_exit_code_that_the_host_interprets_is_not_invented(tmp_path: Path) -> None:
    told = {"stdout": "", "interrupted": False, "returnCodeInterpretation": "No matches found"}
    assert bash_result(tmp_path, "", told) == (None, False)


def test_a_command_in_the_background_has_no_verdict(tmp_path: Path) -> None:
    told = {"stdout": "", "interrupted": False, "backgroundTaskId": "b1"}
    assert bash_result(tmp_path, "Running in the background", told) == (None, None)


def test_an_interrupted_command_failed(tmp_path: Path) -> None:
    assert bash_result(tmp_path, "half", {"stdout": "half", "interrupted": True}) == (None, True)


def test_a_failed_command_has_the_code_that_the_host_names(tmp_path: Path) -> None:
    assert bash_result(tmp_path, "Exit code 127\nnot found", "Error: …", is_error=True) == (
        127,
        True,
    )


def test_a_printed_exit_code_of_a_good_command_is_not_believed(tmp_path: Path) -> None:
    told = {"stdout": "Exit code 3", "interrupted": False}
    assert bash_result(tmp_path, "Exit code 3", told) == (0, False)


def test_results_join_the_step_of_their_call_however_late(tmp_path: Path) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("a", "Read", file_path="x")], message_id="m"),
        record("u2", "assistant", [call("b", "Read", file_path="y")], message_id="n"),
        record("u3", "user", [result("b", "second")]),
        record("u4", "user", [result("a", "first")]),
    )
    assert [[o.text for o in s.observations] for s in trajectory.steps] == [["first"], ["second"]]


def test_usage_counts_once_for_each_message(tmp_path: Path) -> None:
    lines = [
        record(f"u{n}", "assistant", [{"type": "text", "text": "x"}], message_id="m")
        for n in range(3)
    ]
    for n, line in enumerate(lines):
        line["message"]["usage"] = {"input_tokens": 7, "output_tokens": 10 + n}
    trajectory = read_claude(tmp_path, *lines)
    assert (trajectory.tokens_in, trajectory.tokens_out, len(trajectory.steps)) == (7, 12, 1)


def test_a_denial_comes_from_the_user_and_failed(tmp_path: Path) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("a", "Edit", file_path="x")]),
        record("u2", "user", [result("a", "The user doesn't want to proceed", is_error=True)]),
    )
    (seen,) = trajectory.steps[0].observations
    assert (seen.failed, seen.source) == (True, SourceClass.USER)


def test_a_denial_is_not_taken_from_the_text_of_a_file(tmp_path: Path) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("a", "Read", file_path="x")]),
        record("u2", "user", [result("a", "The user doesn't want to proceed", is_error=False)]),
    )
    assert trajectory.steps[0].observations[0].source is SourceClass.EXTERNAL


def test_inline_sub_agents_are_sessions_with_a_parent(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        record("u1", "user", "do it"),
        record("s1", "user", "your part", isSidechain=True, parentUuid=None),
        record("s2", "assistant", "done", isSidechain=True, parentUuid="s1"),
        record("t1", "user", "another part", isSidechain=True, parentUuid=None),
    )
    main, first, second = claude_code.read(path)
    assert (main.goal, first.goal, second.goal) == ("do it", "your part", "another part")
    assert first.parent == second.parent == main.id
    assert len(first.steps) == 2


def test_a_sub_agent_file_names_its_parent_session(tmp_path: Path) -> None:
    line = record("s1", "user", "your part", isSidechain=True, agentId="abc")
    trajectory = only(write(tmp_path / "agent-abc.jsonl", line))
    assert trajectory.native_id == f"{SESSION}/abc"
    assert trajectory.parent == refs.trajectory_id("claude_code", SESSION)


def test_sub_agents_inside_progress_give_way_to_files_of_their_own(tmp_path: Path) -> None:
    inner = {"type": "user", "uuid": "s1", "message": {"role": "user", "content": "part"}}
    progress = {"type": "agent_progress", "agentId": "abc", "message": inner}
    lines = (
        record("u1", "user", "do it"),
        {"type": "progress", "uuid": "p", "sessionId": SESSION, "data": progress},
    )
    path = write(tmp_path / "s.jsonl", *lines)
    assert [t.goal for t in claude_code.read(path)] == ["do it", "part"]
    (tmp_path / "s" / "subagents").mkdir(parents=True)
    assert [t.goal for t in claude_code.read(path)] == ["do it"]


def test_a_rewound_branch_is_marked_and_parallel_results_are_not(tmp_path: Path) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "user", "start", parentUuid=None),
        record("u2", "assistant", [call("a", "Read"), call("b", "Read")], parentUuid="u1"),
        record("u3", "user", [result("a", "1")], parentUuid="u2"),
        record("u4", "user", [result("b", "2")], parentUuid="u2"),
        record("u5", "user", "left behind", parentUuid="u4"),
        record("u6", "assistant", "an answer nobody kept", parentUuid="u5"),
        record("u7", "user", "written instead", parentUuid="u4"),
        record("u8", "assistant", "kept", parentUuid="u7"),
    )
    assert [s.number for s in trajectory.steps if s.abandoned] == [3, 4]


def test_a_best_title_wins_and_another_sessions_summary_never(tmp_path: Path) -> None:
    foreign = {"type": "summary", "summary": "not mine", "leafUuid": "elsewhere"}
    own = {"type": "summary", "summary": "mine", "leafUuid": "u1"}
    line = record("u1", "user", "hello")
    assert read_claude(tmp_path, foreign, line).title == ""
    assert read_claude(tmp_path, foreign, own, line).title == "mine"
    custom = {"type": "custom-title", "customTitle": "chosen", "sessionId": SESSION}
    later = {"type": "ai-title", "aiTitle": "made up", "sessionId": SESSION}
    assert read_claude(tmp_path, own, line, custom, later).title == "chosen"


@pytest.mark.parametrize("tool", ["mcp__memory__search", "mcp__plugin_x_my-memory_memory__runbook"])
def test_a_memory_servers_answer_is_not_remembered(tmp_path: Path, tool: str) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("a", tool)]),
        record("u2", "user", [result("a", "twelve words")]),
    )
    assert trajectory.steps[0].observations[0].text == "[recalled memory: left out, 12 characters]"


@pytest.mark.parametrize("tool", ["mcp__github__search", "mcp__memory__search_nodes", "Bash"])
def test_other_tools_answers_are_kept(tmp_path: Path, tool: str) -> None:
    trajectory = read_claude(
        tmp_path,
        record("u1", "assistant", [call("a", tool)]),
        record("u2", "user", [result("a", "twelve words")]),
    )
    assert trajectory.steps[0].observations[0].text == "twelve words"


def queued(operation: str, text: str | None = None) -> dict[str, object]:
    told = {"content": text} if text is not None else {}
    return {"type": "queue-operation", "operation": operation, "sessionId": SESSION, **told}


def test_words_typed_while_the_agent_works_are_the_users_and_stand_once(tmp_path: Path) -> None:
    notice = "<task-notification>done</task-notification>"
    session = only(
        write(
            tmp_path / "a.jsonl",
            record("u1", "user", "plan it"),
            queued("enqueue", "use copper"),
            queued("remove"),
            queued("enqueue", "and a drain"),
            queued("dequeue"),
            record("u2", "user", "and a drain"),
            queued("enqueue", notice),
            queued("enqueue", "never sent"),
            queued("popAll", "never sent"),
            queued("enqueue", "/theme"),
            queued("enqueue", "the last words"),
        )
    )
    told = [(s.text, s.kind, s.source, s.abandoned) for s in session.steps]
    user = SourceClass.USER
    assert told == [
        ("plan it", "user", user, False),
        ("use copper", "user", user, False),
        ("and a drain", "user", user, False),
        (notice, "system", SourceClass.HOST, True),
        ("never sent", "user", user, True),
        ("/theme", "system", SourceClass.HOST, False),
        ("the last words", "user", user, False),
    ]


def test_several_that_waited_may_come_as_one_message(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        *(queued("enqueue", text) for text in ("go on", "go on", "and test")),
        record("u1", "user", "go on\nand test"),
        record("u2", "user", "go on"),
        record("u3", "user", "go on"),
    )
    assert [s.text for s in only(path).steps] == ["go on", "go on", "and test", "go on"]


def test_words_given_within_a_turn_come_again_as_an_attachment_only(tmp_path: Path) -> None:
    command = {"type": "queued_command", "prompt": "go on"}
    attached = {"type": "attachment", "uuid": "a1", "sessionId": SESSION, "attachment": command}
    path = write(
        tmp_path / "a.jsonl",
        *(queued("enqueue", "go on"), queued("remove"), attached),
        record("u1", "user", "go on"),
    )
    assert [s.text for s in only(path).steps] == ["go on", "go on"]


def test_a_message_that_was_written_while_it_streamed_is_one(tmp_path: Path) -> None:
    grown = [
        record(
            f"a{n}",
            "assistant",
            [{"type": "text", "text": text}, call("t1", "Task", **arguments)],
            message_id="m",
        )
        for n, (text, arguments) in enumerate(
            [
                ("Work", {"description": "insp"}),
                ("Working", {"description": "inspect", "kind": "Explore"}),
                ("Working on it", {"description": "inspect it", "kind": "Explore"}),
            ]
        )
    ]
    (step,) = only(write(tmp_path / "a.jsonl", *grown)).steps
    assert step.text == "Working on it"
    assert [dict(c.arguments) for c in step.calls] == [
        {"description": "inspect it", "kind": "Explore"}
    ]


def test_two_calls_whose_ids_were_masked_alike_are_both_kept(tmp_path: Path) -> None:
    masked = [
        record("a1", "assistant", [call("REDACTED", "Bash", command=c)], message_id="m")
        for c in ("ls", "pwd")
    ]
    masked[1]["uuid"] = "a2"
    (step,) = only(write(tmp_path / "a.jsonl", *masked)).steps
    assert [c.command for c in step.calls] == ["ls", "pwd"]


def kept_output(tmp_path: Path, name: str, shown: str) -> str:
    stub = f"<persisted-output>\nOutput too large. Full output saved to: {shown}\n\nfirst lines"
    path = write(
        tmp_path / f"{SESSION}.jsonl",
        record("a1", "assistant", [call("t1", "Bash", command="backup")]),
        record("u1", "user", [result("t1", stub)]),
    )
    folder = tmp_path / SESSION / "tool-results"
    folder.mkdir(parents=True)
    (folder / name).write_text("first lines\nENOSPC near the end", encoding="utf-8")
    return only(path).steps[0].observations[0].text


def test_an_output_that_lies_beside_the_session_is_read_whole(tmp_path: Path) -> None:
    assert kept_output(tmp_path, "b1.txt", f"/x/{SESSION}/tool-results/b1.txt").endswith("the end")


def test_an_output_of_another_place_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    shown = kept_output(tmp_path, "b1.txt", f"{tmp_path}/tool-results/../secret.txt")
    assert "secret\n" not in shown
    assert shown.endswith("first lines")


def test_a_sub_agent_that_was_only_warmed_up_is_left_out_and_counted(tmp_path: Path) -> None:
    agent = {"isSidechain": True, "agentId": "a1"}
    path = write(
        tmp_path / "a.jsonl",
        record("u0", "user", "Braid the rope"),
        record("u1", "user", "Warmup", **agent),
        record("a2", "assistant", "I'm ready to help.", **agent),
    )
    session = only(path)
    assert session.skipped["warm-up agent"] == 1


def test_a_session_of_the_desktop_program_has_its_title_and_folder(tmp_path: Path) -> None:
    own = tmp_path / "Claude" / "local-agent-mode-sessions" / "o" / "a" / "local_7"
    folder = own / ".claude" / "projects" / "-sessions-x"
    folder.mkdir(parents=True)
    facts = b'{"title":"Tidy up","cwd":"/sessions/x","userSelectedFolders":["/home/ada/archive"]}'
    own.with_name("local_7.json").write_bytes(facts)
    session = only(write(folder / "a.jsonl", record("u", "user", "tidy", cwd="/sessions/x")))
    assert (session.title, session.cwd) == ("Tidy up", "/home/ada/archive")
