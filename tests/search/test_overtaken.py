"""What a hit says was given another value later: said with the later one."""

from datetime import UTC, datetime

from mcp_memory.search import overtaken
from mcp_memory.search.overtaken import Record


def record(step: int, text: str, *, session: str = "a", day: int = 1, project: str = "p") -> Record:
    at = datetime(2026, 3, day, tzinfo=UTC)
    return Record(f"t:{session}#{step}", project, session, step, at, text)


OLD = record(3, "maxRefs = 1_000_000")


def test_a_later_value_of_the_same_name_is_said() -> None:
    new = record(2, "- maxRefs = 1_000_000\n+ maxRefs = 5_000_000", session="b", day=9)
    assert overtaken.later(OLD.text, OLD, [new]) == ("t:b#2 maxRefs = 5_000_000",)


def test_an_earlier_value_another_project_and_another_spelling_are_not() -> None:
    others = [
        record(2, "maxRefs = 7"),
        record(9, "maxRefs = 7", session="b", day=9, project="other"),
        record(9, "maxRefs = 1000000", session="c", day=9),
    ]
    assert overtaken.later(OLD.text, OLD, others) == ()


def test_the_newest_of_several_is_said() -> None:
    others = [record(n, f"maxRefs: {n}", session="b", day=n) for n in (5, 9, 7)]
    assert overtaken.later(OLD.text, OLD, others) == ("t:b#9 maxRefs = 9",)


def test_a_line_of_a_file_is_no_value() -> None:
    old = record(3, "fails in `versions.go:51-58`, timeout: 2")
    new = record(9, "fails in versions.go:211, timeout: 5")
    assert overtaken.later(old.text, old, [new]) == ("t:a#9 timeout = 5",)
