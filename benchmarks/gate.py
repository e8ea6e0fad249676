"""The gate on faithful and bad drafts made from real episodes: what it lets in, what it refuses.

    python benchmarks/gate.py --choosing FOLDER... --held FOLDER... [--work FOLDER] [--n 200] [--show]

Drafts are made by script from indexed histories (`apparatus/drafts.py`): faithful ones as a host
would write them from what a plan proposes, bad ones by spoiling each in eleven ways. Rules were
chosen on the choosing histories; the held ones had no part in that.
"""

import argparse
import random
import tempfile
from collections import defaultdict
from pathlib import Path

import anyio
from apparatus import drafts, tables
from apparatus.drafts import Case

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.errors import GateRefused
from mcp_memory.domain.models import Draft, Memory, Standing
from mcp_memory.memories import gate, retain
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where


async def _measured(folders: list[Path], home: Path, n: int, *, show: bool) -> None:
    """One half: its drafts made, judged and told."""
    async with open_bank(Settings(home=home, index_auto=False)) as bank:
        if not await bank.listing("sessions", limit=1):
            await bank.index(
                path for folder in folders for path in folder.rglob("*") if path.is_file()
            )
        known = await drafts.known_of(bank)
        dice = random.Random(16)
        good = _drawn(await drafts.faithful(bank, known), n, dice, by="source")
        flagged = await _flagged(bank)
        spoilt = _drawn(list(drafts.bad(good, known, flagged, dice)), n, dice, by="fault")
        spoilt += _collapses(good[: n // 10])
        tables.begin("draft", "n", "let in", "share wrong")
        await _told(bank, good, show=show)
        await _told(bank, spoilt, show=show)


def _drawn(cases: list[Case], n: int, dice: random.Random, *, by: str) -> list[Case]:
    """As many cases, of each sort about alike."""
    sorts: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        sorts[getattr(case, by)].append(case)
    for each in sorts.values():
        dice.shuffle(each)
    drawn: list[Case] = []
    while len(drawn) < n and any(sorts.values()):
        drawn += [each.pop() for each in sorts.values() if each]
    return drawn[:n]


async def _flagged(bank: MemoryBank) -> list[str]:
    rows = await bank.rooms.store.brief(Where(kinds=("step",)), limit=100_000)
    return [row.key for row in rows if row.flags]


async def _told(bank: MemoryBank, cases: list[Case], *, show: bool) -> None:
    sorts: dict[str, list[tuple[Case, tuple[str, ...]]]] = defaultdict(list)
    for case in cases:
        name = case.fault or f"faithful: {case.source}"
        sorts[name].append((case, await _reasons(bank, case)))
    wrong = 0
    for name, judged in sorted(sorts.items()):
        let_in = [case for case, reasons in judged if not reasons]
        missed = len(let_in) if judged[0][0].fault else len(judged) - len(let_in)
        wrong += missed
        tables.line(name, len(judged), len(let_in), f"{missed / len(judged):.0%}")
        for case, reasons in judged:
            if show and bool(case.fault) is not bool(reasons):
                print("   ", case.draft.text[:200], "|", " ".join(reasons)[:240])
    tables.line("all", len(cases), "", f"{wrong / max(1, len(cases)):.1%}")


async def _reasons(bank: MemoryBank, case: Case) -> tuple[str, ...]:
    """Why the gate refuses a draft; nothing is kept, but what stands beside it, for as long."""
    batches = []
    try:
        batches += [(await bank.retain(beside)).batch for beside in case.beside]
        if case.fault == "collapse":
            return gate.collapsed(await _standing(bank, case.beside[0]), (case.draft,))
        admitted = case.draft.model_copy(
            update={"project": bank.rooms.writes_to(case.draft.project)}
        )
        made = await retain.propose(bank.rooms, admitted, flags=(), strict=True)
        return ("It is known already.",) if isinstance(made, Memory) else ()
    except GateRefused as refused:
        return refused.reasons
    finally:
        for batch in batches:
            await bank.undo(batch)


async def _standing(bank: MemoryBank, draft: Draft) -> Memory:
    made = await retain.propose(bank.rooms, draft, flags=(), strict=False)
    memory = made if isinstance(made, Memory) else made.memory
    return memory.model_copy(update={"standing": Standing.ESTABLISHED})


def _collapses(good: list[Case]) -> list[Case]:
    """Memories that are retired for a text that says none of what they say."""
    empty = "See the history of this project for all of it."
    return [Case("collapse", case.draft.model_copy(update={"text": empty}), (case.draft,))
            for case in good]  # fmt: skip


def main() -> None:
    """Measure both halves and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--choosing", type=Path, nargs="*", default=[])
    parser.add_argument("--held", type=Path, nargs="*", default=[])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--show", action="store_true")
    asked = parser.parse_args()
    work = asked.work or Path(tempfile.gettempdir()) / "mcp-memory-gate"
    for name, folders in (("choosing", asked.choosing), ("held", asked.held)):
        if folders:
            print(f"\n{name}: {', '.join(folder.name for folder in folders)}\n")
            anyio.run(lambda n=name, f=folders: _measured(f, work / n, asked.n, show=asked.show))


if __name__ == "__main__":
    main()
