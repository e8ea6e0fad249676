"""Turns of VS Code's chat: each request with its response as drafts of steps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mcp_memory.domain.models import SourceClass, ToolCall
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import speeches
from mcp_memory.readers.jsonl import Record, count_at, list_at, object_at, text_at
from mcp_memory.readers.tools import tool_call
from mcp_memory.readers.vscode_calls import Rounds, invoked, markdown, observed, path_of

_PROGRESS = "says what the editor was doing, not what was done"
_SCREEN = "how the response is shown"
LEFT_OUT = {
    **dict.fromkeys(
        ("progressMessage", "progressTask", "progressTaskSerialized", "prepareToolInvocation",
         "mcpServersStarting", "hook"),
        _PROGRESS,
    ),
    **dict.fromkeys(
        ("undoStop", "codeblockUri", "clearToPreviousToolInvocation", "command", "treeData",
         "multiDiffData", "extensions", "reference", "references", "usedContext", "codeCitation",
         "markdown:fence"),
        _SCREEN,
    ),
    "thinking:end": "the end of a thought, without words",
    "edits:repeated": "the change stands in the arguments of the call that made it",
    "round:encrypted": "encrypted",
}  # fmt: skip
"""Known parts of a response that are counted and not kept, with the reason."""
MAPPED = frozenset(
    {
        "request", "markdown", "markdownContent", "markdownVuln", "thinking", "inlineReference",
        "toolInvocationSerialized", "textEditGroup", "notebookEditGroup", "workspaceEdit",
        "warning", "confirmation", "elicitation", "elicitationSerialized", "questionCarousel",
        "errorDetails", "pullRequest", "round",
    }
)  # fmt: skip
"""Requests and parts of a response that become part of a trajectory."""

_CANCELED = 2
_BOOT = frozenset({"promptText", "workspace"})
_EDITS = frozenset({"textEditGroup", "notebookEditGroup"})
_FENCES = frozenset({"```", "````"})
"""What surrounds a change on the screen."""


@dataclass(slots=True)
class Agent:
    """The agent of a session, or a sub-agent within one of its requests."""

    drafts: Drafts = field(default_factory=Drafts)
    title: str = ""
    current: Draft | None = None
    pieces: list[str] = field(default_factory=list)

    def end(self) -> None:
        """Close the step: its text is whole."""
        if self.current is not None:
            self.current.texts = ["".join(self.pieces)]
        self.current, self.pieces = None, []

    def begin(self, at: datetime | None, model: str) -> Draft:
        """A new step of its own."""
        self.end()
        self.current = self.drafts.begin("agent", SourceClass.AGENT, at=at)
        self.current.model = model or None
        return self.current


@dataclass(slots=True)
class Turns:
    """The requests of one session, in the making."""

    agents: dict[str, Agent] = field(default_factory=lambda: {"": Agent()})
    abandoned: set[int] = field(default_factory=set)
    boots: set[str] = field(default_factory=set)
    model: str = ""
    cwd: str = ""
    read: int = 0
    written: int = 0
    ended: datetime | None = None
    failure: str = ""
    skipped: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def take(self, request: Record, *, live: bool) -> None:
        """Read one request; one that was undone or sent anew leaves its steps abandoned."""
        drafts = self.agents[""].drafts
        before, self.failure = len(drafts), ""
        _Turn(self, request, moment(request.get("timestamp"))).read()
        for agent in self.agents.values():
            agent.end()
        undone = request.get("isHidden") is True or bool(request.get("shouldBeRemovedOnSend"))
        if undone or not live:
            self.abandoned.update(range(before + 1, len(drafts) + 1))


@dataclass(slots=True)
class _Turn:
    """One request: what was asked, and the steps that answer it."""

    turns: Turns
    request: Record
    at: datetime | None
    rounds: Rounds = field(default_factory=lambda: Rounds({}, set()))
    ids: set[str] = field(default_factory=set)
    claimed: set[int] = field(default_factory=set)

    def read(self) -> None:
        """Begin the steps, in an order that does not change while the response grows."""
        result = object_at(self.request, "result")
        metadata = object_at(result, "metadata")
        parts = list_at(self.request, "response")
        self.rounds = Rounds(metadata, {text_at(part, "toolCallId") for part in parts} - {""})
        self._ask()
        self._note(result)
        for place, part in enumerate(parts):
            if place in self.claimed:
                self.turns.skipped["edits:repeated"] += 1
            elif isinstance(part, dict):
                self._part(part, _edits_after(parts, place))
            else:
                self.turns.unknown["part that is no object"] += 1
        if completion := text_at(self.request, "completion"):
            self.write({"value": completion}, self.turns.agents[""])
        if result:
            self._rest(metadata, parts)
            self._end(result)

    def write(self, part: Record, agent: Agent) -> None:
        """Text of the agent's, which goes on where its last piece ended."""
        value = part.get("value", part.get("content"))
        text = markdown(value)
        if text.strip() in _FENCES:
            self.turns.skipped["markdown:fence"] += 1
        elif text:
            self._append(agent, without_blobs(text))

    def refer(self, part: Record, agent: Agent) -> None:
        """A file or symbol named amid the text."""
        found = object_at(part, "inlineReference")
        place = path_of(found) or path_of(object_at(found, "uri"))
        place = place or path_of(object_at(object_at(found, "location"), "uri"))
        name = text_at(part, "name") or text_at(found, "name")
        self._append(agent, f"`{place or name}`")

    def think(self, part: Record, agent: Agent) -> None:
        """A thought, whole or in pieces."""
        value = part.get("value")
        pieces = value if isinstance(value, list) else [value]
        thought = "".join(piece for piece in pieces if isinstance(piece, str))
        if not thought.strip():
            self.turns.skipped["thinking:end"] += 1
            return
        self._words(agent).reasons.append(thought)

    def change(self, part: Record, agent: Agent) -> None:
        """A change that the agent made without a tool."""
        path, kind = path_of(object_at(part, "uri")), text_at(part, "kind")
        id_ = f"{text_at(self.request, 'requestId')}/edit-{len(self.ids)}"
        call = tool_call(id_, kind, {"filePath": path, "edits": _changes(part)})
        moved = [
            path_of(object_at(edit, key))
            for edit in list_at(part, "edits")
            for key in ("oldResource", "newResource")
        ]
        paths = tuple(dict.fromkeys(place for place in (path, *moved) if place))
        self._add(agent, call.model_copy(update={"paths": paths, "edits": bool(paths)}))

    def call(self, part: Record, agent: Agent, edits: list[Any]) -> None:
        """A tool call, its arguments and what came back."""
        asked = self.rounds.claim(part)
        call = invoked(part, asked, edits)
        if call.id in self.ids or not call.id:
            call = call.model_copy(update={"id": f"{call.id}#{len(self.ids)}"})
        draft = self._add(agent, call)
        seen = observed(call, part, self.rounds.result(asked))
        if seen is not None:
            draft.observations.append(seen)
        cwd = path_of(object_at(part, "toolSpecificData").get("cwd"))
        self.turns.cwd = self.turns.cwd or cwd

    def tell(self, part: Record, agent: Agent) -> None:
        """What the editor told or asked the person at the screen."""
        words = [markdown(part.get(key)) for key in ("title", "message", "content", "description")]
        answer = part.get("acceptedResult", part.get("data"))
        if isinstance(answer, str) or text_at(part, "state"):
            words.append(answer if isinstance(answer, str) else text_at(part, "state"))
        text = "\n".join((f"[{text_at(part, 'kind')}]", *(word for word in words if word)))
        agent.drafts.begin("system", SourceClass.HOST, text, at=self.at)
        agent.end()

    def _ask(self) -> None:
        drafts = self.turns.agents[""].drafts
        shown = self._attachments()
        for boot, text in shown:
            if boot:
                drafts.begin("boot", SourceClass.HOST, text, at=self.at)
        message = self.request.get("message", self.request.get("prompt"))
        asked = message if isinstance(message, str) else text_at(message, "text")
        for speech in speeches(without_blobs(asked)):
            text = speech.text or speech.command or ""
            drafts.begin(speech.kind, speech.source, text, at=self.at)
        if attached := "\n".join(text for boot, text in shown if not boot):
            drafts.begin("system", SourceClass.EXTERNAL, attached, at=self.at)

    def _attachments(self) -> list[tuple[bool, str]]:
        """What came with the request; standing instructions, which every request has, once."""
        shown = []
        for variable in list_at(object_at(self.request, "variableData"), "variables"):
            boot, text = _attached(variable)
            standing = boot or _flag(variable, "automaticallyAdded")
            if text and not (standing and text in self.turns.boots):
                shown.append((boot, text))
            self.turns.boots.update((text,) if standing else ())
        return shown

    def _note(self, result: Record) -> None:
        turns, metadata = self.turns, object_at(result, "metadata")
        model = text_at(self.request, "modelId").rpartition("/")[2]
        if model in ("", "auto"):
            model = text_at(result, "details").partition(" • ")[0] or model
        turns.model = model or turns.model
        for holder in (self.request, result, metadata):
            usage = object_at(holder, "usage") or holder
            read, written = count_at(usage, "promptTokens"), count_at(usage, "completionTokens")
            if read or written:
                turns.read, turns.written = turns.read + read, turns.written + written
                break
        elapsed = count_at(object_at(result, "timings"), "totalElapsed")
        asked = self.request.get("timestamp")
        done = moment(object_at(self.request, "modelState").get("completedAt"))
        if done is None and elapsed and isinstance(asked, int):
            done = moment(asked + elapsed)
        times = [at for at in (turns.ended, done, self.at) if at]
        turns.ended = max(times) if times else None

    def _part(self, part: Record, edits: dict[int, Any]) -> None:
        kind = text_at(part, "kind") or ("markdown" if "value" in part else "part without kind")
        agent = self._agent(part)
        if kind == "toolInvocationSerialized":
            self.claimed.update(edits)
            self.call(part, agent, [change for edit in edits.values() for change in _changes(edit)])
        elif kind in _TAKERS:
            _TAKERS[kind](self, part, agent)
        else:
            name = kind[:80]
            (self.turns.skipped if name in LEFT_OUT else self.turns.unknown)[name] += 1
        base = path_of(object_at(part, "baseUri")).rstrip("/")
        self.turns.cwd = self.turns.cwd or base

    def _rest(self, metadata: Record, parts: list[Any]) -> None:
        """Calls, and where the response is gone words, that only the rounds tell of."""
        agent = self.turns.agents[""]
        rounds = list_at(metadata, "toolCallRounds")
        if not parts:
            for taken in rounds:
                self.write({"value": text_at(taken, "response")}, agent)
        hidden = [thinking for r in rounds if (thinking := object_at(r, "thinking"))]
        self.turns.skipped["round:encrypted"] += sum(bool(text_at(t, "encrypted")) for t in hidden)
        for part in self.rounds.left():
            self.call(part, agent, [])

    def _end(self, result: Record) -> None:
        drafts = self.turns.agents[""].drafts
        error = object_at(result, "errorDetails")
        state = object_at(self.request, "modelState").get("value")
        canceled = text_at(error, "code") == "canceled" or self.request.get("isCanceled") is True
        message = text_at(error, "message")
        if canceled or (state == _CANCELED and not isinstance(state, bool)):
            said = f"[canceled] {message}".strip()
            drafts.begin("system", SourceClass.USER, said, at=self.at)
            message = ""
        elif message:
            drafts.begin("system", SourceClass.HOST, f"[error] {message}", at=self.at)
        self.turns.failure = message

    def _agent(self, part: Record) -> Agent:
        key = text_at(part, "subAgentInvocationId")
        if key and key not in self.turns.agents:
            self.turns.agents[key] = self._sub_agent(key)
        return self.turns.agents[key]

    def _sub_agent(self, key: str) -> Agent:
        agent = Agent()
        for part in list_at(self.request, "response"):
            data = object_at(part, "toolSpecificData")
            if text_at(part, "toolCallId") == key and text_at(data, "kind") == "subagent":
                agent.title = text_at(data, "description")
                agent.drafts.begin("user", SourceClass.AGENT, text_at(data, "prompt"), at=self.at)
                break
        return agent

    def _words(self, agent: Agent) -> Draft:
        """The step that the agent's next words belong to: they open a new one after a call."""
        draft = agent.current
        if draft is None or draft.calls:
            return agent.begin(self.at, self.turns.model)
        return draft

    def _append(self, agent: Agent, text: str) -> None:
        self._words(agent)
        agent.pieces.append(text)

    def _add(self, agent: Agent, call: ToolCall) -> Draft:
        draft = self._words(agent)
        self.ids.add(call.id)
        draft.calls[call.id] = call
        return draft


def _flag(record: object, key: str) -> bool:
    return isinstance(record, dict) and record.get(key) is True


def _is_fence(part: object) -> bool:
    value = part.get("value") if isinstance(part, dict) and "kind" not in part else None
    return isinstance(value, str | dict) and markdown(value).strip() in _FENCES


def _edits_after(parts: list[Any], place: int) -> dict[int, Any]:
    """The changes that the call at a place made, by their places."""
    edits = {}
    for number in range(place + 1, len(parts)):
        kind = text_at(parts[number], "kind")
        if kind in _EDITS:
            edits[number] = parts[number]
        elif kind not in ("undoStop", "codeblockUri") and not _is_fence(parts[number]):
            break
    return edits


def _changes(part: object) -> list[Any]:
    """The changes of a group, without the nesting that its streaming left."""
    groups = list_at(part, "edits")
    return [edit for group in groups for edit in (group if isinstance(group, list) else [group])]


def _attached(variable: object) -> tuple[bool, str]:
    """What a request had with it, and whether the host had put it there."""
    value, name = object_at(variable, "value"), text_at(variable, "name")
    said = without_blobs(text_at(variable, "value"))
    if text_at(variable, "kind") in _BOOT:
        return True, said
    lines = object_at(value, "range")
    first, last = count_at(lines, "startLineNumber"), count_at(lines, "endLineNumber")
    place = path_of(value) or path_of(object_at(value, "uri"))
    place = f"{place}:{first}-{last}" if place and first else place
    shown = " ".join(text for text in (name, place) if text)
    return False, f"[attached] {shown}\n{said}".rstrip() if shown or said else ""


_TAKERS: dict[str, Callable[[_Turn, Record, Agent], None]] = {
    "markdown": _Turn.write,
    "markdownContent": _Turn.write,
    "markdownVuln": _Turn.write,
    "inlineReference": _Turn.refer,
    "thinking": _Turn.think,
    "textEditGroup": _Turn.change,
    "notebookEditGroup": _Turn.change,
    "workspaceEdit": _Turn.change,
    **dict.fromkeys(
        ("warning", "confirmation", "elicitation", "elicitationSerialized", "questionCarousel",
         "errorDetails", "pullRequest"),
        _Turn.tell,
    ),
}  # fmt: skip
