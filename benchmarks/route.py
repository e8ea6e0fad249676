"""The agent's route: questions answered by the README's recipes over the archive, by grep over transcripts.

Scripts play the agents, and all look for the same words, which a developer chose who read the question and
no answer (`route_words.json`: rounds of stems, the most telling first). One follows the archive's README;
one greps the transcripts as they are (which files hold the words together, then windows around them, file
by file); one prints such windows of all files ranked by how many of the words they hold. Each stops when a
quote of the evidence or a line with the whole answer has been printed, or after ten calls; a call's output
is cut at 16,000 characters, as hosts do. Recipes were chosen on the questions in even lines; those in odd
lines are reported apart.

    route.py --archive HOME/archive --data FOLDER --questions QUESTIONS.jsonl
"""

import argparse
import json
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from apparatus import tables

WORDS = Path(__file__).parent / "route_words.json"
MOST_CALLS, PRINTED, SECONDS = 10, 16_000, 120
RANK = (
    'awk -v W="$W" \'{n=split(W,w,"|");s=0;l=tolower($0);for(i in w)s+=(l~w[i]);print s,$0}\''
    " | sort -rn"
)
"""As the README has it: lines by how many of the words they hold."""
WINDOW = 420


@dataclass(frozen=True)
class Question:
    """A question, the words to look for, and what shows that it was answered."""

    id: str
    rounds: tuple[tuple[str, ...], ...]
    quotes: tuple[str, ...]
    accepts: tuple[str, ...]
    reported: bool
    """Whether it had no part in the choice of recipes."""


@dataclass
class Route:
    """What one agent did for one question."""

    place: Path
    question: Question
    calls: int = 0
    seen: int = 0
    slow: int = 0
    found: bool = False
    log: list[str] = field(default_factory=list)

    def call(self, command: str) -> str:
        """Run a command line as an agent would, and count what enters its context."""
        begun = time.perf_counter()
        try:
            done = subprocess.run(
                ["bash", "-c", command], cwd=self.place, capture_output=True, check=False,
                timeout=SECONDS, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
            shown = done.stdout.decode("utf-8", "replace")[:PRINTED]
        except subprocess.TimeoutExpired:
            shown = f"timed out after {SECONDS} s"
            self.slow += 1
        self.calls += 1
        self.seen += len(shown.encode()) + len(command)
        self.found = self.found or answered(self.question, shown)
        self.log.append(f"{time.perf_counter() - begun:.1f}s {len(shown)} {command[:200]}")
        return shown

    @property
    def done(self) -> bool:
        """Whether the agent stops here."""
        return self.found or self.calls >= MOST_CALLS


def answered(question: Question, shown: str) -> bool:
    """Whether a quote of the evidence was printed, or one printed line holds a whole right answer."""
    text = flat(shown)
    if any(quote in text for quote in question.quotes):
        return True
    lines = shown.splitlines()
    return any(re.search(a, line, re.IGNORECASE) for a in question.accepts for line in lines)


def flat(text: str) -> str:
    """The words of a text, however JSON or Markdown spelled what stands between them."""
    plain = text.replace("\\n", " ").replace("\\t", " ").replace('\\"', '"')
    return re.sub(r"\W+", " ", plain.lower())


def questions(file: Path) -> Iterator[Question]:
    """The questions of a file that have words; those in odd lines are reported."""
    words = json.loads(WORDS.read_text("utf-8"))
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        told = json.loads(line)
        quotes = (flat(each["quote"])[:50].strip() for each in told["evidence"] if each["quote"])
        rounds = tuple(
            tuple(re.sub(r"[.+*?()\[\]|'-]", ".", stem).lower() for stem in stems)
            for stems in words.get(told["id"], ())
        )
        if rounds:
            yield Question(
                told["id"], rounds, tuple(quotes), tuple(told["accept"]), number % 2 == 1
            )


def by_archive(question: Question, archive: Path) -> Route:
    """The README's recipes: what was said, then names and changes, then on in the best sessions."""
    route = Route(archive, question)
    route.call("cat README.md")
    refs: dict[str, None] = {}
    for words in question.rounds:
        asked = f"W='{'|'.join(words)}'; "
        names = f'grep -hiE "$W" */by-name.md | {RANK} | cut -c1-200 | head -5'
        changes = f'grep -hiE "$W" */by-change.md | {RANK} | cut -c1-{WINDOW} | head -4'
        said = f'grep -rhiE --include=prose.md "$W" . | {RANK} | cut -c1-{WINDOW} | head -8'
        for command in (said, f"{names}; {changes}"):
            if route.done:
                return route
            refs |= dict.fromkeys(re.findall(r"t:([0-9a-z]{12})#", route.call(asked + command)))
    every = "|".join(word for words in question.rounds for word in words)
    for ref in refs:
        if route.done:
            break
        route.call(
            f"W='{every}'; grep -hiE \"$W\" */*-{ref}/prose.md | {RANK} | cut -c1-{WINDOW} | head -8"
        )
    return route


def by_grep(question: Question, raw: Path) -> Route:
    """Which transcripts hold the first words together, then windows around the first in each."""
    route = Route(raw, question)
    for words in question.rounds:
        names: list[str] = []
        for share in (3, 2, 1):
            held = "".join(f" | xargs -d '\\n' -r grep -liE -e '{w}'" for w in words[1:share])
            listed = route.call(f"grep -rliE -e '{words[0]}' .{held} | head -12")
            names = [line for line in listed.splitlines() if line]
            if names or route.done:
                break
        for name in names[:3]:
            if route.done:
                return route
            route.call(
                f"grep -oiE '.{{0,150}}({'|'.join(words[:2])}).{{0,270}}' '{name}' | head -12"
            )
    return route


def by_windows(question: Question, raw: Path) -> Route:
    """Windows of all transcripts, ranked by how many of the words they hold."""
    route = Route(raw, question)
    for words in question.rounds:
        for some in (words, words[:3]):
            if not route.done:
                route.call(
                    f"W='{'|'.join(some)}'; grep -rhoiE \".{{0,150}}($W).{{0,270}}\" . | {RANK}"
                    f" | cut -c1-{WINDOW} | head -8"
                )
    return route


AGENTS: dict[str, Callable[[Question, Path], Route]] = {
    "archive": by_archive,
    "raw grep": by_grep,
    "raw, windows ranked": by_windows,
}


def report(title: str, routes: list[Route], taught: int) -> None:
    """A line of the table."""
    reached = [route for route in routes if route.found]
    tables.line(
        title,
        f"{len(reached)} of {len(routes)}",
        f"{statistics.mean(route.calls for route in routes):.1f}",
        f"{statistics.mean(route.seen - taught for route in routes):,.0f}",
        f"{statistics.median(route.seen - taught for route in reached or routes):,.0f}",
        sum(route.slow for route in routes),
    )


def main() -> None:
    """Ask every way, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, required=True, help="of a home that holds the data")
    parser.add_argument("--data", type=Path, required=True, help="a folder with the transcripts")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--agents", nargs="+", default=list(AGENTS), choices=list(AGENTS))
    parser.add_argument("--half", choices=["even", "odd", "both"], default="both")
    parser.add_argument("--log", action="store_true", help="print every call")
    options = parser.parse_args()
    asked = [
        each
        for each in questions(options.questions)
        if options.half == "both" or each.reported == (options.half == "odd")
    ]
    taught = len((options.archive / "README.md").read_bytes())
    routes: dict[str, list[Route]] = {}
    for name in options.agents:
        place = options.archive if name == "archive" else options.data
        routes[name] = [AGENTS[name](question, place) for question in asked]
        if options.log:
            for question, route in zip(asked, routes[name], strict=True):
                print(name, question.id, route.found, *route.log, sep="\n   ")
    tables.begin("agent, half", "reached", "calls", "bytes", "median where reached", "timed out")
    for half in (True, False):
        for name, told in routes.items():
            some = [r for q, r in zip(asked, told, strict=True) if q.reported == half]
            if some:
                kind = "reported" if half else "chosen on"
                report(f"{name}, {kind}", some, taught if name == "archive" else 0)
    print(f"The archive's README, read once a session, has {taught:,} bytes and is left out above.")


if __name__ == "__main__":
    main()
