"""Hook: what a host's hook runs; it says what past sessions know, or nothing, and never fails a turn."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mcp_memory.domain import identities, projects
from mcp_memory.domain.paths import relative
from mcp_memory.hooks import ledger, ready, spool
from mcp_memory.hooks.ready import Saying

LONGEST = 32_000_000
"""Bytes of a host's JSON: before a file is written, it holds the whole file."""
SECONDS = 2
"""A hook that is not done by then ends in silence."""
SERVER_SECONDS = 0.05
"""How long a running server may take to answer."""
ANSWERING = {
    "session-start": "SessionStart",
    "prompt": "UserPromptSubmit",
    "before-edit": "PreToolUse",
    "tool-failed": "PostToolUseFailure",
}
"""Events at which something may be said, with the name that Claude Code and Codex give them."""
HANDING_OVER = ("before-compaction", "session-end")
_HEARD = frozenset(
    {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure"}
    | {"BeforeAgent", "AfterTool"}
)
"""Events by their hosts' names whose `additionalContext` reaches the model."""
_CURSOR_HEARD = frozenset({"sessionStart", "postToolUse", "postToolUseFailure"})
_ERRORS = ("error", "error_message", "errorMessage")
_RESULTS = ("tool_response", "tool_output", "tool_result", "toolResult", "result")
_TEXTS = ("llmContent", "stderr", "stdout", "output", "text", "content", "textResultForLlm")
_PATHS = ("file_path", "notebook_path", "path", "filePath", "absolute_path", "target_file")
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
    session: str
    cwd: str
    transcript: str
    tool: Mapping[str, Any]
    """Arguments of the tool call."""
    error: str
    """What a tool printed when it failed; empty when it did not."""
    sure: bool
    """Whether the host says that it failed; Codex tells only what was printed."""
    cursor: bool


def main() -> None:
    """`mcp-memory-hook EVENT [--host NAME] [--home DIR]`: JSON in, the host's answer out; exit 0."""
    try:
        _end_in_time()
        event, options = _asked(sys.argv[1:])
        if event and not sys.stdin.isatty():
            told = json.loads(sys.stdin.buffer.read(LONGEST))
            home = Path(options["home"]) if "home" in options else spool.home()
            said = answer(event, told, home, host=options.get("host", ""))
            if said:
                _print(said)
    except BaseException:  # noqa: BLE001, S110 whatever it is, the host's turn goes on undisturbed
        pass
    # Nothing that is left to flush or to join may fail either.
    os._exit(0)


def answer(event: str, told: object, home: Path, *, host: str = "") -> str:
    """The host's JSON for what there is to say; empty for nothing.

    Raises:
        OSError: what is handed over or noted cannot be written.
    """
    call = heard(told, host)
    if event in HANDING_OVER:
        if call.transcript:
            spool.leave(home / "spool", call.transcript, call.session)
        return ""
    if event not in ANSWERING or not home.is_dir():
        return ""
    native = call.native or ANSWERING[event]
    said = None
    if native in (_CURSOR_HEARD if call.cursor else _HEARD):
        said = _first_said(event, call, home)
    refs = said.refs if said else ()
    ledger.called(home, event, session=call.session, refs=refs, tokens=_cost(said))
    if said is None:
        return ""
    if call.cursor:
        return json.dumps({"additional_context": said.text})
    told_to = {"hookEventName": native, "additionalContext": said.text}
    return json.dumps({"hookSpecificOutput": told_to})


def heard(told: object, host: str = "") -> Call:
    """What a host's JSON says; what it lacks is empty."""
    said = told if isinstance(told, dict) else {}
    native = _text(said, "hook_event_name", "hookEventName", "hookName")
    roots = said.get("workspace_roots")
    root = str(roots[0]) if isinstance(roots, list) and roots else ""
    tool = _loaded(said.get("tool_input", said.get("toolArgs")))
    if not tool and isinstance(said.get("command"), str):
        tool = {"command": said["command"]}
    error = _error(said)
    bare = said.get("tool_response") if "turn_id" in said and not error else None
    return Call(
        native=native,
        session=_text(said, "session_id", "sessionId", "conversation_id"),
        cwd=_text(said, "cwd") or root or str(Path.cwd()),
        transcript=_text(said, "transcript_path", "transcriptPath"),
        tool=tool,
        error=error or (bare if isinstance(bare, str) else ""),
        sure=bool(error),
        cursor=host == "cursor" or (native[:1].islower() and "conversation_id" in said),
    )


def _saying(event: str, key: Mapping[str, Any], home: Path) -> Saying | None:
    """What the ready file of a project holds for an event."""
    made = ready.read(home, key["project"]) or ready.read(home, projects.USER)
    if made is None:
        return None
    if event == "tool-failed":
        return made.of_error(key["error"], tuple(key["commands"]), sure=key["sure"])
    if event == "before-edit":
        found = map(made.of_file, key["files"])
        return next(filter(None, found), None)
    return made.digest


def _first_said(event: str, call: Call, home: Path) -> Saying | None:
    """What there is to say, unless this session was told it before."""
    key = _key(event, call, home)
    said = _saying(event, key, home) if key else None
    if said is None or not said.refs:
        return None
    about = "digest" if event in {"session-start", "prompt"} else said.text
    if not ready.first_time(home, call.session, about):
        return None
    return said if _still_holds(said.refs, home) else None


def _key(event: str, call: Call, home: Path) -> dict[str, Any] | None:
    """By what an event's saying is looked up; None when there is nothing to look up."""
    here = projects.project_of(call.cwd)
    key: dict[str, Any] = {"project": identities.read(home).named(here)}
    if event == "tool-failed":
        from mcp_memory.text import signatures  # many patterns, for this event only

        command = call.tool.get("command", call.tool.get("cmd", ""))
        ran = " ".join(map(str, command)) if isinstance(command, list) else str(command)
        error = signatures.error(call.error, ran) if call.error else ""
        name = " && ".join(signatures.commands(ran))
        told = {"error": error, "commands": [name], "sure": call.sure}
        return {**key, **told} if error else None
    if event == "before-edit":
        roots = (key["project"], call.cwd)
        files = [relative(path, roots) for path in _files(call.tool)]
        return {**key, "files": files} if files else None
    return key


def _files(tool: Mapping[str, Any]) -> list[str]:
    named = [path for name in _PATHS if isinstance(path := tool.get(name), str) and path]
    for patch in (tool.get("input"), tool.get("patch"), tool.get("command")):
        text = "\n".join(map(str, patch)) if isinstance(patch, list) else str(patch or "")
        named += [path.strip() for path in re.findall(_PATCHED, text)]
    return list(dict.fromkeys(named))


def _error(said: Mapping[str, Any]) -> str:
    """What a failed tool printed, as its host tells it to the model."""
    if said.get("is_interrupt") is True:
        return ""
    for name in _ERRORS:
        if isinstance(said.get(name), str) and said[name].strip():
            return str(said[name])
    for name in _RESULTS:
        if name in said:
            return _printed(said[name])
    return ""


def _printed(result: object) -> str:
    """The text of a result that says of itself that it failed."""
    if isinstance(result, str) and result[:1] == "{":
        result = _loaded(result) or result
    if isinstance(result, str):
        return _unwrapped(result) if re.search(_BAD_EXIT, result) else ""
    if not isinstance(result, dict):
        return ""
    texts = [str(result[name]) for name in _TEXTS if isinstance(result.get(name), str)]
    codes = [result.get(name) for name in ("exit_code", "exitCode", "returncode")]
    told = result.get("metadata")
    codes += [told.get("exit_code")] if isinstance(told, dict) else []
    bad = any(isinstance(code, int) and code for code in codes) or bool(result.get("error"))
    bad = bad or result.get("resultType") == "failure"
    whole = "\n".join(text for text in texts if text)
    return _unwrapped(whole) if bad or re.search(_BAD_EXIT, whole) else ""


def _unwrapped(text: str) -> str:
    inside = re.search(_WRAPPED, text)
    return inside[1] if inside else text


def _still_holds(refs: Sequence[str], home: Path) -> bool:
    """What a running server says, which knows what was forgotten a moment ago; yes without one."""
    try:
        door = json.loads((ready.folder(home) / "server.json").read_bytes())
        address, token = str(door["address"]), str(door["token"])
    except (OSError, ValueError, LookupError, TypeError):
        return True
    import socket  # only where somebody listens

    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(SERVER_SECONDS)
            line.connect(address)
            line.sendall(json.dumps({"token": token, "refs": refs}).encode() + b"\n")
            return line.recv(64) != b"no\n"
    except (OSError, AttributeError):
        return True


def _cost(said: Saying | None) -> int:
    if said is None:
        return 0
    from mcp_memory.text import tokens

    return tokens.estimate(said.text)


def _text(said: Mapping[str, Any], *names: str) -> str:
    return next((said[name] for name in names if isinstance(said.get(name), str)), "")


def _loaded(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _asked(arguments: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The event, and the options by name; what is not known is passed over."""
    event, options, name = "", dict[str, str](), ""
    for word in arguments:
        if word.startswith("--"):
            name, given, value = word[2:].partition("=")
            if given:
                options[name], name = value, ""
        elif name:
            options[name], name = word, ""
        else:
            event = event or word
    return event, options


def _end_in_time() -> None:
    import signal

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, SECONDS)


def _print(said: str) -> None:
    told = said.encode()
    while told:
        told = told[os.write(1, told) :]


if __name__ == "__main__":
    main()
