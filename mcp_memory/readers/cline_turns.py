"""Turns of Cline and Roo Code: messages of blocks, paired by call id or, in prose, by order."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from mcp_memory.domain.models import Observation, Refusal, SourceClass, ToolCall
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.cline_prose import called, result_of, said
from mcp_memory.readers.clock import Lifetime, moment
from mcp_memory.readers.drafts import Draft, Drafts
from mcp_memory.readers.jsonl import Record, count_at, list_at, object_at, text_at
from mcp_memory.readers.tools import source_of, tool_call, unfed

BLOCKS = frozenset(
    {"block:text", "block:thinking", "block:tool_use", "block:tool_result", "block:file"}
    | {"block:image"}
)
UNSAID = {"block:redacted_thinking": "encrypted: nobody but the model's maker can read it"}
_CWD = re.compile(
    r"^(?:\d+\. Working Directory: |# Current (?:Working|Workspace) Directory \()"
    r"(.{1,1000}?)(?:\) Files)?$",
    re.MULTILINE,
)
_CLOSING = "<environment_details>"
_DENIED = re.compile(r"\s*(?:The user denied this operation|Tool execution was denied by the user)")
_ENDED = re.compile(
    r"Command executed in terminal[^\n]{0,1000}\. Exit code: (-?\d{1,10})\s*(?:\n|$)"
)


class Turns:
    """What has been read of one session's messages."""

    def __init__(self, refusals: list[Refusal]) -> None:
        self.drafts = Drafts()
        self.refusals = refusals
        self.unknown: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.lifetime = Lifetime()
        self.models: dict[str, None] = {}
        self.cwd: str | None = None
        self.tokens_in = self.tokens_out = 0
        self._calls: dict[str, Draft] = {}
        self._prose: list[str] = []
        """Calls written as prose whose results have not come yet."""
        self._brought: tuple[str, list[str]] | None = None
        """A call in prose, and the texts of its result so far."""

    def boot(self, prompt: str) -> None:
        """What the agent was told before anything else."""
        if prompt:
            self._mine(prompt)
            self.drafts.begin("boot", SourceClass.HOST, without_blobs(prompt))

    def take(self, number: int, message: Any) -> None:
        """One message."""
        role, content = text_at(message, "role"), list_at(message, "content")
        whole = text_at(message, "content")
        blocks: list[Any] = [{"type": "text", "text": whole}] if whole else content
        at = moment(message.get("ts")) if isinstance(message, dict) else None
        self.lifetime.note(at)
        if role == "assistant":
            self._agent(number, message, blocks, at)
        elif role == "user":
            self._user(number, object_at(message, "metadata"), blocks, at)
        elif isinstance(message, dict):
            self.unknown[f"message/{role}"[:80]] += 1
        else:
            self._refuse(number, "not an object")

    def _agent(self, number: int, message: Record, blocks: list[Any], at: datetime | None) -> None:
        draft = self.drafts.begin("agent", SourceClass.AGENT, at=at)
        draft.model = text_at(object_at(message, "modelInfo"), "id") or None
        draft.model = draft.model or text_at(object_at(message, "modelInfo"), "modelId") or None
        if draft.model:
            self.models.setdefault(draft.model)
        metrics = object_at(message, "metrics")
        self.tokens_in += count_at(metrics, "inputTokens")
        self.tokens_out += count_at(metrics, "outputTokens")
        self._prose = []
        for block in blocks:
            kind = self._kind(number, block)
            if kind == "text":
                self._spoken(draft, text_at(block, "text"))
            elif kind == "thinking":
                draft.reasons.append(without_blobs(text_at(block, "thinking")))
            elif kind == "tool_use":
                self._call(draft, block)
            elif kind == "image":
                draft.texts.append(_picture(block))

    def _spoken(self, draft: Draft, text: str) -> None:
        draft.texts.append(without_blobs(text))
        found = called(text)
        if found:
            name, arguments = found
            call_id = f"call-{draft.number}-{len(draft.calls) + 1}"
            self._add(draft, _call(call_id, name, arguments))
            self._prose.append(call_id)

    def _call(self, draft: Draft, block: Record) -> None:
        call_id = text_at(block, "id") or f"call-{draft.number}-{len(draft.calls) + 1}"
        self._add(draft, _call(call_id, text_at(block, "name"), object_at(block, "input")))

    def _add(self, draft: Draft, call: ToolCall) -> None:
        draft.calls[call.id] = call
        self._calls[call.id] = draft

    def _user(self, number: int, metadata: Record, blocks: list[Any], at: datetime | None) -> None:
        kind = text_at(metadata, "kind")
        hosts = text_at(metadata, "displayRole") == "system" and not kind.startswith("compaction")
        for block in blocks:
            found = self._kind(number, block)
            if found == "tool_result":
                self._result(number, block)
            elif found == "file":
                text = f"{text_at(block, 'path')}\n{text_at(block, 'content')}"
                self.drafts.begin("system", SourceClass.EXTERNAL, without_blobs(text), at=at)
            elif found == "image":
                self.drafts.begin("user", SourceClass.USER, _picture(block), at=at)
            elif found == "text" and kind == "compaction_summary":
                self.drafts.begin("summary", SourceClass.AGENT, text_at(block, "text"), at=at)
            elif found == "text" and hosts:
                self.drafts.begin("system", SourceClass.HOST, text_at(block, "text"), at=at)
            elif found == "text":
                self._told(text_at(block, "text"), at)
        self._bring()

    def _told(self, text: str, at: datetime | None) -> None:
        """A text for the agent: a result of a call in prose, or what somebody said."""
        result = result_of(text)
        if result is not None and self._prose:
            self._bring()
            self._brought = (self._prose.pop(0), [result])
            return
        # What a tool brought back may hold any tag: only the host's own closing words end it.
        if self._brought and result is None and not text.lstrip().startswith(_CLOSING):
            self._brought[1].append(text)
            return
        self._bring()
        for part in said(text):
            self._mine(part.text if part.kind == "system" else "")
            sources = {"user": SourceClass.USER, "summary": SourceClass.HOST}
            source = sources.get(
                part.kind, SourceClass.HOST if result is None else SourceClass.TOOL
            )
            self.drafts.begin(part.kind, source, without_blobs(part.text), at=at)

    def _bring(self) -> None:
        if self._brought:
            call_id, texts = self._brought
            self._observe(call_id, "\n".join(filter(None, texts)), failed=None)
            self._brought = None

    def _result(self, number: int, block: Record) -> None:
        call_id = text_at(block, "tool_use_id")
        stated = block.get("is_error")
        text, failed = _brought(block.get("content"))
        failed = stated if isinstance(stated, bool) and (stated or failed is None) else failed
        if call_id not in self._calls:
            self._refuse(number, "a result without a call")
            draft = self.drafts.begin("system", SourceClass.HOST)
            self._calls[call_id] = draft
        self._observe(call_id, text, failed=failed)

    def _observe(self, call_id: str, text: str, *, failed: bool | None) -> None:
        draft = self._calls[call_id]
        call = draft.calls.get(call_id)
        draft.observations.append(_seen(call_id, call, text, failed=failed))

    def _mine(self, text: str) -> None:
        if self.cwd is None and (found := _CWD.search(text)):
            self.cwd = found[1].strip()

    def _kind(self, number: int, block: Any) -> str:
        kind = text_at(block, "type")
        name = f"block:{kind}"[:80]
        if not isinstance(block, dict):
            self._refuse(number, "a block that is not an object")
        elif name in UNSAID:
            self.skipped[name] += 1
        elif name not in BLOCKS:
            self.unknown[name] += 1
            if text_at(block, "text"):
                return "text"
        return kind

    def _refuse(self, number: int, reason: str) -> None:
        self.refusals.append(Refusal(where=f"message {number}", reason=reason))


def _seen(call_id: str, call: ToolCall | None, text: str, *, failed: bool | None) -> Observation:
    name = _asked(call) if call else ""
    ended = _ENDED.match(text) if name == "execute_command" else None
    exit_code = int(ended[1]) if ended else None
    denied = bool(_DENIED.match(text))
    if exit_code is not None and failed is None:
        failed = exit_code != 0
    return unfed(
        name,
        Observation(
            call_id=call_id,
            text=without_blobs(text),
            exit_code=exit_code,
            failed=denied or failed,
            source=SourceClass.USER if denied else source_of(name),
        ),
    )


def _call(call_id: str, name: str, arguments: Record) -> ToolCall:
    call = tool_call(call_id, name, arguments)
    if name == "run_commands":
        told = call.arguments.get("commands")
        commands = [_command(each) for each in (told if isinstance(told, list) else [told])]
        return call.model_copy(update={"command": "\n".join(filter(None, commands)) or None})
    files = list_at(arguments, "files")
    paths = [*call.paths, *(text_at(each, "path") for each in files)]
    paths += [each for each in list_at(arguments, "file_paths") if isinstance(each, str)]
    return call.model_copy(update={"paths": tuple(dict.fromkeys(filter(None, paths)))})


def _command(told: object) -> str:
    if isinstance(told, str):
        return told
    words = [text_at(told, "command"), *list_at(told, "args")]
    return " ".join(word for word in words if isinstance(word, str) and word)


def _asked(call: ToolCall) -> str:
    """The tool's name; one of another server with that server's."""
    server, tool = (call.arguments.get(key) for key in ("server_name", "tool_name"))
    if call.name == "use_mcp_tool" and isinstance(server, str) and isinstance(tool, str):
        return f"mcp__{server}__{tool}"
    return f"mcp__{call.name}" if "__" in call.name else call.name


def _brought(content: Any) -> tuple[str, bool | None]:
    """A result's text, and whether the host says that it failed."""
    if isinstance(content, str):
        value = _value(content)
        if not ({"query", "result"} <= value.keys() if isinstance(value, dict) else False):
            return content, None
        content = [value]
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    told = [part["success"] for part in parts if isinstance(part.get("success"), bool)]
    return "\n\n".join(filter(None, _texts(parts))), not all(told) if told else None


def _value(text: str) -> Any:
    try:
        return orjson.loads(text) if text.startswith('{"query":') else None
    except orjson.JSONDecodeError:
        return None


def _texts(parts: list[Record]) -> Iterator[str]:
    for part in parts:
        if part.get("type") == "image":
            yield _picture(part)
        elif "query" in part:
            named = f"[{text_at(part, 'query')}]\n" if len(parts) > 1 else ""
            pieces = (text_at(part, "result"), *_pieces(part), text_at(part, "error"))
            yield named + "\n".join(filter(None, pieces))
        else:
            yield text_at(part, "text")


def _pieces(part: Record) -> Iterator[str]:
    for piece in list_at(part, "result"):
        yield _picture(piece) if text_at(piece, "type") == "image" else text_at(piece, "text")


def _picture(block: Record) -> str:
    source = object_at(block, "source") or block
    data = text_at(source, "data")
    media = text_at(source, "media_type") or text_at(source, "mediaType") or "image"
    return placeholder(media, data.rpartition(";base64,")[2]) if data else f"[{media}]"
