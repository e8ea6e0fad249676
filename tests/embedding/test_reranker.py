"""Reranker: a cross-encoder of the user's changes the order of hits, and its absence nothing else."""

import shutil
from pathlib import Path

import mcp_memory
from mcp_memory.bank import open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft
from mcp_memory.embedding.reranker import Reranker
from mcp_memory.settings import Settings

MODEL = "Xenova/ms-marco-MiniLM-L-6-v2"
NOTES = ("The apple build needs one worker.", "The apple build needs a zebra.")


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer, as ONNX files are made of."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def tensor(name: bytes, kind: int, dims: tuple[bytes, ...]) -> bytes:
    shape = b"".join(field(1, field(2, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def cross_encoder(folder: Path) -> Path:
    """A model of two nodes whose score is the rarest word: the highest token id of a pair."""
    cast = field(1, b"input_ids") + field(2, b"x") + field(4, b"Cast")
    cast += field(5, field(1, b"to") + field(3, 1) + field(20, 2))
    most = field(1, b"x") + field(2, b"logits") + field(4, b"ReduceMax")
    most += field(5, field(1, b"axes") + field(8, 1) + field(20, 7))
    graph = field(1, cast) + field(1, most) + field(2, b"g")
    graph += field(11, tensor(b"input_ids", 7, (b"n", b"length")))
    graph += field(12, tensor(b"logits", 1, (b"n", b"one")))
    (folder / "onnx").mkdir(parents=True)
    model = field(1, 8) + field(8, field(1, b"") + field(2, 13)) + field(7, graph)
    (folder / "onnx" / "model.onnx").write_bytes(model)
    bundled = Path(mcp_memory.__file__).parent / "embedding" / "model"
    for file in bundled.glob("*.json"):
        shutil.copy(file, folder / file.name)
    return folder


async def found(settings: Settings) -> tuple[list[str], tuple[str, ...]]:
    async with open_bank(settings, cwd="/shop") as bank:
        for text in NOTES:
            await bank.retain(Draft(text=text, project="/shop"))
        result = await bank.search(Query(texts=("apple build needs one worker",), project="*"))
    return [hit.text for hit in result.hits], result.notes


async def test_a_cross_encoder_decides_the_order(settings: Settings, tmp_path: Path) -> None:
    plain, _ = await found(settings.model_copy(update={"home": tmp_path / "plain"}))
    assert [text.split(".")[0] for text in plain] == [note.split(".")[0] for note in NOTES]
    chosen = {"rerank_model": MODEL, "rerank_path": cross_encoder(tmp_path / "model")}
    read, notes = await found(settings.model_copy(update=chosen))
    assert "zebra" in read[0]
    assert notes == ()


async def test_a_cross_encoder_that_is_not_there_is_said_and_costs_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    chosen = {"rerank_model": MODEL, "rerank_path": tmp_path / "nowhere"}
    texts, notes = await found(settings.model_copy(update=chosen))
    assert len(texts) == len(NOTES)
    assert notes[0].startswith("Not reranked: ")


async def test_scores_are_higher_for_the_better_answer(tmp_path: Path) -> None:
    reranker = Reranker(MODEL, path=cross_encoder(tmp_path))
    scores = await reranker.scores("which animal", ["an apple", "a zebra \ud800"])
    assert scores is not None
    assert scores[1] > scores[0]
