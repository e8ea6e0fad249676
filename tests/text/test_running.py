"""Markdown as running words: nothing but its marks is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text.running import asked, running, title


@pytest.mark.parametrize(
    ("told", "runs"),
    [
        ("# Fix it\n\nAll of it.", "Fix it: All of it."),
        ("## Why?\n- one\n- two", "Why? one; two"),
        ("1. run `make`\n2) push\n\nDone.", "run `make`; push; Done."),
        ("- [x] read\n- [ ] write", "read; write"),
        ("| Test | Scenario |\n|---|:--:|\n| A | B |", "Test, Scenario; A, B"),
        ("before\n\n---\n\nafter", "before after"),
        ("run:\n```sh\nls -la\n```", "run: ls -la"),
        ("**Two** bugs in a**b and 2 ** 3", "Two bugs in a**b and 2 ** 3"),
        ("#242 is no heading, #!/bin/sh none", "#242 is no heading, #!/bin/sh none"),
        ("-v is no item\n3.11 neither", "-v is no item 3.11 neither"),
        ("", ""),
    ],
)
def test_marks_go_and_words_stay(told: str, runs: str) -> None:
    assert running(told) == runs


@given(st.text(alphabet="ab1 .:#-*|`\n", max_size=200))
def test_no_word_is_lost_and_all_is_one_line(text: str) -> None:
    fences = [line for line in text.splitlines() if line.strip().startswith(("```", "~~~"))]
    made = running(text)
    assert "\n" not in made
    if not fences:
        numbers = re.compile(r"(?m)^\s*\d{1,3}[.)]\s+")
        assert re.findall(r"[ab]", numbers.sub("", text)) == re.findall(r"[ab]", made)


def test_a_plan_that_was_handed_over_is_the_plan() -> None:
    assert asked("Implement the following plan:\n\n# Retry uploads\n") == "# Retry uploads\n"
    assert asked("We implement the following plan: x") == "We implement the following plan: x"


def test_it_is_called_by_its_first_heading() -> None:
    told = "Implement the following plan:\n\n# Plan: Retry uploads\n\n## Why\nThey fail."
    assert title(told) == "Retry uploads"
    assert title("implement the following plan: retry uploads") == "retry uploads"
    for plain in ("Retry uploads # now", "Implement the following plan:", ""):
        assert title(plain) == plain
