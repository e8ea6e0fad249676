"""Shards: transcripts that go to a worker together, and what a worker makes of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mcp_memory.domain.errors import EmbedderUnavailable
from mcp_memory.embedding.embedder import Embedder, Vector, build_embedder
from mcp_memory.history.crew import Made, Terms, broken, made_of
from mcp_memory.settings import Settings
from mcp_memory.trajectories import evidence
from mcp_memory.trajectories.indexing import Prepared

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """The model by which a worker makes vectors: what `build_embedder` is told."""

    name: str
    path: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Model":
        """The configured one."""
        return cls(settings.embedding_model, settings.embedding_path)


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told once: under which terms, and by which model, None for words only."""

    terms: Terms
    model: Model | None


def prepare(paths: Sequence[Path], task: Task) -> list[Made | None]:
    """What is made of each transcript, vectors included; None of one that is not to be seen here.

    The same as in the process that asked, for it depends on nothing but the file and the task. A
    file that breaks its reader is reported, and costs the others nothing.
    """
    return [_made(path, task) for path in paths]


def _made(path: Path, task: Task) -> Made | None:
    try:
        return embedded(made_of(path, task.terms, task.terms.ground), task.model)
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 as the indexer's outermost door: reported by name
        return broken(path, error), []


def embedded(made: Made, model: Model | None) -> Made:
    """The same with the vectors of its rows; without, where there are some or no model is to be had."""
    embedder = _embedder(model) if model else None
    if embedder is None:
        return made
    report, sessions = made
    try:
        return report, [_with_vectors(one, embedder) for one in sessions]
    except EmbedderUnavailable as error:
        logger.warning("prepared without vectors: %s", error)
        return made


def embed(texts: list[str], model: Model) -> list[Vector]:
    """Vectors of texts.

    Raises:
        EmbedderUnavailable: the model is not to be had here.
    """
    embedder = _embedder(model)
    if embedder is None:
        raise EmbedderUnavailable(model.name, "a worker cannot load it")
    numbers = memoryview(embedder.embed_blocking(texts)).cast("f").tolist()
    return [tuple(numbers[at : at + embedder.dim]) for at in range(0, len(numbers), embedder.dim)]


def _with_vectors(one: Prepared, embedder: Embedder) -> Prepared:
    if one.packed is None or one.packed.embedded:
        return one
    texts = evidence.embedded_texts(one.packed)
    vectors = embedder.embed_blocking([text for text in texts if text])
    having = [bool(text) for text in texts]
    return replace(one, packed=one.packed.with_vectors(vectors, embedder.dim, having))


@cache
def _embedder(model: Model) -> Embedder | None:
    """One thread: a worker has one processor."""
    try:
        return build_embedder(model.name, path=model.path, threads=1)
    except EmbedderUnavailable as error:
        logger.warning("prepared without vectors: %s", error)
        return None
