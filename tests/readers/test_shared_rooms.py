"""The rooms that readers share: lines, whole files, harness text, blobs, clock and tools."""

import gzip
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from json_values import values
from transcripts import only, write

from mcp_memory.domain.models import Outcome
from mcp_memory.readers import (
    blobs,
    claude_code,
    clock,
    database,
    harness,
    jsonl,
    opening,
    runs,
    shortening,
    tools,
)
from mcp_memory.readers.clock import Lifetime
from mcp_memory.readers.tally import Tally


def record(uuid: str, kind: str, content: object) -> dict[str, object]:
    message = {"role": kind, "content": content, "id": f"msg_{uuid}"}
    return {"uuid": uuid, "type": kind, "sessionId": "s", "message": message}


def test_an_overlong_line_that_cannot_be_shortened_is_named_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "LINE_BYTES", 1 << 20)
    monkeypatch.setattr(jsonl, "HELD_BYTES", 2 << 20)
    monkeypatch.setattr(shortening, "STRING_BYTES", 4 << 20)
    long = record("u1", "user", "x" * (3 << 20))
    path = write(
        tmp_path / "a.jsonl", record("u0", "user", "first"), long, record("u2", "user", "next")
    )
    trajectory = only(path)
    assert [s.text for s in trajectory.steps] == ["first", "next"]
    assert [(r.where, r.reason) for r in trajectory.refusals] == [
        ("line 2", "longer than 2 MB, without its oversized strings: not read")
    ]


def test_a_compressed_file_that_expands_without_end_is_cut_short_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "EXPANDED_BYTES", 1 << 20)
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
    monkeypatch.setattr(jsonl, "HELD_BYTES", 1 << 19)
    monkeypatch.setattr(jsonl, "FILE_BYTES", 1 << 20)
    path = tmp_path / "a.traj"
    path.write_bytes(b'{"environment":"e","trajectory":[]}' + b" " * (1 << 20))
    (refusal,) = only(path).refusals
    assert refusal.reason == "longer than 1 MB, without its oversized strings: not read"


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


def test_a_database_whose_complaint_is_no_text_is_damaged_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "state.vscdb"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE named (a)")
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"CREATE TABLE named", b"CREATE TABL\xff named"))
    with pytest.raises(database.DAMAGED), database.opened(path) as base:
        database.tables(base)


@given(st.lists(st.none() | st.datetimes()))
def test_a_lifetime_is_the_earliest_and_the_latest_in_any_order(
    times: list[datetime | None],
) -> None:
    lifetime = Lifetime()
    for at in times:
        lifetime.note(at)
    told = [at for at in times if at is not None]
    assert lifetime == Lifetime(min(told, default=None), max(told, default=None))


def test_what_a_tally_does_not_keep_is_counted_under_a_name_of_bounded_length() -> None:
    tally = Tally()
    kinds = ("said", "state", "", "x" * 200)
    assert [tally.keeps(k, {"said"}, {"state"}, untyped="bare") for k in kinds] == [
        True, False, False, False
    ]  # fmt: skip
    assert tally.counts() == {
        "skipped": {"state": 1}, "unknown": {"bare": 1, "x" * 80: 1}, "refusals": ()
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"code": 0}, (0, False)),
        ({"code": 2}, (2, True)),
        ({"code": "2"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_an_exit_code_tells_of_a_failure_only_where_there_is_one(
    record: dict[str, object], told: tuple[int | None, bool | None]
) -> None:
    assert tools.exit_at(record, "code") == told


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("", Outcome.UNKNOWN), ("Submitted", Outcome.UNKNOWN), ("LimitsExceeded", Outcome.FAILURE)],
)
def test_a_run_that_was_handed_in_is_not_called_a_success(status: str, outcome: Outcome) -> None:
    assert runs.verdict({"exit_status": status}, handed_in="Submitted")[0] is outcome
