"""Embedders: texts to unit vectors; the bundled static model, any fastembed model, or a hash for tests."""

import hashlib
import itertools
import math
import re
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from operator import mul
from pathlib import Path
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread

from mcp_memory.domain.errors import EmbedderUnavailable
from mcp_memory.embedding.lookup import Lookup

DEFAULT = "default"
BUNDLED = "mcp-memory/static-minilm-256-"
DEFAULT_NAME = f"{BUNDLED}3"
"""Its vectors are another model's once the number is raised: a bank is moved over."""
DEFAULT_DIM = 256
MOST_CHARS = 2_000
_MOST_TOKENS = 512
"""What the bundled model takes, with the marks at both ends; by its tokenizer_config.json."""
_BATCH_CHARS = 8_000
"""Bounds what one batch takes once padded, whatever the lengths."""
AT_ONCE = 4_000
"""Characters that the bundled model takes in a millisecond or two, four where one text is cut off."""
_BATCH_TRANSFORMER = 8
"""A batch of 64 takes a transformer to 1.6 GB, one of 8 to 0.4."""

Vector = tuple[float, ...]
T = TypeVar("T")


class Embedder(Protocol):
    """Turns texts into unit vectors of one length."""

    name: str
    """Stored with the vectors: the model and its version."""
    dim: int
    light: bool
    """Whether sixty short texts take it but some milliseconds, so that a question can wait for them."""

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text, in order; of each text the first 2,000 characters count.

        A text without a known word, the empty one too, has a fixed unit vector.

        Raises:
            EmbedderUnavailable: the model cannot be loaded or run.
        """
        ...

    def embed_blocking(self, texts: Sequence[str]) -> bytes:
        """The same vectors as float32 rows in native byte order; only from a worker thread.

        Raises:
            EmbedderUnavailable: the model cannot be loaded or run.
        """
        ...

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question."""
        ...

    async def likeness(self, text: str, others: Sequence[str]) -> list[float]:
        """The cosine of a text to each of the others.

        Raises:
            EmbedderUnavailable: the model cannot be loaded or run.
        """
        ...

    async def rest(self, idle_seconds: float) -> bool:
        """Let the model go where nothing was asked of it for so long; whether it did."""
        ...

    async def aclose(self) -> None:
        """Let the model go; a later call loads it again."""
        ...


class HashEmbedder:
    """Words and word pairs hashed into a vector: deterministic, no model, for tests."""

    def __init__(self, dim: int = 64) -> None:
        self.name = f"hash-{dim}"
        self.dim = dim
        self.light = True

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text; the empty text has a fixed one."""
        return [self._vector(text) for text in texts]

    def embed_blocking(self, texts: Sequence[str]) -> bytes:
        """The same vectors as float32 rows."""
        return b"".join(array("f", self._vector(text)).tobytes() for text in texts)

    async def embed_query(self, text: str) -> Vector:
        """The same as for any text."""
        return self._vector(text)

    async def likeness(self, text: str, others: Sequence[str]) -> list[float]:
        """The cosine of a text to each of the others."""
        asked = self._vector(text)
        return [sum(map(mul, asked, self._vector(other))) for other in others]

    async def rest(self, idle_seconds: float) -> bool:
        """Nothing is held."""
        del idle_seconds
        return False

    async def aclose(self) -> None:
        """Nothing is held."""

    def _vector(self, text: str) -> Vector:
        words = re.findall(r"\w+", _readable(text).lower()) or [""]
        values = [0.0] * self.dim
        for word in words + [f"{a} {b}" for a, b in itertools.pairwise(words)]:
            digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
            values[int.from_bytes(digest[:4], "big") % self.dim] += 1 if digest[4] & 1 else -1
        length = math.sqrt(sum(value * value for value in values)) or 1.0
        return tuple(value / length for value in values)


class FastEmbedder:
    """A fastembed model; loaded on first use in a worker thread, one call at a time."""

    def __init__(self, model: str = DEFAULT, *, path: Path | None = None, threads: int = 2) -> None:
        self._bundled = model == DEFAULT
        self.light = self._bundled
        self._model = DEFAULT_NAME if self._bundled else model
        self._path = path
        self._threads = threads
        self._loaded: Any = None
        self._used = 0.0
        self._turn = anyio.CapacityLimiter(1)
        self._lock = threading.Lock()
        self.name = self._model
        self.dim = DEFAULT_DIM if self._bundled else _dim_of(model)

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One unit vector a text, in order."""
        return await self._in_turn(self._vectors, list(texts))

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question."""
        return (await self.embed([text]))[0]

    async def likeness(self, text: str, others: Sequence[str]) -> list[float]:
        """The cosine of a text to each of the others."""
        return await self._in_turn(self._cosines, [text, *others])

    async def rest(self, idle_seconds: float) -> bool:
        """Let the model go where nothing was asked of it for so long; whether it did."""
        held = self._loaded is not None and not self._lock.locked()
        if not held or time.monotonic() - self._used < idle_seconds:
            return False
        self._loaded = None
        return True

    async def aclose(self) -> None:
        """Let the model go; a running call keeps its own hold."""
        self._loaded = None

    def embed_blocking(self, texts: Sequence[str]) -> bytes:
        """The same vectors as float32 rows, made in the calling thread."""
        seen = [_readable(text) for text in texts]
        if self._bundled:
            return self._run(lambda model: _looked_up(model, seen))
        order = sorted(range(len(seen)), key=lambda place: len(seen[place]))
        rows = [b""] * len(order)
        made = self._run(lambda model: _run_through(model, [seen[i] for i in order]))
        for place, row in zip(order, made, strict=True):
            rows[place] = row
        return b"".join(rows)

    async def _in_turn(self, work: Callable[[list[str]], T], texts: list[str]) -> T:
        """Work with texts in a worker thread; with few of a model that is only looked up, at once.

        To wake a thread and be woken by it takes longer than a question's words take to look up.
        """
        free = self._bundled and self._loaded is not None and not self._lock.locked()
        if free and sum(map(len, texts)) <= AT_ONCE:
            return work(texts)
        return await anyio.to_thread.run_sync(work, texts, limiter=self._turn)

    def _vectors(self, texts: list[str]) -> list[Vector]:
        numbers = memoryview(self.embed_blocking(texts)).cast("f").tolist()
        return [tuple(numbers[at : at + self.dim]) for at in range(0, len(numbers), self.dim)]

    def _cosines(self, texts: list[str]) -> list[float]:
        import numpy as np  # comes with the model; rows as Python numbers cost 2 of 8 ms

        rows = np.frombuffer(self.embed_blocking(texts), np.float32).reshape(-1, self.dim)
        cosines: list[float] = (rows[1:] @ rows[0]).tolist()
        return cosines

    def _run(self, work: Callable[[Any], T]) -> T:
        """Work with the model, loaded; one at a time."""
        try:
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
                self._used = time.monotonic()
                return work(self._loaded)
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise EmbedderUnavailable(self._model, reason[:200]) from error

    def _load(self) -> Any:
        if self._bundled:
            return _bundled()
        from fastembed import TextEmbedding  # 0.7-1.1 s: at first use, in a worker thread

        path = str(self._path) if self._path else None
        return TextEmbedding(
            self._model,
            specific_model_path=path,
            local_files_only=path is not None,
            threads=self._threads,
            enable_cpu_mem_arena=False,
        )


def _bundled() -> Lookup:
    """The model in this package, by numpy and the tokenizer that fastembed runs its models with.

    fastembed itself, with its image models and its downloader, takes 0.4 s and 37 MB more, and ONNX
    runtime 38 MB: of every command and every server, for a table that is looked up.
    """
    from tokenizers import Tokenizer  # heavy: at first use, in a worker thread

    with resources.as_file(resources.files("mcp_memory.embedding") / "model") as folder:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Its own file cuts after 128 tokens and fills up to them: words of one batch differ in length.
        tokenizer.enable_truncation(_MOST_TOKENS)
        tokenizer.no_padding()
        return Lookup(tokenizer, folder)


def succeeds(name: str, former: str) -> bool:
    """Whether a model is the bundled one in another version: a bank moves over without being told.

    Without a name, a move was interrupted, and is finished.
    """
    return name.startswith(BUNDLED) and (former.startswith(BUNDLED) or not former)


def build_embedder(model: str, *, path: Path | None, threads: int) -> Embedder | None:
    """The embedder that a setting names: `default`, `hash`, `none`, or a fastembed model."""
    if model == "none":
        return None
    if model == "hash":
        return HashEmbedder()
    return FastEmbedder(model, path=path, threads=threads)


def _batches(texts: list[str]) -> Iterator[list[str]]:
    """Neighbours of texts sorted by length, few when long."""
    start = 0
    for end in range(1, len(texts) + 1):
        wider = end - start + 1
        if (
            end == len(texts)
            or wider > _BATCH_TRANSFORMER
            or wider * len(texts[end]) > _BATCH_CHARS
        ):
            yield texts[start:end]
            start = end


def _looked_up(table: Lookup, texts: list[str]) -> bytes:
    return b"".join(_unit(row).tobytes() for rows in table.sums(texts) for row in rows)


def _run_through(model: Any, texts: list[str]) -> list[bytes]:
    return [
        _unit(vector).astype("float32", copy=False).tobytes()
        for batch in _batches(texts)
        for vector in model.embed(batch, batch_size=_BATCH_TRANSFORMER)
    ]


def _unit(vector: Any) -> Any:
    """Some of fastembed's models give vectors of any length, and the store ranks by distance."""
    length = math.sqrt(float(vector @ vector))
    return vector / length if length else vector


def _readable(text: str) -> str:
    """What a tokenizer may see: bounded, and without half characters, which would refuse a batch."""
    return text[:MOST_CHARS].encode("utf-8", "replace").decode("utf-8")


def _dim_of(model: str) -> int:
    from fastembed import TextEmbedding  # only for a model that the user chose

    for known in TextEmbedding.list_supported_models():
        if known["model"] == model:
            return int(known["dim"])
    raise EmbedderUnavailable(model, "fastembed does not know it")
