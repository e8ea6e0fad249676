"""Chronicles: how a project's files, commits and named values changed: by-change, by-commit, by-name."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from mcp_memory.domain import refs
from mcp_memory.trajectories.changes import Changed
from mcp_memory.trajectories.entries import Entry
from mcp_memory.trajectories.landed import Landed
from mcp_memory.trajectories.naming import code, one_line
from mcp_memory.trajectories.values import Valued

MOST_EARLIER = 6
"""Former values that are told of one name."""
_SUBJECT_CHARS = 120
_REVERTS = re.compile(r"Revert \"(?P<subject>.+)\"$")


def chronicles(entries: Sequence[Entry]) -> Mapping[str, str]:
    """File name to text; the order of the entries makes no difference."""
    oldest_first = sorted(entries, key=lambda each: (each.started, each.id))
    return {
        "by-change.md": _lines(
            "Changes of each file, oldest first: `file` day ref - `lines gone` + `lines come` "
            "→ what became of it in that session",
            _changes(oldest_first),
        ),
        "by-commit.md": _lines(
            "Commits that git announced and pull requests, newest first: day ref subject (branch)",
            _commits(oldest_first),
        ),
        "by-name.md": _lines(
            "Constants, settings, variables, versions, flags, addresses: `name` = `last value` "
            "(where) day ref; what it was before",
            _names(oldest_first),
        ),
    }


def _lines(title: str, lines: Iterator[str]) -> str:
    return "\n".join((f"# {title}", "", *lines)) + "\n"


def _changes(entries: Sequence[Entry]) -> Iterator[str]:
    found: dict[str, list[tuple[Entry, Changed]]] = {}
    for entry in entries:
        for change in entry.changes:
            found.setdefault(change.path, []).append((entry, change))
    for path in sorted(found):
        inert = code(path)
        # A session may go on for days while another is begun: the day of the step decides.
        for entry, change in sorted(found[path], key=lambda each: each[1].day):
            yield f"- {inert} {_change(entry, change)}"


def _change(entry: Entry, change: Changed) -> str:
    old = f" - {code(change.old, len(change.old))}" if change.old else ""
    new = f" + {code(change.new, len(change.new))}" if change.new else ""
    return f"{change.day} {refs.span(entry.id, change.step)}{old}{new}{_fate(entry, change)}"


def _fate(entry: Entry, change: Changed) -> str:
    """Undone, or the next commit of the session; nothing where the session tells nothing."""
    if change.undone:
        return f" → undone in #{change.undone}"
    for one in entry.landed:
        if one.hash and one.step >= change.step:
            return f" → before commit {one.hash}"
    return ""


def _commits(entries: Sequence[Entry]) -> Iterator[str]:
    made = [(entry, one) for entry in entries for one in entry.landed]
    reverted = {
        seen["subject"]: one for _, one in made if (seen := _REVERTS.match(one.subject)) is not None
    }
    made.reverse()
    for entry, one in sorted(made, key=lambda each: each[1].day, reverse=True):
        name = code(one.hash) if one.hash else f"pull request #{one.pull} {one.what}"
        branch = f" ({one_line(one.what, 60)})" if one.hash and one.what else ""
        subject = one_line(one.subject, _SUBJECT_CHARS)
        back = _reverted(one, reverted.get(one.subject))
        back = back or (f" → taken back in #{one.undone}" if one.undone else "")
        yield f"- {name} {one.day} {refs.span(entry.id, one.step)} {subject}{branch}{back}"


def _reverted(one: Landed, by: Landed | None) -> str:
    return f" → reverted by {by.hash}" if by is not None and one.hash and by.hash else ""


def _names(entries: Sequence[Entry]) -> Iterator[str]:
    found: dict[tuple[str, str], list[tuple[Entry, Valued]]] = {}
    for entry in entries:
        for one in entry.values:
            found.setdefault((one.name, one.where), []).append((entry, one))
    for name, where in sorted(found):
        held = _runs(sorted(found[name, where], key=lambda each: each[1].day))
        told = [f"{_value(one)} {one.day} {refs.span(e.id, one.step)}" for e, one in reversed(held)]
        before = "".join(f"; before {each}" for each in islice(told, 1, MOST_EARLIER + 1))
        more = len(told) - MOST_EARLIER - 1
        left = f"; and {more} earlier" if more > 0 else ""
        yield f"- {code(name)} = {told[0]} ({one_line(where, 120)}){before}{left}"


def _runs(seen: Sequence[tuple[Entry, Valued]]) -> list[tuple[Entry, Valued]]:
    """Where a name took each of its values, in order: the first step of each run."""
    held: list[tuple[Entry, Valued]] = []
    for entry, one in seen:
        if not held or held[-1][1].value != one.value:
            held.append((entry, one))
    return held


def _value(one: Valued) -> str:
    return code(one.value) if one.value else "(none given)"
