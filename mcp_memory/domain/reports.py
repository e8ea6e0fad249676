"""Reports: what indexing one transcript file came to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mcp_memory.domain.models import Frozen, Refusal

FileStatus = Literal["indexed", "unchanged", "refused", "excluded", "duplicate", "purged"]


class FileReport(Frozen):
    """What indexing one transcript file came to."""

    path: Path
    format: str = ""
    status: FileStatus
    reason: str = ""
    sessions: int = 0
    steps: int = 0
    bytes: int = 0
    masked: int = 0
    unknown: Mapping[str, int] = {}
    skipped: Mapping[str, int] = {}
    refusals: tuple[Refusal, ...] = ()
