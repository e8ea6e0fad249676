"""Tolerant input: lines of any length, spliced lines, packed and recoded files, what is no file."""

import gzip
import os
import time
import tracemalloc
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from transcripts import many, only, write

from mcp_memory.domain.models import Refusal
from mcp_memory.readers import READERS, jsonl, shortening
from mcp_memory.readers.opening import open_transcript
from mcp_memory.readers.shortening import Shortener
from mcp_memory.readers.splicing import Shapes, spliced

MEGABYTE = 1 << 20


def record(uuid: str, kind: str, text: str) -> dict[str, object]:
    message = {"role": kind, "content": [{"type": "text", "text": text}], "id": f"msg_{uuid}"}
    return {"parentUuid": None, "uuid": uuid, "type": kind, "sessionId": "s", "message": message}


def lines_of(path: Path) -> tuple[list[dict[str, object]], list[Refusal]]:
    refusals: list[Refusal] = []
    return [found for _, found in jsonl.read_lines(path, refusals)], refusals


def shortened(text: bytes, size: int) -> bytes:
    shortener = Shortener()
    made = b"".join(shortener.feed(text[i : i + size]) for i in range(0, len(text), size))
    return made + shortener.end()


def test_a_line_of_any_length_is_read_with_its_oversized_string_by_reference(
    tmp_path: Path,
) -> None:
    long = record("u1", "user", "begins here " + "x" * (18 * MEGABYTE))
    path = write(tmp_path / "a.jsonl", record("u0", "user", "first"), long)
    session = only(path)
    assert [step.text[:11] for step in session.steps] == ["first", "begins here"]
    assert "18874380 bytes in all, sha256" in session.steps[1].text
    assert session.refusals[0].reason == "18 MB long: 1 oversized strings kept by reference"


def test_a_first_line_longer_than_the_head_is_still_recognised(tmp_path: Path) -> None:
    told = {"type": "session", "id": "s", "cwd": "/w", "timestamp": "2026-01-01T00:00:00Z"}
    path = write(tmp_path / "a.jsonl", {"pad": "x" * (3 * MEGABYTE), **told})
    assert [r.FORMAT for r in READERS if r.recognize(path)] == ["pi"]


def test_a_line_without_end_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a":"' + b"y" * (90 * MEGABYTE) + b'"}\n{"b":1}\n')
    tracemalloc.start()
    found, _ = lines_of(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[1] == {"b": 1}
    assert peak < 60 * MEGABYTE


@many
@given(
    text=st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
    times=st.integers(1, 40),
    size=st.integers(1, 70),
)
def test_shortened_text_is_whole_json_however_it_comes_in_pieces(
    text: str, times: int, size: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortening, "STRING_BYTES", 90)
        patch.setattr(shortening, "_KEPT", 31)
        value = {"k": text * times, "list": [text, {"n": 1}], "end": "\\"}
        for raw in (orjson.dumps(value), jsonl_escaped(value)):
            made = orjson.loads(shortened(raw, size))
            assert made.keys() == value.keys()
            assert made["end"] == "\\"
            assert text.startswith(made["list"][0].partition(" … [")[0])


def jsonl_escaped(value: object) -> bytes:
    import json

    return json.dumps(value, ensure_ascii=True).encode()


def test_two_records_on_one_line_are_two(tmp_path: Path) -> None:
    first, second = (orjson.dumps(record(u, "user", u)) for u in ("u1", "u2"))
    path = tmp_path / "a.jsonl"
    path.write_bytes(first + second + b"\n")
    assert [step.text for step in only(path).steps] == ["u1", "u2"]
    assert only(path).refusals == ()


def test_a_record_that_was_cut_off_costs_only_itself(tmp_path: Path) -> None:
    rows = [orjson.dumps(record(f"u{n}", "user", f"words {n}")) for n in range(3)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(rows[0] + b"\n" + rows[1][:-30] + rows[2] + b"\n")
    assert [step.text for step in only(path).steps] == ["words 0", "words 2"]
    assert [(r.where, r.reason) for r in only(path).refusals] == [("line 2", "a record cut off")]


def test_whole_records_between_cut_ones_are_read(tmp_path: Path) -> None:
    rows = [orjson.dumps(record(f"u{n}", "user", f"words {n}")) for n in range(5)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        rows[0] + rows[1][:-30] + rows[2] + rows[3][:60] + rows[4] + rows[0][:9] + b"\n"
    )
    assert [step.text for step in only(path).steps] == ["words 0", "words 2", "words 4"]


def test_a_whole_record_before_one_that_is_still_being_written_is_kept(tmp_path: Path) -> None:
    rows = [orjson.dumps(record(f"u{n}", "user", f"words {n}")) for n in range(2)]
    path = tmp_path / "a.jsonl"
    path.write_bytes(rows[0] + rows[1][:40])
    assert [step.text for step in only(path).steps] == ["words 0"]


@many
@given(cut=st.integers(1, 400))
def test_an_object_inside_a_record_is_never_taken_for_one(cut: int) -> None:
    row = orjson.dumps(record("u1", "assistant", 'see {"type":"text","text":"x"} here'))
    shapes = Shapes()
    shapes.note(orjson.loads(row))
    found, _ = spliced(row[: min(cut, len(row) - 1)], shapes)
    assert found == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_of_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.jsonl"
    told = "\n".join(orjson.dumps(record(u, "user", "grüße 日本")).decode() for u in ("a", "b"))
    path.write_bytes(f"{told}\n".encode(encoding))
    assert [step.text for step in only(path).steps] == ["grüße 日本"] * 2


@pytest.mark.parametrize("packed", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_compressed_files_are_read_by_content(tmp_path: Path, packed: object) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(packed(b"\xef\xbb\xbf" + orjson.dumps(record("u", "user", "hello"))))  # type: ignore[operator]
    assert [step.text for step in only(path).steps] == ["hello"]


def test_a_torn_zstandard_file_keeps_what_was_read(tmp_path: Path) -> None:
    lines = b"".join(
        orjson.dumps(record(f"u{n}", "user", os.urandom(40).hex())) + b"\n" for n in range(4000)
    )
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(lines)[:-50_000])
    assert len(only(path).steps) > 100


def test_a_pipe_or_a_device_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "a.jsonl"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="regular file"):
            open_transcript(path)


def test_a_bomb_of_line_ends_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LINES", 1000)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n' + b"\n" * (8 * MEGABYTE)))
    found, refusals = lines_of(path)
    assert found == [{"a": 1}]
    assert [refusal.reason for refusal in refusals] == [
        "more than 1,000 lines: reading stopped here"
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"{}" * 500_000,
        b'{"a":1,"b":2,"c":' * 200_000,
        b'{"type":"x","a":"' * 200_000,
        b'{"a":' * 900 + b"1" + b"}" * 900 + b"{",
        b"<USER_REQUEST>" * 100_000,
    ],
)
def test_a_line_made_to_keep_us_busy_is_soon_done_with(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"type":"user","uuid":"1"}\n' + line + b"\n")
    begun = time.process_time()
    lines_of(path)
    assert time.process_time() - begun < 20
