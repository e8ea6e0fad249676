"""Reports: what indexing one transcript file, or importing one of another bank or tool, came to."""

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


class Imported(Frozen):
    """What importing one file or folder came to."""

    format: str
    sessions: int = 0
    memories: int = 0
    uses: int = 0
    """Feedback on memories that came with them."""
    own: bool = False
    """Whether any of it was written by this bank's owner, and came in as it was."""
    known: int = 0
    """Records that the bank had already."""
    masked: int = 0
    refused: tuple[Refusal, ...] = ()
    batch: str = ""
