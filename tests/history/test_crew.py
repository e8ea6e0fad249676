"""The crew prepares ahead: same bytes from processes, a dead one is replaced, none outlives its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from tour_sessions import archived, written

from mcp_memory.bank import open_bank
from mcp_memory.domain.errors import Busy
from mcp_memory.history.crew import Crew, Terms, made_of
from mcp_memory.history.writing import Tombstones
from mcp_memory.settings import Settings
from mcp_memory.trajectories.terms import Allowance, Ground

TERMS = Terms({}, Tombstones(b"", frozenset()), Allowance((), (), None, 4_000))


def copies(folder: Path, count: int) -> list[Path]:
    """Sessions of their own, and the first of them twice under other names."""
    made = []
    for number in range(count):
        for path in written(folder / str(number)):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace("-4", f"{number}4"), encoding="utf-8")
            made.append(path)
    again = folder / "again.jsonl"
    again.write_bytes(made[0].read_bytes())
    return [*made, again]


async def test_processes_make_the_same_archive_as_a_thread(tmp_path: Path) -> None:
    paths = copies(tmp_path, 4)
    alone, helped = (Settings(home=tmp_path / n, embedding_model="hash") for n in ("a", "b"))
    for settings, processes in ((alone, 0), (helped, 2)):
        async with open_bank(settings) as bank:
            reports = await bank.index(paths, processes=processes)
            assert [report.path for report in reports] == paths
    assert archived(alone) == archived(helped)
    assert len(archived(alone)) > 8


async def test_sessions_of_one_file_come_with_their_own_rows_from_one_table(tmp_path: Path) -> None:
    path = tmp_path / ".aider.chat.history.md"
    talks = (
        f"# aider chat started at 2025-03-01 10:00:{n:02}\n\n#### Polish lamp {n}\n\nIt shines.\n\n"
        for n in range(20)
    )
    path.write_text("".join(talks), encoding="utf-8")
    _, apart = made_of(path, TERMS, Ground())
    crew = Crew(TERMS, 1)
    try:
        _, together = await crew.finish(path, crew.begin(path))
    finally:
        crew.close()
    assert len(apart) == 20
    for one, other in zip(apart, together, strict=True):
        assert one.packed is not None
        assert other.packed is not None
        assert other.packed.table.equals(one.packed.table)
        assert (one.session, one.files) == (other.session, other.files)
    rows = [one.packed.table.column("body").chunk(0) for one in together if one.packed]
    assert len({each.buffers()[2].address for each in rows}) == 1


async def test_a_process_that_dies_costs_no_transcript(tmp_path: Path) -> None:
    (path, _) = written(tmp_path)
    crew = Crew(TERMS, 1)
    try:
        await crew.finish(path, crew.begin(path))
        for pid in list(crew._pool._processes):
            os.kill(pid, signal.SIGTERM)
        reports = [(await crew.finish(path, crew.begin(path)))[0] for _ in range(2)]
    finally:
        crew.close()
    assert [(r.status, r.sessions) for r in reports] == [("indexed", 1)] * 2


async def test_a_fault_of_the_store_is_raised_as_it_was(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> str:
        raise Busy("writing", 1)

    monkeypatch.setattr("mcp_memory.history.writing.write", full)
    async with open_bank(settings) as bank:
        with anyio.fail_after(20), pytest.raises(Busy, match="writing"):
            await bank.index(written(tmp_path))


ORPHANS = """
import os, sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {support!r}]
from test_crew import TERMS
from mcp_memory.history.crew import Crew

if __name__ == "__main__":
    crew = Crew(TERMS, 1)
    crew.begin(Path({path!r})).result()
    print(*crew._pool._processes, flush=True)
    os._exit(9)
"""


def test_no_process_outlives_a_killed_parent(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    (path, _) = written(tmp_path)
    tests = str(Path(__file__).parent)
    support = str(Path(__file__).parent.parent / "support")
    program.write_text(
        ORPHANS.format(tests=tests, support=support, path=str(path)), encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 9, done.stderr
    # The pipe to the parent's output is held by the child too: reading it ended, so it has ended.
    assert done.stdout.strip().isdigit()


def test_few_large_transcripts_are_held_or_many_small_ones() -> None:
    crew = Crew(TERMS, 0)
    try:
        assert not crew.enough(2, 80_000_000)
        assert crew.enough(3, 3)
    finally:
        crew.close()
