"""Bubbles of Cursor: what a person or the agent said, with at most one call and its result."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.cursor_words import said
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, count_at, list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed
from mcp_memory.readers.vscode_calls import path_of

_USER, _AGENT = frozenset({1, "user"}), frozenset({2, "ai"})
_RESULTS = ("output", "contents", "content", "text", "error", "message")
"""Where a result keeps the text that the agent saw."""


class Bubbles:
    """What has been read of one conversation."""

    def __init__(self, refusals: list[Refusal], code: Record) -> None:
        self.drafts = Drafts()
        self.refusals = refusals
        self.unknown: Counter[str] = Counter()
        self.lifetime = Lifetime()
        self.models: dict[str, None] = {}
        self.tokens_in = self.tokens_out = 0
        self.folder: str | None = None
        self._code = code

    def take(self, number: int, bubble: Any) -> None:
        """One bubble."""
        if not isinstance(bubble, dict):
            self.refusals.append(Refusal(where=f"bubble {number}", reason="not an object"))
            return
        at = moment(bubble.get("createdAt"))
        self.lifetime.note(at)
        for uri in list_at(bubble, "workspaceUris"):
            self.folder = self.folder or path_of(uri) or None
        kind = bubble.get("type")
        if isinstance(kind, int | str) and kind in _USER:
            self._user(bubble, at)
        elif isinstance(kind, int | str) and kind in _AGENT:
            self._agent(number, bubble, at)
        else:
            self.unknown[f"bubble/{kind}"[:80]] += 1

    def _user(self, bubble: Record, at: datetime | None) -> None:
        for part in said(text_at(bubble, "text")):
            self.drafts.begin(part.kind, part.source, without_blobs(part.text), at=at)
        context = object_at(bubble, "context") or bubble
        for kept in list_at(context, "selections"):
            text = f"{path_of(object_at(kept, 'uri'))}\n{text_at(kept, 'rawText')}".strip()
            if text:
                self.drafts.begin("system", SourceClass.EXTERNAL, without_blobs(text), at=at)

    def _agent(self, number: int, bubble: Record, at: datetime | None) -> None:
        text = text_at(bubble, "text") or text_at(bubble, "rawText")
        thought = text_at(object_at(bubble, "thinking"), "text")
        tool, blocks = object_at(bubble, "toolFormerData"), list_at(bubble, "codeBlocks")
        self._count(bubble)
        called = bool(text_at(tool, "name") or text_at(tool, "toolCallId"))
        if not (text or thought or called or blocks):
            return
        draft = self.drafts.begin("agent", SourceClass.AGENT, without_blobs(text), at=at)
        name = text_at(object_at(bubble, "modelInfo"), "modelName") or text_at(bubble, "modelType")
        draft.model = name or None
        if name:
            self.models.setdefault(name)
        if thought:
            draft.reasons.append(without_blobs(thought))
        if called:
            _call(draft, tool, f"call-{number}")
        for place, block in enumerate(blocks, 1):
            self._block(draft, block, f"code-{number}-{place}")

    def _count(self, bubble: Record) -> None:
        tokens = object_at(bubble, "tokenCount")
        self.tokens_in += count_at(tokens, "inputTokens")
        self.tokens_out += count_at(tokens, "outputTokens")

    def _block(self, draft: Draft, block: Any, call_id: str) -> None:
        """Code for a file: its text stands in what was said, here is what became of it."""
        uri = object_at(block, "uri")
        path = path_of(uri) or text_at(uri, "path")
        if not path or "version" not in block:
            return
        status = self._status(text_at(uri, "external") or f"file://{path}", block["version"])
        call = tool_call(call_id, "code_block", {"path": path})
        draft.calls[call_id] = call.model_copy(update={"edits": status == "accepted"})
        if status in {"accepted", "rejected"}:
            draft.observations.append(
                Observation(
                    call_id=call_id,
                    text=status,
                    failed=status == "rejected",
                    source=SourceClass.USER,
                )
            )

    def _status(self, address: str, version: object) -> str:
        states = [s for s in list_at(self._code, address) if isinstance(s, dict)]
        return next((text_at(s, "status") for s in states if s.get("version") == version), "")


def _call(draft: Draft, tool: Record, otherwise: str) -> None:
    name = text_at(tool, "name")
    arguments = _object(tool.get("rawArgs")) or {}
    # What the model asked for is short of the content of an edit; the program's form has it.
    arguments = {**(_object(tool.get("params")) or {}), **arguments}
    call = tool_call(text_at(tool, "toolCallId") or otherwise, name, arguments)
    draft.calls[call.id] = call
    seen = _seen(tool, name, call.id)
    if seen:
        draft.observations.append(unfed(_asked(name), seen))


def _seen(tool: Record, name: str, call_id: str) -> Observation | None:
    raw, status = tool.get("result"), text_at(tool, "status")
    result = _object(raw) or {}
    error = _object(tool.get("error")) or {}
    refused = text_at(tool, "userDecision") == "rejected" or result.get("rejected") is True
    text = "\n".join(filter(None, _texts(None if refused else raw, result, error)))
    if not text and status not in {"error", "cancelled", "completed"} and not refused:
        return None
    exit_code = _exit_code(result) if is_shell(name) else None
    failed = refused or status in {"error", "cancelled"} or (exit_code or 0) != 0
    users = refused or status == "cancelled"
    return Observation(
        call_id=call_id,
        text=without_blobs(text or ("rejected" if refused else status)),
        exit_code=exit_code,
        failed=failed if failed or status == "completed" else None,
        source=SourceClass.USER if users and not text else source_of(_asked(name)),
    )


def _exit_code(result: Record) -> int | None:
    code = number_at(result, "exitCodeV2")
    code = number_at(result, "exitCode") if code is None else code
    return int(code) if code is not None else None


def _texts(raw: Any, result: Record, error: Record) -> Iterator[str]:
    told = [text_at(result, key) for key in _RESULTS if text_at(result, key)]
    if told:
        yield from told
    elif isinstance(raw, str):
        yield raw
    elif raw is not None and not isinstance(raw, bool):
        yield _json(raw)
    yield text_at(error, "modelVisibleErrorMessage") or text_at(error, "clientVisibleErrorMessage")


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except (TypeError, orjson.JSONEncodeError):
        return ""


def _object(value: Any) -> Record | None:
    """An object, or the one that a text is."""
    try:
        value = orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _asked(name: str) -> str:
    """The tool's name, as other hosts spell one of another server."""
    return f"mcp_{name[4:]}" if name.startswith("mcp-") else name
