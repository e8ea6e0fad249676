"""Fuzz: mutated real records, 10,000 a format: crashes, the slowest file, peak memory, refusals counted."""

import argparse
import contextlib
import gzip
import random
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import orjson
from apparatus import transcripts
from apparatus.timing import peak

from mcp_memory import readers

SMALL = 200_000
OF_LINES, OF_A_WHOLE = 100, 10
"""Mutations in each file: a document with a hundred is hardly ever known for what it was."""
VALUES = (
    None, True, False, 0, -1, 1 << 62, -1e308, 1.5, "", "\u0000", "x" * 5_000, "\u202e\u001b[31m",
    "../../etc/passwd", [], {}, [[]], {"type": "user"}, [None], "2026-13-45T99:99:99Z", {"": None},
    ["a", {"b": [1]}], "REDACTED", "\U0001f600" * 50,
)  # fmt: skip


def places(value: object, depth: int = 0) -> list[tuple[object, object]]:
    """Every holder and key in a JSON value."""
    if depth > 40:
        return []
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [spot for key, inner in pairs for spot in ((value, key), *places(inner, depth + 1))]


def changed_value(raw: bytes, chance: random.Random, times: int) -> bytes:
    """Values of any type put anywhere, keys dropped, lists repeated."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return changed_bytes(raw, chance, times)
    spots = places(value)
    for holder, key in chance.sample(spots, min(times, len(spots))):
        try:
            if isinstance(holder, dict) and chance.random() < 0.2:
                holder.pop(key, None)
            elif isinstance(holder[key], list) and chance.random() < 0.2:
                holder[key] = holder[key] * 3
            else:
                holder[key] = chance.choice(VALUES)
        except (IndexError, KeyError):
            continue
    return orjson.dumps(value)


def changed_bytes(raw: bytes, chance: random.Random, times: int) -> bytes:
    """Bytes cut, put in, and overwritten."""
    made = bytearray(raw)
    for _ in range(times):
        at = chance.randrange(len(made) + 1)
        made[at : at + chance.choice((0, 1, 3, 40))] = chance.choice(
            (b"", b"\xff", b'"', b"}", b"[" * 200, b"\x00", b"\n", b"\\u00", chance.randbytes(5))
        )
    return bytes(made)


def changed_rows(raw: bytes, chance: random.Random) -> bytes:
    """A database whose values were changed in place, so that it still opens."""
    with sqlite3.connect(":memory:") as database:
        database.deserialize(raw)
        for table in [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]:
            columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
            rows = [row for (row,) in database.execute(f"SELECT rowid FROM {table}")]
            for row in chance.sample(rows, min(OF_A_WHOLE, len(rows))):
                # Most of a host's words stand in the last columns, as JSON.
                column = chance.choice((*columns, *columns[-2:]))
                one = f"SELECT {column} FROM {table} WHERE rowid = ?"
                (value,) = database.execute(one, (row,)).fetchone()
                told = value if isinstance(value, bytes) else str(value).encode()
                way = chance.choice((changed_value, changed_bytes))
                made = way(told, chance, 1).decode("utf-8", "replace")
                with contextlib.suppress(sqlite3.IntegrityError):
                    change = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
                    database.execute(change, (made, row))
        database.commit()
        return database.serialize()


def unpacked(path: Path) -> bytes:
    """What a file holds; of a packed one what was packed, so that more than the packing is tried."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def ending(path: Path) -> str:
    """The ending of a file, without that of its packing."""
    return Path(path.name.removesuffix(".gz")).suffix


def mutated(path: Path, chance: random.Random) -> bytes:
    """A file with mutations, half of them of values, half of bytes."""
    raw = unpacked(path)
    if raw.startswith(b"SQLite format 3") and chance.random() < 0.8:
        return changed_rows(raw, chance)
    lines = raw.split(b"\n")
    if ending(path) == ".jsonl":
        few = [chance.choice(lines)[:SMALL] for _ in range(OF_LINES)]
        ways = (changed_value, changed_bytes)
        return b"\n".join(chance.choice(ways)(line, chance, 1) for line in few)
    return chance.choice((changed_value, changed_bytes))(raw, chance, OF_A_WHOLE)


def run(reader: readers.Reader, paths: list[Path], count: int, folder: Path) -> str:
    """One format: what came of so many mutations."""
    chance = random.Random(reader.FORMAT)
    paths = [path for path in paths if path.stat().st_size]
    small = [path for path in paths if path.stat().st_size < SMALL or ending(path) == ".jsonl"]
    told: Counter[str] = Counter()
    slowest, done, number = 0.0, 0, 0
    while done < count:
        source = chance.choice(small or paths[:1])
        number, done = number + 1, done + (OF_LINES if ending(source) == ".jsonl" else OF_A_WHOLE)
        file = folder / f"mutated{ending(source)}"
        file.write_bytes(mutated(source, chance))
        started = time.perf_counter()
        try:
            recognised = reader.recognize(file)
            for trajectory in reader.read(file):
                trajectory.model_dump_json()
                told["steps"] += len(trajectory.steps)
                told["refused"] += len(trajectory.refusals)
                told["unknown"] += sum(trajectory.unknown.values())
        except Exception:  # noqa: BLE001 any is a finding
            told["crashes"] += 1
            if told["crashes"] < 3:
                print(f"{reader.FORMAT}, file {number}:\n{traceback.format_exc(limit=-4)}")
        told["recognised"] += recognised
        slowest = max(slowest, time.perf_counter() - started)
    return (
        f"{reader.FORMAT:16} {done:6} mutations in {number} files: {told['crashes']} crashes, "
        f"slowest {slowest * 1000:.0f} ms, peak {peak()} MB; {told['recognised']} recognised, "
        f"{told['steps']} steps kept, {told['refused']} refusals and {told['unknown']} unknown counted"
    )


def main() -> None:
    """Every format that the folders hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    transcripts.option(parser)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    found, _ = transcripts.by_format(options.data)
    with tempfile.TemporaryDirectory() as folder:
        for reader in readers.READERS:
            if reader.FORMAT in found:
                print(run(reader, found[reader.FORMAT], options.count, Path(folder)), flush=True)
            else:
                print(f"{reader.FORMAT:16} no file here")


if __name__ == "__main__":
    main()
