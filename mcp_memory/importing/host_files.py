"""Hosts' own memories: CLAUDE.md, AGENTS.md, GEMINI.md, and MEMORY.md with an agent's notes beside it."""

from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain import projects
from mcp_memory.domain.models import Draft, MemoryKind, Refusal, SourceClass
from mcp_memory.hosts import memories
from mcp_memory.importing.items import Item, moment, text_of
from mcp_memory.importing.markdown import Section, files_below, sections, text_of_file
from mcp_memory.text import front_matter

NAME = "host-files"
INSTRUCTIONS = ("CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENTS.override.md", "GEMINI.md")
INDEX = "MEMORY.md"
_KINDS = {
    "user": MemoryKind.PREFERENCE,
    "feedback": MemoryKind.PREFERENCE,
    "project": MemoryKind.FACT,
    "reference": MemoryKind.FACT,
}
_MOST_CHARS = 4_000


def recognize(path: Path) -> bool:
    """Whether a file has the name of one, or a folder is one that an agent keeps its notes in."""
    if path.is_dir():
        return (path / INDEX).is_file()
    return path.name in {*INSTRUCTIONS, INDEX}


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory a bullet or paragraph, or a note of its own; the index of a folder is left out."""
    for file in files_below(path):
        if path.is_dir() and file.name == INDEX and len(files_below(path)) > 1:
            continue
        try:
            told, body = front_matter.split(text_of_file(file))
        except ValueError as error:
            yield Refusal(where=file.name, reason=str(error))
            continue
        if told.get("name") or told.get("description"):
            yield _note(file, told, body)
        else:
            yield from (_item(file, section) for section in sections(body))


def source_of(file: Path) -> SourceClass:
    """Whose word a file is: in a host's own folder its agent's, in a repository a file's content."""
    return SourceClass.AGENT if memories.is_own(file) else SourceClass.EXTERNAL


def _project(file: Path) -> str | None:
    own = projects.project_of(str(file.absolute().parent))
    return own if projects.is_root(own) else None


def _note(file: Path, told: dict[str, object], body: str) -> Item | Refusal:
    if not body.strip():
        return Refusal(where=file.name, reason="a note that says nothing")
    metadata = told.get("metadata")
    kind = text_of(told.get("type")) or (
        text_of(metadata.get("type")) if isinstance(metadata, dict) else ""
    )
    draft = Draft(
        text=body.strip(),
        title=text_of(told.get("description")) or text_of(told.get("name")),
        kind=_KINDS.get(kind, MemoryKind.FACT),
        tags=tuple(filter(None, (kind,))),
        project=_project(file),
    )
    return Item(draft, file.name, moment(file.stat().st_mtime), source_of(file))


def _item(file: Path, section: Section) -> Item | Refusal:
    where = f"{file.name}:{section.line}"
    if len(section.text) > _MOST_CHARS:
        return Refusal(where=where, reason=f"a stretch of more than {_MOST_CHARS:,} characters")
    draft = Draft(
        text=section.text,
        title=" > ".join(section.headings[-2:])[:200],
        kind=MemoryKind.OBSERVATION,
        tags=(file.name,),
        project=_project(file),
    )
    return Item(draft, where, moment(file.stat().st_mtime), source_of(file))
