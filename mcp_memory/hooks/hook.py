"""Hook: what a host's hook runs; it says what past sessions know, or nothing, and never fails a turn."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mcp_memory.hooks import ledger, spool
from mcp_memory.hooks.hearing import Call, heard

LONGEST = 32_000_000
"""Bytes of a host's JSON: before a file is written, it holds the whole file."""
SECONDS = 2
"""A hook that is not done by then ends in silence."""
ANSWERING = {
    "session-start": "SessionStart",
    "prompt": "UserPromptSubmit",
    "before-edit": "PreToolUse",
    "before-command": "PreToolUse",
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
        if event == "before-compaction" and home.is_dir():
            from mcp_memory.hooks.session import Session

            Session(home, call.hearer).forget()
        return ""
    if event not in ANSWERING or not home.is_dir():
        return ""
    native = call.native or ANSWERING[event]
    said = None
    if native in (_CURSOR_HEARD if call.cursor else _HEARD):
        from mcp_memory.hooks import speaking

        said = speaking.said(event, call, home)
    if said is None:
        ledger.called(home, event, session=call.session)
        return ""
    ledger.said(home, event, said)
    return _spelled(call, native, said.text)


def _spelled(call: Call, native: str, text: str) -> str:
    if call.cursor:
        return json.dumps({"additional_context": text})
    told = {"hookEventName": native, "additionalContext": text}
    return json.dumps({"hookSpecificOutput": told})


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
