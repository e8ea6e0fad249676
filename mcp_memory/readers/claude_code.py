"""Claude Code: JSONL sessions and sub-agent files of `~/.claude` (1.0.98 to 2.1.330 seen)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import SourceClass, Trajectory
from mcp_memory.readers.claude_chain import (
    Chain,
    attached_text,
    block_text,
    blocks_of,
    content_text,
    grown,
)
from mcp_memory.readers.claude_files import Outputs, cowork_facts
from mcp_memory.readers.jsonl import (
    Record,
    head_records,
    object_at,
    read_head,
    read_lines,
    refuse,
    text_at,
)
from mcp_memory.readers.tally import RECALLED, REPEATED, STATE, Counts, Tally

FORMAT = "claude_code"
VERSION = 2

MAPPED = frozenset(
    {
        "user", "user:text", "user:image", "user:document", "user:tool_result",
        "assistant", "assistant:text", "assistant:thinking", "assistant:tool_use",
        "assistant:server_tool_use", "assistant:mcp_tool_use", "assistant:web_search_tool_result",
        "assistant:mcp_tool_result", "assistant:image",
        "system", "system/local_command", "system/away_summary", "system/api_error",
        "system/informational", "system/model_refusal_fallback",
        "attachment/queued_command", "attachment/nested_memory", "attachment/prompt_snapshot",
        "attachment/edited_text_file", "attachment/diagnostics", "attachment/file",
        "progress/agent_progress", "summary", "ai-title", "custom-title", "agent-name", "pr-link",
        "tool", "queue-operation",
    }
)  # fmt: skip
"""Records (`type/subtype`) and content blocks (`type:block`) that become part of a trajectory."""

_REMINDER = "a reminder that the program writes to the model"
LEFT_OUT = {
    **dict.fromkeys(
        (
            "file-history-snapshot", "file-history-delta", "mode", "permission-mode",
            "bridge-session", "frame-link", "worktree-state", "tools-used", "atis-latch", "cost-state",
            "system/stop_hook_summary", "system/turn_duration", "system/bridge_status",
            "system/microcompact_boundary", "attachment/command_permissions", "attachment/model",
            "attachment/environment", "attachment/session_context", "attachment/date",
            "attachment/date_change", "attachment/auto_mode", "attachment/auto_mode_exit",
            "attachment/ultra_effort_enter", "attachment/opened_file_in_ide",
            "attachment/selected_lines_in_ide", "attachment/directory", "attachment/goal_status",
            "attachment/compact_file_reference", "assistant:fallback",
        ),
        STATE,
    ),
    **dict.fromkeys(
        (
            "attachment/hook_success", "attachment/hook_additional_context",
            "attachment/hook_system_message", "attachment/hook_non_blocking_error",
            "attachment/hook_cancelled", "progress/hook_progress",
        ),
        RECALLED,
    ),
    **dict.fromkeys(
        (
            "attachment/task_reminder", "attachment/deferred_tools_delta",
            "attachment/skill_listing", "attachment/mcp_instructions_delta",
            "attachment/agent_listing_delta", "attachment/remote_session_change",
            "attachment/plan_mode", "attachment/plan_mode_exit", "attachment/plan_mode_reentry",
        ),
        _REMINDER,
    ),
    **dict.fromkeys(
        (
            "last-prompt", "api-request", "api-request-blob",
            "api-request-shape", "progress/bash_progress", "progress/mcp_progress",
            "progress/waiting_for_task", "progress/query_update",
            "progress/search_results_received", "user:tool_reference",
        ),
        REPEATED,
    ),
    "warm-up agent": "started in advance, asked nothing by anybody",
    "system/compact_boundary": "its summary follows as a line of its own",
    "assistant:redacted_thinking": "encrypted",
}  # fmt: skip
"""Known records and blocks that are counted and not kept, with the reason."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WARMUP = "warmup"
_SUBTYPED = {"system": "", "attachment": "attachment", "progress": "data"}


def recognize(path: Path) -> bool:
    """Whether one of the first lines is a record of this host."""
    head = read_head(path)
    if any(_is_record(record) for record in head_records(head, 40)):
        return True
    # A first line of more than a megabyte, such as a pasted picture, is cut by the head.
    cut = b"\n" not in head and head.lstrip().startswith(b"{") and b'"parts":' not in head
    return cut and b'"parentUuid":' in head and b'"sessionId":' in head


def read(path: Path) -> Iterator[Trajectory]:
    """The session, then its sub-agents where they are recorded inline."""
    file = _File(name=path.stem, own_agents=_agents_have_files(path))
    file.outputs.place = path
    for number, record in read_lines(path, file.tally.refusals):
        file.take(number, record)
    facts = cowork_facts(path)
    for trajectory in file.trajectories():
        yield trajectory.model_copy(update=facts) if facts else trajectory


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    name: str
    own_agents: bool
    chains: dict[str, Chain] = field(default_factory=lambda: {"": Chain()})
    branches: dict[str, str] = field(default_factory=dict)
    ids: dict[str, None] = field(default_factory=dict)
    speaker: str = ""
    titles: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)
    outputs: Outputs = field(default_factory=Outputs)

    def take(self, number: int, record: Record) -> None:
        """Read one record."""
        kind = text_at(record, "type")
        if self._replayed(record):
            return
        if not kind:
            refuse(self.tally.refusals, number, "a record without a type")
            return
        chain = self._chain_of(record)
        chain.note(record)
        if not self._keeps(_name(record)):
            return
        if kind in ("user", "assistant") and not object_at(record, "message"):
            refuse(self.tally.refusals, number, f"{kind} record without a message")
        elif kind == "progress":
            self._agent_progress(number, record)
        elif kind in _TAKERS:
            _TAKERS[kind](self, chain, record)
        else:
            self._title(record)

    def trajectories(self) -> Iterator[Trajectory]:
        """The session and its sub-agents; file-wide counts stand on the first."""
        native_id = self._native_id()
        warmed = sum(_warms_up(chain) for agent, chain in self.chains.items() if agent)
        self.tally.skipped.update({"warm-up agent": warmed} if warmed else {})
        counts = self.tally.counts()
        for agent, chain in self.chains.items():
            if agent and _warms_up(chain):
                continue
            if chain.drafts or self._only_faults():
                yield self._trajectory(native_id, agent, chain, counts)
                counts = Tally().counts()

    def _only_faults(self) -> bool:
        return len(self.chains) == 1 and bool(
            self.ids and (self.tally.refusals or self.tally.unknown)
        )

    def _replayed(self, record: Record) -> bool:
        """Whether the line stood in the file before; a new one is remembered."""
        uuid, session_id = text_at(record, "uuid"), text_at(record, "sessionId")
        if uuid and uuid in self.seen:
            self.tally.skipped["replayed line"] += 1
            return True
        self.seen.update((uuid,) if uuid else ())
        if session_id:
            self.ids.setdefault(session_id)
            if text_at(record, "type") == "assistant":
                self.speaker = self.speaker or session_id
        return False

    def _keeps(self, name: str) -> bool:
        return self.tally.keeps(name, MAPPED, LEFT_OUT, untyped="")

    def _chain_of(self, record: Record) -> Chain:
        if record.get("isSidechain") is not True:
            return self.chains[""]
        uuid, parent = text_at(record, "uuid"), text_at(record, "parentUuid")
        agent = text_at(record, "agentId") or self.branches.get(parent) or uuid or "agent"
        if uuid:
            self.branches[uuid] = agent
        return self.chains.setdefault(agent, Chain())

    def _native_id(self) -> str:
        """The id in the file's name where its lines know it, else the first the agent used."""
        named = next((id_ for id_ in _UUID.findall(self.name.lower()) if id_ in self.ids), "")
        first = next(iter(self.ids), "")
        return named or self.speaker or first or refs.short_hash(self.name)

    def _trajectory(self, native_id: str, agent: str, chain: Chain, counts: Counts) -> Trajectory:
        abandoned = chain.abandoned()
        full_id = f"{native_id}/{agent}" if agent else native_id
        return Trajectory(
            id=refs.trajectory_id(FORMAT, full_id),
            format=FORMAT,
            native_id=full_id,
            title="" if agent else self._best_title(chain),
            goal=chain.drafts.goal,
            cwd=chain.facts.get("cwd"),
            git_branch=chain.facts.get("gitBranch"),
            model=chain.facts.get("model"),
            host_version=chain.facts.get("version"),
            parent=refs.trajectory_id(FORMAT, native_id) if agent else None,
            started_at=chain.lifetime.begun,
            ended_at=chain.lifetime.ended,
            steps=tuple(d.finished(abandoned=d.number in abandoned) for d in chain.drafts),
            tokens_in=sum(read for read, _ in chain.tokens.values()),
            tokens_out=sum(written for _, written in chain.tokens.values()),
            **counts,
        )

    def _best_title(self, chain: Chain) -> str:
        # A summary may title another session: only one whose leaf is a line of this file counts.
        own = [text for leaf, text in self.summaries.items() if leaf in chain.parents]
        kinds = ("custom-title", "agent-name", "ai-title")
        return next((self.titles[kind] for kind in kinds if kind in self.titles), "".join(own[-1:]))

    def _title(self, record: Record) -> None:
        kind = text_at(record, "type")
        key = {"custom-title": "customTitle", "agent-name": "agentName", "ai-title": "aiTitle"}
        if kind == "summary":
            self.summaries[text_at(record, "leafUuid")] = text_at(record, "summary")
        elif title := text_at(record, key[kind]):
            self.titles[kind] = title

    def take_user(self, chain: Chain, record: Record) -> None:
        """A person's words, or the results of tools."""
        said: list[str] = []
        for block in blocks_of(record):
            kind = text_at(block, "type")
            if not self._keeps(f"user:{kind}"):
                continue
            if kind == "tool_result":
                chain.observe(record, self.outputs.whole(record, block))
            else:
                said.append(block_text(block))
        if text := "\n".join(said).strip():
            chain.say(record, text)

    def take_assistant(self, chain: Chain, record: Record) -> None:
        """A line of one API message."""
        message = object_at(record, "message")
        if record.get("isApiErrorMessage") is True or message.get("model") == "<synthetic>":
            chain.add(record, "system", SourceClass.HOST, content_text(message.get("content")))
            return
        draft = chain.message(record)
        for block in blocks_of(record):
            kind = text_at(block, "type")
            if not self._keeps(f"assistant:{kind}"):
                continue
            if kind == "thinking":
                grown(draft.reasons, text_at(block, "thinking"))
            elif kind.endswith("tool_use"):
                chain.call(draft, block)
            elif kind.endswith("tool_result"):
                chain.observe(record, block)
            else:
                grown(draft.texts, block_text(block))

    def take_system(self, chain: Chain, record: Record) -> None:
        """What the host told the user."""
        kind = text_at(record, "subtype")
        said = content_text(record.get("content"))
        if kind == "local_command":
            chain.say(record, said)
        elif kind == "away_summary":
            chain.add(record, "summary", SourceClass.AGENT, said)
        else:
            said = said or text_at(object_at(record, "error"), "message")
            chain.add(record, "system", SourceClass.HOST, f"[{kind or 'system'}] {said}".strip())

    def take_attachment(self, chain: Chain, record: Record) -> None:
        """What the host laid beside a message."""
        attached = object_at(record, "attachment")
        kind = text_at(attached, "type")
        if kind == "queued_command":
            chain.say(record, content_text(attached.get("prompt")), attached=True)
        elif kind == "nested_memory":
            content = object_at(attached, "content")
            chain.once(
                record, "boot", f"{text_at(attached, 'path')}\n{text_at(content, 'content')}"
            )
        elif kind == "prompt_snapshot":
            chain.once(record, "boot", content_text(attached.get("systemPrompt")))
        else:
            shown = f"[{kind}] {text_at(attached, 'filename')}\n{attached_text(attached)}".rstrip()
            chain.add(record, "system", SourceClass.EXTERNAL, shown)

    def _agent_progress(self, number: int, record: Record) -> None:
        """A sub-agent's record inside its parent's: kept where no file of its own has it."""
        if self.own_agents:
            self.tally.skipped["progress/agent_progress"] += 1
            return
        data = object_at(record, "data")
        shared = {key: record.get(key) for key in ("sessionId", "cwd", "gitBranch", "version")}
        agent = text_at(data, "agentId")
        if text_at(object_at(data, "message"), "type") in ("user", "assistant"):
            inner = object_at(data, "message")
            self.take(number, {**shared, **inner, "isSidechain": True, "agentId": agent})
        else:
            self.tally.unknown["progress/agent_progress:"] += 1


def _pull_request(_: _File, chain: Chain, record: Record) -> None:
    chain.once(record, "system", f"[pr-link] {text_at(record, 'prUrl')}")


def _queue(file: _File, chain: Chain, record: Record) -> None:
    """What was typed while the agent worked; it may come again as a message, or never."""
    del file
    if text_at(record, "operation") == "enqueue":
        chain.wait(record, content_text(record.get("content")))
    elif (operation := text_at(record, "operation")) in ("dequeue", "remove"):
        chain.queue.give(within=operation == "remove")
    elif text_at(record, "operation") == "popAll":
        chain.queue.withdraw()


def _tool(file: _File, chain: Chain, record: Record) -> None:
    """A call with its result in one record: other agents' sessions, kept in this host's form."""
    message, id_ = object_at(record, "message"), text_at(record, "uuid")
    call = {
        "type": "tool_use",
        "id": id_,
        "name": text_at(message, "tool_name"),
        "input": object_at(message, "tool_input"),
    }
    result = {
        "type": "tool_result",
        "tool_use_id": id_,
        "content": message.get("tool_output"),
        "is_error": text_at(message, "status") in {"error", "failed", "failure"},
    }
    file.take_assistant(chain, {**record, "message": {"role": "assistant", "content": [call]}})
    file.take_user(chain, {**record, "message": {"role": "user", "content": [result]}})


_TAKERS: dict[str, Callable[[_File, Chain, Record], None]] = {
    "user": _File.take_user,
    "assistant": _File.take_assistant,
    "system": _File.take_system,
    "attachment": _File.take_attachment,
    "pr-link": _pull_request,
    "queue-operation": _queue,
    "tool": _tool,
}


def _warms_up(chain: Chain) -> bool:
    """Whether a sub-agent was only started in advance, as versions 2.0.2x did."""
    first = next((text for draft in chain.drafts for text in draft.texts), "")
    return first.strip().lower() == _WARMUP


def _is_record(record: Record) -> bool:
    known = _name(record) in MAPPED or _name(record) in LEFT_OUT
    belongs = {"sessionId", "leafUuid", "messageId"} & record.keys()
    # Qwen Code writes Gemini's messages, of parts, in this host's envelope.
    others = "payload" in record or "parts" in object_at(record, "message")
    return known and bool(belongs) and not others


def _agents_have_files(path: Path) -> bool:
    return (path.parent / path.name.partition(".")[0] / "subagents").is_dir()


def _name(record: Record) -> str:
    kind = text_at(record, "type")
    if kind not in _SUBTYPED:
        return kind[:80]
    inner = object_at(record, _SUBTYPED[kind]) if _SUBTYPED[kind] else record
    subtype = text_at(inner, "type" if _SUBTYPED[kind] else "subtype")
    return f"{kind}/{subtype}"[:80] if subtype else kind
