"""Changes: what each edit of a session took out of a file and put in, short, and what became of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from mcp_memory.domain.models import Frozen, Step, ToolCall
from mcp_memory.trajectories.decisions import called
from mcp_memory.trajectories.mending import failed
from mcp_memory.trajectories.told import day

OLD_CHARS, NEW_CHARS = 200, 320
MOST_CHANGES = 400
"""Of one session; the last ones are kept: they are what the files became."""
_MOST_LINES = 400
_OLD = ("old_string", "oldString", "oldText", "old_str", "old_text", "old")
_NEW = ("new_string", "newString", "newText", "new_str", "new_text", "new")
_WHOLE = ("content", "file_text", "contents", "text")
_PATHS = ("file_path", "filePath", "path")
_LISTS = ("edits", "changes", "replacements")
_PATCH = "*** Begin Patch"
_FILE = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$")
_WORD = re.compile(r"\w")
_RESTORED = re.compile(
    r"\bgit\s+(?:checkout|restore)\b(?P<words>(?:\s+(?!-b\b|--staged\b|[&|;])[^\s&|;]+)+)"
)
"""How the working tree's changes to files are given up."""


class Written(NamedTuple):
    """What one edit took out of a file and put in, whole lines, and by which step."""

    path: str
    step: int
    old: tuple[str, ...]
    new: tuple[str, ...]


class Changed(Frozen):
    """One change of one file by one step."""

    path: str
    step: int
    day: str
    old: str = ""
    new: str = ""
    undone: int = 0
    """The later step of the session that took it back; 0 where none did."""


def written(steps: Iterable[Step], *, path: Callable[[str], str]) -> Iterator[Written]:
    """Every edit that did not fail, in order; `path` names a file as the archive does.

    Only lines that differ are told; an edit that only moves lines or blanks is none.
    """
    for step in steps:
        for call, seen in called(step):
            if failed(seen):
                continue
            for named, old, new in _texts(call):
                name = path(named)
                gone, come = _difference(old, new)
                if name and (gone or come):
                    yield Written(name, step.number, gone, come)


def changed(steps: Sequence[Step], *, path: Callable[[str], str]) -> tuple[Changed, ...]:
    """The changes of a session, in order."""
    days = {step.number: day(step.at) for step in steps}
    made = list(written(steps, path=path))
    undone = _undone(made, dict(_given_up(steps)))
    return tuple(
        Changed(
            path=one.path,
            step=one.step,
            day=days[one.step],
            old=_shown(one.old, OLD_CHARS),
            new=_shown(one.new, NEW_CHARS),
            undone=undone.get(place, 0),
        )
        for place, one in enumerate(made)
    )[-MOST_CHANGES:]


def _texts(call: ToolCall) -> Iterator[tuple[str, str, str]]:
    """Path, old and new text of everything that a call writes."""
    for text in (*call.arguments.values(), call.command):
        if isinstance(text, str) and _PATCH in text:
            yield from _patched(text)
            return
    if call.edits:
        yield from _pairs(call.arguments, next(iter(call.paths), ""))


def _pairs(told: Mapping[str, JsonValue], path: str) -> Iterator[tuple[str, str, str]]:
    named = _first(told, _PATHS) or path
    old, new = _first(told, _OLD), _first(told, _NEW)
    if old is not None or new is not None:
        yield named, old or "", new or ""
        return
    for key in _LISTS:
        several = told.get(key)
        for one in several if isinstance(several, list) else ():
            if isinstance(one, dict):
                yield from _pairs(one, named)
    whole = _first(told, _WHOLE)
    if whole is not None:
        yield named, "", whole


def _first(told: Mapping[str, JsonValue], names: Sequence[str]) -> str | None:
    values = (told[name] for name in names if name in told)
    return next((value for value in values if isinstance(value, str)), None)


def _patched(text: str) -> Iterator[tuple[str, str, str]]:
    """The hunks of a `*** Begin Patch` text."""
    name, old, new = "", list[str](), list[str]()
    for line in [*text[text.index(_PATCH) :].splitlines(), "@@"]:
        found = _FILE.match(line)
        if found or line.startswith(("@@", "*** End")):
            if name and (old or new):
                yield name, "\n".join(old), "\n".join(new)
            old, new = [], []
            name = found[1].strip() if found else name
        elif line.startswith("-"):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])


def _difference(old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines that only one of two texts has, without indentation."""
    before, after = _lines(old), _lines(new)
    had, has = set(before), set(after)
    gone = tuple(line for line in before if line not in has)
    return gone, tuple(line for line in after if line not in had)


def _lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines()[:_MOST_LINES])
    return [line for line in lines if _WORD.search(line)]


def _shown(lines: Sequence[str], chars: int) -> str:
    """The first lines on one, and how many are left out."""
    told = ""
    for place, line in enumerate(lines):
        joined = f"{told} / {line}" if told else line
        if len(joined) > chars:
            more = len(lines) - place
            return f"{told} / and {more} more lines" if told else f"{joined[:chars]}…"
        told = joined
    return told


def _given_up(steps: Iterable[Step]) -> Iterator[tuple[int, str]]:
    """Steps that threw changes of the working tree away, and the words that named them."""
    for step in steps:
        for call, seen in called(step):
            if call.command and not failed(seen):
                words = " ".join(m["words"] for m in _RESTORED.finditer(call.command[:4_000]))
                if words:
                    yield step.number, f" {words} "


def _undone(made: Sequence[Written], given_up: Mapping[int, str]) -> dict[int, int]:
    """Place of a change to the step that took it back: word for word, or by git."""
    found: dict[int, int] = {}
    waiting: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = {}
    for place, one in enumerate(made):
        earlier = waiting.pop((one.path, one.new, one.old), None)
        if earlier is not None and one.old:
            found[earlier] = one.step
        waiting[one.path, one.old, one.new] = place
    for step, words in given_up.items():
        for place, one in enumerate(made):
            if one.step < step and place not in found and _names(words, one.path):
                found[place] = step
    return found


def _names(words: str, path: str) -> bool:
    return any(
        word.strip("'\"").endswith(path) or word.strip("'\"") == path.rpartition("/")[2]
        for word in words.split()
        if not word.startswith("-")
    )
