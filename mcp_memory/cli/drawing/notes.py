"""Notes: how an answer is limited, in the command line's own words."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mcp_memory.cli.drawing.screen import Page

_PROJECT = re.compile(r"\bproject=(?P<quote>['\"])(?P<name>[^'\"]*)(?P=quote)")
_ARGUMENT = re.compile(r"\b(?P<name>budget_tokens|around|kinds|since|until|path|within|limit)=")
_RAISED = re.compile(r"\braise budget_tokens\b")


def spoken(text: str) -> str:
    """What is said to a caller of a tool, said to one who types: arguments are options."""
    told = _RAISED.sub("raise --budget-tokens", text)
    told = _PROJECT.sub(lambda found: f"--project '{found['name']}'", told)
    return _ARGUMENT.sub(lambda found: f"--{found['name'].replace('_', '-')}=", told)


def noted(page: Page, notes: Iterable[str]) -> Iterator[Any]:
    """Each note on a line of its own."""
    for note in notes:
        yield page.text(("Note: ", "warn"), spoken(note))
