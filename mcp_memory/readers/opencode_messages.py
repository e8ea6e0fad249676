"""Messages of opencode: one session's messages, their parts and tool calls as drafts of steps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, StepKind
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import speeches
from mcp_memory.readers.jsonl import Record, count_at, list_at, number_at, object_at, text_at
from mcp_memory.readers.tally import STATE
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed

LEFT_OUT = {
    "step-start": STATE,
    "step-finish": STATE,
    "snapshot": STATE,
    "agent": "repeats a name that stands in the user's text",
    "compaction": "its summary follows as a message of its own",
    "text:ignored": "a plugin's words to the person at the screen, never sent to the model",
    "user:summary": "the changes of files, which stand with the calls that made them",
}
"""Known parts that are counted and not kept, with the reason."""

_BUILT_IN = frozenset(
    {"bash", "shell", "edit", "write", "multiedit", "patch", "apply_patch", "read", "grep", "glob"}
    | {"list", "ls", "webfetch", "websearch", "codesearch", "task", "todowrite", "todoread", "lsp"}
    | {"skill", "question", "batch", "plan_enter", "plan_exit", "invalid"}
)
_ANSWERED = frozenset({"question", "plan_exit", "plan_enter"})
"""Tools whose result is what the user said."""
_REFUSAL = "The user rejected permission to use this specific tool call"
_REFUSED = (f"{_REFUSAL}.", f"{_REFUSAL}. You may try again with different parameters.")
_DISMISSED = "The user dismissed this question"
_ABORTED = "MessageAbortedError"
_STOPPED = (
    "Tool execution aborted",
    "<bash_metadata>\nUser aborted the command\n</bash_metadata>",
)


@dataclass(slots=True)
class Messages:
    """The messages of one session, in the making."""

    asked_by: SourceClass = SourceClass.USER
    drafts: Drafts = field(default_factory=Drafts)
    owners: dict[int, tuple[str, str]] = field(default_factory=dict)
    boots: set[str] = field(default_factory=set)
    model: str = ""
    cwd: str = ""
    read: int = 0
    written: int = 0
    failure: str = ""
    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def take(self, info: Record, parts: list[Any]) -> None:
        """Read one message."""
        role = text_at(info, "role")
        if role not in _ROLES:
            self.unknown[role[:80] or "message without role"] += 1
            return
        _ROLES[role](self, _Message(self, info, parts))

    def abandoned(self, revert: Record) -> set[int]:
        """Steps that the user took back, from a message or one of its parts on."""
        message, part = text_at(revert, "messageID"), text_at(revert, "partID")
        if not message:
            return set()
        for number, (holder, piece) in sorted(self.owners.items()):
            if (piece == part) if part else (holder == message):
                return set(range(number, len(self.drafts) + 1))
        return set()

    def use(self, info: Record, parts: list[Any]) -> None:
        """What a message used: the sum over its requests, else what the message itself says."""
        finished = [object_at(p, "tokens") for p in parts if text_at(p, "type") == "step-finish"]
        for tokens in finished or [object_at(info, "tokens")]:
            cache = object_at(tokens, "cache")
            read = count_at(tokens, "input") + count_at(cache, "read") + count_at(cache, "write")
            self.read += read
            # Reasoning is part of `output` in early versions and not in late ones; `total` is both.
            total = count_at(tokens, "total") - read
            self.written += max(total, count_at(tokens, "output"))


@dataclass(slots=True)
class _Message:
    """One message and the step that its texts and calls go to."""

    session: Messages
    info: Record
    parts: list[Any]
    draft: Draft | None = None

    @property
    def at(self) -> datetime | None:
        """When it was begun."""
        return moment(object_at(self.info, "time").get("created"))

    def begin(self, kind: StepKind, source: SourceClass, text: str, part: object) -> Draft:
        """A new step."""
        draft = self.session.drafts.begin(kind, source, text, at=self.at)
        self.session.owners[draft.number] = (text_at(self.info, "id"), text_at(part, "id"))
        return draft

    def own(self, part: object) -> Draft:
        """The agent's step of this message."""
        if self.draft is None:
            kind: StepKind = "summary" if self.info.get("summary") is True else "agent"
            self.draft = self.begin(kind, SourceClass.AGENT, "", part)
            self.draft.model = text_at(self.info, "modelID") or None
        return self.draft

    def each(self, takers: dict[str, Callable[["_Message", Record], None]]) -> None:
        """Read the parts, each by its type."""
        for part in self.parts:
            kind = text_at(part, "type")
            if kind == "text" and part.get("ignored") is True:
                kind = "text:ignored"
            if kind in LEFT_OUT:
                self.session.skipped[kind] += 1
            elif kind in takers:
                takers[kind](self, part)
            else:
                self.session.unknown[kind[:80] or "part without type"] += 1

    def ask(self, part: Record) -> None:
        """What the user wrote, or the host in the user's place."""
        text = without_blobs(text_at(part, "text"))
        if part.get("synthetic") is True:
            # The host writes files into the message that names them: theirs is not its own word.
            attached = any(text_at(p, "type") == "file" for p in self.parts)
            shown = attached and not text.startswith("Called the ")
            source = SourceClass.EXTERNAL if shown else SourceClass.HOST
            if text.strip():
                self.begin("system", source, text, part)
        elif self.session.asked_by is not SourceClass.USER:
            self.begin("user", self.session.asked_by, text, part)
        else:
            for speech in speeches(text):
                self.begin(speech.kind, speech.source, speech.text or speech.command or "", part)

    def order(self, part: Record) -> None:
        """A command of the user's that a sub-agent carries out."""
        command, prompt = text_at(part, "command"), without_blobs(text_at(part, "prompt"))
        said = f"/{command}\n\n{prompt}" if command else prompt
        self.begin("user", self.session.asked_by, said, part)

    def attach(self, part: Record) -> None:
        """A file or picture beside the user's words; its content follows as text, or is a blob."""
        self.begin("system", SourceClass.EXTERNAL, attached(part), part)

    def say(self, part: Record) -> None:
        """What the agent wrote."""
        if text := without_blobs(text_at(part, "text")):
            self.own(part).texts.append(text)

    def think(self, part: Record) -> None:
        """What the agent reasoned."""
        if text := text_at(part, "text"):
            self.own(part).reasons.append(text)

    def show(self, part: Record) -> None:
        """A file that the agent made."""
        self.own(part).texts.append(attached(part))

    def change(self, part: Record) -> None:
        """Which files were found changed after a step, by whatever means."""
        files = [file for file in list_at(part, "files") if isinstance(file, str)]
        self.begin("system", SourceClass.HOST, "\n".join(("[changed files]", *files)), part)

    def retry(self, part: Record) -> None:
        """An error of the provider's, after which the host tried again."""
        told = f"[retry {count_at(part, 'attempt')}] {error_text(object_at(part, 'error'))}"
        self.begin("system", SourceClass.HOST, told, part)

    def call(self, part: Record) -> None:
        """A tool call with what came back."""
        draft, state, name = self.own(part), object_at(part, "state"), text_at(part, "tool")
        # A capturing tool may mask ids: calls of one name are told apart by their place.
        id_ = text_at(part, "callID") or text_at(part, "id")
        id_ = id_ if id_ not in draft.calls else f"{id_}#{len(draft.calls)}"
        draft.calls[id_] = tool_call(id_, name, object_at(state, "input"))
        if text_at(state, "status") in ("completed", "error"):
            draft.observations.append(self._observation(id_, name, state))

    def _observation(self, id_: str, name: str, state: Record) -> Observation:
        metadata, time = object_at(state, "metadata"), object_at(state, "time")
        failure = text_at(state, "status") == "error"
        output = text_at(state, "error" if failure else "output")
        if failure:
            output = "\n\n".join(text for text in (output, text_at(metadata, "output")) if text)
        shown = [attached(file) for file in list_at(state, "attachments")]
        start, end = number_at(time, "start"), number_at(time, "end")
        seconds = None if start is None or end is None else max(end - start, 0) / 1000
        code = number_at(metadata, "exit") if is_shell(name) else None
        killed = is_shell(name) and "exit" in metadata and code is None
        seen = Observation(
            call_id=id_,
            text="\n".join((without_blobs(output), *shown)),
            exit_code=None if code is None else int(code),
            failed=failure or killed or bool(code),
            seconds=seconds,
            source=self._speaker(name, output, failure=failure),
        )
        # A server's tools are named after it, without the prefix that other hosts give them.
        return unfed(name if name in _BUILT_IN else f"mcp_{name}", seen)

    def _speaker(self, name: str, output: str, *, failure: bool) -> SourceClass:
        """Who speaks in a result: the user only in words that no program could have written."""
        own = name in _BUILT_IN
        if own and name in _ANSWERED and (not failure or output.startswith(_DISMISSED)):
            return SourceClass.USER
        denied = output in _REFUSED or (own and failure and output.startswith(_REFUSAL))
        aborted = text_at(object_at(self.info, "error"), "name") == _ABORTED
        if (failure and denied) or (aborted and output.strip() in _STOPPED):
            return SourceClass.USER
        return source_of(name) if own else SourceClass.EXTERNAL


def attached(part: object) -> str:
    """A file by its name, type and place; its content by size and hash."""
    place = without_blobs(text_at(part, "url"))
    names = (text_at(part, "filename"), text_at(part, "mime"), place)
    return f"[file {' '.join(name for name in names if name)}]"


def error_text(error: Record) -> str:
    """An error's name and message."""
    message = text_at(object_at(error, "data"), "message")
    return ": ".join(text for text in (text_at(error, "name"), message) if text)


def _user(session: Messages, message: _Message) -> None:
    if object_at(message.info, "summary"):
        session.skipped["user:summary"] += 1
    system = text_at(message.info, "system")
    if system and system not in session.boots:
        session.boots.add(system)
        message.begin("boot", SourceClass.HOST, system, None)
    session.failure = ""
    message.each(_ASKED)


def _assistant(session: Messages, message: _Message) -> None:
    info = message.info
    session.model = text_at(info, "modelID") or session.model
    session.cwd = session.cwd or text_at(object_at(info, "path"), "cwd")
    session.use(info, message.parts)
    message.each(_SAID)
    error = object_at(info, "error")
    aborted = text_at(error, "name") == _ABORTED
    session.failure = "" if aborted else error_text(error)
    if error:
        source = SourceClass.USER if aborted else SourceClass.HOST
        message.begin("system", source, f"[error] {error_text(error)}", None)


_ROLES: dict[str, Callable[[Messages, _Message], None]] = {"user": _user, "assistant": _assistant}
_ASKED: dict[str, Callable[[_Message, Record], None]] = {
    "text": _Message.ask,
    "subtask": _Message.order,
    "file": _Message.attach,
}
_SAID: dict[str, Callable[[_Message, Record], None]] = {
    "text": _Message.say,
    "reasoning": _Message.think,
    "tool": _Message.call,
    "patch": _Message.change,
    "file": _Message.show,
    "retry": _Message.retry,
}
KEPT = frozenset({*_ROLES, *_ASKED, *_SAID})
"""Messages and parts that become part of a trajectory."""
