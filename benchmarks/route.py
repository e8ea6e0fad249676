"""The agent's route: twenty questions answered by grep over the archive, and over raw transcripts.

Two scripts play a plain agent. Both know what to grep for and stop at the gold step or after ten
calls; what a tool prints is cut at 16,000 characters, a line at 1,000, as hosts do. Questions are
chosen by hash of their text; what each reached, its calls and its bytes are printed.
"""

import argparse
import csv
import hashlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import orjson

from mcp_memory.bank import open_bank
from mcp_memory.history import indexer
from mcp_memory.settings import Settings

MOST_CALLS, PRINTED, LINE = 10, 16_000, 1_000
csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Question:
    """What is looked for, the index that holds it, the sessions that count, words of the gold step."""

    kind: str
    needle: str
    sessions: frozenset[str]


@dataclass
class Route:
    """What one agent did for one question."""

    calls: int = 0
    seen: int = 0
    found: bool = False
    log: list[str] = field(default_factory=list)

    def call(self, *command: str, cwd: Path) -> str:
        """Run a command as an agent would, and count what enters its context."""
        done = subprocess.run(command, cwd=cwd, capture_output=True, check=False)
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        shown = "\n".join(line[:LINE] for line in lines)[:PRINTED]
        self.calls += 1
        self.seen += len(shown.encode()) + sum(map(len, command))
        self.log.append(" ".join(command)[:160])
        return shown


def rows(file: Path) -> list[dict[str, str]]:
    """A gold file."""
    with file.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def questions(gold: Path) -> list[Question]:
    """Files that few sessions edited, errors met before, and commits made in a session."""
    made: dict[str, list[Question]] = {"file": [], "error": [], "decision": []}
    for project in sorted(gold.glob("entireio*")):
        for each in rows(project / "file_edits.tsv"):
            told = each["sessions(session_id:first_edit_line:date)"].split()
            if len(told) <= 6:
                ids = frozenset(one.split(":")[0] for one in told)
                made["file"].append(Question("file", each["path"], ids))
        if (project / "recurring_errors.tsv").exists():
            for each in rows(project / "recurring_errors.tsv"):
                key = next(name for name in each if name.startswith("occurrences"))
                ids = frozenset(one.split(":")[0] for one in each[key].split())
                made["error"].append(Question("error", each["raw_query"], ids))
        commits: dict[str, set[str]] = {}
        for each in rows(project / "commit_to_session.tsv"):
            if each["verbatim"] == "1" and each["strong"] == "1" and len(each["subject"]) > 20:
                commits.setdefault(each["subject"], set()).add(each["session_id"])
        made["decision"] += [Question("decision", s, frozenset(i)) for s, i in commits.items()]
    order = {kind: sorted(found, key=lambda q: hashlib.sha256(q.needle.encode()).digest())
             for kind, found in made.items()}  # fmt: skip
    return order["file"][:8] + order["error"][:6] + order["decision"][:6]


def told(question: Question, text: str) -> bool:
    """Whether an opened step or line is the gold one: it edits the file, shows the error, the commit."""
    plain = text.replace("\\n", "\n").replace('\\"', '"')
    if question.kind != "file":
        return question.needle[:60] in plain
    edits = re.search(
        r'"(?:tool|name)":\s*"(?:Edit|Write|MultiEdit|apply_patch|exec\w*|shell)"', text
    )
    return bool(edits) and question.needle in text


def by_archive(question: Question, archive: Path, names: dict[str, str]) -> Route:
    """README, the one cross-index, the steps that it names; its words in steps where it has none."""
    route = Route()
    route.call("cat", "README.md", cwd=archive)
    index = f"by-{question.kind}.md"
    needle = question.needle if question.kind == "file" else folded(question.needle)
    found = route.call(
        "grep", "-rnFh", "--include", index, "-m", "8", "-e", needle, ".", cwd=archive
    )
    places = []
    for ref, rest in re.findall(r"t:([0-9a-z]+)((?:#\d+[*!]? ?)+)", found):
        numbers = re.findall(r"#(\d+)([*!]?)", rest)
        best = [n for n, mark in numbers if mark == "*"] or [n for n, _ in numbers]
        places.append((ref, best[0]))
    if opened(question, route, archive, names, places):
        return route
    words = re.escape(json_text(question.needle)[:60])
    found = route.call(
        *("grep", "-rnoE", "-m", "2", "--include", "steps.jsonl"),
        *(f".{{0,80}}{words}.{{0,80}}", "."),
        cwd=archive,
    )
    named = re.findall(r"^\./\S+?-([0-9a-z]{12})/steps\.jsonl:(\d+):", found, re.MULTILINE)
    opened(question, route, archive, names, named)
    return route


def opened(
    question: Question,
    route: Route,
    archive: Path,
    names: dict[str, str],
    places: list[tuple[str, str]],
) -> bool:
    """Open each place until one is the gold step."""
    for ref, number in dict.fromkeys(places):
        if route.calls >= MOST_CALLS:
            break
        (folder,) = archive.glob(f"*/*-{ref}")
        text = route.call("sed", "-n", f"{number}p", str(folder.relative_to(archive) / "steps.jsonl"),
                          cwd=archive)  # fmt: skip
        whole = (folder / "steps.jsonl").read_text("utf-8").splitlines()[int(number) - 1]
        if names.get(ref) in question.sessions and (told(question, text) or told(question, whole)):
            route.found = True
            break
    return route.found


def json_text(text: str) -> str:
    """A text as it stands in a line of JSON."""
    return orjson.dumps(text).decode()[1:-1]


def folded(text: str) -> str:
    """The longest piece of an error without numbers or paths, as the README teaches."""
    return max(re.split(r"[\d/`]+", text), key=len).strip()[:60]


def by_grep(question: Question, raw: Path) -> Route:
    """Which transcripts hold the words, then the lines of each, oldest host order, then the line."""
    route = Route()
    needle = json_text(question.needle)[:60]
    listed = route.call("grep", "-rlF", "-e", needle, ".", cwd=raw)
    for name in [line for line in listed.split("\n") if line]:
        if route.calls >= MOST_CALLS:
            break
        hits = route.call("grep", "-nF", "-m", "20", "-e", needle, name, cwd=raw)
        numbers = [line.split(":")[0] for line in hits.split("\n") if line[:1].isdigit()]
        for number in numbers:
            line = (raw / name).read_text("utf-8", "replace").splitlines()[int(number) - 1]
            if told(question, line) and any(one in name for one in question.sessions):
                if len(line) > LINE:
                    route.call("sed", "-n", f"{number}p", name, cwd=raw)
                route.found = True
                return route
    return route


async def archived(home: Path, data: Path) -> dict[str, str]:
    """Index everything; the transcript's name by session."""
    async with open_bank(Settings(home=home, embedding_model="none")) as bank:
        await bank.index(list(indexer.transcripts([data])), processes=2)
        return {
            row.id: Path(row.source_path).name.split(".")[0]
            for row in await bank.rooms.store.catalogue()
        }


def told_id(name: str) -> str:
    """A session's id in the name of its transcript, as the gold spells it."""
    found = re.search(r"(?:\d{4}-\d\d-\d\d-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", name)
    return found[0] if found else name


def report(title: str, routes: list[Route]) -> tuple[int, float, float]:
    """A line, and the figures of the questions."""
    reached = [route for route in routes if route.found]
    calls = sum(route.calls for route in routes) / len(routes)
    seen = sum(route.seen for route in routes) / len(routes)
    print(
        f"{title}: {len(reached)} of {len(routes)} reached, {calls:.1f} calls, {seen:,.0f} bytes a question"
    )
    return len(reached), calls, seen


def main() -> None:
    """Index, ask both ways, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="unpacked transcripts")
    parser.add_argument("--gold", type=Path, required=True)
    parser.add_argument("--home", type=Path, help="keep the bank here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.home or Path(scratch)
        names = {
            ref: told_id(name) for ref, name in anyio.run(archived, home, options.data).items()
        }
        asked = questions(options.gold)
        ours = [by_archive(question, home / "archive", names) for question in asked]
        taught = len((home / "archive" / "README.md").read_bytes())
    raw = [by_grep(question, options.data) for question in asked]
    for question, mine, theirs in zip(asked, ours, raw, strict=True):
        print(f"{question.kind:8} {question.needle[:40]:40} {mine.found:1} {mine.calls:2} {mine.seen:7,} | "
              f"grep {theirs.found:1} {theirs.calls:2} {theirs.seen:7,}")  # fmt: skip
    _, calls, seen = report("archive", ours)
    _, raw_calls, raw_seen = report("raw grep", raw)
    print(f"ratio: calls {calls / raw_calls:.2f}, bytes {seen / raw_seen:.2f}")
    print(f"once the README was read: calls {(calls - 1) / raw_calls:.2f}, "
          f"bytes {(seen - taught) / raw_seen:.2f}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
