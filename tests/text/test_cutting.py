"""Cuts: no cutter of an answer ends or begins within a word, unless that is longer than its room."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_memory.archive import shortening
from mcp_memory.archive.shortening import Text
from mcp_memory.hooks import lines
from mcp_memory.search import passages
from mcp_memory.text import cutting
from mcp_memory.trajectories import changes, evidence, naming, rendering
from mcp_memory.viewer import rendering as viewed

WORDS = st.lists(
    st.text("abcdefghijäß_0123456789", min_size=1, max_size=30), min_size=1, max_size=80
)
BETWEEN = st.sampled_from([" ", " ", " ", "\n", ", ", ". ", "/", "-", "`", "…"])
ROOM = 120
WORD = re.compile(r"[^\W]+")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Words of at most thirty letters with spaces, marks or lines between them."""
    words = draw(WORDS)
    return "".join(word + draw(BETWEEN) for word in words)


def matched(text: str) -> str:
    """What fetch shows of it for the word in its middle."""
    words = WORD.findall(text)
    return shortening.shorten(
        Text(text, "#1@"), 4 * ROOM, shortening.finder(words[len(words) // 2])
    )


def around(text: str) -> str:
    first, last = shortening.around(text, len(text) // 2, ROOM)
    return text[first:last]


CUTTERS: dict[str, Callable[[str], str]] = {
    "head": lambda text: cutting.head(text, ROOM),
    "tail": lambda text: cutting.tail(text, ROOM),
    "fetch": lambda text: shortening.shorten(Text(text, "#1@"), ROOM),
    "fetch, by a word": matched,
    "fetch, its end": lambda text: text[shortening.suffix(text, ROOM) :],
    "inspect": around,
    "search": lambda text: "\n".join(one.text for one in passages.of_text(text)),
    "search, on one line": lambda text: passages.one_line(text, ROOM),
    "unasked": lambda text: lines.flat(text, ROOM),
    "an archive's line": lambda text: naming.one_line(text, ROOM),
    "an archive's code": lambda text: naming.code(text, ROOM),
    "an archive's output": lambda text: rendering.capped(text, ROOM, "o:1"),
    "an output in a search": lambda text: evidence._ends(text * 40),
    "a change": lambda text: changes._shown([text], ROOM),
    "the page": lambda text: viewed.cut(text, ROOM),
}


@pytest.mark.parametrize("name", CUTTERS)
@given(text=texts())
@example(
    text="0 0 0 0000 00000 0000000 "
    + "0" * 13
    + "1 "
    + "0" * 15
    + " "
    + "0" * 15
    + " "
    + "0" * 25
    + "/"
    + "0" * 25
    + " 00000 00000 000000 0000000 00000000 "
    + "0" * 25
    + " "
    + "0" * 29
    + " "
    + "0" * 30
    + " "
)
@example(
    text="0 00 0000 0000 "
    + "000000 " * 4
    + "0" * 17
    + " "
    + "0" * 18
    + "1 "
    + "0" * 29
    + ", 0 000000 "
)
def test_no_cut_falls_within_a_word(name: str, text: str) -> None:
    whole = {*WORD.findall(text.replace("`", "'"))}
    told = CUTTERS[name](text)
    told = re.sub(r"\[… [^\]]*…\]", " ", told)
    assert {*WORD.findall(told.replace("`", "'"))} <= whole, (told, text)


@pytest.mark.parametrize("name", ["head", "inspect", "search, on one line", "unasked", "the page"])
def test_a_word_longer_than_the_room_is_cut_and_fills_it(name: str) -> None:
    told = CUTTERS[name]("x" * 1_000)
    assert ROOM - 3 < len(told) <= ROOM + 2


@given(text=texts(), chars=st.integers(2, 200))
@example(text="see https://heron.example/" + "a" * 90 + " now", chars=40)
def test_what_is_cut_is_marked_and_within_its_room(text: str, chars: int) -> None:
    for told, place in ((cutting.head(text, chars), -1), (cutting.tail(text, chars), 0)):
        assert len(told) <= chars or told == text
        assert told == text or told[place] == cutting.MARK


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_cut_never_goes_past_its_place_and_reading_on_always_gets_on(text: str, at: int) -> None:
    assert 0 <= cutting.end(text, at) <= max(0, min(at, len(text)))
    assert min(at, len(text)) <= cutting.begin(text, at) <= len(text)
    if at > 1 and text:
        assert cutting.end(text, at) > 0


def test_scripts_without_spaces_are_cut_where_the_room_ends() -> None:
    assert len(cutting.head("記憶は証拠とともに保存される" * 40, 100)) == 100
    assert cutting.head("Ein Häuschen " * 4, 14) == "Ein Häuschen…"
