"""Passages: a record cut where its sense is whole: sentences, edits, commands with output, lines of files."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall
from mcp_memory.text import cutting
from mcp_memory.trajectories import calls, edits
from mcp_memory.trajectories.edits import Edit

PASSAGE_CHARS = 360
"""About how long a passage becomes before the next one begins; one sentence or line may be longer."""
LONGEST = 2 * PASSAGE_CHARS
HEAD_CHARS = 140
MOST_CHARS = 40_000
"""How much of one text is cut: the head, and a quarter of it from the end."""
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z`\"*(\[\d-])")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*)")
_FENCE = re.compile(r"[-+ ]{0,6}(?:```|~~~)")
_RULE = re.compile(r"[\s|:+=_*~-]+")
_RANGE = re.compile(r"\bsed\s+-n\s+['\"]?(\d+),\d+p['\"]?\s+\S+\s*(?:\|\s*cat\s*)?$")
_INSET = re.compile(r"^[ \t]+(?=\d+\u2192)", re.MULTILINE)
_LEADS = re.compile(r"^[-+ ]?[ \t]*(?:\d+[:\u2192]\s*)?(?://|#|--\s)|:\s*$")
"""A comment, of an edit or of a file read with line numbers too, or a line that ends with a colon."""
_NUMBERED = re.compile(
    r"\s*(?:<\w+>[^<\n]{0,300}</\w+>\s*)*(?:<\w+>\s*)?(?:L?\d+\s*[:\u2192|\t]|<file>|cat -n)"
)
"""A file that is shown with line numbers of its own, perhaps below tags that name it."""

Kind = Literal["said", "memory", "thought", "edit", "ran", "output", "read", "argument"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a record that can be read by itself."""

    kind: Kind
    text: str
    head: str = ""
    """What it belongs to: a heading, a command with its exit code, a file."""
    by: SourceClass | None = None
    """Whose words they are, where they are of a step: an agent's beside what it read are its own."""
    refused: bool = False
    """Whether it leads to an edit or a command that the user refused: then it was not done."""


def of_step(step: Step) -> list[Passage]:
    """What was said, thought, called and came back, in this order; each with whose words it is."""
    own = [*of_text(step.text), *of_text(step.reasoning, "thought")]
    for edit in edits.of_step(step):
        own += _edited(edit)
    if calls.refused(step):
        own = [replace(one, refused=True) for one in own]
    made = _by(step.source, own)
    seen = {each.call_id: each for each in step.observations}
    for call in step.calls:
        back = seen.pop(call.id, None)
        made += _by(step.source, _call(call, back), back)
    for each in seen.values():
        made += _by(each.source, of_text(each.text))
    return made


def _by(
    speaker: SourceClass, told: Iterable[Passage], back: Observation | None = None
) -> list[Passage]:
    """Passages with whose words they are: the speaker's, or of what came back its source's."""
    return [
        replace(one, by=back.source if back and one.kind in ("output", "read") else speaker)
        for one in told
    ]


def of_text(text: str, kind: Kind = "said") -> Iterator[Passage]:
    """Prose cut between sentences, list items and table rows; a heading goes with what it heads."""
    head, held = "", _Held(kind)
    for line in _lines(_ends(text), coded := [False]):
        if not line.strip():
            yield from held.full(head, least=PASSAGE_CHARS // 4)
        elif not coded[0] and (heading := _HEADING.match(line)):
            yield from held.full(head)
            head = cutting.head(heading[1].strip(), HEAD_CHARS)
        else:
            for piece in (line,) if coded[0] or len(line) <= PASSAGE_CHARS else _sentences(line):
                yield from held.add(piece.rstrip(), head)
    yield from held.full(head)


class _Held:
    """Lines that wait to be a passage."""

    def __init__(self, kind: Kind) -> None:
        self._kind, self._lines, self._size = kind, list[str](), 0

    def add(self, line: str, head: str) -> Iterator[Passage]:
        """Take a line in; first the passage goes that it would make too long.

        Lines that lead up to this one, a comment or what ends with a colon, go with it.
        """
        if self._size + len(line) > PASSAGE_CHARS:
            leading = self._leading()
            if len(leading) < len(self._lines):
                self._lines = self._lines[: len(self._lines) - len(leading)]
                yield from self.full(head)
                self._lines, self._size = leading, sum(map(len, leading))
            elif self._size + len(line) > LONGEST:
                yield from self.full(head)
        self._lines.append(line)
        self._size += len(line)

    def _leading(self) -> list[str]:
        """The last lines of code or output as far as each leads up to the next; prose has none."""
        at = len(self._lines)
        while self._kind != "said" and at and _LEADS.search(self._lines[at - 1]):
            at -= 1
        return self._lines[at:]

    def full(self, head: str, least: int = 0) -> Iterator[Passage]:
        """What waits, as a passage, unless it is shorter than the least."""
        if self._size > least:
            yield Passage(self._kind, "\n".join(self._lines).strip("\n"), head)
        if self._size > least or not self._size:
            self._lines, self._size = [], 0


def _lines(text: str, coded: list[bool]) -> Iterator[str]:
    """Lines without fences and rules; `coded` says whether the line just given is code."""
    for line in text.splitlines():
        if line.lstrip().startswith(("```", "~~~")):
            coded[0] = not coded[0]
            yield ""
        elif not _RULE.fullmatch(line) or coded[0]:
            yield line


def _sentences(line: str) -> Iterator[str]:
    """Sentences of a long line; what has no end for too long is cut between words."""
    for sentence in _SENTENCE.split(line):
        rest = sentence
        while len(rest) > LONGEST:
            at = rest.rfind(" ", PASSAGE_CHARS, LONGEST)
            at = at if at > 0 else cutting.end(rest, LONGEST)
            yield rest[:at]
            rest = rest[at:].lstrip()
        yield rest


def _ends(text: str) -> str:
    if len(text) <= MOST_CHARS:
        return text
    first = cutting.end(text, MOST_CHARS * 3 // 4)
    last = cutting.begin(text, len(text) - MOST_CHARS // 4)
    return f"{text[:first]}\n\n{text[last:]}"


def _call(call: ToolCall, seen: Observation | None) -> Iterator[Passage]:
    file = short_path(call.paths[0]) if call.paths else ""
    if call.edits:
        return
    if call.command:
        ran = f"$ {one_line(call.command)}{_ended(seen)}"
        if len(call.command) > HEAD_CHARS and not edits.paths_of(call):
            yield from _block("ran", f"$ {call.command.strip()}", "")
        else:
            yield Passage("ran", ran)
        head = ran
    else:
        head = file or call.name
        if not file:
            yield from _block("argument", "\n".join(calls.strings(call.arguments)), head)
    if seen is not None:
        kind: Kind = "read" if file and not call.command else "output"
        yield from _block(kind, _numbered(call, _ends(seen.text)), head)


def _ended(seen: Observation | None) -> str:
    """How a command ended, where its host says it."""
    if seen is None or (seen.exit_code is None and not seen.failed):
        return ""
    return f" \u2192 exit {seen.exit_code}" if seen.exit_code is not None else " \u2192 failed"


def _numbered(call: ToolCall, text: str) -> str:
    """A file's lines with their numbers, where the tool gave none but says where it began."""
    begun = call.arguments.get("offset", 1) if call.paths and not call.command else None
    ranged = _RANGE.search(call.command) if call.command else None
    first = int(ranged[1]) if ranged else begun
    if _NUMBERED.match(text):
        return _INSET.sub("", text)
    if not isinstance(first, int):
        return text
    numbered = enumerate(text.splitlines(), max(1, first))
    return "\n".join(f"{n}: {line}" for n, line in numbered if line.strip())


def _edited(edit: Edit) -> Iterator[Passage]:
    """The changed lines of an edit, `- old` and `+ new`; of one without texts what it did."""
    file = short_path(edit.path)
    if edit.kind in ("write", "append"):
        yield from _block("edit", edit.new, f"{file} ({edit.kind})")
    elif edit.old or edit.kind == "change":
        lines = _changed(edit.old.splitlines(), edit.new.splitlines())
        yield from _block("edit", "\n".join(lines), file)
    elif edit.told:
        yield Passage("edit", f"{edit.kind} {file} {short_path(edit.new)}".rstrip())


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Lines taken out and put in; where as many come as go, each beside its own."""
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = [f"- {line}" for line in old[a:b]], [f"+ {line}" for line in new[c:d]]
        if kind == "equal":
            continue
        yield from (
            chain(*zip(gone, come, strict=True)) if len(gone) == len(come) else (*gone, *come)
        )


def _block(kind: Kind, text: str, head: str) -> Iterator[Passage]:
    """Lines as they are, some together."""
    held = _Held(kind)
    for line in text.splitlines():
        if line.strip() and not _FENCE.match(line):
            yield from held.add(cutting.head(line.rstrip(), LONGEST), head)
        else:
            yield from held.full(head, least=PASSAGE_CHARS // 2)
    yield from held.full(head)


def short_path(path: str) -> str:
    """The file with its folder."""
    return "/".join(path.replace("\\", "/").rstrip("/").split("/")[-2:])


def one_line(text: str, chars: int = HEAD_CHARS) -> str:
    """The text on one line, cut between words."""
    return cutting.head(cutting.one_line(text, chars), chars)
