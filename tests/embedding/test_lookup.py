"""Looking words up gives what running the model gives, whatever the text."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcp_memory.embedding import lookup
from mcp_memory.embedding.embedder import FastEmbedder

_LETTERS = st.one_of(
    st.text(max_size=700),
    st.text(alphabet=" \t\nabcXYZ0189_-./[]{}'\"\x00\x1b\x7f\x85\u00a0é漢ÀİßﬁⅣ—✓", max_size=700),
    st.text(alphabet=st.characters(max_codepoint=127), max_size=700),
)


@pytest.fixture(scope="module")
def table() -> Any:
    embedder = FastEmbedder()
    embedder.embed_blocking([""])
    return embedder._loaded


def _by_the_model(table: lookup.Lookup, text: str) -> Any:
    return table._summed([table._tokenizer.encode(text).ids])[0]


@given(st.lists(_LETTERS, min_size=1, max_size=4))
@example(["", "[MASK] [CLS]", "a\x00b c\x7fd", "x" * 400, "! " * 300, "é" * 600, "\u0301 a \u0301"])
@example(
    ["ﬁne İstanbul ß Ⅳ", "日本 x語y", "don't_stop", "\x1b[31mred\x1b[0m", "a\x1cb\x85c\u2028d"]
)
@settings(deadline=None, max_examples=150)
def test_each_text_has_the_direction_that_the_model_gives(table: Any, texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    made = np.concatenate(list(table.sums(texts)))
    for text, row in zip(texts, made, strict=True):
        assert np.allclose(row, _by_the_model(table, text), atol=1e-4, rtol=1e-4), text


def test_words_that_are_forgotten_are_learned_again(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_MOST_WORDS", 5)
    texts = [f"word{n} other{n} zebra" for n in range(200)]
    made = np.concatenate(list(table.sums(texts)))
    whole = [_by_the_model(table, text) for text in texts]
    assert np.allclose(made, whole, atol=1e-4)
