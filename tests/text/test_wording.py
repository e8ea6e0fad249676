"""Wording reads queries: what identifies is kept, what only asks is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import identifiers, wording


@pytest.mark.parametrize(
    "unit", ["a", "a/", "a.", "A", "_a", "`", "?", "\n", " ", "a:b", "0-", "()", "Aa: "]
)
def test_reading_takes_linear_time_on_hostile_text(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    begun = time.process_time()
    identifiers.indexed(text)
    wording.clean_query(text)
    wording.terms(text)
    assert time.process_time() - begun < 3


def test_a_short_query_is_kept_as_it_is() -> None:
    assert wording.clean_query("  why does\nlogin fail? ") == "why does login fail?"


def test_a_pasted_prompt_is_cut_to_its_question() -> None:
    prompt = "You are a careful assistant. Follow all rules.\n" * 80
    cut = wording.clean_query(f"{prompt}Why does cart_total() round down?\n")
    assert len(cut) <= 400
    assert cut.startswith("Why does cart_total() round down?")


def test_a_stack_trace_is_cut_to_its_error_and_nearest_names() -> None:
    frames = "\n".join(f'  File "/srv/app/mod_{i}.py", line {i}, in run' for i in range(250))
    cut = wording.clean_query(f"Traceback (most recent call last):\n{frames}\nKeyError: 'cart'\n")
    assert cut.startswith("KeyError: 'cart'")
    assert "/srv/app/mod_249.py" in cut
    assert "mod_0.py" not in cut


@given(st.text(max_size=3000))
def test_a_clean_query_is_bounded_and_terms_are_unique(text: str) -> None:
    cut = wording.clean_query(text)
    assert len(cut) <= 400
    assert len(cut.split()) <= 64
    folded = [term.casefold() for term in wording.terms(text)]
    assert len(folded) == len(set(folded)) <= 64


def test_words_that_only_ask_are_left_out_unless_nothing_else_was_said() -> None:
    assert wording.content_words("When did Ada fix the parser?") == "Ada fix parser?"
    assert wording.content_words("what is it") == "what is it"
    assert wording.content_words("解析器 是 谁 修好 的") == "解析器 是 谁 修好 的"


def test_terms_keep_names_whole_and_cut_chinese_into_pairs() -> None:
    assert wording.terms("The getUser call") == ("getUser", "the", "call")
    assert wording.terms("登录错误") == ("登录", "录错", "错误")


def test_dates_and_words_that_only_ask_are_not_informative() -> None:
    asked = wording.informative("What did Ada fix in parse_header on 3rd May 2023?")
    assert set(asked) == {"Ada", "fix", "parse_header"}


def test_names_are_identifiers_and_words_with_a_capital() -> None:
    assert [term for term in ("Ada", "parse_header", "fix") if wording.is_entity(term)] == [
        "Ada",
        "parse_header",
    ]


def test_pairs_of_chinese_that_only_ask_are_not_informative() -> None:
    asked = "\u6211\u7528\u7684\u5bb6\u7535\u662f\u4ec0\u4e48\u5462\uff1f"
    assert wording.informative(asked) == ("\u5bb6\u7535",)
    only = "\u4ec0\u4e48\uff1f"
    assert wording.informative(only) == ("\u4ec0\u4e48",)


def test_a_pair_of_cjk_letters_is_told_from_a_word() -> None:
    pairs = [term for term in wording.informative("张伟喜欢 Redis 吗") if wording.is_pair(term)]
    assert pairs
    assert "Redis" not in pairs


def test_words_of_state_are_told() -> None:
    assert wording.asks_for_now("Which limit applies now?")
    assert wording.asks_for_now("where did it end up")
    assert not wording.asks_for_now("why was the limit lowered in knowledge.go?")
