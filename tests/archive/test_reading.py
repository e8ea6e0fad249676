"""Steps share the room of an answer: a long one is shortened where it stands, and says where to read on."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.archive import parts, reading, shortening
from mcp_memory.archive.reading import Asked
from mcp_memory.archive.shortening import Text, cost
from mcp_memory.domain.models import Observation, SourceClass, Step, ToolCall

MARK = re.compile(r"\[… ([\d,]+) more: #(\d+)@(\d+) …\]")
LONG = "\n".join(f"line {n} of a long output" for n in range(2_000))


def said(number: int, text: str, kind: str = "agent") -> Step:
    return Step.model_validate({"number": number, "kind": kind, "text": text})


def ran(number: int, command: str, text: str, code: int = 0) -> Step:
    return Step(
        number=number,
        kind="agent",
        calls=(ToolCall(id="c", name="Bash", command=command),),
        observations=(Observation(call_id="c", text=text, exit_code=code),),
    )


def edited(number: int, old: str, new: str) -> Step:
    given = {"file_path": "/shop/src/a.py", "old_string": old, "new_string": new}
    call = ToolCall(id="c", name="Edit", arguments=given, paths=("/shop/src/a.py",), edits=True)
    seen = Observation(call_id="c", text="The file was updated.", failed=False)
    return Step(number=number, kind="agent", calls=(call,), observations=(seen,))


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_long_step_never_stops_the_answer_before_it_or_after_it(place: int) -> None:
    steps = [ran(n, "cat big", LONG) if n == place else said(n, f"short {n}") for n in (1, 2, 3)]
    shown = reading.show(steps, Asked(), room=2_000)
    assert shown.last == 3
    assert all(f"#{n} agent" in shown.text for n in (1, 2, 3))
    assert cost(shown.text) > 1_200, "the room is used"


def test_a_mark_says_how_much_is_missing_and_where_it_begins() -> None:
    step = ran(7, "cat big", LONG)
    shown = reading.show([step], Asked(), room=1_000).text
    mark = MARK.search(shown)
    assert mark is not None
    assert mark[2] == "7"
    whole, head = parts.whole(step), shown[: mark.start()].partition("\n")[2]
    at, missing = int(mark[3]), int(mark[1].replace(",", ""))
    assert whole[:at].strip() == head.strip()
    assert whole[at + missing :].strip() == shown[mark.end() :].strip()


def test_lines_that_hold_the_words_stay_with_head_and_end() -> None:
    lines = LONG.splitlines()
    lines[900] = "the heron timeout is 30 s"
    shown = reading.show(
        [ran(1, "cat big", "\n".join(lines))],
        Asked(find=shortening.finder("heron timeout")),
        room=1_000,
    ).text
    assert "the heron timeout is 30 s" in shown
    assert "line 0 of" in shown
    assert "line 1999 of" in shown


def test_where_not_all_fits_steps_that_hold_nothing_of_the_words_are_folded() -> None:
    steps = [said(n, "words " * 200) for n in range(1, 40)]
    steps[19] = said(20, "the heron timeout is 30 s")
    shown = reading.show(steps, Asked(find=shortening.finder("heron timeout")), room=1_000)
    assert "[#1-19: no match]" in shown.text
    assert "the heron timeout is 30 s" in shown.text
    assert "[#21-39: no match]" in shown.text
    assert shown.last == 39


def test_steps_that_hold_less_of_the_words_stay_as_long_as_there_is_room() -> None:
    steps = [said(n, "words " * 200) for n in range(1, 40)]
    steps[19] = said(20, "the heron timeout is 30 s")
    for number in (5, 9, 30):
        steps[number - 1] = said(number, f"{'words ' * 200}\nthe heron sleeps")
    asked = Asked(find=shortening.finder("heron timeout"))
    wide = reading.show(steps, asked, room=1_500).text
    assert wide.count("the heron sleeps") == 3
    assert "[#1-4: no match]" in wide
    narrow = reading.show(steps, asked, room=250).text
    assert "[#1-19: less of it in #5 #9]" in narrow
    assert "the heron timeout is 30 s" in narrow
    assert "[#21-39: less of it in #30]" in narrow


def test_nothing_is_folded_where_all_of_it_fits_or_nothing_matches() -> None:
    steps = [said(1, "one"), said(2, "the heron")]
    assert "one" in reading.show(steps, Asked(find=shortening.finder("heron")), room=1_000).text
    shown = reading.show(steps, Asked(find=shortening.finder("walrus")), room=1_000)
    assert "no match" not in shown.text


def test_prose_is_what_people_and_agents_said() -> None:
    steps = [
        said(1, "please mend it", "user"),
        said(2, "<task-notification>", "system"),
        ran(3, "pytest -q", "3 passed"),
        Step(number=4, kind="system", text="[stopped by the user]", source=SourceClass.USER),
    ]
    shown = reading.show(steps, Asked(show="prose"), room=1_000).text
    assert "please mend it" in shown
    assert "[stopped by the user]" in shown
    assert "pytest" not in shown
    assert "task-notification" not in shown


def test_calls_are_commands_and_edits_with_how_they_ended() -> None:
    steps = [
        said(1, "please mend it", "user"),
        ran(2, "pytest -q", f"{LONG}\n1 failed, 2 passed", 1),
        edited(3, "a = 1", "a = 2"),
    ]
    shown = reading.show(steps, Asked(show="calls"), room=1_000).text
    assert "please mend it" not in shown
    assert "→ Bash: pytest -q\n← [exit 1] … 1 failed, 2 passed" in shown
    assert shown.endswith("- a = 1\n+ a = 2\n← [ok]")


def test_steps_without_anything_of_the_kind_are_said_to_have_nothing() -> None:
    shown = reading.show([said(1, "hello")], Asked(show="calls"), room=1_000)
    assert (shown.text, shown.last) == (reading.NOTHING, 1)


def test_an_edit_reads_as_what_went_and_what_came() -> None:
    step = edited(1, "def f():\n    a = 1\n    return a", "def f():\n    a = 2\n    return a")
    told = parts.whole(step, lambda path: path.removeprefix("/shop/"))
    assert told.splitlines()[:5] == [
        "→ Edit src/a.py",
        "  def f():",
        "-     a = 1",
        "+     a = 2",
        "      return a",
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(max_size=600), min_size=1, max_size=30),
    st.integers(300, 4_000),
    st.sampled_from(["", "heron", "a b c"]),
)
def test_the_text_never_takes_more_than_its_room(texts: list[str], room: int, words: str) -> None:
    steps = [
        said(n, text) if n % 2 else ran(n, text[:50], text, n % 3)
        for n, text in enumerate(texts, 1)
    ]
    shown = reading.show(steps, Asked(find=shortening.finder(words)), room=room)
    assert cost(shown.text) <= room
    assert shown.last <= len(steps)
    again = reading.show(steps, Asked(find=shortening.finder(words)), room=room)
    assert again == shown


@given(st.text(max_size=3_000), st.integers(0, 2_000), st.sampled_from(["", "heron", "a b c"]))
def test_a_shortened_text_takes_its_room_or_the_least(text: str, room: int, words: str) -> None:
    short = shortening.shorten(Text(text, "#1@"), room, shortening.finder(words))
    assert cost(short) <= max(room, shortening.LEAST)


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.floats(0.5, 3)), min_size=1, max_size=20),
    st.integers(0, 9_000),
)
def test_shares_hold_the_room_and_give_nobody_more_than_it_needs(
    asked: list[tuple[int, float]], room: int
) -> None:
    costs, weights = [each[0] for each in asked], [each[1] for each in asked]
    shares = shortening.share(costs, weights, room)
    assert sum(shares) <= max(room, 0)
    assert all(got <= need for got, need in zip(shares, costs, strict=True))
    if sum(costs) > room:
        assert sum(shares) >= room - len(costs), "what the modest leave over is given on"


def test_what_a_host_writes_below_an_output_does_not_stand_for_it() -> None:
    steps = [ran(2, "pytest -q", f"{LONG}\n1 failed, 2 passed\nShell cwd was reset to /w/shop", 1)]
    shown = reading.show(steps, Asked(show="calls"), room=1_000).text
    assert "← [exit 1] … 1 failed, 2 passed" in shown
