"""Codex rollouts: one session a file, forks and sub-agents in their own (0.118 to 0.169 seen)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Trajectory
from mcp_memory.domain.remotes import normal
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.codex_turns import Turns
from mcp_memory.readers.jsonl import (
    Record,
    first_records,
    object_at,
    read_lines,
    refuse,
    text_at,
)
from mcp_memory.readers.tally import RECALLED, REPEATED, STATE

FORMAT = "codex"
VERSION = 2

LEFT_OUT = {
    **dict.fromkeys(
        (
            "world_state", "state", "inter_agent_communication_metadata", "token_usage_record",
            "event_msg/task_started", "event_msg/turn_started", "event_msg/thread_settings_applied",
            "event_msg/sub_agent_activity", "event_msg/entered_review_mode",
            "event_msg/thread_goal_updated", "event_msg/turn_diff",
            "response_item/ghost_snapshot", "response_item/tool_search_output",
        ),
        STATE,
    ),
    **dict.fromkeys(
        (
            "event_msg/user_message", "event_msg/agent_message", "event_msg/agent_reasoning",
            "event_msg/agent_reasoning_raw_content", "event_msg/task_complete",
            "event_msg/turn_complete", "event_msg/context_compacted", "event_msg/web_search_end",
            "event_msg/item_completed", "event_msg/dynamic_tool_call_request",
            "event_msg/dynamic_tool_call_response", "event_msg/view_image_tool_call",
            "event_msg/collab_agent_spawn_end", "event_msg/collab_waiting_end",
            "event_msg/collab_close_end", "event_msg/collab_agent_interaction_end",
            "event_msg/collab_resume_end", "response_item/compaction",
            "response_item/compaction_summary", "message:turn_aborted", "boot:repeated",
        ),
        REPEATED,
    ),
    "message:hook": RECALLED,
    "replayed line": "the parent's history, which a fork repeats before its own",
}  # fmt: skip
"""Known records that are counted and not kept, with the reason."""

_HEAD_LINES = 10


def recognize(path: Path) -> bool:
    """Whether one of the first lines opens a rollout, of today or of early 2025."""
    return any(_opens(record) for record in first_records(path, _HEAD_LINES))


def placed(path: Path) -> tuple[str, str]:
    """The folder and the remote of a rollout, by its first line alone; empty where it tells none.

    Raises:
        OSError: it cannot be opened.
    """
    for record in first_records(path, 1):
        meta = object_at(record, "payload")
        return text_at(meta, "cwd"), normal(text_at(object_at(meta, "git"), "repository_url"))
    return "", ""


def read(path: Path) -> Iterator[Trajectory]:
    """The one session of a file, without the history that a fork repeats."""
    file = _File(name=path.stem)
    for number, record in read_lines(path, file.turns.tally.refusals):
        file.take(number, record)
    yield file.trajectory()


@dataclass(slots=True)
class _File:
    """What has been read of one file."""

    name: str
    meta: Record = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    title: str = ""
    lifetime: Lifetime = field(default_factory=Lifetime)
    replays: bool = False
    repeated: str = ""
    """The session whose history the file repeats before its own."""

    @property
    def id(self) -> str:
        """The session's own id."""
        return text_at(self.meta, "id")

    def take(self, number: int, record: Record) -> None:
        """Read one record, enveloped or, in early files, bare."""
        kind, payload = _sorted(record)
        tally = self.turns.tally
        if kind != "session_meta" and self.replays and not self._owns(payload):
            tally.skipped["replayed line"] += 1
            return
        at = moment(record.get("timestamp"))
        self.lifetime.note(at)
        if not tally.keeps(kind, MAPPED, LEFT_OUT, untyped="record without type"):
            return
        if not payload:
            refuse(tally.refusals, number, f"{kind} without content")
        elif kind in _SESSION:
            _SESSION[kind](self, payload)
        else:
            self.turns.at(at)
            _SAID[kind](self.turns, payload)

    def open(self, meta: Record) -> None:
        """The session's facts; another session's, after them, open what a fork repeats of it."""
        if not self.meta:
            self.meta = meta
            source = object_at(meta, "source")
            spawned = object_at(object_at(source, "subagent"), "thread_spawn")
            self.turns.by_agent = "subagent" in source
            self.turns.path = text_at(spawned, "agent_path")
        elif text_at(meta, "id") not in ("", self.id):
            self.replays = True
            self.repeated = self.repeated or text_at(meta, "id")

    def context(self, payload: Record) -> None:
        """The model of what follows."""
        self.turns.model = text_at(payload, "model") or self.turns.model

    def rename(self, payload: Record) -> None:
        """What the host calls the session."""
        self.title = text_at(payload, "thread_name") or self.title

    def trajectory(self) -> Trajectory:
        """The session as far as it was written."""
        git, turns = object_at(self.meta, "git"), self.turns
        native_id = self.id or refs.short_hash(self.name)
        parent, origin = self._parent(), self._origin()
        return Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            title=self.title or text_at(self.meta, "agent_nickname"),
            goal=turns.drafts.goal,
            cwd=text_at(self.meta, "cwd") or None,
            git_branch=text_at(git, "branch") or None,
            git_commit=text_at(git, "commit_hash") or None,
            model=turns.model or None,
            host_version=text_at(self.meta, "cli_version") or None,
            parent=refs.trajectory_id(FORMAT, parent) if parent else None,
            origin=refs.trajectory_id(FORMAT, origin) if origin else None,
            remote=normal(text_at(git, "repository_url")),
            started_at=moment(self.meta.get("timestamp")) or self.lifetime.begun,
            ended_at=self.lifetime.ended,
            steps=tuple(d.finished(abandoned=d.number in turns.abandoned) for d in turns.drafts),
            tokens_in=turns.used[0],
            tokens_out=turns.used[1],
            **turns.tally.counts(),
        )

    def _owns(self, payload: Record) -> bool:
        """Ids grow with time (UUIDv7): a turn as young as the session is its own, as is the rest.

        Where ids are of another kind nothing in the file tells: all is read, and what the parent
        holds is known by its contents.
        """
        turn = text_at(payload, "turn_id")
        if turn and (turn >= self.id or not _grows(turn) or not _grows(self.id)):
            self.replays = False
        return not self.replays

    def _origin(self) -> str:
        return text_at(self.meta, "forked_from_id") or self.repeated

    def _parent(self) -> str:
        subagent = object_at(self.meta, "source").get("subagent")
        spawned = object_at(subagent, "thread_spawn")
        known = text_at(spawned, "parent_thread_id")
        return known or (text_at(self.meta, "parent_thread_id") if subagent else "")


def _grows(id_: str) -> bool:
    """Whether an id is of the kind that begins with its time."""
    return id_[14:15] == "7"


def _sorted(record: Record) -> tuple[str, Record]:
    """A record's kind and content; early files have no envelope."""
    kind, payload = text_at(record, "type"), record.get("payload")
    if isinstance(payload, dict):
        inner = text_at(payload, "type")
        return (f"{kind}/{inner}" if kind in ("response_item", "event_msg") else kind), payload
    if kind:
        bare = f"response_item/{kind}"
        return (bare, record) if bare in MAPPED or bare in LEFT_OUT else (kind, {})
    if "record_type" in record:
        return text_at(record, "record_type"), record
    return ("session_meta", record) if _opens_early(record) else ("", {})


def _opens(record: Record) -> bool:
    meta = object_at(record, "payload")
    today = text_at(record, "type") == "session_meta" and {"id", "cwd"} <= meta.keys()
    return today or _opens_early(record)


def _opens_early(record: Record) -> bool:
    return {"id", "timestamp", "instructions"} <= record.keys() and "type" not in record


_SESSION: dict[str, Callable[[_File, Record], None]] = {
    "session_meta": _File.open,
    "turn_context": _File.context,
    "event_msg/thread_name_updated": _File.rename,
}
_SAID: dict[str, Callable[[Turns, Record], None]] = {
    "compacted": Turns.compact,
    "response_item/message": Turns.message,
    "response_item/reasoning": Turns.reason,
    "response_item/function_call": Turns.function,
    "response_item/function_call_output": Turns.output,
    "response_item/custom_tool_call": Turns.custom,
    "response_item/custom_tool_call_output": Turns.output,
    "response_item/local_shell_call": Turns.local_shell,
    "response_item/web_search_call": Turns.web_search,
    "response_item/tool_search_call": Turns.tool_search,
    "response_item/agent_message": Turns.told_by_agent,
    "event_msg/exec_command_end": Turns.command_end,
    "event_msg/patch_apply_end": Turns.patch_end,
    "event_msg/mcp_tool_call_end": Turns.server_end,
    "event_msg/token_count": Turns.tokens,
    "event_msg/turn_aborted": Turns.abort,
    "event_msg/thread_rolled_back": Turns.roll_back,
    "event_msg/error": Turns.host_says,
    "event_msg/warning": Turns.host_says,
    "event_msg/stream_error": Turns.host_says,
    "event_msg/exited_review_mode": Turns.review,
}
MAPPED = frozenset({*_SESSION, *_SAID})
"""Records that become part of a trajectory."""
