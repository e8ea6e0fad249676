"""Unbuilt: names that a question spells and history holds in words and documents alone, in no code."""

import re
from collections.abc import Sequence

from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, telling
from mcp_memory.search.channels import scope_of
from mcp_memory.search.passages import Passage
from mcp_memory.search.telling import Told
from mcp_memory.store.rows import Look, Where
from mcp_memory.text import families, identifiers, shell
from mcp_memory.trajectories import calls, edits, evidence

MOST_NAMES, MOST_HOLDING = 3, 12
"""So many names are looked for, and of one that more records hold nothing is said."""
SHARED = 2
"""So many parts a name that a question does not spell has in common with its words."""
READ = 12
"""In so many of the passages that tell most names are looked for."""
_NAME = re.compile(
    r"(?<![\w./-])(?:[a-z]+[A-Z]|[A-Z][a-z]+[A-Z]|[A-Za-z]+_)\w*[a-z0-9A-Z]\b(?![/-]|\.\w)"
)
"""As code spells a name of several parts: camelCase, PascalCase, or with underscores; no file's."""
_DOCUMENT = re.compile(r"\.(?:mdx?|markdown|rst|adoc|org)\b", re.IGNORECASE)
"""A `.txt` may be a build's list of sources, or an output that a host has put away."""
_PLACED = re.compile(r"\S*\.\w+[:\-]")
"""A line that a search printed begins with its file."""
_RECORD = ("key", "kind", "body")


def spelled(text: str) -> list[str]:
    """The names in a text that code would spell so."""
    return _NAME.findall(text)


def asked_for(query: Query, told: Sequence[Told]) -> tuple[str, ...]:
    """The names that a question spells, and those in what tells most that share two parts with it."""
    stems = set(telling.sought(" ".join(query.texts)))
    answers = (name for one in told[:READ] for name in spelled(one.passage.text))
    names = [*spelled(" ".join(query.texts)), *(n for n in answers if _made_of(n, stems))]
    return tuple(dict.fromkeys(names))


def _made_of(name: str, stems: set[str]) -> bool:
    return sum(telling.stem(part) in stems for part in identifiers.parts(name)) >= SHARED


async def of(
    rooms: Rooms, query: Query, records: Sequence[Sequence[Passage]], told: Sequence[Told]
) -> tuple[str, ...]:
    """Names of a question, or of what answers it, that no code that was read, written or run holds.

    A design that was never built reads like a fact; a name that is in no code is the sign of one. A
    history of talk alone, or a name that many records hold, says nothing. What no index holds, the
    middle of a very long edit, is not seen.
    """
    cut = [passage for each in records for passage in each]
    if not any(map(_is_code, cut)):
        return ()
    doubtful = [
        name
        for name in asked_for(query, told)
        if any(name in each.text for each in cut)
        and not any(name in each.text and _is_code(each) for each in cut)
    ]
    if not doubtful:
        return ()
    asked = Where(projects=(await scope_of(rooms, query.project)).projects)
    found = []
    for name in doubtful[:MOST_NAMES]:
        looks = {column: Look(words=name, column=column) for column in ("identifiers", "text")}
        hits = await rooms.store.by_each("evidence", looks, where=asked, limit=MOST_HOLDING + 1)
        keys = sorted({hit.key for each in hits.values() for hit in each})
        few = 0 < len(hits["identifiers"]) <= MOST_HOLDING
        if few and not await _built(rooms, name, keys):
            found.append(name)
    return tuple(found)


async def _built(rooms: Rooms, name: str, keys: Sequence[str]) -> bool:
    """Whether one of these records holds a name in code; an output stands for its step."""
    rows = await rooms.store.briefs(keys, ("key", "kind", "trajectory", "first"))
    steps = {refs.span(row.trajectory, row.first) for row in rows if row.kind != "episode"}
    whole = await rooms.store.briefs(sorted(steps), _RECORD) if steps else []
    outputs = await spans.outputs_of(rooms, whole)
    return any(in_code(evidence.step_of(row, outputs), name) for row in whole if row.body)


def in_code(step: Step, name: str) -> bool:
    """Whether a step wrote or saw a name in something that is no document.

    What its user refused was not written, and what an agent reports is its words.
    """
    written = any(
        name in edit.old or name in edit.new
        for edit in edits.of_step(step)
        if not _DOCUMENT.search(edit.path)
    )
    if calls.refused(step):
        return False
    if written:
        return True
    return any(
        _used(call, name) or (seen is not None and _seen(call, seen, name))
        for call, seen in calls.called(step)
    )


def _used(call: ToolCall, name: str) -> bool:
    """Whether a command was run with the name; what looks for it, or tells git of it, says words."""
    if name not in (call.command or ""):
        return False
    return any(
        name in "\n".join((*one.words, *one.assignments, *one.exported, one.document))
        for one in shell.programs(call.command or "")
        if one.name not in ("git", "gh") and families.purpose(one) in ("acts", "judges")
    )


def _seen(call: ToolCall, seen: Observation, name: str) -> bool:
    if name not in seen.text or call.edits or seen.source is SourceClass.AGENT:
        return False
    if any(map(_DOCUMENT.search, (*call.paths, call.command or ""))):
        return False
    lines = [line for line in seen.text.splitlines() if name in line]
    printed = [line for line in lines if not _of_document(line)]
    return any(call.command or call.paths or _PLACED.match(line) for line in printed)


def _of_document(line: str) -> bool:
    placed = _PLACED.match(line)
    return placed is not None and _DOCUMENT.search(placed[0]) is not None


def _is_code(passage: Passage) -> bool:
    """Whether a passage is of what was written or seen, and of no document."""
    shown = passage.kind in ("edit", "read", "output") and not passage.refused
    return shown and not _DOCUMENT.search(passage.head)
