"""Claude.ai: `conversations.json` of the data export, a list of messages a conversation.

It follows public descriptions of the export; no export of a real user was seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.exports import conversations
from mcp_memory.readers.jsonl import Record, list_at, object_at, read_head, text_at
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk, spoken, thought

FORMAT = "claude_web"
VERSION = 1

MAPPED = frozenset({"human", "assistant"})
"""Senders whose messages become part of a trajectory."""
LEFT_OUT: dict[str, str] = {}
"""Known messages that are counted and not kept, with the reason: none."""

_KEYS = tuple(re.compile(rb'"%s"\s*:' % key) for key in (b"chat_messages", b"uuid"))


def recognize(path: Path) -> bool:
    """Whether the file is a list of conversations with their messages."""
    head = read_head(path)
    return head.lstrip()[:1] in {b"[", b"{"} and all(key.search(head) for key in _KEYS)


def read(path: Path) -> Iterator[Trajectory]:
    """Each conversation of a file, in its order."""
    for place, record, talk in conversations(path, lambda _: True):
        talk.title, talk.model = text_at(record, "name"), text_at(record, "model")
        talk.note(moment(record.get("created_at")))
        for message in list_at(record, "chat_messages"):
            if isinstance(message, dict):
                _message(talk, message)
            else:
                talk.tally.unknown["message/none"] += 1
        current = text_at(record, "current_leaf_message_uuid")
        talk.leaf = current if current in talk.parents else talk.leaf
        id_ = text_at(record, "uuid")
        yield talk.trajectory(FORMAT, id_ or f"{content_id(path=path)}-{place}")


def _message(talk: Talk, message: Record) -> None:
    sender, at = text_at(message, "sender"), moment(message.get("created_at"))
    begun = len(talk.drafts)
    content = list_at(message, "content")
    text = spoken([each for each in content if text_at(each, "type") in {"", "text"}])
    text = text or text_at(message, "text")
    if sender == "human":
        talk.ask(text, at)
        for file in list_at(message, "attachments"):
            told = f"[{text_at(file, 'file_name')}]\n{text_at(file, 'extracted_content')}"
            talk.tell(told, at, SourceClass.EXTERNAL)
    elif sender == "assistant":
        draft = talk.say(text, at)
        draft.reasons.append(thought(content))
        for each in content:
            if isinstance(each, dict):
                _block(talk, each, draft.number)
    else:
        talk.tally.unknown[f"sender/{sender[:60]}"] += 1
    # Older exports are plain lists: no message says what it follows.
    if parent := text_at(message, "parent_message_uuid"):
        talk.grow(text_at(message, "uuid"), parent, begun)


def _block(talk: Talk, block: Record, number: int) -> None:
    """A call in an answer, or what it brought back."""
    kind = text_at(block, "type")
    if kind == "tool_use":
        draft = next(each for each in talk.drafts if each.number == number)
        talk.call(draft, text_at(block, "id"), text_at(block, "name"), object_at(block, "input"))
    elif kind == "tool_result":
        id_, name = text_at(block, "tool_use_id"), text_at(block, "name")
        seen = Observation(
            call_id=id_, text=spoken(block.get("content")), source=SourceClass.EXTERNAL
        )
        talk.result(seen, name)
