"""Aider: the runs of a project in one Markdown history (0.4x to 0.86 seen)."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Observation,
    Refusal,
    SourceClass,
    Step,
    StepKind,
    ToolCall,
    Trajectory,
)
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import read_head
from mcp_memory.readers.prose import text_lines
from mcp_memory.readers.tools import tool_call
from mcp_memory.text import running

FORMAT = "aider"
VERSION = 1

MAPPED = frozenset({"header", "user", "console", "agent"})
"""Kinds of line that become part of a trajectory."""
LEFT_OUT = {"console:hint": "advice on using the program, the same in every run"}
"""Known kinds of line that are counted and not kept, with the reason."""

_HEADER = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*")
_HEADER_LINE = re.compile(rb"(?m)^# aider chat started at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s*$")
_HINTS = ("Use /help <question>", "You can skip this check", "^C again to exit")
_MODEL = re.compile(r"(?:Main model|Models?): (\S+) with ")
_TOKENS = re.compile(r"Tokens: ([\d.,]+)(k|M)? sent,.{0,80}? ([\d.,]+)(k|M)? received")
_APPLIED = "Applied edit to "
_ASKS = frozenset({"/ask", "/architect", "/code", "/chat-mode", "/context", "/help"})
_RUNS = ("/run ", "/test ", "!")
_SCALE = {"": 1, "k": 1_000, "M": 1_000_000}


def recognize(path: Path) -> bool:
    """Whether a line of the file's head opens an Aider run."""
    head = read_head(path)
    return head.lstrip()[:1] not in (b"{", b"[") and bool(_HEADER_LINE.search(head))


def read(path: Path) -> Iterator[Trajectory]:
    """The runs of a file, oldest first; what comes before the first header is a run too."""
    refusals: list[Refusal] = []
    seen: Counter[str] = Counter()
    run: _Run | None = None
    first = ""
    for text in text_lines(path, refusals):
        header = _HEADER.fullmatch(text)
        if not header and run is None and not text.strip():
            continue
        first = first or refs.short_hash(text.strip())
        if header or run is None:
            if run:
                yield run.finished(refusals)
                refusals.clear()
            started = header[1] if header else ""
            seen[started] += 1
            run = _Run(f"{started or 'before'} {first} {seen[started]}", started)
        if not header:
            run.take(text)
    if run:
        yield run.finished(refusals)


class _Run:
    """One run while its lines are still being read."""

    def __init__(self, native_id: str, started: str) -> None:
        self.native_id, self.started = native_id, started
        self.drafts = Drafts()
        self.facts: dict[str, str] = {}
        self.sent = self.received = 0
        self.skipped: Counter[str] = Counter()
        self._state = ""
        self._ran = False
        self._thinking = False
        self._open: Draft | None = None
        self._agent: Draft | None = None
        self._recent = ""
        self._block: list[str] | None = None

    def take(self, line: str) -> None:
        """One line; the program ends its own and the user's with two blanks, a model does not."""
        marked = line.endswith("  ")
        if marked and line.startswith(">"):
            self._console(line[1:].removeprefix(" ").rstrip())
        elif marked and line.startswith("####"):
            self._user(line[4:].removeprefix(" ").rstrip())
        else:
            self._said(line)

    def finished(self, refusals: list[Refusal]) -> Trajectory:
        """The run as far as it is known."""
        steps = tuple(_joined(draft) for draft in self.drafts)
        return Trajectory(
            id=refs.trajectory_id(FORMAT, self.native_id),
            format=FORMAT,
            native_id=self.native_id,
            title=running.headline(self.drafts.goal),
            goal=self.drafts.goal,
            cwd=self.facts.get("cwd"),
            model=self.facts.get("model"),
            host_version=self.facts.get("version"),
            started_at=moment(self.started),
            steps=steps,
            tokens_in=self.sent,
            tokens_out=self.received,
            skipped=dict(self.skipped),
            refusals=tuple(refusals),
        )

    def _add(self, state: str, kind: StepKind, source: SourceClass, line: str) -> Draft:
        if self._open is None or self._state != state:
            self._open = self.drafts.begin(kind, source)
            self._state = state
        self._open.texts.append(line)
        return self._open

    def _user(self, line: str) -> None:
        if self._state == "user" and self._open is not None:
            self._open.texts.append(line)
            return
        self._block = None
        word = line.partition(" ")[0]
        ran = line.startswith(_RUNS)
        kind, source = _speaker(line, word, ran=ran)
        draft = self._add("user", kind, source, line)
        self._ran = ran
        if ran:
            command = line.removeprefix("!") if line[0] == "!" else line.partition(" ")[2]
            call = tool_call(f"run-{draft.number}", "shell", {"command": command.strip()})
            draft.calls[call.id] = call

    def _console(self, line: str) -> None:
        self._block = None
        if line.startswith(_HINTS):
            self.skipped["console:hint"] += 1
            return
        self._note(line)
        if line.startswith(_APPLIED) and self._agent is not None:
            self._applied(self._agent, line)
            self._state = "applied"
            return
        if self._state == "console" or line:
            source = SourceClass.TOOL if self._ran else SourceClass.HOST
            self._add("console", "system", source, line)

    def _note(self, line: str) -> None:
        if model := _MODEL.match(line):
            self.facts["model"] = model[1]
        elif line.startswith("Aider v"):
            self.facts["version"] = line[7:].strip()
        elif line.startswith("Git working dir: "):
            self.facts["cwd"] = line[17:].strip()
        elif tokens := _TOKENS.match(line):
            self.sent += _count(tokens[1], tokens[2])
            self.received += _count(tokens[3], tokens[4])

    def _applied(self, agent: Draft, line: str) -> None:
        path = line[len(_APPLIED) :].strip()
        answered = {seen.call_id for seen in agent.observations}
        waiting = [c for c in agent.calls.values() if path in c.paths and c.id not in answered]
        if not waiting:
            waiting = [self._edit(agent, {"path": path})]
        agent.observations += [
            Observation(call_id=call.id, text=line, failed=False) for call in waiting
        ]

    def _said(self, line: str) -> None:
        if not line.strip() and self._state != "agent":
            if self._state == "user":
                self._state = ""
            return
        draft = self._add("agent", "agent", SourceClass.AGENT, "")
        if draft is not self._agent:
            self._agent, self._thinking, self._ran = draft, False, False
            draft.model = self.facts.get("model")
        draft.texts.pop()
        if line.startswith("► **"):
            self._thinking = "THINKING" in line
        elif self._thinking:
            draft.reasons.append(line)
        else:
            draft.texts.append(without_blobs(line))
            self._search_replace(draft, line)

    def _search_replace(self, draft: Draft, line: str) -> None:
        if line.startswith("<<<<<<< SEARCH"):
            self._block = []
        elif self._block is None:
            if line.strip() and not line.startswith(("```", "<source")):
                self._recent = line.strip().strip("`*#: ")
        elif line.startswith(">>>>>>> REPLACE"):
            old, _, new = "\n".join(["", *self._block]).partition("\n=======")
            arguments = {"path": self._recent, "old": old[1:], "new": new[1:]}
            self._edit(draft, arguments)
            self._block = None
        else:
            self._block.append(line)

    def _edit(self, draft: Draft, arguments: dict[str, str]) -> ToolCall:
        call = tool_call(f"edit-{draft.number}-{len(draft.calls) + 1}", "edit", arguments)
        draft.calls[call.id] = call
        return call


def _speaker(line: str, word: str, *, ran: bool) -> tuple[StepKind, SourceClass]:
    """Whose words a prompt is: a person's, or the program's own request to mend errors."""
    if line.startswith("# Fix any errors below"):
        return "system", SourceClass.HOST
    if ran or not word.startswith("/") or "/" in word[1:] or word in _ASKS:
        return "user", SourceClass.USER
    return "system", SourceClass.HOST


def _joined(draft: Draft) -> Step:
    draft.texts = ["\n".join(draft.texts).strip()]
    draft.reasons = ["\n".join(draft.reasons).strip()]
    return draft.finished()


def _count(number: str, scale: str | None) -> int:
    try:
        return int(float(number.replace(",", "")) * _SCALE[scale or ""])
    except ValueError:
        return 0
