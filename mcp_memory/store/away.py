"""Away: what an object store's library says when something goes wrong, in the few words that help."""

import re

_AWAY = ("retryerror", "error sending request")
"""A store that does not answer, or says no: the library has asked again and again by itself."""
_TELLING = (
    re.compile(r"<Code>(\w{3,60})</Code>"),
    re.compile(r"(status(?: code)?:? \d{3})", re.IGNORECASE),
    re.compile(r"(connection refused|dns error|timed out|certificate[^\",]{0,60})", re.IGNORECASE),
)
_LONGEST = 160


def is_away(said: str) -> bool:
    """Whether asking once more is in vain."""
    low = said.lower()
    return any(mark in low for mark in _AWAY)


def reason(error: Exception) -> str:
    """Why, without the addresses of requests: the store's own code, a status, or how it begins."""
    said = str(error)
    for telling in _TELLING:
        if found := telling.search(said):
            return found[1]
    return said.splitlines()[0][:_LONGEST] if said else type(error).__name__
