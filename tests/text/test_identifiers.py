"""Identifiers are known by their shape, bring their words, and are bounded in number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text import identifiers


@pytest.mark.parametrize(
    "name",
    [
        "src/shop/cart_total.py", "cart.py", "getUserName", "user_name", "shop.cart.total",
        "--dry-run", "E0308", "ENOENT", "TS2322", "CVE-2024-1234", "abc1234", "0xdead", "v1.2.3",
        "1.2.3", "$HOME", "CART_KEY", "std::vec::Vec", "tests/test_a.py::test_b", "HTTPServer",
        "@scope/name", ".gitignore", "/usr/lib", "C:\\Users\\me", "https://x.org/a", "__init__",
    ],
)  # fmt: skip
def test_an_identifier_is_known_by_its_shape(name: str) -> None:
    assert identifiers.is_name(name)
    assert name in identifiers.names(f"Look at ({name}), please.")


@pytest.mark.parametrize(
    "word", ["the", "Login", "and/or", "404", "3.5", "e.g.", "well-known", "OK"]
)
def test_a_plain_word_or_bare_number_is_no_identifier(word: str) -> None:
    assert not identifiers.is_name(word)
    assert identifiers.names(f"Look at {word} please") == ()


def test_line_numbers_and_what_clings_to_a_path_are_dropped() -> None:
    assert identifiers.names("see ./src/a_b.py:12:5, and `x` in b.py.") == ("src/a_b.py", "b.py")


def test_a_status_code_counts_with_its_word_and_a_marked_word_as_a_name() -> None:
    assert identifiers.names("HTTP 404 from `parse` or run()") == ("run", "HTTP 404", "parse")


def test_identifiers_bring_the_words_they_are_made_of() -> None:
    assert identifiers.indexed("getUserName") == ("getUserName", "get", "user", "name")
    assert identifiers.parts("getHTTPServer_v2") == ("get", "http", "server")


def test_a_large_output_gives_a_bounded_number_of_identifiers_from_both_ends() -> None:
    text = " ".join(f"name_{i}" for i in range(20_000))
    found = identifiers.indexed(text)
    assert len(found) <= 400
    assert {"name_0", "name_19999"} <= set(found)


@given(st.text(alphabet=" ab.Z_/()[]'\n-:1é", max_size=60))
def test_a_name_is_found_by_the_one_pattern_however_it_is_looked_for(text: str) -> None:
    whole = dict.fromkeys(identifiers._shape(token) for token in identifiers._TOKEN.findall(text))
    assert set(filter(None, whole)) <= set(identifiers.names(text))
