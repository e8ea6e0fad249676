"""Fencing: marks round recalled text that say it is data; a text cannot close its own."""

import hashlib
from itertools import count


def fenced(body: str, what: str) -> str:
    """A text that holds no forged marks, between marks of its own.

    Equal texts have equal tags, so that equal answers are equal bytes.
    """
    own = tag(f"{what}\n{body}")
    return f"<recalled {f'{what} {own}' if what else own}>\n{body}\n</recalled {own}>"


def tag(text: str) -> str:
    """Eight digits that are made of a text and do not stand in it."""
    for attempt in count():
        made = hashlib.blake2s(f"{attempt}\n{text}".encode("utf-8", "replace")).hexdigest()[:8]
        if made not in text:
            return made
    raise AssertionError("no text holds every tag")
