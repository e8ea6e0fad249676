"""Store of Cursor: its state database's tabs and composers, each as one conversation of bubbles."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.database import DAMAGED, MAGIC, InUse, opened, tables
from mcp_memory.readers.jsonl import FILE_BYTES, LINE_BYTES, Record, list_at, object_at, text_at

TABS = "workbench.panel.aichat.view.aichat.chatdata"
COMPOSERS = "composer.composerData"
UNSAID = {
    "aiService.prompts": "repeats what was asked in the tabs and composers",
    "aiService.generations": "repeats what was asked in the tabs and composers",
    "composer:headers": "names a conversation that lies in the database of all workspaces",
    "checkpointId": "states of files, to go back to",
    "agentKv": "the program's own notes of what the bubbles tell",
    "codeBlockDiff": "how the editor shows an edit whose call is kept",
    "codeBlockPartialInlineDiffFates": "how the editor shows an edit whose call is kept",
    "inlineDiff": "how the editor shows an edit whose call is kept",
    "inlineDiffs": "how the editor shows an edit whose call is kept",
    "inlineDiffUndoRedo": "how the editor shows an edit whose call is kept",
    "composer.content": "whole files before and after an edit whose call is kept",
    "ofsContent": "states of files, to go back to",
    "messageRequestContext": "what the program sent along: rules, layouts, open files",
}
"""Known keys (up to their first colon) that are counted and not kept, with the reason."""

_ONE = "SELECT CASE WHEN length(value) <= ? THEN value END, length(value) FROM {} WHERE key = ?"
_RANGE = "SELECT key FROM cursorDiskKV WHERE key >= ? AND key < ? ORDER BY key"
_KINDS = """
    SELECT CASE WHEN instr(key, ':') THEN substr(key, 1, instr(key, ':') - 1)
           WHEN key LIKE 'composer.content.%' THEN 'composer.content' ELSE key END, count(*)
    FROM cursorDiskKV GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said in one tab or composer."""

    id: str
    facts: Record
    bubbles: list[Any]


class Store:
    """A state database while it is read."""

    def __init__(self, base: sqlite3.Connection, refusals: list[Refusal]) -> None:
        self._base = base
        self._tables = tables(base)
        self._refusals = refusals
        self.skipped: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    def conversations(self) -> Iterator[Conversation]:
        """Those of a workspace, as the host lists them, then those of all workspaces."""
        read: set[str] = set()
        for conversation in self._found():
            if conversation.id not in read:
                yield conversation
            # The host has moved conversations from one table to the other: some lie in both.
            read.update({conversation.id} if conversation.id else ())

    def _found(self) -> Iterator[Conversation]:
        if "ItemTable" in self._tables:
            for number, tab in enumerate(list_at(self._item(TABS), "tabs"), 1):
                if self._is_object(tab, f"tab {number}"):
                    yield Conversation(text_at(tab, "tabId"), tab, list_at(tab, "bubbles"))
            yield from self._listed_composers()
        if "cursorDiskKV" in self._tables:
            for key in self._keys("composerData:"):
                facts = self._value("cursorDiskKV", key, LINE_BYTES)
                if isinstance(facts, dict):
                    yield self._composer(key.partition(":")[2], facts)

    def _listed_composers(self) -> Iterator[Conversation]:
        for number, made in enumerate(list_at(self._item(COMPOSERS), "allComposers"), 1):
            if not self._is_object(made, f"composer {number}"):
                continue
            if list_at(made, "conversation"):
                yield self._composer(text_at(made, "composerId"), made)
            else:
                self.skipped["composer:headers"] += 1

    def composers(self) -> list[str]:
        """Ids of the composers that a workspace lists, with or without what was said in them."""
        made = list_at(self._item(COMPOSERS), "allComposers") if "ItemTable" in self._tables else []
        return [text_at(one, "composerId") for one in made if isinstance(one, dict)]

    def count(self) -> None:
        """Count what else the database holds for the agent."""
        kinds = {"composerData", "bubbleId"}
        if "ItemTable" in self._tables:
            for key in ("aiService.prompts", "aiService.generations"):
                self.skipped[key] += len(self._listed(key))
        if "cursorDiskKV" in self._tables:
            for kind, count in self._base.execute(_KINDS).fetchall():
                if kind not in kinds and isinstance(kind, str):
                    (self.skipped if kind in UNSAID else self.unknown)[kind[:80]] += count
        self.skipped = +self.skipped

    def _composer(self, id_: str, facts: Record) -> Conversation:
        bubbles = list_at(facts, "conversation")
        headers = list_at(facts, "fullConversationHeadersOnly")
        if not bubbles and headers and "cursorDiskKV" in self._tables:
            named = object_at(facts, "conversationMap")
            bubbles = [self._bubble(id_, text_at(header, "bubbleId"), named) for header in headers]
        return Conversation(id_, facts, [each for each in bubbles if each is not None])

    def _bubble(self, composer: str, bubble: str, named: Record) -> Any:
        key = f"bubbleId:{composer}:{bubble}"
        found = self._value("cursorDiskKV", key, LINE_BYTES, absent=named.get(bubble))
        if found is None:
            self.skipped["bubble:missing"] += 1
        return found

    def _keys(self, prefix: str) -> list[str]:
        rows = self._base.execute(_RANGE, (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)))
        return [key for (key,) in rows.fetchall() if isinstance(key, str)]

    def _item(self, key: str) -> Any:
        return self._value("ItemTable", key, FILE_BYTES)

    def _listed(self, key: str) -> list[Any]:
        value = self._item(key)
        return value if isinstance(value, list) else []

    def _value(self, table: str, key: str, limit: int, *, absent: Any = None) -> Any:
        row = self._base.execute(_ONE.format(table), (limit, key)).fetchone()
        if row is None or row[1] is None:
            return absent
        if not isinstance(row[0], str | bytes):
            self._refuse(key, f"larger than {limit >> 20} MB" if row[0] is None else "not JSON")
            return absent
        try:
            return orjson.loads(row[0])
        except orjson.JSONDecodeError:
            self._refuse(key, "not JSON")
            return absent

    def _is_object(self, value: object, where: str) -> bool:
        if not isinstance(value, dict):
            self._refuse(where, "not an object")
        return isinstance(value, dict)

    def _refuse(self, where: str, reason: str) -> None:
        self._refusals.append(Refusal(where=where[:200], reason=reason))


def is_store(path: Path, head: bytes) -> bool:
    """Whether the file is a state database with conversations of this host, or names of some."""
    if not head.startswith(MAGIC):
        return False
    try:
        with opened(path) as base:
            return _holds(base)
    except InUse:
        raise
    except DAMAGED:
        return False


def _holds(base: sqlite3.Connection) -> bool:
    found = tables(base)
    asked = "SELECT 1 FROM {} WHERE key {} LIMIT 1"
    items = asked.format("ItemTable", f"IN ('{TABS}', '{COMPOSERS}')")
    stored = asked.format("cursorDiskKV", ">= 'composerData:' AND key < 'composerData;'")
    return ("ItemTable" in found and base.execute(items).fetchone() is not None) or (
        "cursorDiskKV" in found and base.execute(stored).fetchone() is not None
    )
