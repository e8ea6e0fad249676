"""Changes: what an edit took out and put in, under every tool's names, and what was taken back."""

import pytest
from steps import edited, patched, ran, read, said, wrote

from mcp_memory.domain.models import Step, ToolCall
from mcp_memory.trajectories.changes import NEW_CHARS, Changed, changed


def told(*steps: Step) -> tuple[Changed, ...]:
    return changed(steps, path=lambda path: path.removeprefix("/app/"))


def test_only_lines_that_differ_are_told() -> None:
    (one,) = told(edited(1, "/app/a.go", "func a() {\n\twait = 2\n}", "func a() {\n\twait = 5\n}"))
    assert (one.path, one.step, one.old, one.new) == ("a.go", 1, "wait = 2", "wait = 5")


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "a.go", "oldText": "x", "newText": "y"},
        {"path": "a.go", "old_str": "x", "new_str": "y"},
        {"filePath": "a.go", "oldString": "x", "newString": "y"},
        {"file_path": "a.go", "edits": [{"old_string": "x", "new_string": "y"}]},
    ],
)
def test_every_tools_names_of_old_and_new_are_known(arguments: dict[str, object]) -> None:
    call = ToolCall.model_validate(
        {"id": "c", "name": "edit", "paths": ("a.go",), "edits": True, "arguments": arguments}
    )
    (one,) = told(Step(number=1, kind="agent", calls=(call,)))
    assert (one.path, one.old, one.new) == ("a.go", "x", "y")


def test_a_patch_is_a_change_a_hunk_of_each_file() -> None:
    patch = (
        "*** Begin Patch\n*** Update File: /app/a.py\n@@\n keep\n-x = 1\n+x = 2\n"
        "*** Add File: b.py\n+y = 3\n*** End Patch"
    )
    assert [(one.path, one.old, one.new) for one in told(patched(1, patch))] == [
        ("a.py", "x = 1", "x = 2"),
        ("b.py", "", "y = 3"),
    ]


def test_what_failed_or_only_moved_lines_is_no_change() -> None:
    assert not told(edited(1, "a", "x", "y", failed=True), edited(2, "a", "p\nq", "q\np"))
    assert not told(read(3, "a", "x = 1"), said(4, "x = 1"))


def test_a_long_file_is_cut_with_what_is_left_out() -> None:
    (one,) = told(wrote(1, "a.txt", "\n".join(f"line {n} of it" for n in range(100))))
    assert one.new.endswith("more lines")
    assert len(one.new) <= NEW_CHARS + 30


def test_a_change_that_is_put_back_word_for_word_is_undone() -> None:
    there, back = edited(1, "a.go", "x = 1", "x = 2"), edited(4, "a.go", "x = 2", "x = 1")
    assert [one.undone for one in told(there, back)] == [4, 0]


def test_git_takes_changes_of_the_files_it_names_back() -> None:
    steps = (edited(1, "src/a.go", "x", "y"), edited(2, "b.go", "x", "y"))
    assert [one.undone for one in told(*steps, ran(3, "git checkout -- src/a.go"))] == [3, 0]
    assert [one.undone for one in told(*steps, ran(3, "git checkout -b a.go"))] == [0, 0]
    assert [one.undone for one in told(*steps, ran(3, "git restore b.go", code=1))] == [0, 0]
