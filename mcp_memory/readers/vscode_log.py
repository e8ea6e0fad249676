"""Log of VS Code: a chat session written down as changes to it, replayed to what it became."""

from dataclasses import dataclass, field
from typing import Any, TypeGuard

from mcp_memory.domain.models import Refusal
from mcp_memory.readers.jsonl import Record, list_at, refuse, text_at

WHOLE, SET, PUSH, DELETE = range(4)
"""What a line does: gives the whole session, sets, appends to (or cuts) a list, deletes."""

_DEPTH = 64


@dataclass(slots=True)
class Log:
    """A session as far as its changes are read, with the requests that were replaced."""

    session: Record = field(default_factory=dict)
    requests: dict[str, Any] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)

    def take(self, number: int, change: Record, refusals: list[Refusal]) -> None:
        """Carry out one line."""
        kind, path, value = change.get("kind"), list_at(change, "k"), change.get("v")
        if kind == WHOLE and isinstance(value, dict):
            self.session = value
        elif not path or len(path) > _DEPTH:
            refuse(refusals, number, "a change without a place")
            return
        elif not self._change(kind, path, change):
            refuse(refusals, number, "a change of what is not there")
            return
        # Only a change of the list itself brings or takes requests.
        if kind == WHOLE or (path[0] == "requests" and len(path) <= len(("requests", 0))):
            self.settle()

    def settle(self) -> None:
        """See which requests there are: each keeps the place where it was first seen."""
        named: dict[str, Any] = {}
        for number, request in enumerate(list_at(self.session, "requests")):
            id_ = text_at(request, "requestId")
            named[id_ if id_ and id_ not in named else f"#{number}"] = request
        self.requests.update(named)
        self.live = set(named)

    def _change(self, kind: object, path: list[Any], change: Record) -> bool:
        holder: Any = self.session
        for key in path[:-1]:
            holder = _inner(holder, key)
        key = path[-1]
        if kind == SET:
            return _set(holder, key, change.get("v"))
        if kind == PUSH:
            return _push(holder, key, change)
        if kind == DELETE and isinstance(holder, dict) and isinstance(key, str):
            holder.pop(key, None)
            return True
        return False


def _inner(holder: Any, key: object) -> Any:
    if isinstance(holder, dict) and isinstance(key, str):
        return holder.get(key)
    if isinstance(holder, list) and _is_place(key, len(holder)):
        return holder[key]
    return None


def _set(holder: Any, key: object, value: object) -> bool:
    if isinstance(holder, dict) and isinstance(key, str):
        holder[key] = value
    elif isinstance(holder, list) and _is_place(key, len(holder) + 1):
        holder[key : key + 1] = [value]
    else:
        return False
    return True


def _push(holder: Any, key: object, change: Record) -> bool:
    values = _inner(holder, key)
    if values is None and isinstance(holder, dict):
        values = []
    if not isinstance(values, list) or not _set(holder, key, values):
        return False
    start = change.get("i")
    if _is_place(start, len(values)):
        del values[start:]
    values.extend(list_at(change, "v"))
    return True


def _is_place(key: object, length: int) -> TypeGuard[int]:
    return isinstance(key, int) and not isinstance(key, bool) and 0 <= key < length
