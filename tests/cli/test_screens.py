"""Screens: what a person gets on a terminal: colours, a width that is kept, a pager, nothing left over."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner
from tour_sessions import written

from mcp_memory.cli import cli
from mcp_memory.cli.drawing.notes import spoken
from mcp_memory.cli.drawing.screen import Page, inert, marked, short

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;.*?\x1b\\")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Unix")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank that nothing here changes."""
    folder = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MCP_MEMORY_HOME", str(folder / "home"))
        patched.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
        done = CliRunner().invoke(cli, ["index", *(str(path) for path in written(folder))])
    assert done.exit_code == 0
    return folder / "home"


@pytest.fixture
def home_of_shop(monkeypatch: pytest.MonkeyPatch, shop: Path) -> Path:
    monkeypatch.setenv("MCP_MEMORY_HOME", str(shop))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    for name in ("NO_COLOR", "COLUMNS", "LINES", "PAGER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return shop


def typed(*words: str, columns: int = 80, rows: int = 100, **env: str) -> str:
    """What the command writes to a terminal of that size."""
    pid, handle = pty.fork()
    if pid == 0:
        try:
            # Not `execv`: the readline of a test runner hands on LINES and COLUMNS of its own.
            kept = {**os.environ, **env}
            os.execve(sys.executable, [sys.executable, "-m", "mcp_memory", *words], kept)
        finally:
            os._exit(127)
    fcntl.ioctl(handle, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    told = b""
    while select.select([handle], [], [], 50)[0]:
        try:
            part = os.read(handle, 65_536)
        except OSError:
            break
        if not part:
            break
        told += part
    os.close(handle)
    os.waitpid(pid, 0)
    return told.decode().replace("\r\n", "\n")


def plain(told: str) -> list[str]:
    return ANSI.sub("", re.sub(r"[^\n]*\r\x1b\[2K", "", told)).splitlines()


ASKED = (
    ("search", "euro", "--project", "shop"),
    ("recent", "--project", "shop"),
    ("list", "--project", "shop"),
    ("blame", "export.py", "--project", "shop"),
    ("status",),
)


@pytest.mark.parametrize("words", ASKED, ids=lambda words: words[0])
def test_a_terminal_gets_colours_that_fit_its_width(home_of_shop: Path, words) -> None:
    told = typed(*words, columns=70, PAGER="cat")
    assert "\x1b[" in told
    assert "<recalled" not in told
    assert max(map(len, plain(told))) <= 70
    assert not any("Opening the bank" in line for line in plain(told))


def test_no_color_is_obeyed(home_of_shop: Path) -> None:
    told = typed("search", "euro", "--project", "shop", NO_COLOR="1", PAGER="cat")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", told)


def test_words_of_the_question_are_marked(home_of_shop: Path) -> None:
    told = typed("search", "UnicodeEncodeError", "--project", "shop", PAGER="cat")
    assert re.search(r"\x1b\[1;33m\w*UnicodeEncodeError", told)


def test_a_long_answer_goes_through_the_pager(home_of_shop: Path, tmp_path: Path) -> None:
    paged = tmp_path / "paged.sh"
    paged.write_text("#!/bin/sh\nsed 's/^/PAGED /'\n")
    paged.chmod(0o755)
    long = typed("search", "euro", "--project", "shop", rows=5, PAGER=str(paged))
    assert "PAGED" in long
    assert "PAGED" not in typed("list", "--project", "shop", rows=50, PAGER=str(paged))


def test_paths_are_links_on_a_terminal_and_plain_in_a_pipe(home_of_shop: Path) -> None:
    shown = typed("status")
    assert f";{home_of_shop.as_uri()}\x1b\\" in shown
    piped = CliRunner().invoke(cli, ["status"]).output
    assert str(home_of_shop) in piped
    assert "\x1b" not in piped


def test_what_others_wrote_does_not_move_the_cursor() -> None:
    told = inert("a\x1b[2Jb\x07\x9b1m\nc\td")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", told)
    assert "\nc\td" in told


def test_a_page_of_a_pipe_is_plain_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    page = Page()
    long = "word " * 100
    page.show([page.text(("ref", "ref"), "  ", long), page.body(long)])
    first, second = capsys.readouterr().out.splitlines()
    assert first.strip() == f"ref  {long}".strip()
    assert second.strip() == long.strip()


def test_words_are_marked_from_where_they_begin() -> None:
    (pattern,) = marked(["test", "a"])
    assert [found[0] for found in pattern.finditer("Tests, a contest, testing")] == [
        "Tests",
        "testing",
    ]


def test_ones_own_folder_is_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert short(tmp_path / "a") == f"~{os.sep}a"
    assert short(f"{tmp_path}bc") == f"{tmp_path}bc"


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        ("project='*' asks them all.", "--project '*' asks them all."),
        ("raise budget_tokens", "raise --budget-tokens"),
        ("nothing to change", "nothing to change"),
    ],
)
def test_arguments_of_tools_are_said_as_options(told: str, typed: str) -> None:
    assert spoken(told) == typed
