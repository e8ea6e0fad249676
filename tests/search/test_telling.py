"""Telling prefers what holds the question's words, and an answer says nothing twice."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.search import telling
from mcp_memory.search.passages import Passage


def said(*texts: str) -> list[Passage]:
    return [Passage("said", text) for text in texts]


def best(question: str, *texts: str) -> str:
    told = telling.tell(telling.sought(question), [said(*texts)], [1.0])
    return told[0].passage.text


def test_the_passage_that_holds_the_words_comes_first_whatever_their_endings() -> None:
    assert best(
        "which limit do batched pushes have",
        "The heron sleeps.",
        "No matches found",
        "A batch is limited to 5,000 refs a push.",
    ) == ("A batch is limited to 5,000 refs a push.")


def test_names_are_found_by_their_parts() -> None:
    assert (
        best("worktree id hash", "hashWorktreeID(path)", "nothing of it") == "hashWorktreeID(path)"
    )


def test_a_passage_is_never_chosen_for_its_head_alone() -> None:
    records = [[Passage("output", "No matches found", "$ grep -r limit .")]]
    assert telling.tell(telling.sought("limit"), records, [1.0]) == []


def frames(*full: int, sessions: tuple[str, ...] = ()) -> telling.Frames:
    return telling.Frames(full, sessions or ("",) * len(full), 2)


def shown_first(*full: int) -> telling.Frames:
    """The first of the records is shown already."""
    made = frames(*full)
    made.show(0)
    return made


def test_a_further_step_of_a_session_costs_its_number_only() -> None:
    made = frames(10, 10, 10, sessions=("a", "a", "b"))
    assert [made.price(record) for record in range(3)] == [10, 10, 10]
    made.show(0)
    assert [made.price(record) for record in range(3)] == [0, 2, 10]


def test_the_answer_fits_its_room_and_says_nothing_twice() -> None:
    records = [
        said("a limit of 5,000", "a limit of 5,000"),
        said("a limit of 5,000", "the limit is soft"),
    ]
    told = telling.tell(telling.sought("limit"), records, [1.0, 0.9])
    chosen = telling.choose(
        told, frames=frames(10, 10), cost=lambda p: len(p.text), room=60, more=2
    )
    assert sorted(one.passage.text for one in chosen) == ["a limit of 5,000", "the limit is soft"]
    few = telling.choose(told, frames=frames(10, 10), cost=lambda p: len(p.text), room=30, more=2)
    assert len(few) == 1


def test_no_more_records_are_told_of_than_are_wanted() -> None:
    records = [said("the limit is 5"), said("a limit is soft"), said("limits of refs")]
    told = telling.tell(telling.sought("limit"), records, [1.0, 0.9, 0.8])
    chosen = telling.choose(
        told, frames=shown_first(0, 10, 10), cost=lambda p: len(p.text), room=900, more=1
    )
    assert sorted(one.record for one in chosen) == [0, 1]


def test_what_an_answer_says_already_is_not_said_again() -> None:
    told = telling.tell(telling.sought("limit"), [said("a limit of 5", "soft limits")], [1.0])
    chosen = telling.choose(
        told, frames=frames(0), cost=lambda p: len(p.text), room=900, more=1, said=["a limit of 5"]
    )
    assert [one.passage.text for one in chosen] == ["soft limits"]


def test_of_two_that_hold_the_same_words_the_one_that_is_like_the_question_comes_first() -> None:
    told = telling.tell(
        telling.sought("limit"), [said("limit one", "limit two", "limit six")], [1.0]
    )
    assert [one.passage.text for one in told] == ["limit one", "limit two", "limit six"]
    nearer = telling.nearer(told, [0.1, 0.6])
    assert [one.passage.text for one in nearer] == ["limit two", "limit one", "limit six"]


@given(st.text(max_size=60), st.lists(st.lists(st.text(max_size=80), max_size=4), max_size=4))
def test_telling_is_the_same_each_time(question: str, records: list[list[str]]) -> None:
    stems, cut = telling.sought(question), [said(*texts) for texts in records]
    ranks = [1.0] * len(cut)
    assert telling.tell(stems, cut, ranks) == telling.tell(stems, cut, ranks)


def test_what_says_nearly_the_same_is_said_once_unless_it_has_another_number() -> None:
    first = "the limit of the basket is raised to 500 items by the owner of the shop"
    again = "so the limit of the basket is raised to 500 items by the owner"
    later = "the limit of the basket is raised to 900 items by the owner of the shop"
    told = telling.tell(telling.sought("limit of the basket"), [said(first, again, later)], [1.0])
    chosen = telling.choose(
        told, frames=frames(0), cost=lambda p: len(p.text), room=900, more=1, said=[first]
    )
    assert [one.passage.text for one in chosen] == [later]


def test_an_answer_that_repeats_the_question_is_no_repetition() -> None:
    asked = "Look up the heron stand of the north basin and set the job up with it."
    answer = "The heron stand of the north basin is willow. The job runs with it now."
    again = "The job with the heron stand of the north basin: look it up and set it."
    stems = telling.sought("what is the heron stand of the north basin")
    told = telling.tell(stems, [said(answer, again)], [1.0])
    chosen = telling.choose(
        told, frames=frames(0), cost=lambda p: len(p.text), room=900, more=1, said=[asked]
    )
    assert [one.passage.text for one in chosen] == [answer]


def test_numbers_and_long_names_are_looked_for_as_they_are() -> None:
    asked = "which release is 0.7.0, and what does e3b0c4 or MAX_BUNDLE_BYTES mean"
    assert {"0.7.0", "e3b0c4", "max_bundle_bytes"} <= set(telling.sought(asked))
    assert "hashtree" not in telling.sought("what does HashTree do"), "two parts tell enough"
    assert best("when did 0.7.0 go out", "the release of 0.6.1", "## [0.7.0] - 2026") == (
        "## [0.7.0] - 2026"
    )
    uses = "max bytes of the bundle: a bundle of max bytes is max"
    spelled = "const MAX_BUNDLE_BYTES = 100"
    assert best("MAX_BUNDLE_BYTES", *[uses] * 4, spelled) == spelled


LONG = "the heron of the north basin stands on one leg"


def test_a_long_line_that_is_told_already_is_not_told_again() -> None:
    first = f"limit one\n{LONG}"
    again = f"limit of the basket and of the pond\n  {LONG}\nand a soft limit for owners of shops"
    told = telling.tell(telling.sought("limit"), [said(again)], [1.0])
    (one,) = telling.choose(
        told, frames=frames(0), cost=lambda p: len(p.text), room=900, more=1, said=[first]
    )
    assert one.passage.text == (
        "limit of the basket and of the pond\n\u2026\nand a soft limit for owners of shops"
    )


def test_of_an_edit_what_goes_and_what_comes_stay_together() -> None:
    (told,) = telling.tell(
        telling.sought("limit"), [[Passage("edit", f"- {LONG}\n+ limit of 9")]], [1.0]
    )
    assert telling.without(told, {f"- {LONG}"}) == told


@given(st.lists(st.sampled_from([LONG, f" {LONG}", "short", "", LONG.upper()]), max_size=8))
def test_what_is_left_of_a_passage_is_what_was_not_told(lines: list[str]) -> None:
    one = telling.untold(0, 0, Passage("said", "\n".join(lines)), 1.0)
    left = telling.without(one, {LONG})
    kept = [line for line in lines if line and line.strip() != LONG]
    if not kept:
        assert left == one
        return
    told = left.passage.text.split("\n")
    assert [line for line in told if line not in ("", telling.GAP)] == kept
    assert telling.GAP not in (told[0], told[-1])
