"""A regular expression means line by line what Python reads in it, or is refused in words."""

import re
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import lancedb
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tour_sessions import written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.errors import ExpressionRefused
from mcp_memory.search import expressions
from mcp_memory.settings import Settings
from mcp_memory.store.filters import quoted
from mcp_memory.store.rows import Where

TEXTS = ("aa{1}\nb-]", "func a() {\n}", "[a&&b] ^", "1a\\Z", "a,1\na{,1}", "-~~a", "")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> lancedb.table.Table:
    base = lancedb.connect(tmp_path_factory.mktemp("texts"))
    return base.create_table("texts", [{"text": text} for text in TEXTS])


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index(written(tmp_path))
        yield bank


@pytest.mark.parametrize("bad", ["(", "[z-a]", "(?=a)b", r"(a)\1", "(?a:x)", "x" * 301])
def test_an_expression_that_cannot_be_read_in_linear_time_is_refused(bad: str) -> None:
    with pytest.raises(ExpressionRefused):
        expressions.stored(bad)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("func main() {", r"func main() \{"),
        ("a{2}b{2,}c{,3}", "a{2}b{2,}c{0,3}"),
        ("x{a}", r"x\{a\}"),
        (r"\<div\>", "<div>"),
        (r"end\Z", r"end\z"),
        ("[[a]", r"[\[a]"),
        ("[]a{]", r"[\]a\{]"),
        ("[^]a]", r"[^\]a]"),
        ("[a&&b]", r"[a&\&b]"),
    ],
)
def test_signs_that_the_store_reads_otherwise_are_told_in_its_way(written: str, read: str) -> None:
    assert expressions.stored(written) == f"(?im){read}"


async def test_what_is_too_large_is_refused_in_words_with_words_and_without(
    bank: MemoryBank,
) -> None:
    for texts in ((), ("encoding",)):
        with pytest.raises(ExpressionRefused, match="too large"):
            await bank.search(Query(texts=texts, project="*", match=r"(\w{200}){200}"))


async def test_a_line_begins_and_ends_wherever_lines_do(bank: MemoryBank) -> None:
    """An output's third line begins with it; a whole record does not."""
    whole = [row.text for row in await bank.rooms.store.find("evidence", Where(kinds=("step",)))]
    line = next(text.splitlines()[2] for text in whole if len(text.splitlines()) > 3)
    found = await bank.search(Query(project="*", match=f"^{re.escape(line)}$"))
    assert found.found


SIGNS = st.lists(
    st.sampled_from([*"ab1{}[]^$-&~,.*()|", "\\{", "\\[", "\\Z", "\\w", "{1}", "{,1}", "[^", "&&"]),
    max_size=7,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(written=SIGNS)
def test_the_store_finds_what_python_finds_in_the_same_expression(
    table: lancedb.table.Table, written: str
) -> None:
    try:
        read = expressions.stored(written)
    except ExpressionRefused:
        return
    if not read:
        return
    asked = f"regexp_like(text, {quoted(read)})"
    found = {row["text"] for row in table.search().where(asked).limit(99).to_list()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        finds = re.compile(written, re.IGNORECASE | re.MULTILINE)
    assert found == {text for text in TEXTS if finds.search(text)}
    assert {text for text in TEXTS if regex.search(read, text)} == found
