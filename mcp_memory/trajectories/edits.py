"""Edits: every write of a session as an edit of its file, by tool, patch, shell, script or generator."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import JsonValue

from mcp_memory.domain.models import Frozen, Observation, SourceClass, Step, ToolCall
from mcp_memory.text import shell
from mcp_memory.trajectories import shell_writes
from mcp_memory.trajectories.calls import called
from mcp_memory.trajectories.worked_out import WorkedOut

MOST_CHARS = 20_000
"""Of an old or a new text so much is kept: a reader of edits cuts further."""
Kind = Literal["write", "append", "change", "delete", "move", "restore", "make"]
"""A whole text, more of it, a part, its end, its new place, git's state again, a generator's work."""
_OLD = ("old_string", "oldString", "oldText", "old_str", "old_text", "search", "old")
_NEW = (
    *("new_string", "newString", "newText", "new_str", "new_text", "replace", "new"),
    *("new_source", "code_edit", "code", "insert_text", "snippet"),
)
_WHOLE = ("content", "file_text", "contents", "text")
_PATHS = ("file_path", "filePath", "notebook_path", "path", "target_file", "filename")
_LISTS = ("edits", "changes", "replacements", "operations")
_PATCHES = ("input", "patch", "patchText", "patch_text", "diff", "command", "cmd")
_BLOCK = re.compile(
    r"^(?:<{5,}|-{5,}) ?SEARCH[^\n]*\n(?:(?::start_line:\d+\n)?-{5,}\n)?(?P<old>.*?)"
    r"^={5,}\n(?P<new>.*?)^>{5,} ?REPLACE",
    re.MULTILINE | re.DOTALL,
)
"""How Cline and Roo say what they replace."""
_NEVER_WRITES = frozenset({"view", "undo_edit", "read"})


class Edit(Frozen):
    """One write of one file by one step."""

    step: int
    path: str
    """As the call names it, from the session's own folder."""
    kind: Kind
    old: str = ""
    """What was taken out, where the call says so."""
    new: str = ""
    """What was put in; of a move the new path."""
    told: bool = True
    """False where only an output says that the file was made."""


def of_steps(steps: Iterable[Step]) -> Iterator[Edit]:
    """Every edit that did not fail, in order; one of no effect on a file's text is told, too."""
    for step in steps:
        yield from of_step(step)


def of_step(step: Step) -> tuple[Edit, ...]:
    """The edits of one step, each file's in the order of its calls."""
    return _of_step(step, None)


def _edits(step: Step) -> Iterator[Edit]:
    for call, seen in called(step):
        if _came_to_nothing(seen):
            continue
        for path, kind, old, new, told in _of_call(call, seen):
            if path:
                yield Edit(step=step.number, path=path, kind=kind, old=old[:MOST_CHARS],
                           new=new[:MOST_CHARS], told=told)  # fmt: skip


_of_step = WorkedOut[Step, None, tuple[Edit, ...]](lambda step, _: tuple(_edits(step)))


def written(steps: Iterable[Step]) -> dict[int, tuple[str, ...]]:
    """Step to the files that it wrote; a commit makes no file that the session wrote before."""
    made: dict[int, tuple[str, ...]] = {}
    known: set[str] = set()
    for step in steps:
        told = {edit.path for edit in of_step(step) if edit.kind == "make"}
        old = {path for path in told if any(_same(path, one) for one in known)}
        made[step.number] = tuple(path for path in paths(step) if path not in old)
        known.update(made[step.number])
    return made


def paths(step: Step) -> tuple[str, ...]:
    """The files that a step wrote; of a move both."""
    made: list[str] = []
    for edit in of_step(step):
        made += (edit.path, edit.new) if edit.kind == "move" else (edit.path,)
    return tuple(dict.fromkeys(made))


_Made = tuple[str, Kind, str, str, bool]


def paths_of(call: ToolCall) -> tuple[str, ...]:
    """The files that one call writes, by what it says itself."""
    return tuple(dict.fromkeys(path for path, *_ in _of_call(call, None) if path))


def _same(made: str, known: str) -> bool:
    return known == made or known.endswith(f"/{made}")


def _came_to_nothing(seen: Observation | None) -> bool:
    """A failed call wrote nothing, save a command line, which may have failed at its end."""
    if seen is None:
        return False
    return seen.failed is True and (seen.source is SourceClass.USER or seen.exit_code is None)


def _of_call(call: ToolCall, seen: Observation | None) -> Iterator[_Made]:
    if call.command:
        good = seen is None or not (seen.failed or seen.exit_code)
        if not good and len([one for one in shell.programs(call.command) if one.name != "cd"]) == 1:
            return
        folder = _folder(call.arguments)
        for one in shell_writes.writes(call.command, seen.text if seen and good else ""):
            if good or not one.late:
                path = shell.resolved(folder, one.path)
                new = shell.resolved(folder, one.new) if one.kind == "move" else one.new
                yield path, one.kind, one.old, new, one.told
        return
    patch = _patch(call.arguments)
    if patch:
        for one in shell_writes.patched(patch):
            yield one.path, one.kind, one.old, one.new, True
    elif call.edits:
        fallback = next(iter(call.paths), "")
        made = tuple(_pairs(call.arguments, fallback))
        yield from made or ((path, "change", "", "", True) for path in call.paths)


def _folder(arguments: Mapping[str, JsonValue]) -> str:
    named = (arguments.get(key) for key in ("workdir", "working_directory"))
    return next((value for value in named if isinstance(value, str)), "")


def _patch(arguments: Mapping[str, JsonValue]) -> str:
    for name in _PATCHES:
        value = arguments.get(name)
        if isinstance(value, str) and shell_writes.is_patch(value):
            return value
    return ""


def _pairs(told: Mapping[str, JsonValue], path: str) -> Iterator[_Made]:
    """What an editor's arguments put for what, one by one."""
    named = _first(told, _PATHS) or path
    if told.get("command") in _NEVER_WRITES:
        return
    if "delete" in (told.get("command"), told.get("edit_mode")):
        yield named, "delete", _first(told, _OLD) or "", "", True
        return
    blocks = [*_BLOCK.finditer(_first(told, ("diff",)) or "")]
    if blocks:
        yield from ((named, "change", one["old"], one["new"], True) for one in blocks)
        return
    several = [part for key in _LISTS for part in _listed(told.get(key))]
    old, new = _first(told, _OLD), _first(told, _NEW)
    if not several and (old is not None or new is not None):
        yield (
            named,
            "change" if old or "new_source" in told else "write",
            old or "",
            new or "",
            True,
        )
        return
    for one in several:
        yield from _pairs(one, named)
    whole = _first(told, _WHOLE)
    if whole is not None and not several:
        yield named, "write", "", whole, True


def _listed(value: object) -> Sequence[Mapping[str, JsonValue]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _first(told: Mapping[str, JsonValue], names: Sequence[str]) -> str | None:
    values = (told[name] for name in names if name in told)
    return next((value for value in values if isinstance(value, str)), None)
