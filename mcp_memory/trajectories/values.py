"""Values: names that were given a value in what a session wrote, read or ran; each with its step."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_memory.domain.models import Frozen, Step
from mcp_memory.text import signatures
from mcp_memory.trajectories.calls import called, failed
from mcp_memory.trajectories.changes import written
from mcp_memory.trajectories.told import day

MOST_VALUES = 300
"""Of one session; names with the most values first."""
VALUE_CHARS = 80
_READ_CHARS = 100_000
_SCANNED = 4_000
_LINE_CHARS = 200
_PARTS = re.compile(r"&&|\|\|?|;")
_LITERAL = (
    r"-?\d[\d_]*(?:\.\d+)*\s?(?:ms|[smhd]|[kKMG]i?B?|%)?\b(?:\s*(?:\*|<<)\s*[\w.]+)*"
    r"|v?\d+\.\d+[\w.+-]*|[\^~]\d+\.\d+[\w.]*"
    r"|[Tt]rue\b|[Ff]alse\b"
    r"|\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'"
)
_ASSIGNED = re.compile(
    r"\s*(?P<declared>(?:(?:export|const|let|var|static|final|public|private|pub|readonly|declare"
    r"|local|set|ENV|ARG|-)\s+)*)[\"']?(?P<name>[A-Za-z_][\w.-]{3,60})[\"']?"
    rf"(?:\s*:\s*[\w<>\[\]. ]{{1,30}})?\s*(?:[:?]?=|:)\s*(?P<value>{_LITERAL})"
    r"\s*[,;]?\s*(?:(?://|#|--).*)?$"
)
"""A line that gives one name a literal value, as code and settings do."""
_PLAIN = re.compile(
    r"\s*(?:-\s+)?(?P<name>[A-Za-z_][\w.-]{3,60})\s*[:=]\s*(?P<value>[\w./:@~+-]{1,80})\s*(?:#.*)?$"
)
"""The same where a bare word is a value: YAML, TOML, environment files."""
_PINNED = re.compile(
    r"\s*(?:require\s+|-\s+)?(?:uses:\s*)?[\"']?(?P<name>@?[\w.-]+(?:/[\w.-]+)+|[A-Za-z][\w.-]{2,60})"
    r"[\"']?(?:@|\s+|==)(?P<value>v?\d+(?:\.\d+)+[\w.+-]*|v\d+)(?:\s*(?://|#).*)?$"
)
"""A dependency at a version: go.mod, requirements, actions."""
_LOOKED_UP = re.compile(
    r"(?:getenv|environ(?:\.get)?|LookupEnv|Getenv|process\.env|env::var)[(\[.]{1,2}\s*[\"']?"
    r"(?P<name>[A-Z][A-Z0-9_]{3,60})\b[\"']?"
    r"(?:\s*(?:,|\?\?|\|\|)\s*(?P<value>\"[^\"\n]{0,60}\"|'[^'\n]{0,60}'|\d+))?"
)
_ADDED = re.compile(
    r"(?<![\w@/.-])(?P<name>@?[A-Za-z][\w.-]{2,60}(?:/[\w.-]+)*)@(?P<value>[\^~]?v?\d[\w.+-]{0,60})"
)
"""A package at a version on a command line: `go get a/b@v1.2.3`, `npm i c@4`."""
_SET = re.compile(
    r"(?:^|[\s;&|(])(?P<name>[A-Z][A-Z0-9_]{1,60})="
    r"(?P<value>\"[^\"\n]{0,80}\"|'[^'\n]{0,80}'|[^\s;&|()\"'`$]{0,80})"
)
_FLAG = re.compile(
    r"(?:^|\s)(?P<name>--[a-z][\w-]{2,40})(?:=|\s+)"
    r"(?P<value>\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'|(?!-)[^\s;&|()\"'`$<>]{1,80})"
)
_ADDRESS = re.compile(
    r"\bhttps?://(?P<name>(?:localhost|127\.0\.0\.1|0\.0\.0\.0|[\w.-]+\.(?:local|internal|test))"
    r"(?::\d{2,5})?)(?P<path>/[\w./{}:-]{0,60})?"
)
_SETTINGS = re.compile(
    r"\.(?:ya?ml|toml|ini|cfg|conf|env|properties|mod)$|(?:^|/)(?:\.env[\w.]*|Dockerfile)$"
)
_TRIED = re.compile(r"test|spec|fixture|mock|example|sample", re.IGNORECASE)
"""Files in whose names these stand give names values only to try them."""
_OUTSIDE = re.compile(r"^(?:/|~|[A-Za-z]:|\.\.)")
_NUMBERED = re.compile(r"^\s*\d+(?:→|\t|:\s?)")
"""How tools number the lines of what they read."""
_SIGN = re.compile(r"[=:@]\s?(?=[\"'\dTtFfv^~-])|\s(?=v\d)|env\w*[.(\[]")
_BARE = frozenset({"0", "1", "-1", "true", "false", "True", "False", ""})
"""What variables begin with, which says nothing of a lower-case name in code."""
_NAMELESS = frozenset(
    {"name", "type", "description", "title", "value", "path", "text", "data", "error", "result",
     "want", "expected", "label", "content", "message", "status", "file", "test", "input",
     "output", "role", "args", "kind", "line", "return", "with", "steps", "jobs"}
)  # fmt: skip
"""Names that say nothing without their place."""
_LOOKING = frozenset({"git", "gh", "grep", "rg", "find", "fd", "ls", "jq", "diff", "sed", "curl"})
"""Programs whose flags narrow what is looked at, and set nothing."""
ON_A_LINE = "command line"


class Valued(Frozen):
    """A name with the value that a step gave it, or found it to have."""

    name: str
    value: str
    step: int
    day: str
    where: str
    """The file, or the program of a command."""


class _Found(NamedTuple):
    name: str
    value: str
    where: str


def valued(steps: Sequence[Step], *, path: Callable[[str], str]) -> tuple[Valued, ...]:
    """The values that names have over a session, in order; each again only where it changed."""
    days = {step.number: day(step.at) for step in steps}
    wrote: dict[int, list[_Found]] = {}
    for one in written(steps, path=path):
        wrote.setdefault(one.step, []).extend(_in_text("\n".join(one.new), one.path))
    last: dict[tuple[str, str], str] = {}
    made: list[Valued] = []
    for step in steps:
        for found in (*wrote.get(step.number, ()), *_in_calls(step, path)):
            key = (found.name, found.where)
            if last.get(key) != found.value:
                last[key] = found.value
                made.append(
                    Valued(
                        name=found.name,
                        value=found.value,
                        step=step.number,
                        day=days[step.number],
                        where=found.where,
                    )
                )
    return _bounded(made)


def _bounded(made: Sequence[Valued]) -> tuple[Valued, ...]:
    if len(made) <= MOST_VALUES:
        return tuple(made)
    times: dict[str, int] = {}
    for one in made:
        times[one.name] = times.get(one.name, 0) + 1
    ranked = sorted(made, key=lambda one: (-times[one.name], -one.step, one.name, one.value))
    kept = set(ranked[:MOST_VALUES])
    return tuple(one for one in made if one in kept)


def _in_calls(step: Step, path: Callable[[str], str]) -> Iterator[_Found]:
    for call, seen in called(step):
        if call.command:
            yield from _in_command(call.command.partition("\n")[0][:_SCANNED])
        elif seen is not None and not failed(seen) and not call.edits and len(call.paths) == 1:
            where = path(call.paths[0])
            if where and not _OUTSIDE.match(where):
                yield from _in_text(seen.text[:_READ_CHARS], where)


def _in_text(text: str, where: str) -> Iterator[_Found]:
    settings = _SETTINGS.search(where) is not None
    tried = _TRIED.search(where) is not None
    given: dict[str, set[str]] = {}
    for line in text.splitlines() if settings else _signed(text):
        for name, value in _given(line, settings) if len(line) <= _LINE_CHARS else ():
            if not tried or name.isupper():
                given.setdefault(name, set()).add(value)
    # A name with several values in one file is a field or a variable: none of them is its value.
    return (_Found(name, held.pop(), where) for name, held in given.items() if len(held) == 1)


def _signed(text: str) -> Iterator[str]:
    """The lines in which a value may be given; most are passed over without being looked at."""
    end = -1
    for sign in _SIGN.finditer(text):
        if sign.start() > end:
            start = text.rfind("\n", 0, sign.start()) + 1
            end = text.find("\n", sign.end())
            end = end if end >= 0 else len(text)
            yield text[start:end]


@lru_cache(maxsize=1 << 14)
def _given(numbered: str, settings: bool) -> tuple[tuple[str, str], ...]:  # noqa: FBT001 a cache's key
    """The names that a line gives a value, each with it."""
    line = _NUMBERED.sub("", numbered, count=1)
    found = [_named(one) for one in _LOOKED_UP.finditer(line)] if "env" in line.lower() else []
    assigned = _ASSIGNED.match(line)
    if assigned:
        name, value = _named(assigned)
        local = not settings and not assigned["declared"] and (name[0].islower() and value in _BARE)
        if not local and (settings or "." not in name):
            found.append((name, value))
    elif pinned := _PINNED.match(line) or (_PLAIN.match(line) if settings else None):
        found.append(_named(pinned))
    return tuple((name, value) for name, value in found if name not in _NAMELESS)


def _in_command(command: str) -> Iterator[_Found]:
    for pattern in (_SET, _ADDED):
        yield from (_Found(*_named(found), ON_A_LINE) for found in pattern.finditer(command))
    for found in _ADDRESS.finditer(command):
        yield _Found(found["name"], found["path"] or "/", ON_A_LINE)
    if "--" in command:
        for program, flags in _flags(command):
            yield from (_Found(f"{program} {name}", value, ON_A_LINE) for name, value in flags)


def _flags(command: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The flags with a value of each program that a command line runs."""
    for part in _PARTS.split(command):
        if part.count('"') % 2 or part.count("'") % 2:
            return
        names = signatures.commands(part)
        program = names[0].partition(" -")[0] if names else ""
        if program and program.split()[0] not in _LOOKING:
            yield program, [_named(found) for found in _FLAG.finditer(part)]


def _named(found: re.Match[str]) -> tuple[str, str]:
    value = (found["value"] or "").strip().strip("\"'")
    return found["name"], value[:VALUE_CHARS]
