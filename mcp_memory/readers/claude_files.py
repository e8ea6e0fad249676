"""Files of Claude Code beside a session: outputs too long for it, and what Cowork knows of it."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from mcp_memory.readers.jsonl import Record, object_at, text_at
from mcp_memory.readers.naming import facts_in, stem_of
from mcp_memory.readers.opening import open_transcript

OUTPUT_BYTES = 16 * 2**20
"""Of a longer output the beginning is read."""

_FOLDER = "tool-results"
_STUB = "<persisted-output>"
_NAMED = re.compile(r"tool-results[/\\]([\w.-]{1,200}\.(?:txt|json))")
_ABOVE = 5
_COWORK = "local-agent-mode-sessions"


@dataclass(slots=True)
class Outputs:
    """Long outputs that the host keeps in files of the session's own folder."""

    place: Path = field(default_factory=Path)

    def whole(self, record: Record, block: Record) -> Record:
        """A result with all of its output, where the transcript has but its beginning."""
        shown = _shown(block)
        told = text_at(object_at(record, "toolUseResult"), "persistedOutputPath")
        if not told and _STUB not in shown:
            return block
        named = _NAMED.search(told) or _NAMED.search(shown)
        text = self._kept(named[1]) if named else ""
        return {**block, "content": text} if text else block

    def _kept(self, name: str) -> str:
        """The text of a file of that name in the session's folder; no other place is looked at."""
        for folder in self._folders():
            file = folder / _FOLDER / name
            try:
                if file.is_symlink() or not file.is_file():
                    continue
                with open_transcript(file) as stream:
                    raw = stream.read(OUTPUT_BYTES + 1)
            except OSError:
                continue
            text = raw[:OUTPUT_BYTES].decode("utf-8", "replace")
            return text if len(raw) <= OUTPUT_BYTES else f"{text}\n[… longer than it is kept]"
        return ""

    def _folders(self) -> list[Path]:
        """The session's own folder, beside its file or above its sub-agents' files."""
        place = self.place.absolute()
        return [place.parent / stem_of(place), *list(place.parents)[:_ABOVE]]


def cowork_facts(path: Path) -> dict[str, str]:
    """Title and folder of a session that the desktop program ran; empty for any other.

    Its transcript lies in `local_<id>/.claude/projects/<folder>/`, its facts in `local_<id>.json`.
    """
    place = path.absolute()
    if _COWORK not in place.parts:
        return {}
    own = next((folder for folder in place.parents if folder.name.startswith("local_")), None)
    facts = facts_in(own.with_name(f"{own.name}.json")) if own else {}
    folders = facts.get("userSelectedFolders")
    chosen = folders[0] if isinstance(folders, list) and folders else ""
    cwd = chosen if isinstance(chosen, str) and chosen else text_at(facts, "cwd")
    told = {"title": text_at(facts, "title"), "cwd": cwd}
    return {key: value for key, value in told.items() if value}


def _shown(block: Record) -> str:
    content = block.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(text_at(part, "text") for part in parts)
