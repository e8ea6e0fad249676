"""As a bank grows: searches, their raw queries, FTS5, ripgrep; indexes and compaction while rows come."""

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pyarrow as pa
from apparatus import tables, transcripts
from apparatus.timing import Stages, awaited, peak, quantile, resident, seconds, size
from lancedb.query import MatchQuery

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.evals import plots
from mcp_memory.search.channels import DEPTH
from mcp_memory.settings import Settings
from mcp_memory.store.filters import one_of
from mcp_memory.store.rows import EvidenceRow, Where
from mcp_memory.store.schema import arrow_schema, columns_of, from_arrow, vectors_of
from mcp_memory.store.upkeep import METRIC
from mcp_memory.text import wording
from mcp_memory.trajectories import episodes, evidence

BATCH, QUESTIONS = 10_000, 60
BESIDE = 1_000_000
"""FTS5 takes seconds a question there, and its file and ripgrep's as much room as the bank."""
OWN_COLUMN = ("vector",)
APPENDS, APPENDED = 10, 100
POOL = 20_000
AROUND, OWN = 480, 1_500
"""What a row's context takes of its neighbours, and of its own words, as `evidence` makes it."""
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
COLUMNS = ("text", "context", "identifiers")
FTS5 = "SELECT key FROM rows WHERE rows MATCH ? ORDER BY rank LIMIT 10"
FOUND = "share of rows found in the first 10"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    transcripts.option(arguments)
    arguments.add_argument("--home", type=Path, help="where banks are kept for another run")
    arguments.add_argument("--plot", type=Path, help="folder for a picture of quality against size")
    arguments.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        anyio.run(measure, chosen.home, chosen.rows[0], chosen.data)
        return
    tables.begin("rows", "what", "p50 ms", "p95 ms")
    shares: dict[str, dict[int, float]] = {"ours": {}, "FTS5": {}}
    times: dict[str, dict[int, float]] = {"search": {}, "raw queries": {}, "FTS5": {}}
    with tempfile.TemporaryDirectory() as scratch:
        home = chosen.home or Path(scratch)
        for rows in chosen.rows:
            # A process of its own each, so that its memory is that of one bank.
            done = subprocess.run(
                [
                    *(sys.executable, __file__, "--one", "--rows", str(rows)),
                    *("--home", str(home / str(rows)), "--data", *map(str, chosen.data)),
                ],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            print(done.stdout, end="", flush=True)
            beyond = {"FTS5"} if rows > BESIDE else set()
            for name in shares.keys() - beyond:
                shares[name][rows] = figure(done.stdout, f"{name}, {FOUND}")
            for name in times.keys() - beyond:
                times[name][rows] = figure(done.stdout, name)
    if chosen.plot:
        drawn = plots.quality_by_size(shares, "rows found in the first 10")
        plots.write(chosen.plot, "scale", drawn)
        if len(chosen.rows) > 1:
            drawn = plots.time_by_size(times, "a search as a bank grows, median")
            plots.write(chosen.plot, "growth", drawn)


def figure(table: str, name: str) -> float:
    """The first figure of the line that is named."""
    (line,) = [one for one in table.splitlines() if f"| {name} |" in one]
    return float(line.split("|")[3])


async def measure(home: Path, rows: int, data: Sequence[Path]) -> None:
    """Fill a bank where there is none yet, and put the same questions to everything."""
    settings = Settings(home=home / "bank", index_auto=False)
    made = home / "built.json"
    if not made.exists():
        shutil.rmtree(home, ignore_errors=True)
        taken = await built(settings, rows, data, home)
        made.write_text(json.dumps(taken), encoding="utf-8")
        # What building left in memory would be counted as searching's.
        subprocess.run([sys.executable, *sys.argv], check=True)
        return
    for what, figure in json.loads(made.read_text(encoding="utf-8")).items():
        tables.line(f"{rows:,}", what, figure, "")
    tables.line(f"{rows:,}", "disk, MB", size(home / "bank") >> 20, "")
    async with open_bank(settings, cwd="/nowhere") as bank:
        wanted = await asked(bank, rows)
        questions = list(wanted)
        await compared(bank, rows, questions)
        found = [await places(bank, question, key) for question, key in wanted.items()]
        tables.line(f"{rows:,}", f"ours, {FOUND}", f"{statistics.mean(found):.3f}", "")
        tables.line(f"{rows:,}", "memory after searching, MB", round(resident()), "")
        await written_to(bank, rows, questions)
    if (home / "fts5.db").exists():
        lexical(home, rows, wanted)


async def compared(bank: MemoryBank, rows: int, questions: Sequence[str]) -> None:
    """Whole searches and their raw queries in turns, so that noise falls on both alike."""

    async def whole(question: str) -> None:
        await bank.search(Query(texts=(question,), project="*"))

    async def within(question: str) -> None:
        await bank.search(Query(texts=(question,), project="/p3"))

    for question in questions[:5]:
        await whole(question)
        await raw(bank, question)
        await within(question)
    taken: dict[str, list[float]] = {"search": [], "search in one project": [], "raw queries": []}
    spent = processor()
    for question in questions:
        await whole(question)
    spent = (processor() - spent) / len(questions)
    tables.line(f"{rows:,}", "processor a search, ms", round(spent * 1e3), "")
    for question in questions:
        taken["search"].append(await awaited(lambda q=question: whole(q)))
        taken["search in one project"].append(await awaited(lambda q=question: within(q)))
        taken["raw queries"].append(await awaited(lambda q=question: raw(bank, q)))
    for what, each in taken.items():
        tell(rows, what, each)
    ratio = statistics.median(taken["search"]) / statistics.median(taken["raw queries"])
    tables.line(f"{rows:,}", "search over raw queries", f"{ratio:.2f}x", "")


async def written_to(bank: MemoryBank, rows: int, questions: Sequence[str]) -> None:
    """Appends as an indexer makes them, rounds of upkeep as a server does, and searches meanwhile."""
    store = bank.rooms.store
    table = store._tables["evidence"]  # noqa: SLF001 fragments, and rows with their vectors
    begin = await table.count_rows()
    pool = from_arrow(EvidenceRow, await table.query().limit(APPENDS * APPENDED).to_arrow())
    fragments, rounds, taken = [], [], []
    done = anyio.Event()

    async def write() -> None:
        for turn in range(APPENDS):
            numbers = range(begin + turn * APPENDED, begin + (turn + 1) * APPENDED)
            made = [replace(mixed(pool, n, ""), vector=pool[n % len(pool)].vector) for n in numbers]
            async with store.change("index") as change:
                await change.add(evidence=made)
            rounds.append(await awaited(store.maintain))
            fragments.append((await table.stats())["fragment_stats"]["num_fragments"])
        done.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        while not done.is_set():
            query = Query(texts=(questions[len(taken) % len(questions)],), project="*")
            taken.append(await awaited(lambda q=query: bank.search(q)))
    told = f"search while {APPENDS} x {APPENDED} rows come and upkeep runs"
    tell(rows, told, taken)
    tell(rows, "a round of upkeep after each", rounds)
    tables.line(f"{rows:,}", "most fragments then", max(fragments), "")
    late = (await table.index_stats("text_idx")).num_unindexed_rows
    tables.line(f"{rows:,}", "rows not in the word index at the end", late, "")


def processor() -> float:
    """Seconds of processor that this process has taken."""
    told = os.times()
    return told.user + told.system


async def places(bank: MemoryBank, question: str, key: str) -> bool:
    """Whether the row that a question was made from is among the first ten."""
    query = Query(texts=(question,), project="*", limit=10, budget_tokens=100_000)
    return key in [hit.ref for hit in (await bank.search(query)).hits]


async def raw(bank: MemoryBank, question: str) -> None:
    """What search is made of: three word queries, one of vectors, the rows looked up."""
    table = bank.rooms.store._tables["evidence"]  # noqa: SLF001 the raw table is what is compared
    words = wording.content_words(question)
    vector = await bank.rooms.query_vector(question)
    found: list[Any] = []

    async def lexical(column: str) -> None:
        asked = table.query().nearest_to_text(MatchQuery(words, column))
        found.append(await asked.select(["key", "_score"]).limit(DEPTH).to_arrow())

    async def near() -> None:
        asked = table.query().nearest_to(list(vector or ())).distance_type(METRIC)
        found.append(await asked.select(["key", "_distance"]).limit(DEPTH).to_arrow())

    async with anyio.create_task_group() as tasks:
        for column in COLUMNS:
            tasks.start_soon(lexical, column)
        tasks.start_soon(near)
    keys = [key for each in found for key in each.column("key").to_pylist()[:10]]
    await table.query().where(one_of("key", keys)).to_arrow()


def lexical(home: Path, rows: int, wanted: Mapping[str, str]) -> None:
    """The same text under SQLite's FTS5 and under ripgrep."""
    database = sqlite3.connect(home / "fts5.db")
    questions, taken, found = list(wanted), [], []
    for question in questions:
        terms = " OR ".join(f'"{word}"' for word in question.split())
        best: list[tuple[str]] = []
        taken.append(seconds(lambda t=terms, b=best: b.extend(database.execute(FTS5, (t,)))))
        found.append((wanted[question],) in best)
    tell(rows, "FTS5", taken)
    tables.line(f"{rows:,}", f"FTS5, {FOUND}", f"{statistics.mean(found):.3f}", "")
    rg = shutil.which("rg")
    if rg is None:
        tables.line(f"{rows:,}", "ripgrep: not installed", "", "")
        return
    taken = []
    for question in questions[:10]:
        command = [rg, "-c", "-i", "-F", *(f"-e{word}" for word in question.split())]
        command.append(str(home / "text.txt"))
        taken.append(seconds(lambda c=command: subprocess.run(c, capture_output=True, check=False)))
    tell(rows, "ripgrep", taken)


async def built(settings: Settings, rows: int, data: Sequence[Path], home: Path) -> dict[str, str]:
    """A bank of so many rows, and its text as lines and under FTS5 as far as `BESIDE`."""
    home.mkdir(parents=True)
    took = Stages()
    begun = processor()
    async with open_bank(settings, cwd="/nowhere") as bank:
        pool = await pooled(bank, data)
        store = bank.rooms.store
        with took.stage("adding"):
            async with store.change("index") as change:
                await change.tables.put("evidence", batches(pool, rows, change.batch))
        added = processor()
        with took.stage("indexing"):
            await store.maintain(force=True)
        indexed = processor()
    if rows <= BESIDE:
        for_others(pool, rows, home)
    return {
        "rows written, s": f"{took['adding']:.1f}",
        "processor for reading the data and for that, s": f"{added - begun:.1f}",
        "indexes built, s": f"{took['indexing']:.1f}",
        "processor for them, s": f"{indexed - added:.1f}",
        "most memory while building, MB": str(peak()),
    }


def batches(pool: Sequence[EvidenceRow], rows: int, batch: str) -> pa.RecordBatchReader:
    """Rows as they are written, all as one commit: else compaction needs the room a second time."""
    schema = arrow_schema("evidence", len(pool[0].vector or ()))
    near = np.array([row.vector for row in pool], np.float32)

    def made() -> Iterator[pa.RecordBatch]:
        for start in range(0, rows, BATCH):
            numbers = range(start, min(rows, start + BATCH))
            told = columns_of(
                "evidence", [mixed(pool, n, batch) for n in numbers], without=OWN_COLUMN
            )
            between = [(n % len(pool), partner(pool, n)) for n in numbers]
            vectors = near[between].mean(axis=1)
            vectors += np.random.default_rng(start).normal(0, 0.01, vectors.shape)
            kind = schema.field("vector").type
            column = vectors_of(kind, vectors.astype(np.float32).tobytes(), [True] * len(numbers))
            table = pa.Table.from_arrays([*told.columns, column], schema=schema)
            yield from table.combine_chunks().to_batches()

    return pa.RecordBatchReader.from_batches(schema, made())


def for_others(pool: Sequence[EvidenceRow], rows: int, home: Path) -> None:
    """The same text for FTS5 and for ripgrep."""
    database = sqlite3.connect(home / "fts5.db")
    database.execute("CREATE VIRTUAL TABLE rows USING fts5(key, text)")
    with (home / "text.txt").open("w", encoding="utf-8", errors="replace") as lines:
        for number in range(rows):
            row = mixed(pool, number, "")
            database.execute("INSERT INTO rows VALUES (?, ?)", (row.key, row.text))
            lines.write(row.text.replace("\n", " ") + "\n")
    database.commit()


async def pooled(bank: MemoryBank, data: Sequence[Path]) -> list[EvidenceRow]:
    """Rows of real sessions with their vectors."""
    pool = list(read(data))[:POOL]
    if not pool:
        raise SystemExit(f"No transcript under {', '.join(map(str, data))} could be read.")
    texts = [evidence.embedded_text(row) for row in pool]
    vectors = await bank.rooms.embedder.embed(texts)
    return [replace(row, vector=v) for row, v in zip(pool, vectors, strict=True)]


def read(data: Sequence[Path]) -> Iterator[EvidenceRow]:
    """Step rows of every transcript."""
    origin = evidence.Origin(project="/p", batch="")
    for trajectory in transcripts.trajectories(data):
        rows = evidence.rows_of(trajectory, episodes.cut(trajectory), origin)
        yield from (row for row in rows if row.kind == "step")


def mixed(pool: Sequence[EvidenceRow], number: int, batch: str) -> EvidenceRow:
    """Row `number`: a real one the first time, afterwards half of its lines are another's."""
    one, other = pool[number % len(pool)], pool[partner(pool, number)]
    text = one.text if other is one else halves(random.Random(number), one.text, other.text)
    session, step = divmod(number, 50)
    return replace(
        one,
        key=f"t:{session:012d}#{step + 1}",
        trajectory=f"t:{session:012d}",
        first=step + 1,
        last=step + 1,
        project=f"/p{session % 10}",
        at=NOON - timedelta(minutes=number),
        text=text,
        context=f"{one.context[:AROUND]}\n{text[:OWN]}\n{other.context[-AROUND:]}",
        identifiers=f"{one.identifiers} {other.identifiers}"[:2_000],
        hash=f"{number:064x}",
        batch=batch,
    )


def partner(pool: Sequence[EvidenceRow], number: int) -> int:
    """The row of the pool that row `number` takes half of its lines from."""
    if number < len(pool):
        return number
    return random.Random(-number).randrange(len(pool))


def halves(dice: random.Random, one: str, other: str) -> str:
    """Every line of either with a chance of one half."""
    lines = [line for line in (*one.split("\n"), *other.split("\n")) if dice.random() < 0.5]
    return "\n".join(lines) or one


async def asked(bank: MemoryBank, rows: int) -> dict[str, str]:
    """Questions of six words, each with the row that it was made from."""
    dice = random.Random(rows)
    questions: dict[str, str] = {}
    while len(questions) < QUESTIONS:
        number = dice.randrange(rows)
        key = f"t:{number // 50:012d}#{number % 50 + 1}"
        found = await bank.rooms.store.find("evidence", Where(keys=(key,)))
        words = list(dict.fromkeys(wording.content_words(found[0].text[:2_000]).split()))
        words = [word for word in words if word.isalnum()]
        if len(words) >= 6:
            questions[" ".join(dice.sample(words, 6))] = key
    return questions


def tell(rows: int, what: str, taken: Sequence[float]) -> None:
    half, late = statistics.median(taken), quantile(taken, 0.95)
    tables.line(f"{rows:,}", what, f"{half * 1e3:.1f}", f"{late * 1e3:.1f}")


if __name__ == "__main__":
    main()
