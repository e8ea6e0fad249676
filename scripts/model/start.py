"""The start: a table of all-MiniLM-L6-v2's tokens, centred, reduced and weighted by how rare they are."""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator

import numpy as np
from tokenizers import Tokenizer

DIM = 256
SMOOTHING = 1e-3
BATCH = 512
PIECE = 20_000
CLS, SEP = 101, 102
RESERVED = 999
Arrays = dict[str, np.ndarray]


def safetensors(raw: bytes) -> Arrays:
    """The fp32 tensors of a safetensors file, widened."""
    (length,) = struct.unpack("<Q", raw[:8])
    tensors = {}
    for name, told in json.loads(raw[8 : 8 + length]).items():
        if told.get("dtype") == "F32":
            start, end = (8 + length + offset for offset in told["data_offsets"])
            values = np.frombuffer(raw[start:end], np.float32)
            tensors[name] = values.reshape(told["shape"]).astype(np.float64)
    return tensors


def normalised(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Layer normalisation, BERT's epsilon."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * weight + bias


def gelu(x: np.ndarray) -> np.ndarray:
    """The exact Gaussian error linear unit, by Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    z = np.abs(x) / np.sqrt(2)
    t = 1 / (1 + 0.3275911 * z)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    return 0.5 * x * (1 + erf)


def encoded(ids: np.ndarray, weights: Arrays, heads: int) -> np.ndarray:
    """The last hidden states of a batch of token ids without padding, by BERT's forward pass."""

    def part(name: str) -> tuple[np.ndarray, np.ndarray]:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        weight, bias = part(name)
        flat = x.reshape(-1, x.shape[-1])  # numpy multiplies a stack of small matrices far slower
        return (flat @ weight.T + bias).reshape(*x.shape[:-1], -1)

    rows, length = ids.shape
    x = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][:length]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    x = normalised(x, *part("embeddings.LayerNorm"))
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        q, k, v = (
            linear(x, f"{name}.attention.self.{kind}")
            .reshape(rows, length, heads, -1)
            .transpose(0, 2, 1, 3)
            for kind in ("query", "key", "value")
        )
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (
            (scores / scores.sum(-1, keepdims=True) @ v)
            .transpose(0, 2, 1, 3)
            .reshape(rows, length, -1)
        )
        x = normalised(
            linear(mixed, f"{name}.attention.output.dense") + x,
            *part(f"{name}.attention.output.LayerNorm"),
        )
        wide = gelu(linear(x, f"{name}.intermediate.dense"))
        x = normalised(linear(wide, f"{name}.output.dense") + x, *part(f"{name}.output.LayerNorm"))
    return x


def token_states(weights: Arrays, heads: int) -> np.ndarray:
    """The last state of every token, between the marks of a sentence."""
    count = weights["embeddings.word_embeddings.weight"].shape[0]
    made = []
    for start in range(0, count, BATCH):
        tokens = np.arange(start, min(count, start + BATCH))
        ids = np.stack([np.full_like(tokens, CLS), tokens, np.full_like(tokens, SEP)], axis=1)
        made.append(encoded(ids, weights, heads)[:, 1])
    return np.concatenate(made)


def django(sdist: bytes, suffix: str, folder: str) -> Iterator[str]:
    """The files of one kind, in a stable order."""
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            wanted = member.name.endswith(suffix) and folder in member.name
            file = archive.extractfile(member) if member.isfile() and wanted else None
            if file is not None:
                yield file.read().decode("utf-8", "replace")


def chats(wheel: bytes) -> Iterator[str]:
    """One text a conversation; only what was said."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        talks = json.loads(archive.read("chitchat_dataset/dataset.json"))
    for talk in talks.values():
        yield "\n".join(said["text"] for turn in talk["messages"] for said in turn)


def shares(tokenizer: Tokenizer, texts: Iterable[str], count: int) -> np.ndarray:
    """The share of each token in the texts; sums to one."""
    seen = np.zeros(count)
    for text in texts:
        pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
        for found in tokenizer.encode_batch(pieces, add_special_tokens=False):
            seen += np.bincount(found.ids, minlength=count)
    return seen / seen.sum()


def mean_shares(tokenizer_json: bytes, sdist: bytes, talks: bytes, count: int) -> np.ndarray:
    """The mean of a token's shares in documentation, in code and in chat."""
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    kinds = (
        django(sdist, ".txt", "/docs/"),
        django(sdist, ".py", "/django/"),
        chats(talks),
    )
    return sum(shares(tokenizer, texts, count) for texts in kinds) / len(kinds)


def table(states: np.ndarray, share: np.ndarray) -> np.ndarray:
    """One weighted row a token; marks and unused tokens weigh nothing."""
    centred = states - share @ states
    values, directions = np.linalg.eigh((centred * share[:, None]).T @ centred)
    chosen = directions[:, np.argsort(values)[::-1][:DIM]]
    chosen *= np.sign(chosen[np.abs(chosen).argmax(0), np.arange(DIM)])  # eigenvectors have no sign
    weighted = centred @ chosen * (SMOOTHING / (SMOOTHING + share))[:, None]
    weighted[:RESERVED] = 0
    return weighted.astype(np.float32)
