"""Packs: whole projects of real transcripts, with what tells the answers left out of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.bank import MemoryBank
from mcp_memory.domain.errors import InvalidInput
from mcp_memory.evals.material.samples import Corpus, Sources, digest_of

PROJECTS = ("entireio__cli", "entireio__git-sync")
_TITLES = frozenset({"summary", "ai-title", "custom-title", "agent-name", "last-prompt"})
_UUID = 36


def corpus_of(sources: Sources, project: str) -> Corpus:
    """A project's transcripts, without summaries of a compaction, titles and recaps.

    Raises:
        InvalidInput: the pack is not there.
    """
    folder = (sources.packs or sources.data / "packs") / project
    manifests = sorted(folder.rglob("MANIFEST.tsv"))
    if not manifests:
        raise InvalidInput(f"No pack {project}.", next_step="Give --packs the unpacked folder.")
    root = manifests[0].parent
    return Corpus(project, digest_of(*manifests), transcripts=lambda to: _copied(root, to))


async def sessions_of(bank: MemoryBank) -> Mapping[str, str]:
    """The names that labels know a session by, to its trajectory id."""
    made: dict[str, str] = {}
    for row in await bank.rooms.store.sessions():
        if not row.parent:
            stem = Path(row.source_path).stem
            made |= dict.fromkeys((row.native_id, row.native_id[-_UUID:], stem), row.id)
    return made


def session_in(known: Mapping[str, str], named: str) -> str | None:
    """The trajectory that a label means; a later copy of a session has another date in its name."""
    return known.get(named) or known.get(named[-_UUID:])


def _copied(root: Path, to: Path) -> Iterator[Path]:
    for path in sorted(each for each in root.rglob("*") if each.suffix in (".jsonl", ".json")):
        copy = to / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".jsonl":
            lines = (_without_answers(line) for line in path.read_bytes().splitlines())
            copy.write_bytes(b"\n".join(lines) + b"\n")
        else:
            copy.write_bytes(path.read_bytes())
        yield copy


def _without_answers(line: bytes) -> bytes:
    """The line with words that a host wrote about the session taken out; the record stays."""
    if not any(mark in line for mark in (b"ummary", b"-title", b"compacted")):
        return line
    try:
        record: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return line
    if not isinstance(record, dict):
        return line
    if record.get("type") in _TITLES:
        return b""
    if record.get("subtype") == "away_summary":
        record["content"] = ""
    elif record.get("isCompactSummary"):
        record["message"]["content"] = ""
    elif record.get("type") == "compacted":
        record["payload"] = {"message": ""}
    else:
        return line
    return orjson.dumps(record)
