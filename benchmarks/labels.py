"""What is said of steps, drawn at random from real histories and printed to be read: right of n.

    python benchmarks/labels.py LABEL --data FOLDER... [--n 100] [--seed 1] [--gold FILE]

LABEL is one of outcomes, errors, recurrences, missed, commands, edits, unwritten, commits or gold.
A sample of the same seed over the same folders is the same. `missed` draws failed calls without an
error, `unwritten` calls that look as if they wrote a file where no edit is told; `gold` counts which
of the labelled edits (a table of path and sessions) are told.
"""

import argparse
import csv
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from apparatus import transcripts

from mcp_memory.domain.models import Episode, Outcome, Step, Trajectory
from mcp_memory.trajectories import episodes, rendering

CHARS = 500
_WRITES = re.compile(
    r"(?<![0-9&>=-])>>?\s*[\w./~]|\bsed -i|\btee\b|\b(?:mv|cp|rm) |apply_patch|write_text|open\([^)]*['\"]w"
    r"|gofmt -w|git (?:mv|rm|checkout|restore) |\bgenerate\b|migrat"
)


class Session(NamedTuple):
    """One session with what the archive says of it."""

    history: str
    trajectory: Trajectory
    cut: tuple[Episode, ...]
    entry: object

    def step(self, number: int) -> Step:
        """A step by its number."""
        return self.trajectory.steps[number - 1]

    def ref(self, number: int) -> str:
        """Where a step is found again."""
        return f"{self.history} t:{self.trajectory.id}#{number}"


def sessions(folders: list[Path]) -> Iterator[Session]:
    """The sessions of each folder, each once."""
    for folder in folders:
        seen: set[str] = set()
        for trajectory in transcripts.trajectories([folder]):
            if trajectory.id in seen:
                continue
            seen.add(trajectory.id)
            cut = episodes.cut(trajectory)
            files = rendering.render(trajectory, cut, folder="p/s", step_chars=4_000)
            yield Session(folder.name, trajectory, cut, files.entry)


def shown(step: Step, chars: int = CHARS) -> str:
    """What a step ran and what came back, head and tail."""
    lines = []
    ended = {seen.call_id: seen for seen in step.observations}
    for call in step.calls:
        ran = call.command or f"{call.name} {' '.join(map(str, call.paths))}"
        lines.append(f"    $ {ran[:chars]}")
        seen = ended.get(call.id)
        if seen is not None:
            text = seen.text.strip()
            cut = (
                text if len(text) <= chars else f"{text[: chars // 2]}\n[…]\n{text[-chars // 2 :]}"
            )
            lines.append(f"      exit {seen.exit_code} failed {seen.failed}")
            lines += [f"      | {line[:200]}" for line in cut.splitlines()]
    return "\n".join(lines)


def outcomes(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Episodes with an outcome, and the calls that they ended with."""
    found = [
        (one, each) for one in known for each in one.cut if each.outcome is not Outcome.UNKNOWN
    ]
    for one, episode in draw.sample(found, min(n, len(found))):
        yield f"{one.ref(episode.last)} {episode.outcome.value}: {episode.goal[:150]!r}\n  {episode.reason}"
        acts = [s for s in one.trajectory.steps[episode.first - 1 : episode.last] if s.calls][-3:]
        yield from (f"  #{step.number}\n{shown(step, 300)}" for step in acts)
        last = one.step(episode.last)
        yield f"  says: {last.text[:300]!r}"


def errors(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Errors of the index, each in one of its steps."""
    found = [(one, each, step) for one in known for each in one.entry.errors for step in each.steps]
    for one, error, step in draw.sample(found, min(n, len(found))):
        yield f"{one.ref(step)}\n  ERROR {error.name}\n{near(one.step(step), error.name)}"


def recurrences(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Pairs of steps of different sessions that met an error of the same name."""
    met: dict[str, list[tuple[Session, int]]] = defaultdict(list)
    for one in known:
        for error in one.entry.errors:
            met[error.name].append((one, error.steps[0]))
    again = [(name, places) for name, places in sorted(met.items()) if len(places) > 1]
    yield f"{len(again)} names in more than one session, {sum(len(p) for _, p in again)} places"
    for _ in range(n if again else 0):
        name, places = draw.choice(again)
        pair = draw.sample(places, 2)
        yield f"ERROR {name}\n" + "\n".join(
            f"  {one.ref(step)}\n{near(one.step(step), name)}" for one, step in pair
        )


def near(step: Step, name: str) -> str:
    """The lines of a step's output that are most like a name."""
    words = set(re.findall(r"[A-Za-z_]{4,}", name))
    lines = [line for seen in step.observations for line in seen.text.splitlines() if line.strip()]
    ranked = sorted(lines, key=lambda line: -len(words & set(re.findall(r"[A-Za-z_]{4,}", line))))
    commands = [call.command or f"{call.name} {call.paths}" for call in step.calls]
    return "\n".join(
        [*(f"    $ {c[:160]}" for c in commands), *(f"    | {r[:220]}" for r in ranked[:3])]
    )


def missed(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Steps with a failed call of which no error is told."""
    found = []
    for one in known:
        told = {step for error in one.entry.errors for step in error.steps}
        for step in one.trajectory.steps:
            bad = any(seen.failed or seen.exit_code for seen in step.observations)
            if bad and step.number not in told:
                found.append((one, step))
    yield f"{len(found)} steps failed and have no error"
    for one, step in draw.sample(found, min(n, len(found))):
        yield f"{one.ref(step.number)}\n{shown(step)}"


def commands(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Commands of the index with the last line that ran them."""
    found = [(one, each) for one in known for each in one.entry.commands]
    for one, command in draw.sample(found, min(n, len(found))):
        step = one.step(command.steps[-1])
        ran = " ;; ".join((call.command or "")[:300] for call in step.calls if call.command)
        last = getattr(command, "last", "")
        yield f"{one.ref(step.number)} FAMILY {command.name} LAST {last}\n    $ {ran!r}"


def edits(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Edited files of the index, each in one of the steps that are said to have edited it."""
    found = [(one, each, step) for one in known for each in one.entry.files for step in each.marked]
    for one, file, step in draw.sample(found, min(n, len(found))):
        told = [
            c for c in getattr(one.entry, "changes", ()) if (c.step, c.path) == (step, file.name)
        ]
        texts = "".join(f"\n  - {c.old}\n  + {c.new}" for c in told[:3])
        yield f"{one.ref(step)} EDITED {file.name}{texts}\n{shown(one.step(step), 400)}"


def unwritten(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Shell calls that look as if they wrote, in steps of which no edit is told."""
    found = []
    for one in known:
        told = {step for file in one.entry.files for step in file.marked}
        for step in one.trajectory.steps:
            looks = any(call.command and _WRITES.search(call.command) for call in step.calls)
            if looks and step.number not in told:
                found.append((one, step))
    yield f"{len(found)} steps look as if they wrote and have no edit"
    for one, step in draw.sample(found, min(n, len(found))):
        yield f"{one.ref(step.number)}\n{shown(step, 300)}"


def commits(known: list[Session], draw: random.Random, n: int) -> Iterator[str]:
    """Commits that are named as made, and steps with a `git commit` of which none is."""
    found, silent = [], []
    for one in known:
        named = {d.step: d.text for d in one.entry.decisions if d.text.startswith("committed")}
        found += [(one, step, text) for step, text in named.items()]
        for step in one.trajectory.steps:
            asked = any(
                re.search(r"\bgit\b[^|;&\n]*\bcommit\b", c.command or "") for c in step.calls
            )
            if asked and step.number not in named:
                silent.append((one, step.number, "NOT NAMED"))
    yield f"{len(found)} steps name commits, {len(silent)} have the words and name none"
    drawn = draw.sample(found, min(n, len(found))) + draw.sample(silent, min(n // 2, len(silent)))
    for one, step, text in drawn:
        yield f"{one.ref(step)} {text}\n{shown(one.step(step), 400)}"


def gold(known: list[Session], table: Path) -> Iterator[str]:
    """How many labelled pairs of a file and a session that edited it are told."""
    told = {
        (one.trajectory.native_id, file.name)
        for one in known
        for file in one.entry.files
        if file.marked
    }
    ids = {one.trajectory.native_id[-36:]: one.trajectory.native_id for one in known}
    whole = right = 0
    csv.field_size_limit(sys.maxsize)
    with table.open(encoding="utf-8") as stream:
        for row in csv.reader(stream, delimiter="\t"):
            for place in row[2].split(" ") if len(row) > 2 else ():
                session = place.rsplit(":", 4)[0] if place.count(":") > 3 else place.split(":")[0]
                native = ids.get(session[-36:], "")
                if native:
                    whole += 1
                    right += any(n == native and path.endswith(row[0]) for n, path in told)
    yield f"{right} of {whole} labelled edits are told"


LABELS: dict[str, Callable[[list[Session], random.Random, int], Iterator[str]]] = {
    each.__name__: each
    for each in (outcomes, errors, recurrences, missed, commands, edits, unwritten, commits)
}


def main() -> None:
    """Read the histories, draw a sample of one label, print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("label", choices=[*LABELS, "gold"])
    transcripts.option(parser)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gold", type=Path)
    told = parser.parse_args()
    known = list(sessions(told.data))
    if told.label == "gold":
        lines = gold(known, told.gold)
    else:
        lines = LABELS[told.label](known, random.Random(told.seed), told.n)
    for number, line in enumerate(lines, 1):
        print(f"--- {number}\n{line}")


if __name__ == "__main__":
    main()
