"""basic-memory: a folder of Markdown notes with observations (`- [category] text #tag`) and relations.

Written after its public description of the format.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Draft, MemoryKind, Refusal
from mcp_memory.importing.items import Item, moment, text_of, texts
from mcp_memory.importing.markdown import files_below, text_of_file
from mcp_memory.text import front_matter

NAME = "basic-memory"
_OBSERVATION = re.compile(r"^\s*[-*] \[(?P<category>[^\[\]()\n]{1,60})\]\s+(?P<text>\S.*)$")
_RELATION = re.compile(r"^\s*[-*] (?P<type>[\w][\w -]{0,60}?)\s+\[\[(?P<to>[^\[\]\n]{1,200})\]\]")
_TAG = re.compile(r"(?<!\S)#(?P<tag>[\w/-]+)")
_CHECKS = {" ", "x", "X", "-"}
"""Task lists look like observations and are none."""
_KINDS = {"preference": MemoryKind.PREFERENCE}


def recognize(path: Path) -> bool:
    """Whether a note, or one of a folder's first, has a permalink and observations of that form."""
    return any(_is_note(each) for each in files_below(path)[:50])


def read(path: Path) -> Iterator[Item | Refusal]:
    """One memory an observation and a relation, and one of a note that has neither."""
    for file in files_below(path):
        where = str(file.relative_to(path)) if path.is_dir() else file.name
        try:
            told, body = front_matter.split(text_of_file(file))
        except ValueError as error:
            yield Refusal(where=where, reason=str(error))
            continue
        title = text_of(told.get("title")) or file.stem
        at = moment(str(told.get("created", "")))
        found = [_item(title, line) for line in body.splitlines()]
        said = [draft for draft in found if draft is not None]
        if not said and body.strip():
            said = [Draft(text=body.strip(), title=title, tags=texts(told.get("tags")))]
        if not said:
            yield Refusal(where=where, reason="a note that says nothing")
        yield from (Item(draft, where, at) for draft in said)


def _is_note(file: Path) -> bool:
    try:
        told, body = front_matter.split(text_of_file(file))
    except (ValueError, OSError):
        return False
    return "permalink" in told and any(_item("", line) for line in body.splitlines())


def _item(title: str, line: str) -> Draft | None:
    seen = _OBSERVATION.match(line)
    if seen and seen["category"] not in _CHECKS:
        text, category = seen["text"].strip(), seen["category"].strip()
        tags = tuple(dict.fromkeys((category, *_TAG.findall(text))))
        kind = _KINDS.get(category, MemoryKind.FACT)
        return Draft(text=_TAG.sub("", text).strip() or text, title=title, kind=kind, tags=tags)
    related = _RELATION.match(line)
    if related:
        name = related["type"].strip().replace("_", " ")
        return Draft(text=f"{title} {name} {related['to'].strip()}", tags=("relation",))
    return None
