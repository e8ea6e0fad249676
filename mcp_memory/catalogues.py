"""Catalogues: a project's INDEX.md and its cross-indexes by file, command and error."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from mcp_memory.models import Outcome
from mcp_memory.rendering import Entry, Touched, numbers, one_line

MOST_REFS = 40
"""Sessions named under one key of a cross-index; the rest are counted."""


def catalogues(project: str, entries: Iterable[Entry]) -> Mapping[str, str]:
    """File name to text of all that is written of a project."""
    newest_first = sorted(entries, key=lambda each: (each.started, each.id), reverse=True)
    return {
        "INDEX.md": _index(project, newest_first),
        "by-file.md": _cross(
            "Files, and the steps that touched them (* = edited)",
            newest_first,
            lambda entry: entry.files,
        ),
        "by-command.md": _cross(
            "Commands, folded, and the steps that ran them",
            newest_first,
            lambda entry: entry.commands,
        ),
        "by-error.md": _cross(
            "Errors, numbers and paths folded, and the steps that met them",
            newest_first,
            lambda entry: entry.errors,
        ),
    }


def _index(project: str, entries: Sequence[Entry]) -> str:
    counts = {outcome: sum(e.outcome is outcome for e in entries) for outcome in Outcome}
    told = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    lines = [
        f"# {one_line(project)}",
        "",
        f"{len(entries)} sessions ({told}), newest first: "
        "day | ref | outcome | steps | goal | files edited | folder",
        "",
        *(_session(entry) for entry in entries),
    ]
    return "\n".join(lines) + "\n"


def _session(entry: Entry) -> str:
    edited = [
        each.name.replace("\\", "/").rsplit("/", 1)[-1] for each in entry.files if each.edited
    ]
    files = one_line(" ".join(dict.fromkeys(edited)), 80)
    folder = entry.folder.rsplit("/", 1)[-1]
    told = (
        entry.day,
        f"t:{entry.id}",
        entry.outcome.value,
        str(entry.steps),
        entry.goal,
        files,
        folder,
    )
    return "- " + " | ".join(told)


def _cross(title: str, entries: Sequence[Entry], pick: Callable[[Entry], Sequence[Touched]]) -> str:
    where: dict[str, list[str]] = {}
    failed: dict[str, int] = {}
    ran: dict[str, int] = {}
    for entry in entries:
        for each in pick(entry):
            mark = "*" if each.edited else ""
            where.setdefault(each.name, []).append(f"t:{entry.id}#{numbers(each.steps, 12)}{mark}")
            failed[each.name] = failed.get(each.name, 0) + each.failed
            ran[each.name] = ran.get(each.name, 0) + len(each.steps)
    lines = [f"# {title}", ""]
    for name in sorted(where):
        count = f" ({ran[name] - failed[name]} ok, {failed[name]} failed)" if failed[name] else ""
        shown, rest = where[name][:MOST_REFS], len(where[name]) - MOST_REFS
        more = f" and {rest} more sessions" if rest > 0 else ""
        lines.append(f"- {one_line(name, 200)}{count}: {' '.join(shown)}{more}")
    return "\n".join(lines) + "\n"
