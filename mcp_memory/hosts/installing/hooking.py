"""Hooks in a host's settings: ours put in beside the user's own, followed when moved, and taken out."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory.domain.errors import InvalidInput
from mcp_memory.hosts.installing import jsonc
from mcp_memory.hosts.installing.changes import Change, Kind, decoded, raw, real, unfit
from mcp_memory.hosts.installing.launch import Launch
from mcp_memory.hosts.installing.plugging import Plugged, plan_no_plugin, plan_plugin
from mcp_memory.hosts.installing.targets import TARGETS, Target
from mcp_memory.hosts.places import chosen

_BACKUP = ".before-mcp-memory-hooks"
_OURS = ("mcp-memory-hook", "mcp_memory.hooks.hook")
_SECONDS = 3
"""Codex gives no more at the end of a session; a hook ends itself earlier."""
Groups = list[Any]


@dataclass(frozen=True, slots=True)
class Hooked:
    """One host that runs hooks: the file that names them, and which of its events are ours."""

    host: str
    file: Callable[[], Path]
    events: Sequence[tuple[str, str, str]]
    """Its own name of an event, ours, and the tools that it is for; empty: no tool's event."""
    per_second: int = 1
    """In what its time limits are counted."""
    flat: bool = False
    """Whether its events list commands, and no groups of them."""
    note: str = ""
    """What its user is still to do."""

    @property
    def target(self) -> Target:
        """The host itself."""
        return next(target for target in TARGETS if target.name == self.host)


def plan_hooks(hooked: Hooked | Plugged, launch: Launch) -> Change:
    """The change that gives a host our hooks, idempotent; the user's own stay, in their order.

    Raises InvalidInput where the file cannot be read or edited safely.
    """
    if isinstance(hooked, Plugged):
        return plan_plugin(hooked, hook_argv(launch))
    file = real(hooked.file())
    before = raw(file)
    text = decoded(file, before)
    after = _with_ours(hooked, file, text, hook_argv(launch))
    held = any(_ours(group) for groups in _table(hooked, file, text).values() for group in groups)
    kind: Kind = "unchanged" if after == text else "updated" if held else "added"
    return Change(
        hooked.target, "", file, kind, before, after.encode("utf-8"), _BACKUP, hooked.note
    )


def plan_no_hooks(hooked: Hooked | Plugged) -> Change:
    """The change that takes our hooks out: byte for byte as before where nothing else changed.

    Raises InvalidInput where the file cannot be read or edited safely.
    """
    if isinstance(hooked, Plugged):
        return plan_no_plugin(hooked)
    file = real(hooked.file())
    before = raw(file)
    text = decoded(file, before)
    groups = [group for found in _table(hooked, file, text).values() for group in found]
    if not any(map(_ours, groups)):
        return Change(hooked.target, "", file, "absent", before, before, _BACKUP)
    kept = raw(file.with_name(file.name + _BACKUP))
    was = decoded(file, kept)
    after = _without_ours(hooked, file, text)
    if _read(hooked, file, after) == _read(hooked, file, was):
        return Change(hooked.target, "", file, "restored", before, kept, _BACKUP)
    return Change(hooked.target, "", file, "removed", before, after.encode("utf-8"), _BACKUP)


def hook_argv(launch: Launch) -> tuple[str, ...]:
    """The command that really starts the hook of the installation that a launch is of."""
    *before, program, _ = launch.argv
    folder, slash, name = program.replace("\\", "/").rpartition("/")
    named = {
        "mcp-memory": "mcp-memory-hook",
        "mcp-memory.exe": "mcp-memory-hook.exe",
        "mcp_memory": "mcp_memory.hooks.hook",
    }.get(name)
    if named is None:
        raise InvalidInput(
            f"It is not known how {program} starts a hook.",
            next_step="Put `mcp-memory-hook EVENT` into the host's settings by hand.",
        )
    home = launch.environment.get("MCP_MEMORY_HOME")
    argv = (*before, f"{folder}{slash}{named}")
    return (*argv, f"--home={home}") if home else argv


def _with_ours(hooked: Hooked, file: Path, text: str, argv: Sequence[str]) -> str:
    groups: dict[str, Groups] = {}
    for native, event, tools in hooked.events:
        handler: dict[str, Any] = {
            **({} if hooked.flat else {"type": "command"}),
            "command": _shell((*argv, f"--host={hooked.host}", event)),
            "timeout": _SECONDS * hooked.per_second,
        }
        matcher = {"matcher": tools} if tools else {}
        group = {**handler, **matcher} if hooked.flat else {**matcher, "hooks": [handler]}
        groups.setdefault(native, []).append(group)
    if hooked.flat and not _read(hooked, file, text):
        text = jsonc.put(text, ("version",), 1)
    for native, own in groups.items():
        found = _table(hooked, file, text).get(native, [])
        place = next((at for at, each in enumerate(found) if _ours(each)), len(found))
        theirs = [each for each in found if not _ours(each)]
        wanted = [*theirs[:place], *own, *theirs[place:]]
        if wanted != found:
            text = _put(hooked, file, text, native, wanted)
    return text


def _without_ours(hooked: Hooked, file: Path, text: str) -> str:
    for native, found in _table(hooked, file, text).items():
        theirs = [group for group in found if not _ours(group)]
        if theirs == found:
            continue
        text = (
            _put(hooked, file, text, native, theirs)
            if theirs
            else jsonc.drop(text, ("hooks", native))
        )
    if not _table(hooked, file, text):
        text = jsonc.drop(text, ("hooks",))
    alone = hooked.flat and set(_read(hooked, file, text)) == {"version"}
    return jsonc.drop(text, ("version",)) if alone else text


def _put(hooked: Hooked, file: Path, text: str, native: str, groups: Groups) -> str:
    try:
        return jsonc.put(text, ("hooks", native), groups)
    except ValueError as error:
        raise unfit(hooked.target, file, str(error)) from error


def _table(hooked: Hooked, file: Path, text: str) -> Mapping[str, Groups]:
    """Event to its groups of hooks."""
    table = _read(hooked, file, text).get("hooks", {})
    if not isinstance(table, dict):
        raise unfit(hooked.target, file, "`hooks` is no object")
    for name, groups in table.items():
        if not isinstance(groups, list) and name in {native for native, _, _ in hooked.events}:
            raise unfit(hooked.target, file, f"`hooks.{name}` is no list")
    return {name: groups for name, groups in table.items() if isinstance(groups, list)}


def _read(hooked: Hooked, file: Path, text: str) -> dict[str, Any]:
    try:
        read = jsonc.load(text)
    except ValueError as error:
        raise unfit(hooked.target, file, str(error)) from error
    if not isinstance(read, dict):
        raise unfit(hooked.target, file, "it holds no object")
    return read


def _ours(group: object) -> bool:
    """Whether a group holds our hooks only; one that the user mixed is theirs."""
    if isinstance(group, dict) and isinstance(group.get("command"), str):
        return any(name in group["command"] for name in _OURS)
    handlers = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(handlers, list) or not handlers:
        return False
    commands = [str(one.get("command", "")) if isinstance(one, dict) else "" for one in handlers]
    return all(any(name in command for name in _OURS) for command in commands)


def _shell(argv: Sequence[str]) -> str:
    """A command as the host's shell takes it."""
    return subprocess.list2cmdline(argv) if sys.platform == "win32" else shlex.join(argv)


_EDITORS = "Edit|Write|MultiEdit|NotebookEdit"
_BOUNDS = (("PreCompact", "before-compaction", ""), ("SessionEnd", "session-end", ""))
_STARTS = (("SessionStart", "session-start", ""), ("UserPromptSubmit", "prompt", ""))
HOOKED: tuple[Hooked, ...] = (
    Hooked(
        "claude-code",
        lambda: chosen("CLAUDE_CONFIG_DIR", Path.home() / ".claude") / "settings.json",
        (
            *_STARTS,
            ("PreToolUse", "before-edit", _EDITORS),
            ("PreToolUse", "before-command", "Bash"),
            ("PostToolUseFailure", "tool-failed", "Bash"),
            # A check that is piped into `tail` fails and does not say so.
            ("PostToolUse", "tool-failed", "Bash"),
            *_BOUNDS,
        ),
    ),
    Hooked(
        "codex",
        lambda: chosen("CODEX_HOME", Path.home() / ".codex") / "hooks.json",
        (
            *_STARTS,
            ("PreToolUse", "before-edit", "apply_patch"),
            ("PreToolUse", "before-command", "Bash"),
            ("PostToolUse", "tool-failed", "Bash"),
            *_BOUNDS,
        ),
        note=(
            "Codex asks at its next start whether to trust these hooks (\u201cHooks need review\u201d): "
            "choose \u201cTrust all\u201d or look at them first; until then it runs none of them."
        ),
    ),
    Hooked(
        "gemini-cli",
        lambda: Path.home() / ".gemini" / "settings.json",
        (
            ("SessionStart", "session-start", ""),
            ("BeforeAgent", "prompt", ""),
            # What is said before a tool does not reach the model; a file is read before it is edited.
            ("AfterTool", "before-edit", "read_file|replace|write_file"),
            ("AfterTool", "tool-failed", "run_shell_command"),
            ("PreCompress", "before-compaction", ""),
            ("SessionEnd", "session-end", ""),
        ),
        per_second=1_000,
    ),
    Hooked(
        "cursor",
        lambda: Path.home() / ".cursor" / "hooks.json",
        (
            ("sessionStart", "session-start", ""),
            # Here too what is said before a tool reaches nobody, and a prompt takes no context.
            ("postToolUse", "before-edit", "Read|Write"),
            ("postToolUseFailure", "tool-failed", "Shell"),
            ("preCompact", "before-compaction", ""),
            ("sessionEnd", "session-end", ""),
        ),
        flat=True,
    ),
)
"""The hosts whose hooks were seen, or (Cursor) are documented, to hear us."""
PLUGGED: tuple[Plugged, ...] = (
    Plugged(
        "opencode",
        lambda: (
            chosen("OPENCODE_CONFIG_DIR", Path.home() / ".config" / "opencode")
            / "plugin"
            / "mcp-memory.js"
        ),
        Path(__file__).with_name("opencode_plugin.js"),
    ),
)
HOOKS: tuple[Hooked | Plugged, ...] = (*HOOKED, *PLUGGED)
"""All hosts that can be told something unasked."""
