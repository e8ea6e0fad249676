"""Logs: warnings on stderr as hosts show them, and a file in the home that holds no contents."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from types import TracebackType
from typing import Any

from mcp_memory.domain import privacy
from mcp_memory.settings import Settings

FOLDER, FILE = "logs", "server.log"
MOST_BYTES, KEPT = 1_000_000, 3
LONGEST = 500
"""Characters of one message."""
OURS = "mcp_memory"


class Discreet(logging.Formatter):
    """Lines that name what happened and where, and nothing that anybody said.

    Messages of other libraries may quote what was sent; an exception's own words may quote what was
    read. Of both only the kind and the place are kept; our own messages pass the door for secrets.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One record as lines."""
        from mcp_memory.text import redaction  # its rules take 0.1 s: not before the handshake

        ours = record.name.partition(".")[0] == OURS
        said = record.getMessage() if ours else f"({record.name}: {record.levelname.lower()})"
        plain = redaction.redact(" ".join(said.split())[:LONGEST]).text
        line = (
            f"{self.formatTime(record)} {record.process} {record.levelname} {record.name} {plain}"
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 the standard library's name
        """The kinds of exceptions and the lines that they came through."""
        kind: type[BaseException] | None
        trace: TracebackType | None
        kind, _, trace = ei
        places = [
            f"  {each.filename.rpartition('site-packages/')[2]}:{each.lineno} in {each.name}"
            for each in traceback.extract_tb(trace)
        ]
        return "\n".join((*places, f"  {kind.__name__ if kind else 'no exception'}"))


class _TurnedOver(RotatingFileHandler):
    """A file of so many bytes, and a few before it, for the user alone."""

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, privacy.FILE)
        return TextIOWrapper(os.fdopen(handle, "ab"), encoding=self.encoding, write_through=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 the standard library's name
        """A disk that takes nothing more takes no line of this either: stderr has it."""


@contextmanager
def without_boxes() -> Iterator[None]:
    """While the SDK sets its logging up: without `rich`, which takes it 60 ms and boxes tracebacks.

    The command line has `rich` for its own pages; a host that waits for its handshake needs none.
    """
    name = "rich.console"
    held = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment] # what the import system takes for "not there"
    try:
        yield
    finally:
        del sys.modules[name]
        if held is not None:
            sys.modules[name] = held


def to_stderr(settings: Settings) -> None:
    """Messages from the configured level up, as hosts show them."""
    # The SDK boxes its tracebacks where `rich` is installed; hosts show stderr as it comes.
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(levelname)s %(message)s", force=True
    )


def to_file(settings: Settings) -> None:
    """The same and what is of note, to a file of the home; without a home that can be written, none."""
    folder = settings.home / FOLDER
    try:
        privacy.make(folder)
        handler = _TurnedOver(
            folder / FILE, maxBytes=MOST_BYTES, backupCount=KEPT, encoding="utf-8"
        )
    except OSError:
        return
    handler.setLevel(logging.INFO)
    handler.setFormatter(Discreet())
    handler.addFilter(_of_note)
    root = logging.getLogger()
    for each in root.handlers:
        each.setLevel(settings.log_level)
    root.addHandler(handler)
    logging.getLogger(OURS).setLevel(min(logging.INFO, logging.getLevelName(settings.log_level)))


def _of_note(record: logging.LogRecord) -> bool:
    """Ours from INFO up; of others only what went wrong."""
    return record.name.partition(".")[0] == OURS or record.levelno >= logging.WARNING
