"""What the readers' tests share: the samples, and transcripts written line by line."""

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
