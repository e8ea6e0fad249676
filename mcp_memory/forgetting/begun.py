"""Begun: whether a purge of a home was begun and not carried out, by its file's name alone."""

from mcp_memory.settings import Settings

NAME = "purging-{}.json"


def any_begun(settings: Settings) -> bool:
    """Whether there is such an order: light enough to ask before anything is opened. Blocking."""
    return any(settings.store_dir.glob(NAME.format("*")))
