"""mini-SWE-agent: one run a `.traj.json` file (1.15 seen), or an early run's bare list of messages."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Refusal, SourceClass, Trajectory
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import (
    Record,
    count_at,
    list_at,
    object_at,
    read_head,
    read_json,
    text_at,
)
from mcp_memory.readers.runs import message_text, verdict
from mcp_memory.readers.tools import tool_call

FORMAT = "mini_swe_agent"
VERSION = 1

MAPPED = frozenset(
    {
        "info", "messages", "trajectory_format", "instance_id",
        "message:system", "message:user", "message:assistant",
    }
)  # fmt: skip
"""Keys of the file and roles of its messages that become part of a trajectory."""
LEFT_OUT = {
    "message:exit": "repeats how the run ended, which the file's own facts tell",
    "info:config": "settings of the program; its prompts stand in the messages",
    "info:submission": "the last message holds it",
}
"""Known keys and parts that are counted and not kept, with the reason."""

_LIST = re.compile(rb'\s*\[\s*\{\s*"role"\s*:\s*"system"')
_DESCRIPTION = re.compile(r"<pr_description>\s*(.*?)\s*</pr_description>", re.DOTALL)
_LEAD = "Consider the following PR description:\n"
_BLOCK = re.compile(r"```(?:bash|mswea_bash_command)[ \t]*\n(.*?)\n?```", re.DOTALL)
_RESULT = re.compile(r"\s*<returncode>(-?\d{1,6})</returncode>\s*")
_TIMED_OUT = re.compile(r"\s*The last command .{0,2000}? timed out", re.DOTALL)


def recognize(path: Path) -> bool:
    """Whether the file names a mini-SWE-agent version, or lists messages with its results."""
    head = read_head(path)
    if head.lstrip().startswith(b"{"):
        return b'"mini_version"' in head and b'"messages"' in head
    return bool(_LIST.match(head)) and b"<returncode>" in head


def read(path: Path) -> Iterator[Trajectory]:
    """The one run of a file."""
    refusals: list[Refusal] = []
    value = read_json(path, refusals)
    record = {"messages": value} if isinstance(value, list) else value
    yield _Run(record if isinstance(record, dict) else {}, refusals).trajectory(path)


class _Run:
    """What has been read of one run."""

    def __init__(self, record: Record, refusals: list[Refusal]) -> None:
        self._record = record
        self._refusals = refusals
        self._drafts = Drafts()
        self._skipped: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._models: dict[str, None] = {}
        self._tokens = [0, 0]
        self._asked: Draft | None = None
        """The agent's step whose command has no result yet."""

    def trajectory(self, path: Path) -> Trajectory:
        """The whole run."""
        info = object_at(self._record, "info")
        self._skipped.update(f"info:{key}" for key in ("config", "submission") if key in info)
        self._unknown.update(key[:80] for key in self._record if key not in MAPPED)
        for number, message in enumerate(list_at(self._record, "messages"), 1):
            if isinstance(message, dict):
                self._take(message, number)
            else:
                self._refusals.append(Refusal(where=f"message {number}", reason="not an object"))
        native_id = self._native_id(path)
        outcome, reason = verdict(info, handed_in="Submitted")
        lifetime = self._drafts.lifetime
        return Trajectory(
            id=refs.trajectory_id(FORMAT, native_id),
            format=FORMAT,
            native_id=native_id,
            title=text_at(self._record, "instance_id"),
            goal=self._drafts.goal,
            cwd=text_at(self._environment(info), "cwd") or None,
            model=next(iter(self._models), None),
            host_version=text_at(info, "mini_version") or None,
            started_at=lifetime.begun,
            ended_at=lifetime.ended,
            steps=tuple(draft.finished() for draft in self._drafts),
            verdict=outcome,
            verdict_reason=reason,
            tokens_in=self._tokens[0],
            tokens_out=self._tokens[1],
            skipped=dict(self._skipped),
            unknown=dict(self._unknown),
            refusals=tuple(self._refusals),
        )

    @staticmethod
    def _environment(info: Record) -> Record:
        return object_at(object_at(info, "config"), "environment")

    def _take(self, message: Record, number: int) -> None:
        role = text_at(message, "role")
        said = _plain(message)
        if role == "assistant":
            self._agent(message, said, number)
        elif role == "system":
            self._drafts.begin("boot", SourceClass.HOST, said)
        elif role == "user":
            self._user(said)
        elif role == "exit":
            self._skipped["message:exit"] += 1
        else:
            self._unknown[f"message:{role[:80]}"] += 1

    def _agent(self, message: Record, said: str, number: int) -> None:
        response = object_at(object_at(message, "extra"), "response")
        choice = next(iter(list_at(response, "choices")), None)
        answer, usage = object_at(choice, "message"), object_at(response, "usage")
        # The program runs a message's command only where there is just one.
        found = _BLOCK.findall(said)
        blocks = found if len(found) == 1 else []
        told = _BLOCK.sub("", said).strip() if blocks else said
        draft = self._drafts.begin("agent", SourceClass.AGENT, told)
        draft.at = moment(response.get("created"))
        draft.model = text_at(response, "model") or None
        self._models.update({draft.model: None} if draft.model else {})
        draft.reasons.append(text_at(answer, "reasoning") or text_at(answer, "reasoning_content"))
        self._tokens[0] += count_at(usage, "prompt_tokens")
        self._tokens[1] += count_at(usage, "completion_tokens")
        for command in blocks:
            call = tool_call(f"action-{number}", "bash", {"command": command})
            draft.calls[call.id] = call
        self._asked = draft if draft.calls else None

    def _user(self, said: str) -> None:
        result = _RESULT.match(said)
        asked, self._asked = self._asked, None
        if asked is not None:
            call = next(iter(asked.calls.values()))
            code = int(result[1]) if result else None
            seen = said[result.end() :] if result else said
            # The last command's output comes bare: whether it went well is not told.
            failed = bool(code) if result else True if _TIMED_OUT.match(said) else None
            asked.observations.append(
                Observation(call_id=call.id, text=seen, exit_code=code, failed=failed)
            )
        elif len(self._drafts) <= 1:
            self._request(said)
        else:
            self._drafts.begin("system", SourceClass.HOST, said)

    def _request(self, said: str) -> None:
        """The issue is the user's; the instructions round it are the program's."""
        described = _DESCRIPTION.search(said)
        if described is None:
            self._drafts.begin("user", SourceClass.USER, said)
            return
        self._drafts.begin("user", SourceClass.USER, described[1].removeprefix(_LEAD))
        rest = f"{said[: described.start()]}{said[described.end() :]}".strip()
        if rest:
            self._drafts.begin("boot", SourceClass.HOST, rest)

    def _native_id(self, path: Path) -> str:
        """The instance and the moment of the first answer; without one, all that was said."""
        if not self._drafts:
            return refs.short_hash(path.name.partition(".")[0])
        name = text_at(self._record, "instance_id")
        begun = next((draft.at for draft in self._drafts if draft.at), None)
        if begun is not None:
            return refs.short_hash(name, self._drafts.goal, begun.isoformat())
        told: list[str] = [text for draft in self._drafts for text in draft.texts]
        return refs.short_hash(name, *told)


def _plain(message: Record) -> str:
    return without_blobs(message_text(message).replace("\r\n", "\n").strip())
