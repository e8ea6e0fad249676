"""Real transcripts: a pack or a recording in a folder, its files by format, and what they hold."""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from mcp_memory import readers
from mcp_memory.domain.errors import UnknownTranscript
from mcp_memory.domain.models import Trajectory


def option(parser: argparse.ArgumentParser) -> None:
    """Add `--data`: files and folders of transcripts."""
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="transcripts, or folders of them"
    )


def files(places: Iterable[Path]) -> list[Path]:
    """Every file that is named or lies below a folder that is, links left out."""
    found = (each for path in places for each in (path.rglob("*") if path.is_dir() else [path]))
    return sorted(each for each in found if each.is_file() and not each.is_symlink())


def by_format(places: Iterable[Path]) -> tuple[dict[str, list[Path]], Counter[str]]:
    """Files by the format that they are recognised as, and the endings of those that are not."""
    found: dict[str, list[Path]] = defaultdict(list)
    others: Counter[str] = Counter()
    for path in files(places):
        try:
            found[readers.detect(path).FORMAT].append(path)
        except UnknownTranscript:
            others[path.suffix or path.name] += 1
    return dict(sorted(found.items())), others


def trajectories(places: Iterable[Path]) -> Iterator[Trajectory]:
    """All that any reader knows, file by file."""
    for path in files(places):
        try:
            reader = readers.detect(path)
        except UnknownTranscript:
            continue
        yield from reader.read(path)
