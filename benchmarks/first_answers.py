"""First answers: is the answer in what one search brings, in how many bytes, and is it silent where none is.

    python benchmarks/first_answers.py --data DATA --home HOME=QUESTIONS.jsonl … --absent HOME=ABSENT.tsv …

Each question is asked as it stands, as an agent would ask it that has not seen the answer, and in this
agent's two wordings at once (`asked/agent_queries.jsonl`, written from the questions alone). Each HOME
is an indexed bank, QUESTIONS a file of `questions/` in DATA (an answer's patterns, quotes of its
evidence), ABSENT a file of `absent/`: a line a thing that the project never had, and a question about
it, asked with every project and with the one that the file is named for (what a bank holds of another
project is not absent there). Questions are asked with every project, and with the one of their
evidence; odd and even ones are reported apart, as thresholds and weights were chosen on even ones. No
model is asked, and nothing is called twice.
"""

import argparse
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import regex
from apparatus import tables

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.hits import SearchResult
from mcp_memory.server.answers import as_structure, as_text
from mcp_memory.settings import Settings

AGENTS = Path(__file__).parent / "asked" / "agent_queries.jsonl"
QUOTED = 50
PATTERN_SECONDS = 1.0


@dataclass(slots=True)
class Tally:
    """What came of one half's questions."""

    asked: int = 0
    silent: int = 0
    in_text: int = 0
    in_json: int = 0
    quoted: int = 0
    text_bytes: list[int] = field(default_factory=list)
    json_bytes: list[int] = field(default_factory=list)
    around: list[float] = field(default_factory=list)
    by_type: Counter[str] = field(default_factory=Counter)

    def add(self, question: Mapping[str, Any], result: SearchResult) -> None:
        """Count one answer."""
        text, structure = as_text(result), as_structure(result)
        told = json.dumps(structure, separators=(",", ":"))
        recalled = "\n".join(
            "\n".join((hit.title, hit.text, *hit.later)) for hit in (*result.hits, *result.nearest)
        )
        found = answers(question.get("accept", ()), text)
        self.asked += 1
        self.silent += not result.found
        self.in_text += found
        self.in_json += answers(question.get("accept", ()), strings(structure))
        self.quoted += any(flat(q) in flat(recalled) for q in quotes(question))
        self.text_bytes.append(len(text.encode()))
        self.json_bytes.append(len(told))
        self.around.append(1 - len(json.dumps(recalled)) / max(1, len(told)))
        self.by_type[question.get("type", "absent")] += found


def answers(patterns: Iterator[str] | list[str], text: str) -> bool:
    """Whether one of the patterns is in a text; one that reads for a second is not."""
    for pattern in patterns:
        # A pattern of look-aheads holds at the beginning or nowhere.
        find = regex.match if pattern.startswith("(?=") else regex.search
        try:
            if find(pattern, text, regex.I | regex.S, timeout=PATTERN_SECONDS):
                return True
        except TimeoutError:
            continue
    return False


def strings(value: object) -> str:
    """Every text within a JSON value, as a model reads it."""
    if isinstance(value, dict):
        return "\n".join(map(strings, value.values()))
    if isinstance(value, list | tuple):
        return "\n".join(map(strings, value))
    return str(value)


def flat(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower())


def quotes(question: Mapping[str, Any]) -> list[str]:
    """The beginnings of the evidence's quotes."""
    told = (one.get("quote", "") for one in question.get("evidence", ()))
    return [flat(quote)[:QUOTED] for quote in told if quote]


async def owners(bank: MemoryBank, questions: list[dict[str, Any]]) -> dict[str, str]:
    """To each question, the project that most of its evidence is of; a bank without it is refused.

    An answer that was never indexed would be counted as one that was not found.
    """
    rows = await bank.rooms.store.sessions()
    made: dict[str, str] = {}
    for question in questions:
        stems = [Path(one.get("file", "")).stem for one in question["evidence"]]
        ids = [one.get("session_id", "") for one in question["evidence"]]
        named = [name for name in (*stems, *ids) if name]
        counted = Counter(
            row.project
            for row in rows
            if any(
                name in (row.native_id, Path(row.source_path).stem) or name in row.source_path
                for name in named
            )
        )
        made[question["id"]] = counted.most_common(1)[0][0] if counted else ""
    if lost := [id_ for id_, project in made.items() if not project]:
        raise SystemExit(f"The bank has no session that {', '.join(lost)} can be answered from.")
    return made


def agents_words(questions: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The questions as they stand, and in one wording and both of an agent, where it wrote any."""
    lines = AGENTS.read_text(encoding="utf-8").splitlines()
    wrote = {one["id"]: one for one in map(json.loads, lines)}
    made = {"": questions}
    if all(question["id"] in wrote for question in questions):
        asks = {", by an agent": ("query",), ", two wordings": ("query", "second")}
        for name, fields in asks.items():
            made[name] = [
                question | {"texts": [wrote[question["id"]][field] for field in fields]}
                for question in questions
            ]
    return made


async def measure(
    home: Path, questions: list[dict[str, Any]], *, own: bool, project: str
) -> dict[str, Tally]:
    """Ask all of them of one bank, in `project` where they have no evidence; tallies of both halves."""
    tallies = {"even": Tally(), "odd": Tally()}
    async with open_bank(Settings(home=home, index_auto=False)) as bank:
        cited = [question for question in questions if question["evidence"]]
        of = dict.fromkeys([q["id"] for q in questions], project) if own else {}
        owned = await owners(bank, cited)
        of |= owned if own else {}
        for number, question in enumerate(questions, 1):
            texts = tuple(question.get("texts", (question["question"],)))
            query = Query(texts=texts, project=of.get(question["id"], "*"), reworded=len(texts) > 1)
            half = "odd" if number % 2 else "even"
            tallies[half].add(question, await bank.search(query))
    return tallies


def read(path: Path) -> list[dict[str, Any]]:
    """Questions of a file: JSON lines, or a thing and a question in two columns."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in lines]
    asked = [line.partition("\t")[2] for line in lines]
    return [{"id": str(n), "question": line, "evidence": []} for n, line in enumerate(asked, 1)]


def told(name: str, half: str, tally: Tally) -> None:
    """One line of the table."""
    tables.line(
        name,
        half,
        tally.asked,
        tally.in_text,
        tally.in_json,
        tally.quoted,
        tally.silent,
        f"{statistics.mean(tally.text_bytes):.0f}",
        f"{statistics.mean(tally.json_bytes):.0f}",
        max(tally.json_bytes),
        f"{statistics.mean(tally.around):.2f}",
        " ".join(f"{kind} {count}" for kind, count in sorted(tally.by_type.items()) if count),
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds questions/")
    parser.add_argument("--home", action="append", default=[], help="HOME=FILE of questions/")
    parser.add_argument("--absent", action="append", default=[], help="HOME=FILE of absent/")
    chosen = parser.parse_args()
    tables.begin(
        *("questions", "half", "asked", "answer in text", "in JSON", "quote", "silent"),
        *("text bytes", "JSON bytes", "most", "around", "by type"),
    )
    every = [
        (pair, chosen.data / "questions", own) for pair in chosen.home for own in (False, True)
    ]
    absent = Path(__file__).parent / "absent"
    every += [(pair, absent, own) for pair in chosen.absent for own in (False, True)]
    for pair, folder, own in every:
        home, _, name = pair.partition("=")
        project = Path(name).stem.rpartition("__")[2]
        for how, asked in agents_words(read(folder / name)).items():
            tallies = await measure(Path(home), asked, own=own, project=project)
            for half, tally in tallies.items():
                told(f"{name}{', own project' if own else ''}{how}", half, tally)


if __name__ == "__main__":
    anyio.run(main)
