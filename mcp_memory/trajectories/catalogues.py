"""Catalogues: a project's INDEX.md and its cross-indexes, by what a question may name."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mcp_memory.domain.models import Outcome
from mcp_memory.trajectories.chronicles import chronicles
from mcp_memory.trajectories.entries import Entry, Touched, numbers
from mcp_memory.trajectories.naming import code, one_line

MOST_SESSIONS = 40
"""Sessions named under one key of a cross-index, newest first; the rest are counted."""
MOST_STEPS = 12
LINE_CHARS = 240
"""Most characters of a line in INDEX.md."""
DECISION_CHARS = 200
_FILES_CHARS = 60
_LEAST_GOAL = 40


def catalogues(project: str, entries: Iterable[Entry]) -> Mapping[str, str]:
    """File name to text of all that is written of a project."""
    newest_first = sorted(entries, key=lambda each: (each.started, each.id), reverse=True)
    return {
        "INDEX.md": _index(project, newest_first),
        "by-file.md": _cross(
            "Files and the steps that named them (* edited it)",
            newest_first,
            pick=lambda entry: entry.files,
            mark="*",
        ),
        "by-command.md": _cross(
            "Commands, values folded, and the steps that ran them (! it failed), as each was last typed",
            newest_first,
            pick=lambda entry: entry.commands,
            mark="!",
        ),
        "by-error.md": _cross(
            "Errors, numbers and folders folded, and the steps that met them",
            newest_first,
            pick=lambda entry: entry.errors,
        ),
        "by-decision.md": _decided(newest_first),
        **chronicles(newest_first),
    }


def listed_projects(heads: Mapping[str, Sequence[str]]) -> str:
    """PROJECTS.md, a line a project, from the heads of their INDEX.md by folder."""
    lines = ["# Projects: folder | project | what it is | days, sessions, outcomes", ""]
    for folder in sorted(heads):
        told = [line.removeprefix("# ") for line in heads[folder] if line]
        lines.append(f"- {folder} | {' | '.join(told)}")
    return "\n".join(lines) + "\n"


def _index(project: str, entries: Sequence[Entry]) -> str:
    """What the project is, and a line an episode; what sub-agents did stands below, a line each."""
    people = [entry for entry in entries if not entry.parent]
    helpers = [entry for entry in entries if entry.parent]
    lines = [f"# {one_line(project)}", "", _about(entries), "", _counted(people, helpers)]
    columns = "day | ref | outcome | goal | files edited"
    lines += ["", f"## Episodes, newest first: {columns}", ""]
    lines += [line for entry in people for line in _episodes(entry)]
    if helpers:
        lines += ["", f"## Sub-agents, newest first: {columns}", ""]
        lines += [_session(entry) for entry in helpers]
    return "\n".join(lines) + "\n"


def _about(entries: Sequence[Entry]) -> str:
    """What its papers say; where no session read them, what was worked on last."""
    told = next((each.about for each in entries if each.about), "")
    last = next((each.goal for each in entries if not each.parent), entries[0].goal)
    return one_line(told or f"last worked on: {last}", LINE_CHARS)


def _counted(people: Sequence[Entry], helpers: Sequence[Entry]) -> str:
    """Days, sessions and outcomes on one line; PROJECTS.md repeats it."""
    days = sorted({entry.day for entry in (*people, *helpers)})
    counts = {
        outcome: sum(one.outcome is outcome for entry in people for one in entry.attempts)
        for outcome in Outcome
    }
    told = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    spans = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    below = f" and {len(helpers)} of sub-agents" if helpers else ""
    sessions = f"{len(people)} session{'' if len(people) == 1 else 's'}{below}"
    return f"{spans}: {sessions}; episodes: {told or 'none'}"


def _episodes(entry: Entry) -> Iterable[str]:
    """The last one first, as in the list."""
    for one in reversed(entry.attempts):
        span = f"e:{entry.id}.{one.number} #{one.first}-{one.last}"
        yield _line(one.day, span, one.outcome, one.goal, one.files)
    if not entry.attempts:
        yield _line(entry.day, f"t:{entry.id}", entry.outcome, entry.goal, ())


def _session(entry: Entry) -> str:
    edited = [each.name.rsplit("/", 1)[-1] for each in entry.files if each.marked]
    span = f"t:{entry.id} #1-{entry.steps}"
    return _line(entry.day, span, entry.outcome, entry.goal, edited)


def _line(day: str, span: str, outcome: Outcome, goal: str, edited: Iterable[str]) -> str:
    """One line; the goal takes the room that the others leave."""
    files = one_line(" ".join(dict.fromkeys(edited)), _FILES_CHARS)
    before = f"- {day} | {span} | {outcome.value} | "
    room = max(_LEAST_GOAL, LINE_CHARS - len(before) - len(files) - 3)
    return f"{before}{one_line(goal, room)} | {files}".rstrip(" |")


def _cross(
    title: str,
    entries: Sequence[Entry],
    *,
    pick: Callable[[Entry], Sequence[Touched]],
    mark: str = "",
) -> str:
    """One line a name with all its sessions, so that one grep finds them together."""
    where: dict[str, list[tuple[Entry, Touched]]] = {}
    for entry in entries:
        for touched in pick(entry):
            where.setdefault(touched.name, []).append((entry, touched))
    lines = [f"# {title}", ""]
    lines += [_places(name, where[name], mark) for name in sorted(where)]
    return "\n".join(lines) + "\n"


def _decided(entries: Sequence[Entry]) -> str:
    """One line a decision, newest session first: what was settled last is read first."""
    lines = ["# What was settled, and in which step: plans, answers, refusals, commits", ""]
    for entry in entries:
        lines += [
            f"- {entry.day} t:{entry.id}#{each.step} {one_line(each.text, DECISION_CHARS)}"
            for each in reversed(entry.decisions)
        ]
    return "\n".join(lines) + "\n"


def _places(name: str, found: Sequence[tuple[Entry, Touched]], mark: str) -> str:
    steps = sum(len(touched.steps) for _, touched in found)
    marked = sum(len(touched.marked) for _, touched in found)
    count = f" {steps} steps, {marked} failed:" if mark == "!" else ""
    shown = [
        f"t:{entry.id}{numbers(touched, mark, MOST_STEPS)}"
        for entry, touched in found[:MOST_SESSIONS]
    ]
    left = len(found) - MOST_SESSIONS
    more = f"; and {left} older sessions" if left > 0 else ""
    last = next((touched.last for _, touched in found if touched.last not in ("", name)), "")
    typed = f" | last typed {code(last)}" if last else ""
    return f"- {code(name)}:{count} {'; '.join(shown)}{more}{typed}"
