"""Tools: what a call runs, touches and brings back, from its tool's name and arguments."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import JsonValue

from mcp_memory.domain.models import Observation, SourceClass, ToolCall
from mcp_memory.readers.blobs import without_blobs
from mcp_memory.readers.jsonl import number_at

SHELLS = frozenset(
    {"bash", "powershell", "shell", "shell_command", "exec_command", "run_shell_command", "execute"}
    | {"local_shell", "run_in_terminal", "execute_command", "run_terminal_cmd"}
    | {"run_terminal_command", "run_terminal_command_v2", "terminal", "run_command"}
    | {"execute_bash", "developer__shell"}
)
"""Tools that run the command in their arguments."""
EDITORS = frozenset(
    {"edit", "write", "multiedit", "notebookedit", "str_replace", "replace", "write_file", "create"}
    | {"create_file", "replace_string_in_file", "insert_edit_into_file", "edit_notebook_file"}
    | {"multi_replace_string_in_file", "editor", "write_to_file", "replace_in_file", "apply_diff"}
    | {"insert_content", "search_and_replace", "edit_file", "edit_file_v2", "search_replace"}
    | {"delete_file", "strreplace", "developer__text_editor", "text_editor", "str_replace_editor"}
    | {"writefile", "strreplacefile", "replace_file_content", "edit_existing_file"}
    | {"fs_write", "create_new_file", "single_find_and_replace", "multi_edit", "file_editor"}
)
"""Tools that write to the file in their arguments."""
PATCHERS = frozenset({"apply_patch", "patch"})
"""Tools that write to the files named in the patch in their arguments."""
OUTSIDE = frozenset(
    {"webfetch", "websearch", "web_fetch", "web_search", "google_web_search", "codesearch"}
    | {"fetch_webpage", "github_repo", "fetch_web_content", "browser_action", "use_mcp_tool"}
    | {"access_mcp_resource", "searchweb", "fetchurl", "fetch", "fetch_url_content", "search_web"}
    | {"read_url_content", "read_web_page", "fetchurlcontent"}
)
"""Tools whose output comes from the web."""
FILES = frozenset(
    {"read", "read_file", "read_many_files", "view", "grep", "glob", "list_directory"}
    | {"search_file_content", "grep_search", "list", "list_dir", "file_search", "semantic_search"}
    | {"read_files", "list_files", "search_files", "search_codebase", "codebase_search"}
    | {"list_code_definition_names", "read_file_v2", "list_dir_v2", "glob_file_search"}
    | {"ripgrep_raw_search", "readfile", "view_file", "find_path", "find_files", "diagnostics"}
    | {
        "fs_read",
        "list_directory_contents",
        "ls",
        "find_by_name",
        "codebase_search_agent",
        "finder",
    }
)
"""Tools whose output is the content or the names of files."""
_COMMANDS = ("command", "cmd", "CommandLine")
_PATHS = (
    *("file_path", "notebook_path", "path", "filePath", "absolute_path", "filename"),
    *("target_file", "relativeWorkspacePath", "targetFile", "TargetFile", "AbsolutePath"),
    *("filepath",),
)
_PATCHES = ("input", "patch", "patchText", "patch_text")
_PATCHED = re.compile(
    r"\*\*\* (?:(?:Add|Update|Delete) File|Move to): ([^\n]{1,1000}?)(?=\\n|\r|\n|$)"
)
_DEPTH = 64
_LARGEST = 1 << 63
_TOLD, _MOST_TOLD = re.compile(r"\bm:[0-9a-hjkmnp-tv-z]{12}\b"), 20
_VERBS = r"retain|search|fetch|runbook|consolidate|delete"
_MEMORY = re.compile(rf"mcp_.*memory.*[_.:/-](?:{_VERBS})", re.IGNORECASE)


def tool_call(id_: str, name: str, arguments: Mapping[str, Any]) -> ToolCall:
    """The call, arguments whole (blobs by name), with the command and the files in them."""
    kept = {str(key): _value(value, 1) for key, value in arguments.items()}
    tool = name.lower()
    command = next(
        (kept[key] for key in _COMMANDS if key in kept) if tool in SHELLS else iter(()), None
    )
    paths = [path for key in _PATHS if isinstance(path := kept.get(key), str) and path]
    if tool in PATCHERS:
        paths += [path for key in _PATCHES for path in patched(kept.get(key))]
    return ToolCall(
        id=id_,
        name=name,
        arguments=kept,
        command=command if isinstance(command, str) else None,
        paths=tuple(dict.fromkeys(paths)),
        edits=bool(paths) and _writes(tool, kept),
    )


def _writes(tool: str, arguments: Mapping[str, Any]) -> bool:
    # One tool of several hosts reads and writes, as its command says.
    return (tool in EDITORS and arguments.get("command") != "view") or tool in PATCHERS


def patched(patch: object) -> list[str]:
    """The files that a `*** Begin Patch` text adds, changes, deletes or moves."""
    return [path.strip() for path in _PATCHED.findall(patch)] if isinstance(patch, str) else []


def is_shell(name: str) -> bool:
    """Whether a tool of this name runs commands."""
    return name.lower() in SHELLS


def exit_at(record: object, key: str) -> tuple[int | None, bool | None]:
    """The exit code under a key and whether it tells of a failure; None where it is not told."""
    code = number_at(record, key)
    return (None, None) if code is None else (int(code), code != 0)


def source_of(name: str) -> SourceClass:
    """Who speaks in a tool's output: files, the web and other servers are external."""
    tool = name.lower()
    outside = tool in OUTSIDE or tool in FILES or tool.startswith("mcp_")
    return SourceClass.EXTERNAL if outside else SourceClass.TOOL


def unfed(name: str, seen: Observation) -> Observation:
    """The observation, without its text where a memory spoke: it must not feed on itself.

    Which memories were told stays: how the work went tells of them.
    """
    if not seen.text or not _MEMORY.fullmatch(name):
        return seen
    told = dict.fromkeys(_TOLD.findall(seen.text))
    refs = f": {' '.join(islice(told, _MOST_TOLD))}" if told else ""
    note = f"[recalled memory: left out, {len(seen.text)} characters{refs}]"
    return seen.model_copy(update={"text": note})


def _value(value: Any, depth: int) -> JsonValue:
    if isinstance(value, str):
        return without_blobs(value)
    if depth > _DEPTH:
        return f"[left out: nested deeper than {_DEPTH}]"
    if isinstance(value, dict):
        return {str(key): _value(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, int | float) and not -_LARGEST < value < _LARGEST:
        return str(value)
    return value if isinstance(value, int | float) else None
