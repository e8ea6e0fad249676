"""Answers of every verb, each drawn by its kind."""

from collections.abc import Iterable, Sequence
from typing import Any

from mcp_memory.cli.drawing import hits, records
from mcp_memory.cli.drawing.screen import Page
from mcp_memory.domain.fetched import FetchResult
from mcp_memory.domain.hits import SearchResult
from mcp_memory.domain.models import Consolidation, Deletion, Retained, Runbook
from mcp_memory.server.answers import Answer


def draw(model: Answer, *, words: Sequence[str] = (), confirming: str = "{}") -> None:
    """Show an answer to a person."""
    page = Page()
    page.show(_lines(page, model, words, confirming))


def _lines(page: Page, model: Answer, words: Sequence[str], confirming: str) -> Iterable[Any]:
    match model:
        case SearchResult():
            return hits.drawn(page, model, words)
        case FetchResult():
            return records.fetched(page, model)
        case Retained():
            return records.retained(page, model)
        case Runbook():
            return records.runbook(page, model)
        case Consolidation():
            return records.consolidation(page, model)
        case Deletion():
            return records.deletion(page, model, confirming)
