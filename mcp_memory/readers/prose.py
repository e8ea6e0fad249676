"""Prose: transcripts written as text, line by line, within limits."""

from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.jsonl import LINE_BYTES, refuse
from mcp_memory.readers.opening import open_transcript


def text_lines(path: Path, refusals: list[Refusal]) -> Iterator[str]:
    """The lines of a file without their ends; what cannot be read is named in `refusals`.

    Raises:
        OSError: it cannot be opened.
    """
    with open_transcript(path) as stream:
        number = 0
        while True:
            try:
                line = stream.readline(LINE_BYTES)
            except OSError as error:
                refuse(refusals, number + 1, f"reading stopped here: {error}")
                return
            if not line:
                return
            number += 1
            text = line.rstrip(b"\r\n").decode("utf-8", "replace")
            if "\ufffd" in text and "\ufffd".encode() not in line:
                refuse(refusals, number, "damaged UTF-8; read with replacement characters")
            yield text
