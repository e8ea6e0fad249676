"""What a request or an answer says is told by whole sentences, and never cut inside one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.runbook import sentences

PLAN = "Implement the following plan:\n\n# Move the cart to its own table\n\n## Context\n\nIt grew."
PASTE = "=== RUN   TestCart\n=== PAUSE TestCart\nsrc/till.py:12: error: no module till\n"


def test_a_plan_that_is_handed_over_is_told_by_its_title() -> None:
    assert sentences.request(PLAN, (), 180) == "Move the cart to its own table"
    why = f"{PLAN} The `cart` column holds more than a row may."
    assert sentences.request(why, ("cart", "column"), 180) == (
        "Move the cart to its own table. The `cart` column holds more than a row may."
    )


def test_of_a_paste_the_error_is_told_and_of_one_without_an_error_that_it_is_one() -> None:
    assert sentences.request(PASTE, (), 180).startswith("(pasted) ")
    assert (
        sentences.request("=== RUN   TestCart\n=== PAUSE TestCart\n", (), 180) == "(pasted output)"
    )


def test_a_request_of_one_word_is_told_as_it_is() -> None:
    assert sentences.request("/review 158", (), 180) == "/review 158"


def test_whole_sentences_are_told_as_far_as_there_is_room() -> None:
    text = "The cart loses items. It happens when two tabs are open. Please find out why."
    assert (
        sentences.request(text, (), 60)
        == "The cart loses items. It happens when two tabs are open."
    )


def test_lines_that_were_wrapped_are_one_sentence_again() -> None:
    text = "This adds a new branch to the shell detection and changes how\nfiles are appended to."
    assert sentences.of(text) == (
        "This adds a new branch to the shell detection and changes how files are appended to.",
    )


def test_a_dash_within_a_sentence_is_no_bullet() -> None:
    assert sentences.of("- I like the cart - it is fast.") == ("I like the cart - it is fast.",)


def test_code_tables_and_what_was_printed_are_no_sentences() -> None:
    text = "```\nx = 1 and y = 2\n```\n| a | b |\n$ make test now\n[lint] found two issues here\n"
    assert sentences.of(text) == ()


def test_an_answer_is_told_by_what_names_what_was_asked() -> None:
    said = "All tests pass.\n\nDone.\n\nThe `lock_cart()` call now waits for the other tab."
    told = sentences.telling(said, ("cart", "tab", "lost"), 200)
    assert told == "The `lock_cart()` call now waits for the other tab."


@pytest.mark.parametrize("chars", [10, 100, 400])
@given(
    st.lists(
        st.sampled_from(["One line is here.", "Two of them are.", "`cart.py` is."]), max_size=9
    )
)
def test_what_is_told_is_made_of_whole_pieces_of_the_text(chars: int, said: list[str]) -> None:
    told = sentences.first(" ".join(said), chars)
    for piece in said:
        told = told.replace(piece, "")
    assert not told.strip()


def test_the_pieces_of_a_text_leave_nothing_out() -> None:
    text = "Run make.\nThen: test it. Only then push!\n\n1. a\n2. b"
    assert " ".join(sentences.pieces(text)).split() == text.split()
