"""A planted sentence purged from one session among many: found before, nowhere after, else nothing."""

import argparse
import os
from pathlib import Path

import anyio
from apparatus import banks
from apparatus.timing import Stages

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.asked import Filter
from mcp_memory.history import exchange

PLANTED = "the heron sleeps under violet bridges"


def written(folder: Path, count: int) -> list[Path]:
    """So many sessions, each a little different, the sentence in the middle one."""
    text = banks.sample("orders", folder / "shop")
    paths = []
    for number in range(count):
        own = text.replace("a1f0c0de", f"{number:08x}").replace("214 rows", f"{number} rows")
        if number == count // 2:
            own = own.replace(f'"wrote {number} rows"', f'"wrote {number} rows, {PLANTED}"')
        paths.append(folder / f"{number:04}.jsonl")
        paths[-1].write_text(own, "utf-8")
    return paths


async def records(bank: MemoryBank, file: Path) -> set[bytes]:
    """Every record of the bank as `export` writes it."""
    await exchange.export(bank.rooms, file)
    return set(file.read_bytes().splitlines())


async def purge(count: int) -> None:
    """Index, purge, compare, index again; print what was seen."""
    took = Stages()
    async with banks.temporary() as (bank, folder):
        paths = written(folder, count)
        with took.stage("index"):
            await bank.index(paths)
        print(f"{count} sessions indexed in {took['index']:.1f} s")
        before = await records(bank, folder / "before.jsonl")
        files = {
            p: p.read_bytes() for p in bank.rooms.settings.archive_dir.rglob("*") if p.is_file()
        }
        preview = await bank.delete([], Filter(contains=PLANTED))
        with took.stage("purge"):
            receipt = await bank.delete(
                [], Filter(contains=PLANTED), mode="purge", confirm=preview.confirm or ""
            )
        print(f"{len(receipt.refs)} step purged in {took['purge']:.1f} s")
        for check in receipt.checks:
            print(f"  {check.where}: found {check.control} before, {check.left} after")
        after = await records(bank, folder / "after.jsonl")
        changed = [p for p, content in files.items() if not p.exists() or p.read_bytes() != content]
        print(f"records gone or changed: {len(before - after)} of {len(before)}; "
              f"archive files changed: {len(changed)} of {len(files)}")  # fmt: skip
        os.utime(paths[count // 2])
        reports = await bank.index(paths)
        again = await records(bank, folder / "again.jsonl")
        found = sum(PLANTED.encode() in record for record in again)
        print(f"indexed again ({reports[count // 2].status}): sentence in {found} records")


def main() -> None:
    """Run over as many sessions as were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000)
    told = parser.parse_args()
    anyio.run(purge, told.sessions)


if __name__ == "__main__":
    main()
