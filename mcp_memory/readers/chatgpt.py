"""ChatGPT: `conversations.json` of the data export, a tree of messages a conversation.

It follows public descriptions of the export; no export of a real user was seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.domain.models import Observation, SourceClass, Trajectory
from mcp_memory.readers.clock import moment
from mcp_memory.readers.exports import conversations
from mcp_memory.readers.jsonl import Record, list_at, object_at, read_head, text_at
from mcp_memory.readers.naming import content_id
from mcp_memory.readers.talk import Talk
from mcp_memory.readers.tally import STATE

FORMAT = "chatgpt"
VERSION = 1

MAPPED = frozenset({"user", "assistant", "tool", "system"})
"""Authors whose messages become part of a trajectory."""
LEFT_OUT = {"hidden": STATE}
"""Known messages that are counted and not kept, with the reason."""

_KEYS = tuple(re.compile(rb'"%s"\s*:' % key) for key in (b"mapping", b"author", b"content_type"))
_THINKING = frozenset({"thoughts", "reasoning_recap"})


def recognize(path: Path) -> bool:
    """Whether the file is a list of conversations with their trees."""
    head = read_head(path)
    return head.lstrip()[:1] in {b"[", b"{"} and all(key.search(head) for key in _KEYS)


def read(path: Path) -> Iterator[Trajectory]:
    """Each conversation of a file, in its order."""
    for place, record, talk in conversations(path, lambda each: bool(object_at(each, "mapping"))):
        talk.title = text_at(record, "title")
        talk.note(moment(record.get("create_time")))
        _tree(talk, object_at(record, "mapping"))
        current = text_at(record, "current_node")
        talk.leaf = current if current in talk.parents else talk.leaf
        id_ = text_at(record, "conversation_id") or text_at(record, "id")
        yield talk.trajectory(FORMAT, id_ or f"{content_id(path=path)}-{place}")


def _tree(talk: Talk, mapping: Record) -> None:
    """Every message, a branch after the other, each below the one that it follows."""
    roots = [id_ for id_, node in mapping.items() if text_at(node, "parent") not in mapping]
    waiting, seen = list(reversed(roots)), set[str]()
    while waiting:
        id_ = waiting.pop()
        if id_ in seen or id_ not in mapping:
            continue
        seen.add(id_)
        node, begun = mapping[id_], len(talk.drafts)
        _message(talk, id_, object_at(node, "message"), text_at(node, "parent"))
        talk.grow(id_, text_at(node, "parent"), begun)
        below = [each for each in list_at(node, "children") if isinstance(each, str)]
        waiting += reversed(below)


def _message(talk: Talk, id_: str, message: Record, follows: str) -> None:
    if not message:
        return
    content, at = object_at(message, "content"), moment(message.get("create_time"))
    role, text = text_at(object_at(message, "author"), "role"), _words(content)
    if object_at(message, "metadata").get("is_visually_hidden_from_conversation") is True:
        talk.tally.skipped[f"message/hidden: {STATE}"] += 1
    elif role == "user":
        talk.ask(text, at)
    elif role == "assistant":
        _answer(talk, id_, message, text)
    elif role == "tool":
        name = text_at(object_at(message, "author"), "name")
        # What a tool says follows the message that called it.
        seen = Observation(call_id=follows or id_, text=text, source=SourceClass.EXTERNAL)
        talk.result(seen, name, at)
    elif role == "system":
        talk.boot(text)
    else:
        talk.tally.unknown[f"author/{role[:60]}"] += 1


def _answer(talk: Talk, id_: str, message: Record, text: str) -> None:
    at, kind = moment(message.get("create_time")), text_at(message.get("content"), "content_type")
    model = text_at(object_at(message, "metadata"), "model_slug")
    to = text_at(message, "recipient")
    if kind in _THINKING:
        if text.strip():
            talk.say("", at, model=model).reasons.append(text.strip())
    elif to not in {"", "all"}:
        talk.call(talk.say("", at, model=model), id_, to, {"input": text})
    elif text.strip():
        talk.say(text, at, model=model)


def _words(content: Record) -> str:
    """The words of a message, whatever their kind; what is no text is named."""
    told = [text_at(content, "text"), text_at(content, "result"), text_at(content, "content")]
    told += [_part(each) for each in list_at(content, "parts")]
    told += [
        f"{text_at(each, 'summary')}\n{text_at(each, 'content')}".strip()
        for each in list_at(content, "thoughts")
    ]
    return "\n".join(text for text in told if text)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = text_at(part, "content_type")
    return text_at(part, "text") or (f"[{kind}]" if kind else "")
