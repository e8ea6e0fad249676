"""Talk: a session told as messages and calls, in the making; what most agents' formats come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Outcome, SourceClass, Trajectory
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.clock import Lifetime
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.harness import speeches
from mcp_memory.readers.jsonl import Record, object_at, text_at
from mcp_memory.readers.tally import Tally
from mcp_memory.readers.tools import source_of, tool_call, unfed

REMINDER = "a reminder that the program writes to the model"
_LONGEST_TITLE = 1000


@dataclass(slots=True)
class Talk:
    """What has been read of one session."""

    asked_by: SourceClass = SourceClass.USER
    title: str = ""
    cwd: str = ""
    branch: str = ""
    model: str = ""
    version: str = ""
    parent: str = ""
    read: int = 0
    written: int = 0
    verdict: Outcome = Outcome.UNKNOWN
    reason: str = ""
    drafts: Drafts = field(default_factory=Drafts)
    lifetime: Lifetime = field(default_factory=Lifetime)
    abandoned: set[int] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)
    """A record's id to that of the record which it follows."""
    owners: dict[int, str] = field(default_factory=dict)
    """A step's number to the id of the record that it stands in."""
    leaf: str = ""
    callers: dict[str, Draft] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def note(self, at: datetime | None) -> datetime | None:
        """A time that the session reached."""
        self.lifetime.note(at)
        return at

    def grow(self, id_: str, parent: str, begun: int) -> None:
        """A record of a tree, and the steps that came of it after the first `begun`."""
        if id_:
            self.parents[id_], self.leaf = parent, id_
            self.owners.update(dict.fromkeys(range(begun + 1, len(self.drafts) + 1), id_))

    def ask(self, text: str, at: datetime | None = None) -> None:
        """What came as the user's message: own words, and what the host put round them."""
        told = without_blobs(text)
        if self.asked_by is not SourceClass.USER:
            if told.strip():
                self.drafts.begin("user", self.asked_by, told.strip(), at=self.note(at))
            return
        for part in speeches(told):
            draft = self.drafts.begin(part.kind, part.source, part.text, at=self.note(at))
            if part.command:
                id_ = f"bash-{draft.number}"
                draft.calls[id_] = tool_call(id_, "bash", {"command": part.command})

    def tell(
        self, text: str, at: datetime | None = None, source: SourceClass = SourceClass.HOST
    ) -> None:
        """What neither the user nor the agent said."""
        if told := without_blobs(text).strip():
            self.drafts.begin("system", source, told, at=self.note(at))

    def boot(self, text: str) -> None:
        """What the agent was told before anybody asked."""
        if text.strip():
            self.drafts.begin("boot", SourceClass.HOST, without_blobs(text).strip())

    def sum_up(self, text: str, at: datetime | None = None) -> None:
        """What took the place of earlier messages."""
        if text.strip():
            self.drafts.begin("summary", SourceClass.AGENT, text.strip(), at=self.note(at))

    def say(self, text: str = "", at: datetime | None = None, *, model: str = "") -> Draft:
        """A step of the agent's."""
        draft = self.drafts.begin(
            "agent", SourceClass.AGENT, without_blobs(text).strip(), at=self.note(at)
        )
        self.model = model or self.model
        draft.model = model or None
        return draft

    def call(self, draft: Draft, id_: str, name: str, arguments: object) -> str:
        """A call by a step; its id, made up where there is none."""
        id_ = id_ or f"{draft.number}.{len(draft.calls)}"
        place = id_ if id_ not in draft.calls else f"{id_}#{len(draft.calls)}"
        draft.calls[place] = tool_call(id_, name or "unnamed", arguments_of(arguments))
        self.callers[id_] = draft
        return id_

    def result(self, seen: Observation, name: str = "", at: datetime | None = None) -> None:
        """What a call brought back, joined to its step, else to one of its own."""
        draft = self.callers.get(seen.call_id)
        self.note(at)
        if draft is None:
            draft = self.drafts.begin("system", SourceClass.TOOL, at=at)
        call = draft.calls.get(seen.call_id)
        tool = name or (call.name if call else "")
        if seen.source is SourceClass.TOOL:
            seen = seen.model_copy(update={"source": source_of(tool)})
        draft.observations.append(unfed(tool, seen))

    def trajectory(self, format_: str, native_id: str) -> Trajectory:
        """The session as far as it was written."""
        left = self.abandoned | self._off_the_way()
        return Trajectory(
            id=refs.trajectory_id(format_, native_id),
            format=format_,
            native_id=native_id,
            title=self.title[:_LONGEST_TITLE],
            goal=self.drafts.goal,
            cwd=self.cwd or None,
            git_branch=self.branch or None,
            model=self.model or None,
            host_version=self.version or None,
            parent=refs.trajectory_id(format_, self.parent) if self.parent else None,
            started_at=self.lifetime.begun,
            ended_at=self.lifetime.ended,
            steps=tuple(d.finished(abandoned=d.number in left) for d in self.drafts),
            verdict=self.verdict,
            verdict_reason=self.reason,
            tokens_in=self.read,
            tokens_out=self.written,
            **self.tally.counts(),
        )

    def _off_the_way(self) -> set[int]:
        """Steps of a tree that are not on the way to its last leaf."""
        way: set[str] = set()
        place = self.leaf
        while place and place not in way:
            way.add(place)
            place = self.parents.get(place, "")
        return {number for number, id_ in self.owners.items() if id_ not in way}


def arguments_of(told: object) -> Mapping[str, Any]:
    """A call's arguments: an object, or the JSON text of one; other text under `input`."""
    if isinstance(told, Mapping):
        return told
    if not isinstance(told, str) or not told.strip():
        return {}
    try:
        value = orjson.loads(told)
    except orjson.JSONDecodeError:
        return {"input": told}
    return value if isinstance(value, dict) else {"input": told}


def spoken(content: object) -> str:
    """The words of a content field: a string, a block or a list of them; pictures by hash."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    return "\n".join(text for part in parts if (text := _words(part)))


def thought(content: object) -> str:
    """The reasoning in a content field."""
    parts = content if isinstance(content, list) else [content]
    told = (text_at(part, key) for part in parts for key in ("thinking", "think", "reasoning"))
    return "\n\n".join(text.strip() for text in told if text.strip())


def _words(part: object) -> str:
    if isinstance(part, str):
        return part
    kind = text_at(part, "type")
    source = object_at(part, "source") or (part if isinstance(part, dict) else {})
    if data := _encoded(source):
        return placeholder(text_at(source, "media_type") or text_at(source, "mimeType"), data)
    if "image" in kind:
        return f"[{kind}]"
    return text_at(part, "text")


def _encoded(source: Record) -> str:
    named = text_at(source, "media_type") or text_at(source, "mimeType")
    return text_at(source, "data") if named and not text_at(source, "text") else ""
