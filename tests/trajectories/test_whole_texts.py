"""Whole texts: a file as it was after each step that wrote it or read all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from steps import edited, patched, ran, read, wrote

from mcp_memory.domain.models import Step
from mcp_memory.trajectories import whole_texts


def last(*steps: Step, path: str = "a.py") -> whole_texts.Known | None:
    made = list(whole_texts.known(steps, lambda name: name == path))
    return made[-1] if made else None


def text(*steps: Step) -> str:
    found = last(*steps)
    assert found is not None
    return found.text


def test_what_was_written_is_changed_by_what_came_later() -> None:
    found = last(wrote(1, "a.py", "one\ntwo\n"), edited(2, "a.py", "two", "three"))
    assert found is not None
    assert (found.text, found.step, found.how, found.doubts) == ("one\nthree\n", 2, "changed", 0)


def test_a_change_that_failed_changes_nothing() -> None:
    assert text(wrote(1, "a.py", "one\n"), edited(2, "a.py", "one", "two", failed=True)) == "one\n"


def test_a_change_that_does_not_fit_is_a_doubt() -> None:
    found = last(wrote(1, "a.py", "one\n"), edited(2, "a.py", "nine", "ten"))
    assert found is not None
    assert (found.text, found.doubts) == ("one\n", 1)


def test_a_change_of_a_text_that_was_never_seen_tells_nothing() -> None:
    assert last(edited(1, "a.py", "one", "two")) is None


def test_other_files_do_not_matter() -> None:
    assert text(wrote(1, "a.py", "one\n"), wrote(2, "b.py", "two\n")) == "one\n"


@pytest.mark.parametrize(
    "shown",
    [
        "     1→import os\n     2→\n     3→x = 1\n",
        "1\timport os\n2\t\n3\tx = 1\n",
        "<file>\n00001| import os\n00002| \n00003| x = 1\n</file>",
        "<type>file</type>\n<content>1: import os\n2: \n3: x = 1\n\n(End of file - 3)\n</content>",
        "import os\n\nx = 1\n",
        "     1→import os\n     2→\n     3→x = 1\n\n<system-reminder>\nBe good.\n</system-reminder>\n",
    ],
)
def test_what_a_tool_adds_to_a_file_is_taken_off(shown: str) -> None:
    assert text(read(1, "a.py", shown)).rstrip("\n") == "import os\n\nx = 1"


@pytest.mark.parametrize(
    "shown",
    [
        "   200→x = 1\n   201→y = 2\n",
        "import os\n…1200 tokens truncated…\nx = 1\n",
        "<persisted-output>\nOutput too large\n</persisted-output>",
        "x = 1\n\n[605 more lines in file. Use offset=940 to continue]",
    ],
)
def test_a_part_is_not_taken_for_the_whole(shown: str) -> None:
    assert last(read(1, "a.py", shown)) is None


def test_a_file_that_speaks_of_truncation_is_whole() -> None:
    assert text(read(1, "a.py", "say('Output truncated')\n")) == "say('Output truncated')\n"


def test_a_file_of_numbered_lines_that_do_not_count_is_left_as_it_is() -> None:
    assert text(read(1, "a.py", "10 PRINT\n20 GOTO 10\n")) == "10 PRINT\n20 GOTO 10\n"


def test_a_shell_that_prints_the_whole_file_tells_it() -> None:
    assert text(ran(1, "cat a.py", "x = 1\n")) == "x = 1\n"
    assert text(ran(1, "sed -n '1,200p' a.py", "x = 1\n")) == "x = 1\n"
    assert last(ran(1, "sed -n '1,2p' a.py", "x = 1\ny = 2\n")) is None
    assert last(ran(1, "cat a.py b.py", "x = 1\n")) is None
    assert last(ran(1, "cat a.py | head", "x = 1\n")) is None
    assert last(ran(1, "cat a.py", "No such file", code=1)) is None


def test_a_patch_is_carried_out() -> None:
    made = text(
        wrote(1, "a.py", "one\ntwo\nthree\n"),
        patched(
            2, "*** Begin Patch\n*** Update File: a.py\n@@\n one\n-two\n+2\n three\n*** End Patch"
        ),
    )
    assert made == "one\n2\nthree\n"


def test_a_deleted_file_is_known_to_be_gone() -> None:
    found = last(
        wrote(1, "a.py", "one\n"),
        patched(2, "*** Begin Patch\n*** Delete File: a.py\n*** End Patch"),
    )
    assert found is not None
    assert (found.how, found.text) == ("deleted", "")


@given(st.lists(st.text(alphabet="ab \n", min_size=1, max_size=12), min_size=1, max_size=6))
def test_the_text_is_what_the_last_write_said(texts: list[str]) -> None:
    steps = [wrote(number, "a.py", one) for number, one in enumerate(texts, 1)]
    assert text(*steps) == texts[-1]
