"""The bundled embedding model: recall of LoCoMo's evidence by vectors alone, and what it costs.

Usage: python benchmarks/embedding.py --data FOLDER    (FOLDER holds LoCoMo's JSON, at any depth)

A question finds the turns of its conversation by cosine; recall@10 is the share of its evidence
turns among the first ten, averaged over questions. Questions fall into two halves by a hash of
their id: settings were chosen on half A, so half B is the figure to believe.
"""

import argparse
import hashlib
import json
import socket
import statistics
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from apparatus.timing import machine, middle, peak, seconds

from mcp_memory.embedding.embedder import FastEmbedder

NEAREST = 10
QUERIES = 200
BULK = 20_000


def refuse(*_: object, **__: object) -> NoReturn:
    raise SystemExit("the bundled model tried to open a connection")


def conversations(data: Path) -> list[dict[str, Any]]:
    """LoCoMo's conversations, from the first file below the folder that holds them."""
    for path in sorted(data.rglob("locomo*.json")):
        return list(json.loads(path.read_text(encoding="utf-8")))
    raise SystemExit(f"no locomo*.json below {data}")


def turns_of(conversation: dict[str, Any]) -> dict[str, str]:
    """What was said, by turn."""
    sessions = [
        said
        for name, said in conversation["conversation"].items()
        if name.startswith("session_") and isinstance(said, list)
    ]
    return {
        turn["dia_id"]: f"{turn['speaker']}: {turn['text']}" for said in sessions for turn in said
    }


def in_half_a(sample: str, number: int) -> bool:
    return hashlib.sha256(f"{sample}/{number}".encode()).digest()[0] % 2 == 0


def vectors(embedder: FastEmbedder, texts: list[str]) -> np.ndarray:
    rows = np.frombuffer(embedder.embed_blocking(texts), np.float32)
    return rows.reshape(len(texts), embedder.dim)


def recalls(embedder: FastEmbedder, conversation: dict[str, Any]) -> list[tuple[bool, float]]:
    """For each question with evidence, its half and its recall."""
    turns = turns_of(conversation)
    places = {name: place for place, name in enumerate(turns)}
    asked = []
    for number, question in enumerate(conversation["qa"]):
        named = " ".join(question["evidence"]).replace(";", " ").replace(",", " ").split()
        evidence = {places[name] for name in named if name in places}
        if evidence:
            asked.append((number, question["question"], evidence))
    scores = vectors(embedder, [text for _, text, _ in asked])
    scores = scores @ vectors(embedder, list(turns.values())).T
    found = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    return [
        (in_half_a(conversation["sample_id"], number), len(evidence & set(row)) / len(evidence))
        for (number, _, evidence), row in zip(asked, found.tolist(), strict=True)
    ]


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="default")
    told = parser.parse_args()
    found = conversations(told.data)
    before = peak()
    embedder = FastEmbedder(told.model)
    if told.model == "default":
        socket.socket.connect = refuse  # type: ignore[method-assign, assignment]
    imported = seconds(lambda: __import__("fastembed"))
    loaded = seconds(lambda: embedder.embed_blocking(["first"]))
    scored = [each for conversation in found for each in recalls(embedder, conversation)]
    questions = [question["question"] for each in found for question in each["qa"]][:QUERIES]
    single = [seconds(lambda q=q: embedder.embed_blocking([q])) for q in questions]
    said = [text for conversation in found for text in turns_of(conversation).values()]
    bulk = (said * (BULK // len(said) + 1))[: BULK if told.model == "default" else 500]
    took = seconds(lambda: embedder.embed_blocking(bulk))
    half_a = [recall for is_a, recall in scored if is_a]
    half_b = [recall for is_a, recall in scored if not is_a]
    print(f"{embedder.name}, {embedder.dim} dimensions")
    print(f"machine {machine()}")
    print(f"recall@{NEAREST}  half A {statistics.mean(half_a):.4f} ({len(half_a)} questions)")
    print(f"           half B {statistics.mean(half_b):.4f} ({len(half_b)} questions)")
    print(f"           all    {statistics.mean(half_a + half_b):.4f}")
    print(f"import fastembed {imported:.2f} s, load and first text {loaded:.2f} s")
    print(f"one query {middle(single)}, median of {len(single)}")
    print(f"{len(bulk) / took:,.0f} texts a second over {len(bulk):,}")
    print(f"resident {peak()} MB at most, {before} before the model")


if __name__ == "__main__":
    main()
