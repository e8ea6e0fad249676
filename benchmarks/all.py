"""All figures in one run: every script whose data is given, over one revision, on one machine.

    python benchmarks/all.py --data DATA --packs PACK... --questions FILE=FOLDER,FOLDER --out FOLDER

Each script's whole output stands in FOLDER as NAME.txt; FOLDER/figures.md tells the revision, the day,
the machine, and of each script its command, seconds, peak memory, load before it and exit status. What
README and docs say is taken from one such folder. Scripts that need npm, a browser or an agent
(`ab`, `conformance`, `hosts`, `sessions`, `pages`) are left out by their names where that is missing.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mcp_memory.cli import ending

HERE = Path(__file__).parent
PYTHON = sys.executable
CLI = (PYTHON, "-m", "mcp_memory")


@dataclass(frozen=True, slots=True)
class Given:
    """What this machine has for the scripts."""

    data: Path
    packs: tuple[str, ...]
    out: Path
    clone: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]
    """Each a file of questions and the transcripts that they are asked of."""

    def held(self, name: str) -> str:
        """A public corpus, by its folder."""
        return str(self.data / "benchmarks" / name)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its name and its command; of a bank, the home that it works on."""

    name: str
    words: Sequence[str]
    home: Path | None = None


def _runs(given: Given) -> Iterator[Run]:
    """In this order: `index` makes the bank that later ones ask."""
    home, absent = given.out / "home", sorted((HERE / "absent").glob("*.tsv"))
    yield _script("structure")
    yield _script("handshake", "--runs", "15")
    yield Run("index", (*CLI, "index", *given.packs), home)
    yield Run("index-again", (*CLI, "index", *given.packs), home)
    asked: list[str] = []
    for file, folders in given.questions:
        bank = given.out / Path(file).stem
        yield Run(f"index-{bank.name}", (*CLI, "index", *folders), bank)
        asked += ["--home", f"{bank}={file}"]
    for each in absent:
        asked += ["--absent", f"{home}={each}"]
    yield _script("first_answers", "--data", str(given.data), *asked)
    yield _script("pages", "--home", str(home))
    yield _script("budgets", "--data", *given.packs)
    yield _script("indexing", "--data", given.packs[0])
    yield _script("cases", "--data", str(given.data / "cases"))
    yield _script("embedding", "--data", given.held("locomo"))
    packs = ("--packs", str(Path(given.packs[0]).parent))
    yield Run("eval", (*CLI, "eval", "all", "--data", str(given.data), *packs, "--half", "second"))
    yield Run("eval-stream", (*CLI, "eval", "stream"))
    yield _script("gate", "--held", *given.packs)
    if given.clone:
        yield _script("premises", given.clone)
    yield from _poison("--data", str(given.data))
    corpora = given.held("secrets")
    yield _script("redaction", "--data", corpora, "--transcripts", *given.packs)
    for name in ("hooks", "load", "store", "purge", "torture"):
        yield _script(name)
    yield _script("growth", "--data", *given.packs)
    yield _script("calls", "--count", "500")
    yield _script("fuzz", "--data", *given.packs)


def _poison(*words: str) -> Iterator[Run]:
    """The table of the ways in, then those that know the defence."""
    yield (table := _script("poison", *words))
    yield Run("poison-attacks", (*table.words, "--attacks"))


def _script(name: str, *words: str) -> Run:
    return Run(name, (PYTHON, str(HERE / f"{name}.py"), *words))


def main() -> None:
    """Run them one after the other; end with 1 where any failed."""
    asked = _asked()
    given = Given(
        asked.data, tuple(map(str, asked.packs)), asked.out, asked.clone, tuple(asked.questions)
    )
    given.out.mkdir(parents=True, exist_ok=True)
    rows, failed = [], 0
    for run in _runs(given):
        if (asked.only and run.name not in asked.only) or run.name in asked.skip:
            continue
        row, status = _carried_out(run, given)
        rows.append(row)
        failed += status not in {ending.ANSWERED, ending.PART}
        _written(given.out, rows)
    sys.exit(1 if failed else 0)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="benchmarks/, questions/, cases/")
    parser.add_argument("--packs", type=Path, nargs="+", required=True, help="transcripts")
    parser.add_argument("--out", type=Path, required=True, help="a folder for what they print")
    parser.add_argument("--clone", default="", help="a repository with history, for premises")
    parser.add_argument(
        "--questions", type=_questions, action="append", default=[], metavar="FILE=FOLDER[,FOLDER…]",
        help="questions, and the transcripts that they are asked of",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[], help="of these names alone")
    parser.add_argument("--skip", nargs="+", default=[], help="without these names")
    return parser.parse_args()


def _questions(told: str) -> tuple[str, tuple[str, ...]]:
    file, _, folders = told.partition("=")
    return file, tuple(folders.split(","))


def _carried_out(run: Run, given: Given) -> tuple[str, int]:
    load, begun = os.getloadavg()[0], time.perf_counter()
    print(f"{run.name} …", flush=True)
    env = {**os.environ} | ({"MCP_MEMORY_HOME": str(run.home)} if run.home else {})
    with (given.out / f"{run.name}.txt").open("wb") as told:
        child = subprocess.Popen(run.words, stdout=told, stderr=subprocess.STDOUT, env=env)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    spelled = " ".join(_short(word, given) for word in run.words)
    row = (
        f"| {run.name} | `{spelled}` | {seconds:,.0f} | {used.ru_maxrss / 1024:,.0f} | {load:.1f} "
        f"| {child.returncode} |"
    )
    print(row, flush=True)
    return row, child.returncode


def _short(word: str, given: Given) -> str:
    """A word of a command without the paths of this machine."""
    if word in given.packs:
        return "PACK"
    for path, name in ((PYTHON, "python"), (str(HERE.parent) + os.sep, ""), (str(given.data), "DATA"),
                       (str(given.out), "OUT")):  # fmt: skip
        word = word.replace(path, name)
    return word


def _written(out: Path, rows: Sequence[str]) -> None:
    """The table; what an earlier run of the same revision and day left there stays."""
    git = shutil.which("git") or "git"
    asked = subprocess.run(
        [git, "-C", str(HERE), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    head = f"# Figures of {asked.stdout.strip() or 'no revision'}, {datetime.now(UTC):%Y-%m-%d}"
    path = out / "figures.md"
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    told = {_run_of(row): row for row in (*before, *rows) if _run_of(row)} if head in before else {}
    told |= {_run_of(row): row for row in rows}
    lines = (
        head,
        "",
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}.",
        "",
        "| script | command | seconds | peak MB | load before | exit |",
        "|---|---|---|---|---|---|",
        *told.values(),
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _run_of(row: str) -> str:
    """The run that a row of the table is of; empty for any other line."""
    name, _, rest = row.removeprefix("| ").partition(" | ")
    return name if row.startswith("| ") and rest.startswith("`") else ""


if __name__ == "__main__":
    main()
