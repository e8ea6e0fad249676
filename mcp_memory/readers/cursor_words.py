"""Words of Cursor's user messages: a person's query among what the program sends along."""

import re
from collections.abc import Iterator

from mcp_memory.domain.models import SourceClass
from mcp_memory.readers.harness import Speech

_OPEN, _CLOSE = "<user_query>", "</user_query>"
_ADDED = re.compile(
    r"\s*<(?:user_info|git_status|rules|agent_skills|attached_files|system_reminder|timestamp"
    r"|open_and_recently_viewed_files|project_layout|additional_data|agent_transcripts"
    r"|image_files|manually_attached_skills|mcp_file_system|system_notification)(?=[\s>])"
)


def said(text: str) -> Iterator[Speech]:
    """The parts of a message, no word lost; without a marked query, all of it is a person's."""
    before, found, rest = text.partition(_OPEN)
    if not found:
        if text.strip():
            yield (
                _host(text)
                if _ADDED.match(text)
                else Speech("user", SourceClass.USER, text.strip())
            )
        return
    # What a person pasted may hold the mark too: the last one closes their words.
    query, closed, after = rest.rpartition(_CLOSE)
    if not closed:
        query, after = rest, ""
    if before.strip():
        yield _host(before)
    if query.strip():
        yield Speech("user", SourceClass.USER, query.strip())
    if after.strip():
        yield _host(after)


def _host(text: str) -> Speech:
    return Speech("system", SourceClass.HOST, text.strip())
