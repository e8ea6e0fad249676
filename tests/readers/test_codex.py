"""The Codex reader: turns, forks, headers over outputs, patches, what the host put in."""

import json
from pathlib import Path

import pytest
from transcripts import SAMPLES, only, write

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers import codex, detect

NASTY = SAMPLES / "codex" / "nasty.jsonl"
ORDINARY = SAMPLES / "codex" / "ordinary.jsonl"
ME, TURN = "019e0000-0000-7000-8000-00000000a001", "019e0000-0001-7000-8000-000000000001"
CHUNK = "Chunk ID: a\nWall time: 0.5 seconds\n"
OTHER, OLDER = "019d0000-0000-7000-8000-00000000b001", "019d0000-0001-7000-8000-000000000001"


def record(kind: str, payload: object) -> dict[str, object]:
    return {"timestamp": "2026-05-04T10:00:00Z", "type": kind, "payload": payload}


def item(kind: str, **payload: object) -> dict[str, object]:
    return record("response_item", {"type": kind, **payload})


def said(role: str, text: str) -> dict[str, object]:
    return item("message", role=role, content=[{"type": "input_text", "text": text}])


def meta(id_: str = ME, **more: object) -> dict[str, object]:
    return record("session_meta", {"id": id_, "cwd": "/home/ada/shop", **more})


def session(tmp_path: Path, *records: object) -> Trajectory:
    return only(write(tmp_path / "rollout.jsonl", meta(), *records))


def observed(tmp_path: Path, output: object, name: str = "exec_command") -> Observation:
    call = item("function_call", name=name, arguments='{"cmd": "make"}', call_id="c")
    answer = item("function_call_output", call_id="c", output=output)
    (seen,) = session(tmp_path, call, answer).steps[0].observations
    return seen


@pytest.mark.parametrize(
    ("output", "code", "text"),
    [
        (f"{CHUNK}Process exited with code 2\nOriginal token count: 3\nOutput:\nbad", 2, "bad"),
        ("Exit code: 0\nWall time: 0.5 seconds\nOutput:\nfine", 0, "fine"),
        (f"Command: sh -c 'a\nb'\n{CHUNK}Process exited with code 1\nOutput:\n", 1, ""),
        ('{"output":"done","metadata":{"exit_code":3,"duration_seconds":0.5}}', 3, "done"),
    ],
)
def test_the_hosts_header_gives_the_code_and_is_taken_off(
    tmp_path: Path, output: str, code: int, text: str
) -> None:
    seen = observed(tmp_path, output)
    assert (seen.exit_code, seen.failed, seen.seconds) == (code, code != 0, 0.5)
    assert seen.text == text


def test_a_code_that_a_program_printed_is_no_exit_code(tmp_path: Path) -> None:
    output = "Chunk ID: a\nWall time: 1 seconds\nProcess running with session ID 7\nOutput:\n"
    seen = observed(tmp_path, output + "Process exited with code 0\n")
    assert seen.exit_code is None
    assert observed(tmp_path, "Process exited with code 0\nOutput:\n").exit_code is None


@pytest.mark.parametrize("output", ["exec_command failed for `x`", "failed to parse arguments"])
def test_a_call_that_the_host_could_not_run_failed(tmp_path: Path, output: str) -> None:
    assert observed(tmp_path, output).failed is True


def test_what_the_user_broke_off_is_the_users_word(tmp_path: Path) -> None:
    assert observed(tmp_path, "aborted by user after 3s").source is SourceClass.USER


def test_a_command_that_ends_later_gives_its_code_to_the_step_that_began_it(
    tmp_path: Path,
) -> None:
    call = item("function_call", name="exec_command", arguments='{"cmd": "make"}', call_id="c")
    begun = "Chunk ID: a\nWall time: 1 seconds\nProcess running with session ID 7\nOutput:\n"
    answer = item("function_call_output", call_id="c", output=begun)
    ended = {"type": "exec_command_end", "call_id": "c", "exit_code": 2, "duration": {"secs": 9}}
    steps = session(tmp_path, call, answer, record("event_msg", ended)).steps
    assert [seen.exit_code for seen in steps[0].observations] == [2]


def test_a_fork_keeps_its_own_turns_and_leaves_out_what_it_repeats(tmp_path: Path) -> None:
    path = write(
        tmp_path / "fork.jsonl",
        meta(forked_from_id=OTHER),
        meta(OTHER),
        record("turn_context", {"turn_id": OLDER, "model": "old"}),
        said("user", "the parent's request"),
        record("event_msg", {"type": "task_started", "turn_id": TURN}),
        said("user", "the fork's own request"),
    )
    fork = only(path)
    assert fork.native_id == ME
    assert [step.text for step in fork.steps] == ["the fork's own request"]
    assert fork.skipped["replayed line"] == 2
    assert fork.parent is None


def test_a_session_that_was_resumed_is_no_fork(tmp_path: Path) -> None:
    resumed = session(tmp_path, said("user", "first"), meta(), said("user", "second"))
    assert [step.text for step in resumed.steps] == ["first", "second"]


def test_a_sub_agent_names_its_parent_and_its_task_is_the_agents_word() -> None:
    sub = only(NASTY)
    assert sub.parent == refs.trajectory_id("codex", OTHER)
    assert {step.source for step in sub.steps if step.text.startswith("Review")} == {
        SourceClass.AGENT
    }


def test_parallel_calls_and_their_words_are_one_step() -> None:
    step = only(ORDINARY).steps[3]
    assert step.text == "I look for the division first."
    assert step.reasoning == "**Looking for the division**"
    assert [call.command for call in step.calls] == ['rg -n "/ total" src', "npm test -- tax"]
    assert [seen.exit_code for seen in step.observations] == [0, 1]


def test_a_patch_names_the_files_that_it_writes() -> None:
    (patch,) = [c for s in only(ORDINARY).steps for c in s.calls if c.name == "apply_patch"]
    assert (patch.paths, patch.edits) == (("src/tax.ts",), True)


def test_a_script_of_calls_names_its_commands_and_files() -> None:
    (script,) = [c for s in only(NASTY).steps for c in s.calls if c.name == "exec"]
    assert script.command == "make check"
    assert (script.paths, script.edits) == (("docs/tax.md",), True)


def test_a_command_in_words_is_one_line_without_its_shell(tmp_path: Path) -> None:
    arguments = json.dumps({"command": ["bash", "-lc", "make all"]})
    call = item("function_call", name="shell", arguments=arguments, call_id="c")
    assert session(tmp_path, call).steps[0].calls[0].command == "make all"


def test_what_the_user_ran_is_the_users_step() -> None:
    (ran,) = [s for s in only(NASTY).steps if s.kind == "user" and s.calls]
    assert (ran.calls[0].command, ran.observations[0].exit_code) == ("git status --short", 0)


def test_recalled_memory_stays_out(tmp_path: Path) -> None:
    assert "older lesson" not in only(ORDINARY).model_dump_json()
    hooked = session(tmp_path, said("developer", "a recalled lesson"), said("user", "go on"))
    assert [step.text for step in hooked.steps] == ["go on"]
    assert hooked.skipped == {"message:hook": 1}


def test_boot_text_is_kept_once_and_is_no_goal() -> None:
    trajectory = only(NASTY)
    boots = [step.text for step in trajectory.steps if step.kind == "boot"]
    assert len(boots) == len(set(boots)) == 2
    assert trajectory.skipped["boot:repeated"] == 1
    assert trajectory.goal.startswith("Review src/tax.ts.")


def test_an_interrupt_is_told_once_and_by_the_user() -> None:
    told = [step for step in only(NASTY).steps if "interrupted by user" in step.text]
    assert [step.source for step in told] == [SourceClass.USER]


def test_a_compaction_is_a_summary_and_never_evidence() -> None:
    (summary,) = [step for step in only(NASTY).steps if step.kind == "summary"]
    assert summary.text == "So far: the tax was reviewed."


def test_tokens_are_the_sessions_totals() -> None:
    assert (only(ORDINARY).tokens_in, only(ORDINARY).tokens_out) == (4200, 310)


def test_bare_records_of_early_versions_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "rollout.jsonl",
        {"id": "early", "timestamp": "2025-05-01T10:00:00Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "local_shell_call", "call_id": "c", "action": {"command": ["ls"]}},
        {"type": "function_call_output", "call_id": "c", "output": "Exit code: 0"},
    )
    assert detect(path) is codex
    early = only(path)
    assert early.native_id == "early"
    assert [(step.kind, len(step.calls)) for step in early.steps] == [("user", 0), ("agent", 1)]
    assert not early.unknown


def test_what_is_not_known_is_counted_and_the_rest_is_read() -> None:
    trajectory = only(NASTY)
    assert dict(trajectory.unknown) == {
        "event_msg/brand_new_event": 1, "brand_new_record": 1, "response_item/": 1,
    }  # fmt: skip
    assert trajectory.steps[-1].text.startswith("caf")


def test_turns_that_the_user_took_back_stay_and_are_marked(tmp_path: Path) -> None:
    turns = [
        said("user", "one"),
        said("assistant", "1"),
        said("user", "two"),
        said("assistant", "2"),
    ]
    back = record("event_msg", {"type": "thread_rolled_back", "num_turns": 1})
    told = session(
        tmp_path, *turns, back, said("user", "three"), said("assistant", "3"), back, back
    ).steps
    assert [(s.text, s.abandoned) for s in told] == [
        ("one", True), ("1", True), ("two", True), ("2", True), ("three", True), ("3", True),
    ]  # fmt: skip
    told = session(tmp_path, *turns, back, said("user", "three")).steps
    assert [s.text for s in told if not s.abandoned] == ["one", "1", "three"]


@pytest.mark.parametrize("heading", ["## My request for Codex:", "## My request:"])
def test_what_an_editor_puts_before_a_request_is_the_hosts(tmp_path: Path, heading: str) -> None:
    shown = "# Context from my IDE setup:\n\n## Open tabs:\n- diary.md: notes/diary.md"
    told = session(tmp_path, said("user", f"{shown}\n\n{heading}\nMake it green\n"))
    assert [(s.text, s.source) for s in told.steps] == [
        (shown, SourceClass.HOST),
        ("Make it green", SourceClass.USER),
    ]
    assert told.goal == "Make it green"


def test_the_task_that_a_sub_agent_is_sent_is_its_goal(tmp_path: Path) -> None:
    spawned = {"thread_spawn": {"parent_thread_id": OTHER, "agent_path": "/root/worker"}}

    def sent(author: str, text: str) -> dict[str, object]:
        content = [{"type": "input_text", "text": text}]
        return item("agent_message", author=author, recipient="x", content=content)

    path = write(
        tmp_path / "rollout.jsonl",
        meta(source={"subagent": spawned}),
        sent("/root", "Inspect the parser."),
        sent("/root/worker", "On it."),
        sent("/root", "And the lexer."),
    )
    told = only(path)
    assert (told.goal, told.parent) == ("Inspect the parser.", refs.trajectory_id("codex", OTHER))
    assert [(s.kind, s.source) for s in told.steps] == [
        ("user", SourceClass.AGENT),
        ("system", SourceClass.AGENT),
        ("system", SourceClass.AGENT),
    ]
