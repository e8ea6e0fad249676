"""Copilot CLI: the `events.jsonl` of a session and of its sub-agents (1.0.64 seen)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_memory.domain import refs
from mcp_memory.domain.models import Outcome, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.copilot_agent import Agent
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    first_records,
    object_at,
    read_lines,
    refuse,
    text_at,
)
from mcp_memory.readers.naming import facts_in, named_id
from mcp_memory.readers.tally import RECALLED, REPEATED, STATE, Tally
from mcp_memory.readers.vscode_calls import path_of

FORMAT = "copilot_cli"
VERSION = 2

_PART = re.compile(r"partition-(\d{1,6})\.jsonl")

LEFT_OUT = {
    **dict.fromkeys(
        (
            "session.permissions_changed", "session.mode_changed", "session.plan_changed",
            "session.todos_changed", "session.workspace_file_changed", "session.usage_info",
            "session.usage_checkpoint", "session.idle", "session.truncation",
            "session.compaction_start", "assistant.turn_start", "assistant.turn_end",
            "assistant.usage", "subagent.selected", "subagent.deselected", "subagent.configured",
            "command.queued", "command.execute", "command.completed",
        ),
        STATE,
    ),
    **dict.fromkeys(
        (
            "session.task_complete", "assistant.intent", "assistant.message_delta",
            "assistant.reasoning_delta", "tool.execution_partial_result",
            "tool.execution_progress", "user_input.requested", "user_input.completed",
            "external_tool.requested", "external_tool.completed", "subagent.completed",
            "system.message:repeated", "replayed line", "user.message_rendered",
        ),
        REPEATED,
    ),
    **dict.fromkeys(
        ("hook.start", "hook.end", "hook.progress"),
        f"{RECALLED}, and repeated results",
    ),
}  # fmt: skip
"""Known events that are counted and not kept, with the reason."""


def recognize(path: Path) -> bool:
    """Whether one of the first lines is an event of this host."""
    return any(_is_event(record) for record in first_records(path, 10))


def read(path: Path) -> Iterator[Trajectory]:
    """The session, then its sub-agents."""
    file = _File(name=path.stem)
    for part in _parts(path):
        for number, record in read_lines(part, file.tally.refusals):
            file.take(number, record)
    _place(file, path)
    yield from file.trajectories()


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    name: str
    first: str = ""
    agents: dict[str, Agent] = field(default_factory=lambda: {"": Agent()})
    started: Record = field(default_factory=dict)
    context: Record = field(default_factory=dict)
    title: str = ""
    model: str = ""
    used: tuple[int, int] = (0, 0)
    ending: str = ""
    seen: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def take(self, number: int, record: Record) -> None:
        """Read one event."""
        kind, event = text_at(record, "type"), text_at(record, "id")
        if event and event in self.seen:
            self.tally.skipped["replayed line"] += 1
            return
        self.seen.add(event)
        self.first = self.first or event
        data = object_at(record, "data")
        agent = self._agent_of(record, data)
        agent.note(record)
        if not self.tally.keeps(kind, MAPPED, LEFT_OUT, untyped="event without type"):
            return
        if not data:
            refuse(self.tally.refusals, number, f"{kind} without data")
        elif kind in _SESSION:
            _SESSION[kind](self, data)
        else:
            _SPOKEN[kind](agent, record, data)

    def trajectories(self) -> Iterator[Trajectory]:
        """The session and its sub-agents; file-wide counts stand on the first."""
        # Every file has the same name: where the start is lost, its first event tells it apart.
        native_id = text_at(self.started, "sessionId") or refs.short_hash(self.first or self.name)
        main = self.agents[""]
        for agent in self.agents.values():
            self.tally.skipped.update(agent.skipped)
        failed = self.ending == "error"
        yield self._trajectory(native_id, main).model_copy(
            update={
                "title": self.title,
                "started_at": moment(self.started.get("startTime")) or main.lifetime.begun,
                "tokens_in": self.used[0],
                "tokens_out": max(self.used[1], main.written),
                "verdict": Outcome.FAILURE if failed else Outcome.UNKNOWN,
                "verdict_reason": "the host shut down on an error" if failed else "",
                **self.tally.counts(),
            }
        )
        for key, agent in self.agents.items():
            if key and agent.drafts:
                sub = self._trajectory(f"{native_id}/{key}", agent)
                parent = refs.trajectory_id(FORMAT, native_id)
                yield sub.model_copy(update={"parent": parent, "title": agent.title})

    def _trajectory(self, native_id: str, agent: Agent) -> Trajectory:
        return Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            goal=agent.drafts.goal,
            cwd=text_at(self.context, "cwd") or None,
            git_branch=text_at(self.context, "branch") or None,
            git_commit=text_at(self.context, "headCommit") or None,
            model=agent.model or self.model or None,
            host_version=text_at(self.started, "copilotVersion") or None,
            started_at=agent.lifetime.begun,
            ended_at=agent.lifetime.ended,
            steps=tuple(d.finished(abandoned=d.number in agent.abandoned) for d in agent.drafts),
            tokens_out=agent.written,
        )

    def _agent_of(self, record: Record, data: Record) -> Agent:
        """Whose event it is: old files name the call that started a sub-agent, new ones the agent."""
        key = text_at(record, "agentId") or text_at(data, "parentToolCallId")
        if not key:
            return self.agents[""]
        if key not in self.agents:
            self.agents[key] = Agent(caller=self.agents[""])
        return self.agents[key]

    def start(self, data: Record) -> None:
        """The session's facts; the first say where it began, the last by which version."""
        self.started = {**data, **{k: v for k, v in self.started.items() if k != "copilotVersion"}}
        self.context = self.context or object_at(data, "context")
        self.model = text_at(data, "selectedModel") or self.model

    def resume(self, data: Record) -> None:
        """The session goes on, perhaps by another model."""
        self.context = self.context or object_at(data, "context")
        self.model = text_at(data, "selectedModel") or self.model

    def change_context(self, data: Record) -> None:
        """Another folder or branch; where the session began stays."""
        self.context = self.context or data

    def change_model(self, data: Record) -> None:
        """The model that answers from here on."""
        self.model = text_at(data, "newModel") or self.model

    def change_title(self, data: Record) -> None:
        """What the host calls the session."""
        self.title = text_at(data, "title") or self.title

    def shutdown(self, data: Record) -> None:
        """How it ended, and what it used in all."""
        self.ending = text_at(data, "shutdownType")
        usages = [object_at(told, "usage") for told in object_at(data, "modelMetrics").values()]
        # A session that was resumed ends more than once, with what it used until then.
        self.used = (
            max(self.used[0], sum(count_at(usage, "inputTokens") for usage in usages)),
            max(self.used[1], sum(count_at(usage, "outputTokens") for usage in usages)),
        )


def _parts(path: Path) -> list[Path]:
    """The files of a session: in JetBrains editors it has several, each named after its number."""
    if not _PART.match(path.name):
        return [path]
    found = {
        int(part[1]): file
        for file in path.absolute().parent.iterdir()
        if (part := _PART.match(file.name)) and file.is_file() and not file.is_symlink()
    }
    return [found[number] for number in sorted(found)] or [path]


def _place(file: _File, path: Path) -> None:
    """What the place of a file tells of its session, where its events do not."""
    folder = path.absolute().parent
    if _PART.match(path.name) and not file.started and (named := named_id(folder.name)):
        file.started["sessionId"] = named
    if folder.name == "transcripts" and not text_at(file.context, "cwd"):
        told = text_at(facts_in(folder.parents[1] / "workspace.json"), "folder")
        file.context = {**file.context, "cwd": path_of(told)} if told else file.context


def _is_event(record: Record) -> bool:
    kind, data = text_at(record, "type"), record.get("data")
    known = "." in kind and (kind in MAPPED or kind in LEFT_OUT)
    if not known or not isinstance(data, dict):
        return False
    return "copilotVersion" in data or {"id", "parentId", "timestamp"} <= record.keys()


def _told(source: SourceClass, *keys: str) -> Callable[[Agent, Record, Record], None]:
    def tell(agent: Agent, record: Record, data: Record) -> None:
        texts = [text for key in keys if (text := text_at(data, key))]
        label = f"[{text_at(record, 'type')}]"
        by_user = source is SourceClass.HOST and text_at(data, "reason").startswith("user")
        said_by = SourceClass.USER if by_user else source
        agent.add(record, "system", said_by, "\n".join((f"{label} {texts[0]}", *texts[1:]))
                  if texts else label)  # fmt: skip

    return tell


_SESSION: dict[str, Callable[[_File, Record], None]] = {
    "session.start": _File.start,
    "session.resume": _File.resume,
    "session.context_changed": _File.change_context,
    "session.model_change": _File.change_model,
    "session.title_changed": _File.change_title,
    "session.shutdown": _File.shutdown,
}
_SPOKEN: dict[str, Callable[[Agent, Record, Record], Any]] = {
    "user.message": Agent.user,
    "assistant.message": Agent.message,
    "assistant.reasoning": Agent.reason,
    "system.message": Agent.boot,
    "tool.user_requested": Agent.ran_by_user,
    "tool.execution_start": Agent.start,
    "tool.execution_complete": Agent.complete,
    "permission.requested": Agent.ask,
    "permission.completed": Agent.decide,
    "subagent.started": Agent.began,
    "session.compaction_complete": Agent.compact,
    "session.snapshot_rewind": Agent.rewind,
    "session.info": _told(SourceClass.HOST, "message"),
    "session.warning": _told(SourceClass.HOST, "message"),
    "session.error": _told(SourceClass.HOST, "message"),
    "session.handoff": _told(SourceClass.HOST, "summary"),
    "model.call_failure": _told(SourceClass.HOST, "errorMessage"),
    "system.notification": _told(SourceClass.HOST, "content"),
    "subagent.failed": _told(SourceClass.HOST, "agentName", "error"),
    "skill.invoked": _told(SourceClass.EXTERNAL, "name", "content"),
    "abort": _told(SourceClass.HOST, "reason"),
}
MAPPED = frozenset({*_SESSION, *_SPOKEN})
"""Events that become part of a trajectory."""
