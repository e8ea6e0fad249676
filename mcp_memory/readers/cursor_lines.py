"""Lines of Cursor's plain transcripts: a role with its blocks; calls have no ids, few have results."""

import re
from collections import Counter
from datetime import datetime
from typing import Any

from mcp_memory.domain import refs
from mcp_memory.domain.models import Observation, Refusal, SourceClass
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.cursor_words import said
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, list_at, object_at, refuse, text_at
from mcp_memory.readers.tools import source_of, tool_call, unfed

BLOCKS = frozenset(
    {"user:text", "user:tool_result", "assistant:text", "assistant:thinking", "assistant:tool_use"}
    | {"assistant:tool_result", "turn_ended"}
)
_LEFT = "assistant:redacted_thinking"
_WORKSPACE = re.compile(r"^Workspace Path: (\S.{0,1000})$", re.MULTILINE)


class Lines:
    """What has been read of one transcript."""

    def __init__(self, refusals: list[Refusal]) -> None:
        self.drafts = Drafts()
        self.unknown: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.lifetime = Lifetime()
        self.folder: str | None = None
        self.status = ""
        self.first = ""
        """A hash of the first line: all that names a transcript whose file was renamed."""
        self._refusals = refusals
        self._open: dict[str, Draft] = {}
        """Calls without a result, in order."""

    def take(self, number: int, record: Record) -> None:
        """One line."""
        role = text_at(record, "role")
        content = object_at(record, "message").get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blocks = blocks if isinstance(blocks, list) else []
        if not self.first:
            texts = (text_at(block, "text") for block in blocks)
            self.first = refs.short_hash(role, *texts)
        at = moment(record.get("timestamp"))
        self.lifetime.note(at)
        if role in ("user", "assistant"):
            self._open = {} if role == "user" and _speaks(blocks) else self._open
            self._message(number, role, blocks, at)
        elif text_at(record, "type") == "turn_ended":
            self.status = text_at(record, "status")[:80]
        else:
            self.unknown[f"{role or text_at(record, 'type')}"[:80]] += 1

    def _message(self, number: int, role: str, blocks: list[Any], at: datetime | None) -> None:
        draft = None
        for place, block in enumerate(blocks, 1):
            kind = f"{role}:{text_at(block, 'type')}"[:80]
            if not isinstance(block, dict):
                refuse(self._refusals, number, "a block that is not an object")
            elif kind == _LEFT:
                self.skipped[kind] += 1
            elif kind == "user:text":
                self._user(text_at(block, "text"), at)
            elif kind.endswith(":tool_result"):
                self._result(number, block)
            elif role == "assistant":
                draft = draft or self.drafts.begin("agent", SourceClass.AGENT, at=at)
                self._agent(draft, kind, block, f"call-{number}-{place}")
            else:
                self.unknown[kind] += 1

    def _user(self, text: str, at: datetime | None) -> None:
        for part in said(text):
            if self.folder is None and part.kind == "system":
                found = _WORKSPACE.search(part.text)
                self.folder = found[1].strip() if found else None
            self.drafts.begin(part.kind, part.source, without_blobs(part.text), at=at)

    def _agent(self, draft: Draft, kind: str, block: Record, otherwise: str) -> None:
        if kind == "assistant:text":
            draft.texts.append(without_blobs(text_at(block, "text")))
        elif kind == "assistant:thinking":
            draft.reasons.append(
                without_blobs(text_at(block, "thinking") or text_at(block, "text"))
            )
        elif kind == "assistant:tool_use":
            call_id = text_at(block, "id") or otherwise
            call = tool_call(call_id, text_at(block, "name"), object_at(block, "input"))
            draft.calls[call_id] = call
            self._open[call_id] = draft
        else:
            self.unknown[kind] += 1

    def _result(self, number: int, block: Record) -> None:
        named = text_at(block, "tool_use_id")
        call_id = named if named in self._open else "" if named else next(iter(self._open), "")
        content = block.get("content")
        texts = [text_at(part, "text") for part in list_at(block, "content")]
        text = content if isinstance(content, str) else "\n".join(filter(None, texts))
        failed = block.get("is_error")
        draft = self._open.pop(call_id, None)
        if draft is None:
            refuse(self._refusals, number, "a result without a call")
            self.drafts.begin("system", SourceClass.TOOL, without_blobs(text))
            return
        name = draft.calls[call_id].name
        seen = Observation(
            call_id=call_id,
            text=without_blobs(text),
            failed=failed if isinstance(failed, bool) else None,
            source=source_of(name),
        )
        draft.observations.append(unfed(name, seen))


def _speaks(blocks: list[Any]) -> bool:
    return any(text_at(block, "type") == "text" for block in blocks)
