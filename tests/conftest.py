"""What many tests share: a home of their own, and no way out to the network."""

import bytecode  # noqa: F401 what is imported after it is compiled once

# isort: split

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from buckets import bucket

from mcp_memory.settings import Settings

# A busy machine is no fault of an example: time is measured in benchmarks/.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: while one waits for a child or a disk, another works."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a test, or a command that it runs, sets up to be logged is of no other test."""
    root, ours = logging.getLogger(), logging.getLogger("mcp_memory")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    yield
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, embedding_model="hash", index_auto=False)


@pytest.fixture(scope="module")
def objects() -> Iterator[str]:
    """A bucket on loopback; without moto the tests that ask for one say so."""
    with bucket() as address:
        yield address


@pytest.fixture
def address(objects: str) -> str:
    """Where a bank of this test may lie in it."""
    return f"{objects}/{uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        local = not isinstance(address, tuple) or str(address[0]) in {
            "127.0.0.1",
            "::1",
            "localhost",
        }
        assert local, f"a test reached for {address}"
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", refuse)
