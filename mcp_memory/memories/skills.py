"""Skills: established procedures as Agent Skills, a folder each with its SKILL.md."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import anyio.to_thread

from mcp_memory.domain.models import Memory, MemoryKind, Standing, State
from mcp_memory.domain.replacing import replace
from mcp_memory.rooms import Rooms
from mcp_memory.search import spans, withholding
from mcp_memory.search.channels import scope_of
from mcp_memory.store.rows import Where
from mcp_memory.text import cutting
from mcp_memory.trajectories.naming import slug

NAME_CHARS, DESCRIPTION_CHARS = 64, 1024
"""What the format allows (agentskills.io)."""
_MARKUP = re.compile(r"[<>]")


async def export(
    rooms: Rooms, folder: Path, *, project: str = "*", force: bool = False
) -> tuple[int, list[Path]]:
    """Write the procedures of a project, or of all, each into its folder; how many, and what was left.

    What lies there under another name is left alone, and so is, unless it may be overwritten, what
    lies there under the same and says something else.
    """
    scope = await scope_of(rooms, project)
    rows = await rooms.store.find("memories", Where(projects=scope.projects, states=()))
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.version)}
    trusting = rooms.trusting()
    told = map(spans.memory_of, newest.values())
    files = of(one for one in told if not withholding.of_memory(one, trusting))
    left = await anyio.to_thread.run_sync(lambda: _write(folder, files, force=force))
    return len(files) - len(left), left


def _write(folder: Path, files: Mapping[str, str], *, force: bool) -> list[Path]:
    left = []
    for name, text in files.items():
        place, content = folder / name, text.encode()
        if not force and place.exists() and place.read_bytes() != content:
            left.append(place)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        replace(place, content)
    return left


def of(memories: Iterable[Memory]) -> dict[str, str]:
    """`name/SKILL.md` to its text, for each live procedure that is established and not flagged."""
    files: dict[str, str] = {}
    for memory in sorted(memories, key=lambda one: one.ref):
        if is_skill(memory):
            name = _name(memory, taken=files)
            files[f"{name}/SKILL.md"] = "\n".join(_told(name, memory)) + "\n"
    return files


def is_skill(memory: Memory) -> bool:
    """Whether a memory is one that an agent may be told to follow."""
    procedure = memory.kind is MemoryKind.PROCEDURE and memory.state is State.LIVE
    return procedure and memory.standing is Standing.ESTABLISHED and not memory.flags


def _name(memory: Memory, taken: Iterable[str]) -> str:
    plain = slug(memory.title or " ".join(memory.text.split()[:6]), "procedure")[:NAME_CHARS]
    if f"{plain}/SKILL.md" not in taken:
        return plain
    return f"{plain[: NAME_CHARS - 7].rstrip('-')}-{memory.ref[2:8]}"


def _told(name: str, memory: Memory) -> Iterator[str]:
    about = memory.title or " ".join(memory.text.split())
    parts = [about.rstrip(".") + "."]
    parts += [f"Use when {_plain(memory.when_to_use)}."] if memory.when_to_use else []
    parts += [f"Not when {_plain(memory.not_when)}."] if memory.not_when else []
    plain = " ".join(_MARKUP.sub(" ", " ".join(parts)).split())
    description = cutting.head(plain, DESCRIPTION_CHARS)
    yield from ("---", f"name: {_quoted(name)}", f"description: {_quoted(description)}")
    yield from ("metadata:", f"  memory: {_quoted(memory.ref)}")
    yield from (f"  project: {_quoted(memory.project)}", "---", "")
    yield from (f"# {' '.join(memory.title.split())}", "") if memory.title else ()
    yield from (memory.text.strip(), "")
    if memory.files:
        yield from (f"Files: {', '.join(f'`{file}`' for file in memory.files)}", "")
    if memory.evidence:
        yield f"Rests on {' '.join(cited.ref for cited in memory.evidence)}."


def _quoted(text: str) -> str:
    """A text as YAML reads it back: what cannot be printed has no place in front matter."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return json.dumps(shown, ensure_ascii=False)


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
