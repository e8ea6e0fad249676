"""Suppressing: rules of linters that sessions of a project met and answered with a mark, and how; pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass
from mcp_memory.hooks import lines
from mcp_memory.hooks.ready import Saying
from mcp_memory.memories import faults
from mcp_memory.text.counting import counted
from mcp_memory.trajectories.entries import Entry

LEAST_ROOTS, LEAST_SHARE = 2, 0.8
"""Sessions that answered a rule so, and their share of those that met it."""
MANY, SURE, UNSURE = 3, 0.8, 0.6
"""From how many sessions on, all of those that met it, one may be sure."""
CHARS = 150
_MARK = re.compile(
    r"nolint:(?P<go>[\w,]+)|noqa: ?(?P<ruff>[A-Z]+\d+(?:, ?[A-Z]+\d+)*)"
    r"|type: ignore\[(?P<types>[\w-]+)\]|eslint-disable[\w-]*\s+(?P<js>[\w@/-]+)"
)
_PART = " / "


class _Answer(NamedTuple):
    entry: Entry
    step: int
    line: str


def rules(entries: Sequence[Entry]) -> Iterator[tuple[str, Saying]]:
    """Name of a rule, as `faults.rule_of` tells it, to the mark; `entries` newest first."""
    met: dict[str, set[str]] = defaultdict(set)
    answered: dict[str, dict[str, _Answer]] = defaultdict(dict)
    for entry in entries:
        root = entry.parent or entry.id
        marks = dict(_marks(entry))
        for error in entry.errors:
            rule = faults.rule_of(error.name)
            if rule:
                met[rule].add(root)
                if rule in marks and marks[rule].step > error.steps[0]:
                    answered[rule].setdefault(root, marks[rule])
    for rule, found in answered.items():
        if len(found) >= LEAST_ROOTS and len(found) >= LEAST_SHARE * len(met[rule]):
            said = _said(rule, next(iter(found.values())), len(found), len(met[rule]))
            if said is not None:
                yield f"rule {rule}", said


def _said(rule: str, newest: _Answer, answered: int, met: int) -> Saying | None:
    ref = refs.span(newest.entry.id, newest.step)
    text = f"{newest.entry.day}: `{lines.flat(newest.line, CHARS).replace('`', chr(39))}`"
    line = lines.marked(text, SourceClass.AGENT, ref)
    if not lines.fit(line):
        return None
    often = f"was met in {counted(met, 'session')} here, and answered with a mark in {answered}"
    what = f"`{rule}` {often}, last so"
    return lines.said(what, "error", [line])._replace(
        follows=(rule,), sure=SURE if met == answered >= MANY else UNSURE
    )


def _marks(entry: Entry) -> Iterator[tuple[str, _Answer]]:
    """Rule to the line that was marked, of the changes that put a mark in."""
    for change in entry.changes:
        for part in () if change.undone else change.new.split(_PART):
            found = _MARK.search(part)
            if found and found[0] not in change.old:
                for rule in re.split(r", ?", found[found.lastgroup or 0]):
                    yield rule, _Answer(entry, change.step, part)
