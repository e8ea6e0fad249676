"""Hearing: what a host's JSON says to its hook, whatever the host's spelling."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_ERRORS = ("error", "error_message", "errorMessage")
_RESULTS = ("tool_response", "tool_output", "tool_result", "toolResult", "result")
_TEXTS = ("llmContent", "stderr", "stdout", "output", "text", "content", "textResultForLlm")
_PATHS = ("file_path", "notebook_path", "path", "filePath", "absolute_path", "target_file")
_NEW = ("new_string", "content", "newString", "new_str", "contents")
# Patterns are compiled where they are needed: most calls of a hook need none.
_PATCHED = r"\*\*\* (?:Add|Update|Delete) File: ([^\n]{1,1000})"
_BAD_EXIT = r"(?m)^(?:Exit Code|Process exited with code|Exit code):? (?!0\b)-?\d+"
_WRAPPED = (
    r"(?ms)^(?:Output|Stdout): (.*?)"
    r"(?=\n(?:Error|Stderr|Exit Code|Signal|Background PIDs|Process Group PGID): |\Z)"
)
"""How Gemini CLI tells the model what a command printed."""


class Call(NamedTuple):
    """What a host told its hook, whatever the host's spelling."""

    native: str
    """The host's own name of the event."""
    host: str
    session: str
    agent: str
    """Of a sub-agent its own name: what its session was told, it was not."""
    cwd: str
    transcript: str
    source: str
    """How a session starts: `startup`, `resume`, `clear`, `compact`."""
    prompt: str
    tool: Mapping[str, Any]
    """Arguments of the tool call."""
    error: str
    """What a tool printed when it failed; empty when it did not."""
    printed: str
    """What it printed when it did not fail by its host's word."""
    sure: bool
    """Whether the host says that it failed; Codex tells only what was printed."""

    @property
    def cursor(self) -> bool:
        """Whether it is to be answered in Cursor's spelling."""
        return self.host == "cursor"

    @property
    def hearer(self) -> str:
        """Whose context it is that something is said into."""
        return f"{self.session}/{self.agent}" if self.agent else self.session

    @property
    def command(self) -> str:
        """The command line of the tool call."""
        command = self.tool.get("command", self.tool.get("cmd", ""))
        return " ".join(map(str, command)) if isinstance(command, list) else str(command)


def heard(told: object, host: str = "") -> Call:
    """What a host's JSON says; what it lacks is empty."""
    said = told if isinstance(told, dict) else {}
    native = _text(said, "hook_event_name", "hookEventName", "hookName")
    roots = said.get("workspace_roots")
    root = str(roots[0]) if isinstance(roots, list) and roots else ""
    tool = _loaded(said.get("tool_input", said.get("toolArgs")))
    if not tool:
        tool = {name: said[name] for name in ("command", "file_path") if name in said}
    error, printed = _error(said)
    bare = said.get("tool_response") if "turn_id" in said and not error else None
    cursor = native[:1].islower() and "conversation_id" in said
    return Call(
        native=native,
        host=host or ("cursor" if cursor else ""),
        session=_text(said, "session_id", "sessionId", "conversation_id"),
        agent=_text(said, "agent_id"),
        cwd=_text(said, "cwd") or root or str(Path.cwd()),
        transcript=_text(said, "transcript_path", "transcriptPath"),
        source=_text(said, "source"),
        prompt=_text(said, "prompt", "userPrompt"),
        tool=tool,
        error=error or (bare if isinstance(bare, str) else ""),
        printed=printed,
        sure=bool(error) or "turn_id" not in said,
    )


def files(tool: Mapping[str, Any]) -> list[str]:
    """The files that a tool call names, patches included."""
    named = [path for name in _PATHS if isinstance(path := tool.get(name), str) and path]
    for text in _patches(tool):
        named += [path.strip() for path in re.findall(_PATCHED, text)]
    return list(dict.fromkeys(named))


def put_in(tool: Mapping[str, Any]) -> frozenset[str]:
    """The lines that an edit writes, blanks folded."""
    several = tool.get("edits")
    parts = [tool, *(several if isinstance(several, list) else ())]
    texts = [
        part[name]
        for part in parts
        for name in _NEW
        if isinstance(part, dict) and isinstance(part.get(name), str)
    ]
    for text in _patches(tool):
        texts += [line[1:] for line in text.splitlines() if line.startswith("+")]
    return frozenset(" ".join(line.split()) for text in texts for line in text.splitlines())


def _patches(tool: Mapping[str, Any]) -> list[str]:
    given = [tool.get(name) for name in ("input", "patch", "command")]
    texts = ["\n".join(map(str, one)) if isinstance(one, list) else str(one or "") for one in given]
    return [text for text in texts if "*** " in text]


def _error(said: Mapping[str, Any]) -> tuple[str, str]:
    """What a failed tool printed, as its host tells it to the model; else what one printed that did not."""
    if said.get("is_interrupt") is True:
        return "", ""
    for name in _ERRORS:
        if isinstance(said.get(name), str) and said[name].strip():
            return str(said[name]), ""
    for name in _RESULTS:
        if name in said:
            text, bad = _printed(said[name])
            return (_unwrapped(text), "") if bad else ("", _unwrapped(text))
    return "", ""


def _printed(result: object) -> tuple[str, bool]:
    """The text of a result, and whether it says of itself that it failed."""
    if isinstance(result, str) and result[:1] == "{":
        result = _loaded(result) or result
    if isinstance(result, str):
        return result, bool(re.search(_BAD_EXIT, result))
    if not isinstance(result, dict):
        return "", False
    texts = [str(result[name]) for name in _TEXTS if isinstance(result.get(name), str)]
    codes = [result.get(name) for name in ("exit_code", "exitCode", "returncode")]
    told = result.get("metadata")
    codes += [told.get("exit_code")] if isinstance(told, dict) else []
    bad = any(isinstance(code, int) and code for code in codes) or bool(result.get("error"))
    bad = bad or result.get("resultType") == "failure"
    whole = "\n".join(text for text in texts if text)
    return whole, bad or bool(re.search(_BAD_EXIT, whole))


def _unwrapped(text: str) -> str:
    inside = re.search(_WRAPPED, text)
    return inside[1] if inside else text


def _text(said: Mapping[str, Any], *names: str) -> str:
    return next((said[name] for name in names if isinstance(said.get(name), str)), "")


def _loaded(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
