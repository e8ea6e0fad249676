"""A planted sentence purged from one session among many: found before, nowhere after, else nothing."""

import argparse
import os
import tempfile
import time
from pathlib import Path

import anyio

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Filter
from mcp_memory.history import exchange
from mcp_memory.settings import Settings

PLANTED = "the heron sleeps under violet bridges"
SAMPLE = Path(__file__).parent.parent / "mcp_memory" / "cli" / "samples" / "orders.jsonl"


def written(folder: Path, count: int) -> list[Path]:
    """So many sessions, each a little different, the sentence in the middle one."""
    text = SAMPLE.read_text("utf-8").replace("{project}", (folder / "shop").as_posix())
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


async def purge(folder: Path, count: int) -> None:
    """Index, purge, compare, index again; print what was seen."""
    paths = written(folder, count)
    settings = Settings(home=folder / "home")
    async with open_bank(settings) as bank:
        started = time.perf_counter()
        await bank.index(paths)
        print(f"{count} sessions indexed in {time.perf_counter() - started:.1f} s")
        before = await records(bank, folder / "before.jsonl")
        files = {p: p.read_bytes() for p in settings.archive_dir.rglob("*") if p.is_file()}
        preview = await bank.delete([], Filter(contains=PLANTED))
        started = time.perf_counter()
        receipt = await bank.delete(
            [], Filter(contains=PLANTED), mode="purge", confirm=preview.confirm or ""
        )
        print(f"{len(receipt.refs)} step purged in {time.perf_counter() - started:.1f} s")
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
    """Run in a folder that is removed afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(purge, Path(folder), told.sessions)


if __name__ == "__main__":
    main()
