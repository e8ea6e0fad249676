"""What the readers' tests share: the samples, and transcripts written line by line."""

from collections.abc import Sequence
from pathlib import Path

import orjson
from hypothesis import HealthCheck, settings

from mcp_memory.domain.models import Trajectory
from mcp_memory.readers import READERS, Reader, detect

SAMPLES = Path(__file__).parent.parent / "samples"
TRANSCRIPTS = sorted(
    path for path in SAMPLES.glob("*/*") if path.is_file() and path.stem in {"ordinary", "nasty"}
)
GROWING = [path for path in TRANSCRIPTS if path.suffix in {".jsonl", ".md"}]
"""Samples of formats that a host appends to, line by line."""

many = settings(
    max_examples=50,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def name_of(path: Path) -> str:
    """A sample's name in the list of tests."""
    return f"{path.parent.name}-{path.stem}"


def reader_of(path: Path) -> Reader:
    """The reader whose folder a sample lies in."""
    return next(reader for reader in READERS if path.parent.name == reader.FORMAT)


def write(path: Path, *lines: object) -> Path:
    """A file of JSON lines."""
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def only(path: Path) -> Trajectory:
    """The one trajectory of a file."""
    (trajectory,) = detect(path).read(path)
    return trajectory


def talked(path: Path, cwd: Path, turns: Sequence[tuple[str, object]]) -> Path:
    """A session of Claude Code in a folder, a minute a turn: who speaks, and what the message holds."""
    lines = [
        {
            "parentUuid": f"u{number - 1}" if number else None, "isSidechain": False, "type": kind,
            "cwd": str(cwd), "sessionId": f"{path.stem}-0000-4000-8000-000000000000",
            "uuid": f"u{number}", "timestamp": f"2026-05-01T10:{number:02}:00.5Z",
            "message": {"role": kind, "content": content, "id": f"m{number}"},
        }
        for number, (kind, content) in enumerate(turns)
    ]  # fmt: skip
    return write(path, *lines)
