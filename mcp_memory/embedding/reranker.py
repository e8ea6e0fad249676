"""Reranker: a cross-encoder reads question and hit together; only where a setting names one."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

MOST_CHARS = 1_500
_BATCH = 8

logger = logging.getLogger(__name__)


class Reranker:
    """A fastembed cross-encoder; loaded on first use in a worker thread, one call at a time.

    One that cannot be loaded or run is not asked again: hits keep their order, and `unavailable`
    says why.
    """

    def __init__(self, model: str, *, path: Path | None = None, threads: int = 2) -> None:
        self.name = model
        self.unavailable = ""
        self._path = path
        self._threads = threads
        self._loaded: Any = None
        self._lock = threading.Lock()
        self._turn = anyio.CapacityLimiter(1)

    async def scores(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """To each text how well it answers, higher is better; None where the model is not to be had."""
        if self.unavailable:
            return None
        return await anyio.to_thread.run_sync(
            self._scores, question, list(texts), limiter=self._turn
        )

    def _scores(self, question: str, texts: list[str]) -> list[float] | None:
        try:
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
            seen = [text[:MOST_CHARS].encode("utf-8", "replace").decode("utf-8") for text in texts]
            return [
                float(score) for score in self._loaded.rerank(question, seen, batch_size=_BATCH)
            ]
        except Exception as error:  # noqa: BLE001 whatever a model fails with, the search goes on
            self.unavailable = next(iter(str(error).splitlines()), type(error).__name__)[:200]
            logger.warning("the reranker %s cannot be used: %s", self.name, self.unavailable)
            return None

    def _load(self) -> Any:
        from fastembed.rerank.cross_encoder import TextCrossEncoder  # at first use, in a thread

        path = str(self._path) if self._path else None
        return TextCrossEncoder(
            self.name,
            specific_model_path=path,
            local_files_only=path is not None,
            threads=self._threads,
        )


def build_reranker(model: str, *, path: Path | None, threads: int) -> Reranker | None:
    """The reranker that a setting names; none by default."""
    return Reranker(model, path=path, threads=threads) if model else None
