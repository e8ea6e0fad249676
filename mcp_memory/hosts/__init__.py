"""Hosts: one module an agent host; where its transcripts lie and when it deletes them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from mcp_memory.hosts import claude_code, swe_agent


class Host(Protocol):
    """What a host module offers."""

    NAME: str
    RETENTION: timedelta | None
    """How long the host keeps a transcript; None where it keeps them."""

    def transcripts(self, project: str | None = None) -> Iterator[Path]:
        """Files that may hold transcripts (of a project); none where the host is not used."""
        ...


HOSTS: tuple[Host, ...] = (claude_code, swe_agent)
