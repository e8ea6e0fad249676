"""Marks tie a question to the records that changed its files or met its errors, however long the path."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.models import Observation, Step, ToolCall
from mcp_memory.trajectories import edits, failures, marks

RAISED = (
    "Traceback (most recent call last):\nKeyError: 'nest 7 of 0x7f' in /home/ada/birds/heron.py"
)


def step(number: int, *paths: str, edits: bool = True, failed: str = "") -> Step:
    calls = tuple(ToolCall(id=path, name="Edit", paths=(path,), edits=edits) for path in paths)
    seen = (Observation(call_id="c", text=failed, exit_code=1),) if failed else ()
    return Step(number=number, kind="agent", calls=calls, observations=seen)


def tied(*steps: Step) -> dict[int, tuple[str, ...]]:
    return marks.by_step({one.number: edits.paths(one) for one in steps}, failures.met(steps))


def of_steps(steps: list[Step]) -> tuple[str, ...]:
    return tuple(mark for made in tied(*steps).values() for mark in made)


names = st.from_regex(r"[a-z][a-z_]{1,12}", fullmatch=True)


@given(st.lists(names, max_size=9), names, st.sampled_from("/\\"), st.data())
def test_a_changed_file_is_known_by_every_ending_of_its_path(
    folders: list[str], name: str, slash: str, data: st.DataObject
) -> None:
    parts = [*folders, f"{name}.py"]
    made = of_steps([step(1, f"C:{slash}{slash.join(parts)}")])
    asked = "/".join(parts[data.draw(st.integers(0, len(parts) - 1)) :])
    assert set(marks.asked(f"why does {asked} retry?")) <= set(made)
    assert marks.asked(asked)


def test_a_file_that_was_only_read_and_one_of_another_folder_are_not_meant() -> None:
    assert of_steps([step(1, "src/nest.py", edits=False)]) == ()
    made = of_steps([step(1, "src/nest.py")])
    assert not set(marks.asked("tests/nest.py")) & set(made)


def test_an_error_met_is_known_by_its_line_whatever_its_numbers_and_folders() -> None:
    made = of_steps([step(1, failed=RAISED)])
    again = "I get KeyError: once more\nKeyError: 'nest 12 of 0xbeef' in /srv/heron.py"
    assert set(made) & set(marks.asked(again))
    assert not set(made) & set(marks.asked("KeyError: 'egg' in heron.py"))


def test_only_the_first_step_of_a_session_that_changes_a_file_is_marked() -> None:
    first, again, other = marks.first_met(
        tied(step(1, "a/b.py"), step(2, "a/b.py"), step(3, "a/c.py"))
    )
    assert first
    assert again == ()
    assert other
    assert not set(first) & set(other)


def test_a_plain_question_asks_for_no_marks() -> None:
    assert marks.asked("How does the heron build its nest, and/or when? e.g. in May 3.5") == ()
