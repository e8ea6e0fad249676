"""Logs: a file in the home that is turned over, for its user alone, and holds nothing that was said."""

import logging
import os

import pytest

from mcp_memory.server import logs
from mcp_memory.settings import Settings

SAID = "the heron sleeps under violet bridges"
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


@pytest.fixture
def logged(settings: Settings) -> logging.Logger:
    logs.to_file(settings)
    return logging.getLogger("mcp_memory.history")


def told(settings: Settings) -> str:
    folder = settings.home / logs.FOLDER
    return "".join(path.read_text("utf-8") for path in sorted(folder.iterdir()))


def test_our_own_messages_are_kept_without_secrets(
    settings: Settings, logged: logging.Logger
) -> None:
    logged.info("3 sessions were read")
    logged.warning("a file named %s is left out", KEY)
    assert "3 sessions were read" in told(settings)
    assert KEY not in told(settings)


def test_what_an_exception_or_another_library_quotes_is_not_kept(
    settings: Settings, logged: logging.Logger
) -> None:
    try:
        int(SAID)
    except ValueError:
        logged.exception("a transcript could not be read")
    logging.getLogger("mcp.server").warning("Failed to validate request: %s", SAID)
    kept = told(settings)
    assert SAID not in kept
    assert "ValueError" in kept
    assert "test_logs.py" in kept
    assert "(mcp.server: warning)" in kept


def test_the_file_is_turned_over_and_its_users_alone(
    settings: Settings, logged: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logs.RotatingFileHandler):
            handler.maxBytes = 2_000
    for number in range(400):
        logged.warning("line %s of many", number)
    files = list((settings.home / logs.FOLDER).iterdir())
    assert len(files) == logs.KEPT + 1
    assert sum(path.stat().st_size for path in files) < 10_000
    if os.name == "posix":
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)


def test_a_home_that_cannot_be_written_has_no_log_and_no_error(settings: Settings) -> None:
    settings.home.parent.mkdir(exist_ok=True)
    settings.home.write_text("a file")
    logs.to_file(settings)
