"""Counts of shown and opened memories survive many writers, kills and their own summing up."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcp_memory.store import counts


def test_each_note_counts_each_ref_once(tmp_path: Path) -> None:
    assert counts.read(tmp_path) == {}
    counts.note(tmp_path, "shown", ["m:a", "m:b", "m:a"])
    counts.note(tmp_path, "shown", ["m:a"])
    counts.note(tmp_path, "opened", ["m:b"])
    counts.note(tmp_path, "opened", [])
    told = {kind: noted for kind, noted in counts.read(tmp_path).items() if noted}
    assert told == {"shown": {"m:a": 2, "m:b": 1}, "opened": {"m:b": 1}}


def test_writers_side_by_side_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(counts.note, tmp_path, "shown", ["m:a"])
    assert counts.read(tmp_path)["shown"]["m:a"] == 200


def test_a_line_that_a_kill_cut_off_costs_only_itself(tmp_path: Path) -> None:
    counts.note(tmp_path, "shown", ["m:a"])
    with (tmp_path / counts.FILE).open("ab") as file:
        file.write(b'{"shown": {"m:\nnull\n[1]\n')
    counts.note(tmp_path, "shown", ["m:a"])
    assert counts.read(tmp_path)["shown"] == {"m:a": 2}


def test_the_file_is_summed_up_before_it_grows_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "FOLDED_BYTES", 400)
    for n in range(100):
        counts.note(tmp_path, "opened", [f"m:{n % 3}"])
    assert (tmp_path / counts.FILE).stat().st_size < 900
    assert sum(counts.read(tmp_path)["opened"].values()) == 100


def test_only_lines_that_were_written_since_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    add = counts._add
    monkeypatch.setattr(
        counts, "_add", lambda told, data: (seen.append(len(data)), add(told, data))
    )
    counts.note(tmp_path, "shown", ["m:a"])
    counts.read(tmp_path)
    counts.note(tmp_path, "shown", ["m:a"])
    with (tmp_path / counts.FILE).open("ab") as file:
        file.write(b'{"shown"')  # a writer that is not done yet
    assert counts.read(tmp_path)["shown"] == {"m:a": 2}
    with (tmp_path / counts.FILE).open("ab") as file:
        file.write(b': {"m:b": 1}}\n')
    assert counts.read(tmp_path)["shown"] == {"m:a": 2, "m:b": 1}
    length = (tmp_path / counts.FILE).stat().st_size
    assert sum(seen) == length, "each byte once"
    (tmp_path / counts.FILE).unlink()
    counts.note(tmp_path, "opened", ["m:c"])
    assert counts.read(tmp_path)["opened"] == {"m:c": 1}
    assert counts.read(tmp_path)["shown"] == {}
