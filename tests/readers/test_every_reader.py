"""Every reader: golden samples, hostile bytes, growing files, one shape.

`MCP_MEMORY_REGENERATE=1 pytest tests/readers` writes the expected readings anew.
"""

import gzip
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from json_values import values
from transcripts import GROWING, TRANSCRIPTS, many, name_of, reader_of

from mcp_memory.domain import refs
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import Observation
from mcp_memory.readers import READERS, Reader, detect, swe_agent

ODD = st.lists(st.tuples(st.integers(0, 2**32), values), min_size=1, max_size=6)
"""Places, and what is put there."""


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
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


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
def test_exactly_one_reader_recognises_a_sample(path: Path) -> None:
    assert [reader.FORMAT for reader in READERS if reader.recognize(path)] == [path.parent.name]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
def test_a_moved_or_compressed_file_is_the_same_session(path: Path, tmp_path: Path) -> None:
    moved = tmp_path / f"other{path.suffix}.gz"
    moved.write_bytes(gzip.compress(path.read_bytes()))
    assert [t.id for t in detect(moved).read(moved)] == [t.id for t in detect(path).read(path)]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
def test_ids_come_from_format_and_native_id_and_steps_count_from_one(path: Path) -> None:
    for trajectory in detect(path).read(path):
        assert trajectory.id == refs.trajectory_id(trajectory.format, trajectory.native_id)
        assert [s.number for s in trajectory.steps] == [*range(1, len(trajectory.steps) + 1)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[]",
        '{"messages":[]}',
        '{"type":"note","id":"1"}',
        '[{"id":0}]',
        "# notes",
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownTranscript):
        detect(path)


def test_a_file_that_two_readers_claim_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_memory.readers.READERS", (swe_agent, swe_agent))
    path = tmp_path / "a.traj"
    path.write_bytes(b'{"environment":"e","trajectory":[]}')
    with pytest.raises(UnknownTranscript, match="swe_agent and swe_agent"):
        detect(path)


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


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
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


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=name_of)
@many
@given(data=st.data())
def test_values_of_any_type_anywhere_are_never_fatal(
    path: Path, data: st.DataObject, tmp_path: Path
) -> None:
    lines = []
    # Each line gets one; drawn for each line apart, the drawing took most of the time.
    drawn = itertools.cycle(data.draw(ODD))
    for line in path.read_bytes().split(b"\n") if path.suffix == ".jsonl" else [path.read_bytes()]:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        spots = list(places(value))
        if spots:
            place, odd = next(drawn)
            holder, key = spots[place % len(spots)]
            holder[key] = odd
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


def _as_early(early: Observation, late: Observation) -> Observation:
    """The later observation without what the host told of a command only when it had ended."""
    unknown = {key: None for key, told in early if told is None}
    return late.model_copy(update=unknown)


@pytest.mark.parametrize("path", GROWING, ids=name_of)
def test_step_numbers_never_change_while_a_file_grows(path: Path, tmp_path: Path) -> None:
    whole = {t.id: t.steps for t in reader_of(path).read(path)}
    lines = path.read_bytes().splitlines(keepends=True)
    for cut in range(1, len(lines)):
        grown = tmp_path / path.name
        grown.write_bytes(b"".join(lines[:cut]))
        for trajectory in reader_of(path).read(grown):
            for part, full in zip(trajectory.steps, whole[trajectory.id], strict=False):
                assert (part.number, part.kind, part.at) == (full.number, full.kind, full.at)
                assert full.text.startswith(part.text)
                assert full.calls[: len(part.calls)] == part.calls
                seen = zip(part.observations, full.observations, strict=False)
                assert all(early == _as_early(early, late) for early, late in seen)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.FORMAT)
def test_no_record_type_is_both_kept_and_left_out(reader: Reader) -> None:
    assert not reader.MAPPED & set(reader.LEFT_OUT)
    assert all(reader.LEFT_OUT.values())


def test_every_reader_is_a_module_of_the_same_shape() -> None:
    for reader in READERS:
        assert isinstance(reader, ModuleType)
        assert reader.__name__.endswith(reader.FORMAT)
        assert isinstance(reader.VERSION, int)
