"""Readers: golden samples, hostile bytes, growing files, and every record type mapped or named.

`MCP_MEMORY_REGENERATE=1 pytest tests/test_readers.py` writes the expected readings anew.
"""

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mcp_memory import refs
from mcp_memory.errors import UnknownTranscript
from mcp_memory.models import SourceClass, Trajectory
from mcp_memory.readers import (
    READERS,
    Reader,
    blobs,
    claude_code,
    clock,
    detect,
    harness,
    jsonl,
    swe_agent,
    tools,
)

SAMPLES = Path(__file__).parent / "samples"
TRANSCRIPTS = sorted(p for p in SAMPLES.glob("*/*") if p.suffix in {".jsonl", ".traj"})
CLAUDE = [p for p in TRANSCRIPTS if p.parent.name == "claude_code"]
SESSION = "33333333-3333-4333-8333-333333333333"

many = settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


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


def write(path: Path, *lines: object) -> Path:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def only(path: Path) -> Trajectory:
    (trajectory,) = detect(path).read(path)
    return trajectory


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


# --- the siblings ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_sample_reads_as_written_down(path: Path) -> None:
    read = [t.model_dump(mode="json", exclude_defaults=True) for t in detect(path).read(path)]
    expected = path.with_suffix(".expected.json")
    if os.environ.get("MCP_MEMORY_REGENERATE"):
        expected.write_bytes(orjson.dumps(read, option=orjson.OPT_INDENT_2) + b"\n")
    assert read == orjson.loads(expected.read_bytes())


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.FORMAT)
def test_every_format_has_an_ordinary_and_a_nasty_sample(reader: Reader) -> None:
    names = {p.stem for p in TRANSCRIPTS if p.parent.name == reader.FORMAT}
    assert {"ordinary", "nasty"} <= names


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_exactly_one_reader_recognises_a_sample(path: Path) -> None:
    assert [reader.FORMAT for reader in READERS if reader.recognize(path)] == [path.parent.name]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_moved_or_compressed_file_is_the_same_session(path: Path, tmp_path: Path) -> None:
    moved = tmp_path / f"other{path.suffix}.gz"
    moved.write_bytes(gzip.compress(path.read_bytes()))
    assert [t.id for t in detect(moved).read(moved)] == [t.id for t in detect(path).read(path)]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_ids_come_from_format_and_native_id_and_steps_count_from_one(path: Path) -> None:
    for trajectory in detect(path).read(path):
        assert trajectory.id == refs.trajectory_id(trajectory.format, trajectory.native_id)
        assert [s.number for s in trajectory.steps] == [*range(1, len(trajectory.steps) + 1)]


@pytest.mark.parametrize(
    "text",
    ["", "hello", "{}", '{"messages":[]}', '{"timestamp":"x","type":"session_meta","payload":{}}',
     '{"info":{},"messages":[],"trajectory_format":"mini-swe-agent-1"}',
     '{"schema_version":"ATIF-v1.7","steps":[]}',
     '{"type":"session.start","data":{"sessionId":"x"},"id":"1"}', '[{"id":0,"source":"user"}]'],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownTranscript):
        detect(path)


def test_a_file_that_two_readers_claim_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_memory.readers.READERS", (claude_code, claude_code))
    path = write(tmp_path / "a.jsonl", record("u1", "user", "hello"))
    with pytest.raises(UnknownTranscript, match="claude_code and claude_code"):
        detect(path)


# --- hostile bytes --------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.FORMAT)
@many
@given(raw=st.binary(max_size=400))
@example(raw=b"\x1f\x8b\x08\x00")
@example(raw=b"[" * 5000)
@example(raw=b'{"a":' * 5000)
def test_arbitrary_bytes_are_never_fatal(reader: Reader, raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)
    assert reader.recognize(path) in (True, False)
    list(reader.read(path))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@many
@given(data=st.data())
def test_mutated_samples_are_never_fatal(path: Path, data: st.DataObject, tmp_path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=8))
    mutated = tmp_path / "file"
    mutated.write_bytes(bytes(raw))
    for trajectory in reader_of(path).read(mutated):
        trajectory.model_dump_json()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
@many
@given(data=st.data())
def test_values_of_any_type_anywhere_are_never_fatal(
    path: Path, data: st.DataObject, tmp_path: Path
) -> None:
    lines = []
    for line in path.read_bytes().split(b"\n") if path.suffix == ".jsonl" else [path.read_bytes()]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        spots = list(places(value))
        if spots:
            holder, key = data.draw(st.sampled_from(spots))
            holder[key] = data.draw(values)
        lines.append(value)
    changed = tmp_path / "file"
    option = orjson.OPT_NON_STR_KEYS
    changed.write_bytes(b"\n".join(orjson.dumps(clamped(v), option=option) for v in lines))
    for trajectory in reader_of(path).read(changed):
        trajectory.model_dump_json()


def places(value: object) -> Iterator[tuple[object, object]]:
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        yield value, key
        yield from places(inner)


def clamped(value: object) -> object:
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return 0
    if isinstance(value, dict):
        return {key: clamped(inner) for key, inner in value.items()}
    return [clamped(inner) for inner in value] if isinstance(value, list) else value


def reader_of(path: Path) -> Reader:
    return next(reader for reader in READERS if path.parent.name == reader.FORMAT)


def test_an_overlong_line_is_named_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "LINE_BYTES", 2 << 20)
    long = record("u1", "user", "x" * (3 << 20))
    path = write(
        tmp_path / "a.jsonl", record("u0", "user", "first"), long, record("u2", "user", "next")
    )
    trajectory = only(path)
    assert [s.text for s in trajectory.steps] == ["first", "next"]
    assert [(r.where, r.reason) for r in trajectory.refusals] == [("line 2", "longer than 2 MB")]


def test_a_compressed_file_that_expands_without_end_is_cut_short_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "EXPANDED_BYTES", 1 << 20)
    path = tmp_path / "bomb.jsonl.gz"
    line = orjson.dumps(record("u1", "user", "hello")) + b"\n"
    path.write_bytes(gzip.compress(line + b" " * (8 << 20)))
    (refusal,) = next(claude_code.read(path)).refusals
    assert "expands to more than 1 MB" in refusal.reason


def test_a_damaged_compressed_file_keeps_what_was_read(tmp_path: Path) -> None:
    lines = b"".join(
        orjson.dumps(record(f"u{n}", "user", os.urandom(40).hex())) + b"\n" for n in range(4000)
    )
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(gzip.compress(lines)[:-5000])
    trajectory = only(path)
    assert len(trajectory.steps) > 3000
    assert "reading stopped here" in trajectory.refusals[-1].reason


def test_a_whole_json_file_over_the_cap_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "FILE_BYTES", 1 << 20)
    path = tmp_path / "a.traj"
    path.write_bytes(b'{"environment":"e","trajectory":[]}' + b" " * (1 << 20))
    (refusal,) = only(path).refusals
    assert refusal.reason == "larger than 1 MB"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]\n", "not an object"),
        (b"{nope}\n", "not JSON"),
        (b'{"type":"user', "truncated last line"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"\n", "nested too deep"),
        (b'{"a":"\xff"}\n', "damaged UTF-8; read with replacement characters"),
        (b'{"a":"\x00"}\n', "NUL bytes; read with replacement characters"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"ok":1}\n\n' + line)
    refusals: list[object] = []
    list(jsonl.read_lines(path, refusals))
    assert [(r.where, r.reason) for r in refusals] == [("line 3", reason)]


# --- growing files --------------------------------------------------------------------------


@pytest.mark.parametrize("path", CLAUDE, ids=lambda path: path.stem)
def test_step_numbers_never_change_while_a_file_grows(path: Path, tmp_path: Path) -> None:
    whole = {t.id: t.steps for t in claude_code.read(path)}
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        grown = tmp_path / path.name
        grown.write_bytes(b"".join(lines[:cut]))
        for trajectory in claude_code.read(grown):
            for part, full in zip(trajectory.steps, whole[trajectory.id], strict=False):
                assert (part.number, part.kind, part.at) == (full.number, full.kind, full.at)
                assert full.text.startswith(part.text)
                assert full.calls[: len(part.calls)] == part.calls
                assert full.observations[: len(part.observations)] == part.observations


# --- Claude Code ----------------------------------------------------------------------------


def test_no_record_type_is_both_kept_and_left_out() -> None:
    for reader in (claude_code, swe_agent):
        assert not reader.MAPPED & set(reader.LEFT_OUT)
        assert all(reader.LEFT_OUT.values())


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


def test_own_words_are_told_from_the_programs(tmp_path: Path) -> None:
    said = "before <system-reminder>be brief</system-reminder> after"
    parts = [(part.kind, part.text) for part in harness.speeches(said)]
    assert parts == [
        ("user", "before"),
        ("system", "<system-reminder>be brief</system-reminder>"),
        ("user", "after"),
    ]


@given(st.text(alphabet="<>/systembahpu- \n", max_size=200))
def test_no_word_of_a_message_is_lost(text: str) -> None:
    kept = "".join(part.text for part in harness.speeches(text))
    assert sorted(kept.replace(" ", "").replace("\n", "")) == sorted(
        text.replace(" ", "").replace("\n", "")
    )


def test_a_best_title_wins_and_another_sessions_summary_never(tmp_path: Path) -> None:
    foreign = {"type": "summary", "summary": "not mine", "leafUuid": "elsewhere"}
    own = {"type": "summary", "summary": "mine", "leafUuid": "u1"}
    line = record("u1", "user", "hello")
    assert read_claude(tmp_path, foreign, line).title == ""
    assert read_claude(tmp_path, foreign, own, line).title == "mine"
    custom = {"type": "custom-title", "customTitle": "chosen", "sessionId": SESSION}
    later = {"type": "ai-title", "aiTitle": "made up", "sessionId": SESSION}
    assert read_claude(tmp_path, own, line, custom, later).title == "chosen"


# --- SWE-agent ------------------------------------------------------------------------------


def run(*actions: str, seconds: float | None = None, **info: object) -> dict[str, object]:
    steps = [{"action": action, "observation": "", "thought": "t"} for action in actions]
    if seconds is not None:
        steps[0]["execution_time"] = seconds
    history = [{"role": "user", "content": "ISSUE:\nit breaks\n\nINSTRUCTIONS:\ndo well"}]
    return {"environment": "swe_main", "trajectory": steps, "history": history, "info": info}


def native_id(tmp_path: Path, value: object) -> str:
    return only(write(tmp_path / "x.traj", value)).native_id


def test_two_runs_that_begin_alike_are_two_sessions(tmp_path: Path) -> None:
    assert native_id(tmp_path, run("ls", "a")) != native_id(tmp_path, run("ls", "b"))
    timed = [native_id(tmp_path, run("ls", seconds=s)) for s in (0.25, 0.26)]
    assert timed[0] != timed[1]


def test_a_timed_run_keeps_its_id_while_it_grows(tmp_path: Path) -> None:
    short, longer = (
        run("ls", seconds=0.25),
        run("ls", "submit", seconds=0.25, exit_status="submitted"),
    )
    assert native_id(tmp_path, short) == native_id(tmp_path, longer)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("submitted", "unknown"),
        ("exit_cost", "failure"),
        ("submitted (exit_cost)", "failure"),
        (None, "unknown"),
    ],
)
def test_an_exit_status_is_no_success_without_a_test(
    tmp_path: Path, status: str | None, verdict: str
) -> None:
    trajectory = only(write(tmp_path / "x.traj", run("ls", exit_status=status)))
    assert trajectory.verdict == verdict
    assert trajectory.verdict_reason


def test_the_goal_is_the_issue(tmp_path: Path) -> None:
    assert only(write(tmp_path / "x.traj", run("ls"))).goal == "it breaks"


# --- small rooms ----------------------------------------------------------------------------


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


def test_a_picture_is_kept_by_type_size_and_hash() -> None:
    assert blobs.placeholder("image/png", "aGVsbG8=").startswith(
        "[image/png, 5 bytes, sha256 2cf24d"
    )
    assert blobs.without_blobs("a data:image/gif;base64," + "AAAA" * 60 + " b").startswith(
        "a [image/gif, 180 bytes"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T09:00:00.5Z", datetime(2026, 3, 1, 9, 0, 0, 500000, UTC)),
        ("2026-03-01T09:00:00+02:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01T09:00:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (1772355600, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (1772355600000, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (1772355600000000, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("yesterday", None), (float("nan"), None), (1e300, None), (True, None), (None, None),
    ],
)  # fmt: skip
def test_times_are_aware_and_utc(value: object, expected: datetime | None) -> None:
    assert clock.moment(value) == expected


@given(values)
def test_a_time_is_read_from_anything_or_not_at_all(value: object) -> None:
    found = clock.moment(value)
    assert found is None or found.tzinfo is UTC


def test_arguments_are_kept_whole_but_not_bottomless() -> None:
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"in": deep}
    kept = tools.tool_call("1", "Edit", {"file_path": "a.py", "new_string": "x", "deep": deep})
    assert (kept.paths, kept.edits, kept.arguments["new_string"]) == (("a.py",), True, "x")
    assert "nested deeper" in kept.model_dump_json()


def test_every_reader_is_a_module_of_the_same_shape() -> None:
    for reader in READERS:
        assert isinstance(reader, ModuleType)
        assert reader.__name__.endswith(reader.FORMAT)
        assert isinstance(reader.VERSION, int)
