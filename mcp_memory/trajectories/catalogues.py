"""Catalogues: a project's INDEX.md and its cross-indexes by file, command, error and decision."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mcp_memory.domain.models import Outcome
from mcp_memory.trajectories.naming import code, one_line
from mcp_memory.trajectories.rendering import Entry, Touched, numbers

MOST_SESSIONS = 40
"""Sessions named under one key of a cross-index, newest first; the rest are counted."""
MOST_STEPS = 12
LINE_CHARS = 240
"""Most characters of a session's line in INDEX.md."""
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
            "Commands, values folded, and the steps that ran them (! the command line failed)",
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
    }


def _index(project: str, entries: Sequence[Entry]) -> str:
    counts = {outcome: sum(e.outcome is outcome for e in entries) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    columns = "day | ref | outcome | steps | goal | files edited | folder"
    lines = [
        f"# {one_line(project)}",
        "",
        f"{len(entries)} sessions ({told}), newest first: {columns}",
        "",
        *(_session(entry) for entry in entries),
    ]
    return "\n".join(lines) + "\n"


def _session(entry: Entry) -> str:
    """One line; the goal takes the room that the others leave."""
    edited = [each.name.rsplit("/", 1)[-1] for each in entry.files if each.marked]
    files = one_line(" ".join(dict.fromkeys(edited)), _FILES_CHARS)
    outcome = f"{entry.outcome.value} sub-agent" if entry.parent else entry.outcome.value
    before = f"- {entry.day} | t:{entry.id} | {outcome} | {entry.steps} | "
    after = f" | {files} | {entry.folder.rsplit('/', 1)[-1]}"
    room = max(_LEAST_GOAL, LINE_CHARS - len(before) - len(after))
    return f"{before}{one_line(entry.goal, room)}{after}"


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
    return f"- {code(name)}:{count} {'; '.join(shown)}{more}"
