"""Embedders give unit vectors, in order, whatever the text; the bundled one needs no network."""

import math
import socket
import subprocess
import sys
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.errors import EmbedderUnavailable
from mcp_memory.embedding.embedder import (
    DEFAULT_DIM,
    DEFAULT_NAME,
    MOST_CHARS,
    Embedder,
    FastEmbedder,
    HashEmbedder,
    build_embedder,
)

TEXTS = (
    "The test database is reset by scripts/reset_db.sh before each run.",
    "I cooked pasta for dinner with my sister.",
    "fatal: refusing to merge unrelated histories",
    "",
    "数据库连接超时",
    "🦉" * 40,
    "half a character \ud83d stays harmless",
)
_SHARED = FastEmbedder()


@pytest.fixture
def bundled() -> FastEmbedder:
    return _SHARED


@pytest.fixture(params=["default", "hash"])
def embedder(request: pytest.FixtureRequest, bundled: FastEmbedder) -> Embedder:
    return bundled if request.param == "default" else HashEmbedder()


def cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def test_every_text_has_a_unit_vector_of_the_told_length(embedder: Embedder) -> None:
    for vector in await embedder.embed(TEXTS):
        assert len(vector) == embedder.dim
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


async def test_likeness_is_the_cosine_of_the_vectors(embedder: Embedder) -> None:
    asked, *others = await embedder.embed(TEXTS)
    told = await embedder.likeness(TEXTS[0], TEXTS[1:])
    assert told == pytest.approx([cosine(asked, other) for other in others], abs=1e-5)
    assert await embedder.likeness(TEXTS[0], []) == []


async def test_vectors_come_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = [f"{word} " * count for word, count in zip(TEXTS[:3], (9, 1, 4), strict=True)]
    alone = [await embedder.embed_query(text) for text in texts]
    for together, single in zip(await embedder.embed(texts), alone, strict=True):
        assert cosine(together, single) == pytest.approx(1, abs=1e-5)


async def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    assert await embedder.embed(TEXTS) == await embedder.embed(TEXTS)


async def test_no_text_means_no_vector(embedder: Embedder) -> None:
    assert await embedder.embed([]) == []
    assert embedder.embed_blocking([]) == b""


async def test_flat_rows_hold_the_same_numbers(embedder: Embedder) -> None:
    rows = array("f", embedder.embed_blocking(TEXTS)).tolist()
    expected = [number for vector in await embedder.embed(TEXTS) for number in vector]
    assert rows == pytest.approx(expected, abs=1e-7)


async def test_only_the_first_characters_count(embedder: Embedder) -> None:
    head = "migrate the schema " * MOST_CHARS
    assert await embedder.embed_query(head[:MOST_CHARS]) == await embedder.embed_query(head)


async def test_a_closed_embedder_can_be_used_again(embedder: Embedder) -> None:
    before = await embedder.embed_query(TEXTS[0])
    await embedder.aclose()
    assert await embedder.embed_query(TEXTS[0]) == before


def test_the_bundled_model_is_known_before_it_is_loaded() -> None:
    made = build_embedder("default", path=None, threads=1)
    assert made is not None
    assert (made.name, made.dim) == (DEFAULT_NAME, DEFAULT_DIM)


async def test_the_bundled_model_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    fresh = FastEmbedder()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(await fresh.embed_query("offline")) == DEFAULT_DIM


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("How do I clean the database?", TEXTS[0], TEXTS[1]),
        ("What did she eat in the evening?", TEXTS[1], TEXTS[2]),
        ("git pull fails with an error about commits", TEXTS[2], TEXTS[1]),
    ],
)
async def test_a_question_lies_nearer_to_its_answer(
    bundled: FastEmbedder, question: str, near: str, far: str
) -> None:
    asked = await bundled.embed_query(question)
    first, second = await bundled.embed([near, far])
    assert cosine(asked, first) > cosine(asked, second) + 0.1


async def test_frequent_words_hardly_move_a_vector(bundled: FastEmbedder) -> None:
    bare, padded = await bundled.embed(["deployment rollback", "the deployment of a rollback"])
    assert cosine(bare, padded) > 0.85


async def test_words_shared_bring_hashed_vectors_closer() -> None:
    asked, near, far = await HashEmbedder().embed(["red fox den", "a red fox", "blue whale song"])
    assert cosine(asked, near) > cosine(asked, far)


def test_no_embedder_is_a_choice() -> None:
    assert build_embedder("none", path=None, threads=2) is None


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(EmbedderUnavailable, match="nobody/knows-this"):
        build_embedder("nobody/knows-this", path=None, threads=2)


async def test_a_folder_without_a_model_is_refused_and_names_the_way_back(tmp_path: Path) -> None:
    made = build_embedder("BAAI/bge-small-en-v1.5", path=tmp_path, threads=1)
    assert made is not None
    with pytest.raises(EmbedderUnavailable, match="`default`"):
        await made.embed_query("anything")


@given(st.lists(st.text(st.characters(), max_size=300), min_size=1, max_size=5))
def test_any_text_can_be_embedded(texts: list[str]) -> None:
    rows = array("f", _SHARED.embed_blocking(texts)).tolist()
    assert len(rows) == len(texts) * DEFAULT_DIM
    assert all(map(math.isfinite, rows))


async def test_a_model_that_nobody_asks_is_let_go_and_comes_back() -> None:
    embedder = FastEmbedder()
    before = await embedder.embed(["grease the pump"])
    assert not await embedder.rest(60)
    assert await embedder.rest(0)
    assert not await embedder.rest(0)
    assert await embedder.embed(["grease the pump"]) == before


def test_the_bundled_model_loads_neither_fastembed_nor_a_runtime() -> None:
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            ("import sys; from mcp_memory.embedding.embedder import FastEmbedder;"
            "FastEmbedder().embed_blocking(['a word']);"
            "print([m for m in ('fastembed', 'onnxruntime', 'pyarrow') if m in sys.modules])"),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "[]"
