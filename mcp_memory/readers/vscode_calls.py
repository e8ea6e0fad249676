"""Calls of VS Code's chat: invocations joined to the rounds that tell their arguments and results."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from mcp_memory.domain.models import Observation, SourceClass, ToolCall
from mcp_memory.readers.blobs import placeholder, without_blobs
from mcp_memory.readers.jsonl import Record, list_at, number_at, object_at, text_at
from mcp_memory.readers.tools import is_shell, source_of, tool_call, unfed

_NAMES = {
    "copilot_readFile": "read_file",
    "copilot_listDirectory": "list_dir",
    "copilot_findFiles": "file_search",
    "copilot_findTextInFiles": "grep_search",
    "copilot_searchCodebase": "semantic_search",
    "copilot_createFile": "create_file",
    "copilot_createDirectory": "create_directory",
    "copilot_createNewWorkspace": "create_new_workspace",
    "copilot_replaceString": "replace_string_in_file",
    "copilot_multiReplaceString": "multi_replace_string_in_file",
    "copilot_insertEdit": "insert_edit_into_file",
    "copilot_editNotebook": "edit_notebook_file",
    "copilot_applyPatch": "apply_patch",
    "copilot_getErrors": "get_errors",
    "copilot_getChangedFiles": "get_changed_files",
    "copilot_listCodeUsages": "list_code_usages",
    "copilot_fetchWebPage": "fetch_webpage",
    "copilot_githubRepo": "github_repo",
    "copilot_runInTerminal": "run_in_terminal",
}
"""What the model calls a tool that the editor knows by another name."""
_DENIED, _SKIPPED = 0, 5
_SUFFIX = "__vscode-"
_ERROR = "ERROR while calling tool:"
_DEPTH = 200


class Rounds:
    """What the model asked for, by call, with what it was told back."""

    def __init__(self, metadata: Record, shown: set[str]) -> None:
        """The calls of a request, in order; `shown` are the ids that the editor has for them."""
        self.shown = shown
        self.results = object_at(metadata, "toolCallResults")
        self._calls: dict[str, Record] = {}
        for taken in list_at(metadata, "toolCallRounds"):
            for number, call in enumerate(list_at(taken, "toolCalls")):
                if isinstance(call, dict):
                    self._calls.setdefault(text_at(call, "id") or f"#{number}", call)

    def claim(self, part: Record) -> Record:
        """The call that an invocation shows: by its id, else the first of its tool that is left."""
        shown, name = text_at(part, "toolCallId"), tool_name(part)
        for id_ in self._calls:
            if shown and shown in (id_, id_.partition(_SUFFIX)[0]):
                return self._calls.pop(id_)
        if text_at(part, "subAgentInvocationId"):
            return {}
        # Where the editor gave an id of its own, order and name are all there is to go by.
        for id_, call in self._calls.items():
            others = self.shown & {id_, id_.partition(_SUFFIX)[0]}
            if text_at(call, "name") == name and not others:
                return self._calls.pop(id_)
        return {}

    def left(self) -> list[Record]:
        """Calls that no invocation showed, as invocations."""
        return [
            {"toolId": text_at(call, "name"), "toolCallId": id_.partition(_SUFFIX)[0]}
            for id_, call in self._calls.items()
        ]

    def result(self, call: Record) -> Any:
        """What came back from a call; None where nothing did."""
        return self.results.get(text_at(call, "id"))


def tool_name(part: Record) -> str:
    """The tool's name as the model knows it."""
    id_ = text_at(part, "toolId")
    return _NAMES.get(id_, id_)


def invoked(part: Record, call: Record, edits: list[Any]) -> ToolCall:
    """A call with its arguments, from the round or else from what the editor shows."""
    name = tool_name(part) or text_at(call, "name")
    arguments = _arguments(call) if call else _shown(part, name)
    if edits and not call:
        arguments = {**arguments, "edits": edits}
    id_ = text_at(part, "toolCallId") or text_at(call, "id").partition(_SUFFIX)[0]
    made = tool_call(id_, name, arguments)
    inner = [text_at(edit, "filePath") for edit in list_at(arguments, "replacements")]
    paths = tuple(dict.fromkeys((*made.paths, *(path for path in inner if path))))
    return made.model_copy(update={"paths": paths, "edits": made.edits or bool(inner and paths)})


def observed(call: ToolCall, part: Record, result: Any) -> Observation | None:
    """What came back, with the exit code that the terminal told; None while nothing has."""
    data, details = object_at(part, "toolSpecificData"), object_at(part, "resultDetails")
    state = object_at(data, "terminalCommandState")
    code = number_at(state, "exitCode") if is_shell(call.name) else None
    reason = object_at(part, "isConfirmed").get("type")
    denied = reason in (_DENIED, _SKIPPED) and not isinstance(reason, bool)
    denied = denied or part.get("isConfirmed") is False
    text = _result_text(result) if result is not None else _shown_text(data, details)
    if text is None and code is None and not denied:
        return None
    failed = denied or (None if code is None else code != 0)
    told = details.get("isError")
    if isinstance(told, bool) and not failed:
        failed = told
    if failed is None and not is_shell(call.name) and (text or "").startswith(_ERROR):
        failed = True
    milliseconds = number_at(state, "duration")
    ran = denied and bool(text) and not is_refusal(text or "")
    seen = Observation(
        call_id=call.id,
        text=text or ("[denied]" if denied else ""),
        exit_code=None if code is None else int(code),
        failed=failed,
        seconds=milliseconds / 1000 if milliseconds and milliseconds > 0 else None,
        source=SourceClass.USER if denied and not ran else _source(call.name, part),
    )
    return unfed(call.name, seen)


def is_refusal(text: str) -> bool:
    """Whether a result says no more than that the user did not allow the call."""
    told = text.strip().rstrip(".").lower()
    return told in ("the user cancelled the tool call", "canceled", "cancelled", "skipped")


def path_of(uri: object) -> str:
    """The file that a `uri` object or `file:` address names."""
    address = uri if isinstance(uri, str) else text_at(uri, "external")
    place = text_at(uri, "fsPath") or text_at(uri, "path")
    if place or not address.startswith("file:"):
        return place or address
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return address


def markdown(value: object) -> str:
    """The text of a string or of a markdown object."""
    return value if isinstance(value, str) else text_at(value, "value")


def _source(name: str, part: Record) -> SourceClass:
    outside = text_at(object_at(part, "source"), "type") not in ("", "internal")
    return SourceClass.EXTERNAL if outside else source_of(name)


def _arguments(call: Record) -> Mapping[str, Any]:
    raw = call.get("arguments")
    if isinstance(raw, dict):
        return raw
    try:
        value = orjson.loads(raw) if isinstance(raw, str) else None
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, dict):
        return value
    return {"arguments": raw} if isinstance(raw, str) and raw else {}


def _shown(part: Record, name: str) -> Mapping[str, Any]:
    """What the editor shows of a call whose round is not written down (yet)."""
    data = object_at(part, "toolSpecificData")
    if is_shell(name):
        line = object_at(data, "commandLine")
        ran = [text_at(line, key) for key in ("userEdited", "toolEdited", "original")]
        command = next((text for text in ran if text), "") or text_at(data, "command")
        return {"command": command.strip()} if command else {}
    if object_at(data, "rawInput"):
        return object_at(data, "rawInput")
    if text_at(data, "kind") == "subagent":
        return {key: text_at(data, key) for key in ("description", "prompt") if text_at(data, key)}
    uris = object_at(object_at(part, "invocationMessage"), "uris")
    paths = [path for uri in uris.values() if (path := path_of(uri))]
    return {"filePath": paths[0]} if len(paths) == 1 else {}


def _shown_text(data: Record, details: Record) -> str | None:
    output = object_at(data, "terminalCommandOutput")
    if "text" in output:
        return without_blobs(text_at(output, "text").replace("\r\n", "\n"))
    if text_at(data, "kind") == "subagent" and text_at(data, "result"):
        return text_at(data, "result")
    if text_at(details, "output"):
        return without_blobs(text_at(details, "output"))
    pieces = [_piece(piece) for piece in list_at(details, "output")]
    return "\n".join(piece for piece in pieces if piece) if pieces else None


def _piece(piece: object) -> str:
    value, media = text_at(piece, "value"), text_at(piece, "mimeType")
    named = isinstance(piece, dict) and "isText" in piece and piece.get("isText") is not True
    if value and (named or media.startswith(("image/", "audio/"))):
        return placeholder(media, value)
    return without_blobs(value) or path_of(object_at(piece, "uri"))


def _result_text(result: object) -> str:
    """The text of a result: strings, data by type and size, and trees of rendered elements."""
    if isinstance(result, str):
        return without_blobs(result)
    parts = []
    for piece in list_at(result, "content"):
        value = piece.get("value") if isinstance(piece, dict) else piece
        if isinstance(value, str):
            parts.append(without_blobs(value))
        elif isinstance(value, dict):
            parts.append("".join(_leaves(value.get("node"))).strip("\n"))
        elif data := text_at(piece, "data"):
            parts.append(placeholder(text_at(piece, "mimeType"), data))
    return "\n".join(parts)


def _leaves(node: object) -> Iterator[str]:
    """The texts of a tree, in order, each on a line of its own where the tree says so."""
    stack, last = [(node, 0)], ""
    while stack:
        found, depth = stack.pop()
        if text := text_at(found, "text"):
            breaks = isinstance(found, dict) and found.get("lineBreakBefore") is True
            yield f"\n{text}" if breaks and last and not last.endswith("\n") else text
            last = text
        if depth < _DEPTH:
            stack.extend((inner, depth + 1) for inner in reversed(list_at(found, "children")))
