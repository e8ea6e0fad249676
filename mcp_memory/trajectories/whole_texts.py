"""Whole texts: what a file's text was after each step that wrote it, or that read all of it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from pydantic import JsonValue

from mcp_memory.domain.models import Frozen, Observation, Step, ToolCall
from mcp_memory.text import shell
from mcp_memory.trajectories import edits
from mcp_memory.trajectories.calls import called, failed

How = Literal["wrote", "read", "changed", "deleted"]
_CONTENT = ("content", "file_text", "contents", "text")
_FROM = ("offset", "start_line", "startLine", "line_start", "view_range", "limit", "end_line")
_LOOKS = frozenset({"read", "read_file", "view", "cat", "open_file", "readfile", "fs_read"})
_NUMBERED = re.compile(r" *(\d+)(?:\t|→|: |\. |\| ?)?")
_REMINDER = re.compile(r"\n*<system-reminder>.*?</system-reminder>\s*\Z", re.DOTALL)
_WRAPPED = re.compile(
    r"\A.*?<(?:content|file)>\n?(?P<text>.*?)\n*</(?:content|file)>\s*\Z", re.DOTALL
)
_ENDED = re.compile(r"\n*\((?:End of file|Showing lines)[^\n]*\)\s*\Z")
_CUT = re.compile(
    r"…\d+ tokens truncated…|^<persisted-output>|^\W*output (?:was )?truncated|"
    r"^\[\d+ more lines in file|^\W*(?:\.\.\.|…)[^\n]{0,40}(?:truncated|omitted)",
    re.IGNORECASE | re.MULTILINE,
)
"""How tools say that they left something out."""
_SED = re.compile(r"1,(?P<last>\d+)p")
_REFUSED = re.compile(r"\A(?:Exit code \d+)")


class Known(Frozen):
    """A file's text as it was known after a step."""

    step: int
    how: How
    text: str
    doubts: int = 0
    """Changes since it was last seen whole that did not fit the text that was known."""


def known(
    steps: Iterable[Step], same: Callable[[str], bool], before: Known | None = None
) -> Iterator[Known]:
    """What was known of one file after each step that wrote it or read all of it, in order.

    `same` says whether a path, as a call spells it, is that file; `before` is what was known
    already. Changes are told from the first whole text on.
    """
    now = before
    for step in steps:
        for call, seen in called(step):
            for made in _of_call(step, call, seen, same, now):
                now = made
                yield made


def _of_call(
    step: Step,
    call: ToolCall,
    seen: Observation | None,
    same: Callable[[str], bool],
    now: Known | None,
) -> Iterator[Known]:
    if failed(seen):
        return
    if call.edits or call.command:
        alone = step.model_copy(update={"calls": (call,), "observations": (seen,) if seen else ()})
        for edit in edits.of_step(alone):
            made = _edited(edit, call, now) if same(edit.path) else None
            if made is not None:
                now = made
                yield made
    text = _read(call, seen, same)
    if text is not None:
        yield Known(step=step.number, how="read", text=text)


def _edited(edit: edits.Edit, call: ToolCall, now: Known | None) -> Known | None:
    """The text after one edit; None where nothing whole was known before."""
    match edit.kind:
        case "write":
            # An edit's texts are cut, a call's are not.
            return Known(step=edit.step, how="wrote", text=_content(call.arguments) or edit.new)
        case "delete":
            return Known(step=edit.step, how="deleted", text="")
        case "append" if now is not None:
            return now.model_copy(
                update={"step": edit.step, "how": "changed", "text": now.text + edit.new}
            )
        case "change" if now is not None and edit.old:
            every = call.arguments.get("replace_all") is True
            fits = edit.old in now.text
            text = now.text.replace(edit.old, edit.new, -1 if every else 1)
            changed = {"step": edit.step, "how": "changed", "text": text}
            return now.model_copy(update={**changed, "doubts": now.doubts + (not fits)})
        case _ if now is not None:
            return now.model_copy(update={"step": edit.step, "doubts": now.doubts + 1})
    return None


def _content(arguments: Mapping[str, JsonValue]) -> str:
    return next((v for k in _CONTENT if isinstance(v := arguments.get(k), str)), "")


def _read(call: ToolCall, seen: Observation | None, same: Callable[[str], bool]) -> str | None:
    """What a call read of the file, where that was all of it."""
    if seen is None or call.edits:
        return None
    text = _REMINDER.sub("", seen.text)
    if _CUT.search(text) or _REFUSED.match(text):
        return None
    if call.command:
        return text if _printed(call.command, text, same) else None
    if call.name.casefold() not in _LOOKS or len(call.paths) != 1 or not same(call.paths[0]):
        return None
    if any(call.arguments.get(name) not in (None, 0, 1) for name in _FROM):
        return None
    wrapped = _WRAPPED.match(text)
    return _plain(_ENDED.sub("", wrapped["text"] if wrapped else text))


def _printed(command: str, text: str, same: Callable[[str], bool]) -> bool:
    """Whether a command only prints the whole file."""
    programs = list(shell.programs(command))
    if len(programs) != 1:
        return False
    words = programs[0].words
    if words[:1] == ("cat",) and len(words) == len(("cat", "FILE")):
        return same(words[1])
    if words[:2] == ("sed", "-n") and len(words) == len(("sed", "-n", "1,9p", "FILE")):
        upto = _SED.fullmatch(words[2])
        return upto is not None and same(words[3]) and text.count("\n") < int(upto["last"]) - 1
    return False


def _plain(text: str) -> str | None:
    """A text without the line numbers that a tool put before its lines; None where they begin later."""
    lines = text.split("\n")
    numbers = [_NUMBERED.match(line) for line in lines if line]
    told = [int(found[1]) for found in numbers if found]
    if not told or len(told) < len(numbers) or told != [*range(told[0], told[0] + len(told))]:
        return text
    if told[0] != 1:
        return None
    return "\n".join(_NUMBERED.sub("", line, count=1) for line in lines)
