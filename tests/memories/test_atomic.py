"""A batch whose process is killed at any of its writes is there as a whole, or not at all."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.from_thread
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from killed_apply import BATCH
from talks import kept, talk
from trials import tried

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.models import Draft, Evidence, State
from mcp_memory.search import spans
from mcp_memory.settings import Settings
from mcp_memory.store import opening
from mcp_memory.store.changes import Recovered
from mcp_memory.store.rows import Where

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="killed by a signal")
SHOP = "/home/ada/shop"
KILLED = Path(__file__).parent.parent / "support" / "killed_apply.py"
SAYS = (
    "The till listens on port 8080.", "The drawer opens at port 7070.", "The bell rings at port 6060.",
)  # fmt: skip
OLD = "The till of the shop has always listened on some port."


def bank_of(home: Path) -> Settings:
    return Settings(home=home, embedding_model="none", index_auto=False)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the evidence, a memory that the batch supersedes, and the batch."""
    folder = tmp_path_factory.mktemp("atomic")

    async def fill() -> None:
        paths = [
            kept(folder / f"{n}.jsonl", talk(str(n) * 8, f"Day {n}.", f"{' '.join(SAYS)} {n}"))
            for n in (1, 2)
        ]
        async with open_bank(bank_of(folder / "home"), cwd=SHOP) as bank:
            await bank.index(paths)
            old = await bank.retain(Draft(text=OLD))
            evidence = tuple(Evidence(ref=f"{s.ref}#1-2") for s in await bank.listing("sessions"))
            drafts = [Draft(text=text, evidence=evidence) for text in SAYS]
            drafts[0] = drafts[0].model_copy(update={"supersedes": old.ref})
            told = {"cwd": SHOP, "old": old.ref,
                    "memories": [one.model_dump(mode="json") for one in drafts]}  # fmt: skip
            (folder / "home" / BATCH).write_bytes(orjson.dumps(told))

    anyio.run(fill)
    return folder / "home"


def killed(home: Path, place: int, when: str) -> None:
    """Apply in a process of its own that dies at a write."""
    done = subprocess.run(
        [sys.executable, KILLED, home, str(place), when], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


async def state(bank: MemoryBank, home: Path) -> tuple[int, State, bool]:
    """How many of the batch are there, how the one that it supersedes is, whether the ledger has it."""
    rows = await bank.rooms.store.find("memories", Where())
    old = orjson.loads((home / BATCH).read_bytes())["old"]
    told = [row.phase for row in await bank.rooms.store.ledger(op="consolidate")]
    there = sum(spans.memory_of(row).text in SAYS for row in rows)
    return there, (await spans.current(bank.rooms, old)).state, "commit" in told


NOTHING, ALL = (0, State.LIVE, False), (3, State.SUPERSEDED, True)
_places = st.tuples(st.integers(1, 8), st.sampled_from(["before", "after"]))


@pytest.mark.timeout(6_000)
def test_apply_is_atomic_under_a_kill(filled: Path, tmp_path: Path) -> None:
    async def opened(home: Path) -> tuple[int, State, bool]:
        async with open_bank(bank_of(home), cwd=SHOP) as bank:
            return await state(bank, home)

    async def again(home: Path) -> tuple[int, State, bool]:
        told = orjson.loads((home / BATCH).read_bytes())["memories"]
        async with open_bank(bank_of(home), cwd=SHOP) as bank:
            await bank.apply([Draft.model_validate(each) for each in told])
            return await state(bank, home)

    @tried(1)
    @given(_places)
    def any_write(at: tuple[int, str]) -> None:
        home = tmp_path / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(filled, home)
        killed(home, *at)
        found = anyio.run(opened, home)
        assert found in (NOTHING, ALL)
        if found == NOTHING:
            assert anyio.run(again, home) == ALL

    any_write()


async def test_without_recovery_a_kill_leaves_half_of_it(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mechanism off: rows are there that no commit bears out."""
    home = tmp_path / "home"
    shutil.copytree(filled, home)
    await anyio.to_thread.run_sync(killed, home, 2, "after")

    async def nothing(*_: object) -> list[Recovered]:
        return []

    monkeypatch.setattr(opening, "recover", nothing)
    async with open_bank(bank_of(home), cwd=SHOP) as bank:
        assert await state(bank, home) not in (NOTHING, ALL)
