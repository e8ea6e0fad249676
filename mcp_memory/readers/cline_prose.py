"""Prose of Cline and Roo Code: calls and results that older versions wrote as text with tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TOOLS = (
    "execute_command", "read_file", "write_to_file", "replace_in_file", "apply_diff",
    "insert_content", "search_and_replace", "edit_file", "search_files", "list_files",
    "list_code_definition_names", "codebase_search", "browser_action", "use_mcp_tool",
    "access_mcp_resource", "ask_followup_question", "attempt_completion", "new_task",
    "switch_mode", "plan_mode_respond", "fetch_instructions", "update_todo_list", "web_fetch",
)  # fmt: skip
"""Tools that an agent calls by a tag of their name."""

_CALL = re.compile(rf"^<({'|'.join(TOOLS)})>", re.MULTILINE)
_PARAMETER = re.compile(r"<([a-z_]{1,40})>")
_PARAMETERS = 32
_PERSON = ("task", "feedback", "answer", "user_message", "user_input")
_HOST = ("environment_details", "file_content", "folder_content", "url_content")
_SUMMARY = ("SYSTEM_NOTICE", "explicit_instructions")
_TAG = re.compile(rf"<({'|'.join((*_PERSON, *_HOST, *_SUMMARY))})(?=[\s>])[^<>]{{0,500}}>")
_RESULT = re.compile(rf"\[(?:{'|'.join(TOOLS)})\b[^\n]{{0,2000}}\] Result:[ \t]*\n?")
_NOTICE = re.compile(r"\[(?:ERROR|TASK RESUMPTION|NOTE|WARNING)\]")


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a user message."""

    kind: Literal["user", "system", "summary"]
    text: str


def called(text: str) -> tuple[str, dict[str, str]] | None:
    """The first call that a text makes by tags, with its arguments as written."""
    opening = _CALL.search(text)
    if not opening:
        return None
    end = text.rfind(f"</{opening[1]}>")
    if end < opening.end():
        return None
    block, place = text[opening.end() : end], 0
    arguments: dict[str, str] = {}
    for _ in range(_PARAMETERS):
        tag = _PARAMETER.search(block, place)
        if not tag:
            break
        # A file's content may hold tags of any name, its own too: the last one closes it.
        close = (block.rfind if tag[1] in {"content", "diff"} else block.find)(f"</{tag[1]}>")
        close = close if close >= tag.end() else block.find(f"</{tag[1]}>", tag.end())
        place = tag.end() if close < 0 else close + len(tag[1]) + 3
        if close >= 0:
            arguments[tag[1]] = block[tag.end() : close].strip("\n")
    return opening[1], arguments


def result_of(text: str) -> str | None:
    """What a call brought back, where the text begins as the host writes a result."""
    result = _RESULT.match(text)
    return text[result.end() :] if result else None


def said(text: str) -> Iterator[Said]:
    """The parts of a text in a user message: whose words each are."""
    if _RESULT.match(text):
        yield Said("system", text)
        return
    place = 0
    for tag in _TAG.finditer(text):
        if tag.start() < place:
            continue
        close = text.find(f"</{tag[1]}>", tag.end())
        if close < 0:
            break
        yield from _bare(text[place : tag.start()])
        place = close + len(tag[1]) + 3
        yield from _tagged(tag[1], text[tag.end() : close].strip(), text[tag.start() : place])
    yield from _bare(text[place:])


def _tagged(name: str, inner: str, whole: str) -> Iterator[Said]:
    if name in _PERSON:
        if inner:
            yield Said("user", inner)
    else:
        yield Said("summary" if "context was compacted" in inner[:100] else "system", whole)


def _bare(text: str) -> Iterator[Said]:
    if text.strip():
        notice = _NOTICE.match(text.lstrip())
        yield Said("system" if notice else "user", text.strip())
