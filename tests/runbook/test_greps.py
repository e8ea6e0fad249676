"""A grep is offered only where it finds something, and finds what it says when it is typed."""

import shlex
import subprocess
from pathlib import Path

import pytest

from mcp_memory.runbook import greps

LINES = [
    "the basket was locked",
    "a locked basket",
    "a till",
    "the cart.go file",
    "locked",
    *["nothing"] * 60,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "by-change.md").write_text("# title\n" + "\n".join(LINES), encoding="utf-8")
    return tmp_path


def test_two_words_together_come_before_one(folder: Path) -> None:
    made = greps.tried(folder, ("locked", "nothing", "baskets", "cart.go"))
    assert made[0].lines == 2
    assert made[0].pattern in ("lock.*basket|basket.*lock", "basket.*lock|lock.*basket")


def test_a_command_finds_as_many_lines_as_it_says(folder: Path) -> None:
    for one in greps.tried(folder, ("locked", "till", "cart.go", "baskets")):
        ran = subprocess.run(shlex.split(one.command), capture_output=True, text=True, check=True)
        assert len(ran.stdout.splitlines()) == one.lines
        assert greps.told(one).startswith("grep -inE")


def test_what_finds_nothing_or_too_much_is_not_offered(folder: Path) -> None:
    assert greps.tried(folder, ("nothing", "printer")) == ()
    assert greps.tried(folder / "gone", ("locked", "baskets")) == ()


def test_endings_are_taken_off_and_a_common_word_is_no_search_alone(folder: Path) -> None:
    (folder / "by-error.md").write_text("worktree one\nworktree two\nmatch me\n", encoding="utf-8")
    (made,) = greps.tried(folder, ("worktrees",))
    assert made.pattern == "worktree"
    assert greps.tried(folder, ("match",)) == ()


@pytest.mark.parametrize("term", ["$(reboot)", "a'b", "`ls`", "x|y", "-rf;"])
def test_a_term_that_a_shell_would_obey_is_left_out(folder: Path, term: str) -> None:
    (folder / "by-error.md").write_text(f"{term} here\n{term} there\n", encoding="utf-8")
    assert not any(term in one.command for one in greps.tried(folder, (term,)))


def test_letters_of_a_ref_are_no_line_that_tells(tmp_path: Path) -> None:
    lines = [
        f"- `{name}` changed 2026-01-22 t:42q366k7xv76#{at}" for at, name in enumerate("abcdef")
    ]
    (tmp_path / "by-name.md").write_text("\n".join(lines), encoding="utf-8")
    assert greps.tried(tmp_path, ("v76",)) == ()
