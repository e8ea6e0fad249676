"""Switches: how much is said unasked, by project, host and session; plain files, no libraries."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from mcp_memory.domain import privacy
from mcp_memory.domain.replacing import replace
from mcp_memory.hooks.ready import SURE, folder, short

LEVELS = ("off", "quiet", "normal", "talkative")
"""From least to most."""
LEAST = {"quiet": 0.95, "normal": SURE, "talkative": 0.5}
"""How sure what is said must be; the briefing is said at every level."""
VARIABLE = "MCP_MEMORY_UNASKED"
RULES, OWN_RULES = ".mcp-memory.toml", "rules.toml"
MOST_BYTES = 64 * 1024
KEPT_SESSIONS = 200
_SCOPES = ("sessions", "hosts", "projects", "everywhere")
"""From narrowest to widest: the narrowest that is set counts."""
_ALL = (*_SCOPES, "kinds")


def level(home: Path, project: str, host: str, session: str) -> str:
    """How much is said: what was switched, else the user's rules, else the setting.

    A repository's own file can ask for less, never for more.
    """
    told = read(home)
    names = (short(session), host, project, "")
    switched = (told.get(scope, {}).get(name) for scope, name in zip(_SCOPES, names, strict=True))
    chosen = next((one for one in switched if one in LEVELS), None)
    if chosen is None:
        chosen = _ruled(home / OWN_RULES) or os.environ.get(VARIABLE, "")
    if chosen not in LEVELS:
        chosen = "normal"
    its = _ruled(Path(project) / RULES) if os.path.isabs(project) else ""  # noqa: PTH117 cheaper
    return min(chosen, its or chosen, key=LEVELS.index)


def silenced(home: Path, kind: str) -> bool:
    """Whether sayings of a kind were switched off."""
    return read(home).get("kinds", {}).get(kind) == "off"


def switch(home: Path, scope: str, name: str, to: str) -> None:
    """Set how much is said in a scope; `on` takes back what was set.

    Raises:
        OSError: it cannot be written.
    """
    told = {one: dict(read(home).get(one, {})) for one in _ALL}
    key = short(name) if scope == "sessions" else name
    told[scope].pop(key, None)
    if to != "on":
        told[scope][key] = to
    told["sessions"] = dict(list(told["sessions"].items())[-KEPT_SESSIONS:])
    privacy.make(folder(home))
    replace(_file(home), json.dumps(told, ensure_ascii=False, indent=1).encode())


def read(home: Path) -> Mapping[str, Mapping[str, str]]:
    """What was switched, by scope; nothing where it cannot be read."""
    try:
        told = json.loads(_file(home).read_bytes())
        return {one: {str(k): str(v) for k, v in told.get(one, {}).items()} for one in _ALL}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _file(home: Path) -> Path:
    return folder(home) / "switches.json"


def _ruled(file: Path) -> str:
    """What a file of rules says of it; most projects have none, and TOML is loaded for no other."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MOST_BYTES:
            return ""
        import tomllib

        told = tomllib.loads(file.read_text("utf-8", "replace")).get("unasked", "")
    except (OSError, ValueError, RecursionError):
        return ""
    return told if told in LEVELS else ""
