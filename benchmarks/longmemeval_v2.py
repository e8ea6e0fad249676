"""LongMemEval-V2's harness: a memory with its `insert` and `query`, and what evidence a query hands over.

    python benchmarks/longmemeval_v2.py --data viewer-data.json
    python benchmarks/longmemeval_v2.py --data FOLDER --haystack small --home BANKS

FOLDER holds the public release (`trajectories.jsonl`, `questions.jsonl`, `haystacks/lme_v2_*.json`).
In the harness: register `Memory` under a name; `memory_params` are its arguments.

Two forms, after the paper's two. `pools`, as AgentRunbook-R: at most five queries a call, over windows
of steps, transitions and notes; made without a model. `files`, as AgentRunbook-C: a folder with the
question, instructions and the archive, in which the command `agent` is run; without one, the bank's
own runbook stands for what it would have written. No model is called here: what is counted is
whether all parts of the expected answer stand in what is handed over, beside whether they stand
anywhere in the history. How questions are scored by the paper needs its reader and its judge.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from anyio.from_thread import BlockingPortal, start_blocking_portal
from apparatus import tables
from apparatus.timing import machine, quantile

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.hits import Hit
from mcp_memory.settings import Settings
from mcp_memory.text import tokens

Item = dict[str, str]
Record = Mapping[str, Any]

TOGETHER = 16
"""Trajectories that are indexed as one change, while more come."""
MOST_QUERIES, MOST_STATES = 5, 20
WINDOWS, TRANSITIONS, NOTES = 6, 6, 3
FIRST_ACTIONS = 8
SITES = {
    "webarena-reddit": "reddit",
    "webarena-cms": "shopping admin",
    "webarena-onestopshop": "shopping",
    "workarena": "workarena",
}
"""A question's environment to what the sample calls the site of a run."""
PHRASES = "norm_phrase_set_match"
INSTRUCTIONS = """\
Answer with evidence from past runs on the same sites. Work in this folder only.

- `question.json`: the question, and nothing else of it.
- `archive/`: the past runs as files. Begin with `archive/README.md`: it has a line of shell for each kind
  of question. `archive/*/INDEX.md` has a line a run: its goal, its outcome. Step N of a run is line N of
  its `steps.jsonl`; the page of state K is seen in step K + 2.

1. Say which kind the question is: what a page shows, what an action leads to, how something is done, what
   goes wrong. 2. Choose runs by goal, address and outcome. 3. Check in their steps: one span proves one
   point. What is near is no proof. If the runs speak against what the question takes for granted, say that
   first, with the span; if they have no answer, say so and guess nothing.

Write `memory_module_output.json`: {"memory_markdown": "...", "trajectory_spans": [{"trajectory_id": "...",
"start_state_index": 0, "end_state_index": 1}]}, most important first, at most 20 states in all.
"""


class Memory:
    """The harness's memory over one bank; the bank stays open until `close`."""

    def __init__(self, memory_params: Record) -> None:
        self._params = dict(memory_params)
        self._form = str(self._params.get("form", "pools"))
        self._pictures = Path(str(self._params.get("pictures", "")))
        self._owned = None if self._params.get("home") else tempfile.TemporaryDirectory()
        self._home = Path(str(self._params.get("home") or (self._owned and self._owned.name)))
        self._runs: dict[str, Record] = {}
        self._waiting: list[Path] = []
        self._stack = contextlib.ExitStack()
        self._opened: tuple[BlockingPortal, MemoryBank] | None = None
        self.queries = 0
        """How many the last call put to the bank."""
        self.shown: list[Record] = []
        """The run of each span that the last call handed over."""
        for path in sorted(self._folder.glob("*.jsonl")):
            self._know(orjson.loads(path.read_bytes()))

    @property
    def _folder(self) -> Path:
        folder = self._home / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def insert(self, trajectory: Record) -> None:
        """Keep a whole run; one that is there already must be the same.

        Raises:
            ValueError: another run has this id.
        """
        run = public(trajectory)
        name = hashlib.sha256(str(run["id"]).encode()).hexdigest()[:20]
        path, text = self._folder / f"{name}.jsonl", orjson.dumps(run) + b"\n"
        if path.exists():
            if path.read_bytes() != text:
                raise ValueError(f"run {run['id']} is there, and is another one")
            return
        path.write_bytes(text)
        self._know(run)
        self._waiting.append(path)
        if len(self._waiting) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Index what was inserted; a query does it, too, so that it is never behind."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._call(lambda bank: bank.index(waiting))

    def query(self, query: str, query_image: str | None = None) -> list[Item]:
        """What bears on a question, most important first; a picture beside it is not looked at."""
        del query_image
        self.settle()
        if self._form == "files":
            return self._by_files(query)
        self.queries = 0
        return self._by_pools(query)

    def configure_runtime(self, **told: object) -> None:
        """What the harness sets while it runs: `agent`, `pictures`, `form`."""
        self._params.update(told)
        self._form = str(self._params.get("form", self._form))
        self._pictures = Path(str(self._params.get("pictures", self._pictures)))

    def post_query_hook(self, *_: object) -> dict[str, object] | None:
        """Nothing is learned from a question."""
        return None

    def set_query_context(self, **_: object) -> None:
        """The question's id and type are not looked at."""

    clear_query_context = set_query_context

    def save_memory(self, folder: str) -> None:
        """The whole home as it is, with the configuration that made it."""
        self.settle()
        self.close()
        shutil.copytree(self._home, folder, dirs_exist_ok=True)
        (Path(folder) / "memory_config.json").write_bytes(self._config(self._params))

    @classmethod
    def load_memory(cls, folder: str, requested_config: Record) -> "Memory":
        """A memory that was saved.

        Raises:
            ValueError: it was made by another configuration.
        """
        if (Path(folder) / "memory_config.json").read_bytes() != cls._config(requested_config):
            raise ValueError("the memory was made by another configuration")
        return cls({**requested_config, "home": folder})

    @staticmethod
    def _config(params: Record) -> bytes:
        kept = {key: value for key, value in params.items() if key != "home"}
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)

    def close(self) -> None:
        """Close the bank; the next call opens it again."""
        self._stack.close()
        self._opened = None

    def _know(self, run: Record) -> None:
        self._runs[refs.trajectory_id("longmemeval_v2", str(run["id"]))] = run

    def _call(self, verb: Callable[[MemoryBank], Any]) -> Any:
        if self._opened is None:
            portal = self._stack.enter_context(start_blocking_portal())
            settings = Settings(home=self._home / "bank", index_auto=False)
            opened = portal.wrap_async_context_manager(open_bank(settings, cwd="/"))
            self._opened = portal, self._stack.enter_context(opened)
        portal, bank = self._opened
        return portal.call(verb, bank)

    def _searched(self, texts: Sequence[str], kinds: tuple[Any, ...]) -> list[Hit]:
        self.queries += len(texts)
        query = Query(texts=tuple(texts), kinds=kinds, project="*", limit=30, budget_tokens=60_000)
        found = self._call(lambda bank: bank.search(query))
        return [*found.hits, *found.nearest]

    def _by_pools(self, question: str) -> list[Item]:
        """Notes, then transitions, then windows of steps."""
        hits = self._searched(asked(question), ("step",))
        places = [place for hit in hits if (place := placed(hit.ref))]
        runs = list(dict.fromkeys(run for run, _ in places))
        told = [item(note(self._runs[run])) for run in runs[: 2 * NOTES] if run in self._runs]
        moves = [transition(self._runs[run], step) for run, step in places if run in self._runs]
        told += [item(move) for move in [*dict.fromkeys(filter(None, moves))][:TRANSITIONS]]
        return [*told, *self._windows([refs.span(run, step) for run, step in told_apart(places)])]

    def _windows(self, spans: Sequence[str], *, around: int = 1) -> list[Item]:
        """Each span with the steps round it, and the picture of its page where there are pictures."""
        self.shown = [self._runs[place[0]] for ref in spans if (place := placed(ref))]
        if not spans:
            return []
        asked_for = Reading(refs=tuple(spans), around=around, budget_tokens=40_000)
        fetched = self._call(lambda bank: bank.fetch(asked_for))
        made: list[Item] = []
        for one in fetched.items:
            made.append(item(f"{one.ref}\n{one.text}"))
            made += self._picture(one.ref)
        return made

    def _picture(self, ref: str) -> list[Item]:
        place = placed(ref)
        states = self._runs.get(place[0], {}).get("states", []) if place else []
        state = place[1] - 2 if place else -1
        name = states[state].get("screenshot") if 0 <= state < len(states) else None
        path = self._pictures / str(name)
        there = name and self._pictures.name and path.is_file()
        return [{"type": "image", "value": str(path)}] if there else []

    def sandbox(self, question: str, folder: Path) -> Path:
        """The folder that an agent is started in."""
        (folder / "question.json").write_bytes(orjson.dumps({"question": question}))
        (folder / "INSTRUCTION.md").write_text(INSTRUCTIONS, encoding="utf-8")
        (folder / "archive").symlink_to(os.path.relpath(self._home / "bank" / "archive", folder))
        return folder

    def _by_files(self, question: str) -> list[Item]:
        agent = self._params.get("agent")
        if not agent:
            return self._by_runbook(question)
        with tempfile.TemporaryDirectory() as name:
            folder = self.sandbox(question, Path(name))
            command = [str(word).replace("{folder}", name) for word in agent]
            seconds = float(self._params.get("seconds", 1_800))
            subprocess.run(command, cwd=folder, check=True, timeout=seconds)
            told = orjson.loads((folder / "memory_module_output.json").read_bytes())
        spans, left = [], MOST_STATES
        for span in told.get("trajectory_spans", ()):
            first, last = int(span["start_state_index"]), int(span["end_state_index"])
            run = refs.trajectory_id("longmemeval_v2", str(span["trajectory_id"]))
            if run in self._runs and 0 <= last - first < left:
                spans.append(refs.span(run, first + 2, last + 2))
                left -= last - first + 1
        return [item(str(told["memory_markdown"])), *self._windows(spans, around=0)]

    def _by_runbook(self, question: str) -> list[Item]:
        """The bank's own instructions for the question, and the steps that they point to."""
        task = Task(text=question, queries=tuple(asked(question)[1:]), project="*")
        self.queries = 1 + len(task.queries)
        page = self._call(lambda bank: bank.runbook(task))
        lines = [*page.premises, *page.notes]
        for section in page.sections:
            lines += [f"## {section.title}", *section.lines]
        told = [item("\n".join(lines))] if lines else []
        return [*told, *self._windows(page.spans, around=0)]


def item(value: str) -> Item:
    return {"type": "text", "value": value}


def public(trajectory: Record) -> Record:
    """A run as the public release writes it; the harness has other names for some of it."""
    states: list[dict[str, Any]] = []
    for state in trajectory["states"]:
        kept = {k: v for k, v in state.items() if k not in ("thoughts", "text")}
        kept.setdefault("thought", state.get("thoughts", ""))
        kept.setdefault("accessibility_tree", state.get("text", ""))
        before = states[-1]["accessibility_tree"] if states else ""
        kept["action"] = annotated(kept, before)
        states.append({"state_index": len(states), **kept})
    goal = trajectory["goal"]
    told = {"id": trajectory["id"], "goal": goal if isinstance(goal, str) else "\n".join(goal)}
    rest = {k: v for k, v in trajectory.items() if k not in ("id", "goal", "states", "actions")}
    return {**told, **rest, "states": states}


def annotated(state: Record, before: str) -> str:
    """A state's action with the line of the page before it that it was done to."""
    action = state.get("action") or ""
    about, named = state.get("action_annotation") or "", re.search(r"\('(\w+)'", action)
    if named and not about:
        line = re.search(rf"^\s*(\[{named[1]}\].*)$", before or "", re.MULTILINE)
        about = line[1].strip() if line else ""
    return f"{action} # {about[:200]}" if action and about else action


def asked(question: str) -> list[str]:
    """At most five queries: the question, what it asks at last, and what it quotes."""
    sentences = re.split(r"(?<=[.?!])\s+", question.strip())
    last = [sentence for sentence in sentences if sentence.endswith("?")][-1:]
    quoted = re.findall(r"[\"“`]([^\"”`]{3,80})[\"”`]", question)
    made = dict.fromkeys([question, *last, *([" ".join(quoted)] if quoted else []), *quoted])
    return list(made)[:MOST_QUERIES]


def placed(ref: str) -> tuple[str, int] | None:
    """Run and step of a ref."""
    run, _, step = ref.removeprefix("t:").partition("#")
    number = step.partition("-")[0]
    return (run, int(number)) if ref.startswith("t:") and number.isdigit() else None


def told_apart(places: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The first of them whose windows of three steps do not say the same again."""
    kept: list[tuple[str, int]] = []
    for run, step in places:
        if len(kept) < WINDOWS and all(run != r or abs(step - s) > 1 for r, s in kept):
            kept.append((run, step))
    return kept


def transition(run: Record, step: int) -> str:
    """Where the action that was thought of in a step led from and to."""
    at = step - 2
    states = run["states"]
    if not 0 < at < len(states) or not states[at].get("action"):
        return ""
    action, came, went = states[at]["action"], states[at - 1].get("url"), states[at].get("url")
    goal = run["goal"].partition("\n")[0][:160]
    return f"Goal: {goal}\nAfter {action[:300]} the page was {went}; before, {came}."


def note(run: Record) -> str:
    """How a run went about its goal: its first actions, without a model."""
    actions = [state for state in run["states"] if state.get("action")][:FIRST_ACTIONS]
    lines = [f"- {one['action'][:200]}" for one in actions]
    kind = "Procedure" if str(run.get("outcome", "")).lower() == "success" else "What tripped it up"
    head = f"{kind}: {run['goal'][:300]} ({run.get('outcome') or 'outcome unknown'})"
    return "\n".join([head, *lines])


@dataclass(slots=True)
class Tally:
    """What came of the questions, by form."""

    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    on_site: list[bool] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--haystack", choices=("small", "medium"), help="of the public release")
    parser.add_argument("--home", type=Path, help="where banks are kept for another run")
    parser.add_argument("--form", choices=("pools", "files"), nargs="+", default=["pools", "files"])
    chosen = parser.parse_args()
    print(machine())
    tallies: dict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as scratch:
        for runs, questions in haystacks(chosen.data, chosen.haystack):
            name = hashlib.sha256("\n".join(sorted(runs)).encode()).hexdigest()[:16]
            home = (chosen.home or Path(scratch)) / name
            for form in chosen.form:
                ask(Memory({"home": str(home), "form": form}), runs, questions, tallies[form])
    told(tallies)


def ask(
    memory: Memory, runs: Mapping[str, Record], questions: Sequence[Record], tally: Tally
) -> None:
    """Insert a haystack and put its questions."""
    for run in runs.values():
        memory.insert(run)
    memory.settle()
    whole = flat(json.dumps(list(runs.values()), ensure_ascii=False))
    memory.query("warm up")
    for question in questions:
        began = time.perf_counter()
        items = memory.query(question["question"], question.get("image"))
        tally.seconds.append(time.perf_counter() - began)
        given = "\n".join(item["value"] for item in items if item["type"] == "text")
        tally.tokens.append(tokens.estimate(given))
        tally.queries.append(memory.queries)
        site = SITES.get(question["environment"])
        tally.on_site += [run["subdomain"] == site for run in memory.shown if "subdomain" in run]
        count(question, flat(given), whole, tally)
    memory.close()


def count(question: Record, given: str, whole: str, tally: Tally) -> None:
    """Only answers that are phrases can be looked for without a judge."""
    kind = question["eval_function"].partition("|")[0]
    if not kind.startswith(PHRASES):
        tally.counts["needs a judge"] += 1
        return
    parts = [flat(part) for part in re.split(r"[,;]", question["answer"]) if flat(part).strip()]
    tally.counts["phrases"] += 1
    if all(part in whole for part in parts):
        tally.counts["in the history"] += 1
        if all(part in given for part in parts):
            tally.counts["handed over"] += 1
        else:
            tally.missed.append(str(question["id"]))


def told(tallies: Mapping[str, Tally]) -> None:
    tables.begin(
        *("form", "questions", "answers that are phrases", "all parts in the history"),
        *("all parts handed over", "spans of the asked site", "tokens p50", "queries, most"),
        *("p50 ms", "p95 ms"),
    )
    for form, tally in tallies.items():
        counted = [tally.counts[name] for name in ("phrases", "in the history", "handed over")]
        half, late = statistics.median(tally.seconds), quantile(tally.seconds, 0.95)
        size = round(statistics.median(tally.tokens))
        on_site = f"{statistics.mean(tally.on_site):.2f}" if tally.on_site else "not told"
        tables.line(
            *(form, len(tally.seconds), *counted, on_site, size, max(tally.queries)),
            *(f"{half * 1e3:.0f}", f"{late * 1e3:.0f}"),
        )
    for form, tally in tallies.items():
        print(f"{form}, in the history and not handed over: {', '.join(tally.missed) or 'none'}")


def flat(value: str) -> str:
    """As the benchmark compares: small letters, words only."""
    words = re.findall(r"[^\W_]+", value.lower())
    return f" {' '.join(words)} "


def haystacks(data: Path, name: str | None) -> Iterator[tuple[dict[str, Record], list[Record]]]:
    """Runs by id with the questions that are asked of them."""
    if data.is_file():
        sample = orjson.loads(data.read_bytes())
        yield {run["id"]: run for run in sample["trajectories"]}, sample["questions"]
        return
    runs = {run["id"]: run for run in lines(data / "trajectories.jsonl")}
    questions = {one["id"]: one for one in lines(data / "questions.jsonl")}
    if name is None:
        raise SystemExit("Say which haystacks: --haystack small, or medium.")
    wanted = orjson.loads((data / "haystacks" / f"lme_v2_{name}.json").read_bytes())
    together: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for id_, named in wanted.items():
        together[tuple(sorted(named))].append(questions[id_])
    for named, its in together.items():
        yield {id_: runs[id_] for id_ in named}, its


def lines(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield orjson.loads(line)


if __name__ == "__main__":
    main()
