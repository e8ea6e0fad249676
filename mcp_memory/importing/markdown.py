"""Markdown: files below a folder, and a text in sections, each under the headings that it stands below."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mcp_memory.readers.opening import open_transcript

MOST_FILES = 20_000
MOST_BYTES = 2 << 20
"""Of one file: more is no note."""
_HEADING = re.compile(r"^(?P<level>#{1,6})\s+(?P<title>\S.*?)\s*#*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Section(NamedTuple):
    """A stretch of text with the headings above it, outermost first."""

    headings: tuple[str, ...]
    text: str
    line: int


def files_below(path: Path) -> list[Path]:
    """The Markdown files of a folder, or the one that is named; links are not followed."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".md" else []
    found = (each for each in sorted(path.rglob("*.md")) if not _hidden(each, path))
    return [each for each in found if each.is_file() and not each.is_symlink()][:MOST_FILES]


def text_of_file(file: Path) -> str:
    """What a file says.

    Raises:
        ValueError: it is larger than a note, or no text.
        OSError: it cannot be opened.
    """
    with open_transcript(file) as stream:
        raw = stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES or b"\0" in raw:
        raise ValueError(f"larger than {MOST_BYTES >> 20} MB, or no text")
    return raw.decode("utf-8", "replace")


def sections(text: str) -> Iterator[Section]:
    """The text in pieces: one a top-level bullet with what is indented below it, else a paragraph."""
    headings: list[tuple[int, str]] = []
    piece: list[str] = []
    begun, fenced = 1, False
    for number, line in enumerate(_COMMENT.sub(_blank, text).splitlines(), 1):
        heading = None if fenced else _HEADING.match(line)
        fence = bool(_FENCE.match(line))
        breaks = not fenced and not fence and (line[:2] in {"- ", "* "} or not line.strip())
        if heading or breaks:
            yield from _said(headings, piece, begun)
            piece, begun = [], number
        if heading:
            level = len(heading["level"])
            headings = [one for one in headings if one[0] < level]
            headings.append((level, heading["title"]))
            continue
        fenced ^= fence
        if line.strip() or fenced:
            piece.append(line)
    yield from _said(headings, piece, begun)


def _said(headings: list[tuple[int, str]], piece: list[str], line: int) -> Iterator[Section]:
    text = "\n".join(piece).strip()
    text = text[2:].strip() if text[:2] in {"- ", "* "} else text
    if any(letter.isalnum() for letter in text):
        yield Section(tuple(title for _, title in headings), text, line)


def _blank(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)
