"""Filters as SQL: every value quoted, nothing of a caller ever read as syntax."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from mcp_memory.store.rows import Table, Where

_TEXTS = ("text", "context", "body")
_KEYS: dict[Table, str] = {"sessions": "id", "ledger": "batch"}
_PLAIN: dict[str, Any] = dict.fromkeys(
    ("keys", "kinds", "projects", "states", "batches", "not_batches", "hashes"), ()
)
_MOST_KEYS = 500
"""In one condition: longer lists are asked in pieces."""


def to_sql(table: Table, where: Where) -> str | None:
    """The condition of a filter on a table; None where everything is meant."""
    conditions = list(_conditions(table, where))
    return " AND ".join(conditions) if conditions else None


def holding(table: Table, where: Where) -> Callable[[Any], bool] | None:
    """The same of a row that is at hand; None where it asks for what only the store can tell."""
    if replace(where, **_PLAIN) != Where(states=()):
        return None
    key = _KEYS.get(table, "key")
    wanted = [
        (attrgetter(column), frozenset(values))
        for values, column in (
            (where.keys, key),
            (where.kinds, "kind"),
            (where.projects, "project"),
            (where.states, "state"),
            (where.batches, "batch"),
            (where.hashes, "hash"),
        )
        if values
    ]
    unwanted = frozenset(where.not_batches)

    def holds(row: Any) -> bool:
        return all(told(row) in values for told, values in wanted) and row.batch not in unwanted

    return holds


def parts(where: Where) -> Iterator[Where]:
    """The filter, its keys in pieces of a size that a condition can hold."""
    if len(where.keys) <= _MOST_KEYS:
        yield where
        return
    for start in range(0, len(where.keys), _MOST_KEYS):
        yield replace(where, keys=where.keys[start : start + _MOST_KEYS])


def quoted(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """`column IN (…)`."""
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def _conditions(table: Table, where: Where) -> Iterator[str]:
    key = _KEYS.get(table, "key")
    for values, column in (
        (where.keys, key),
        (where.kinds, "kind"),
        (where.projects, "project"),
        (where.trajectories, "trajectory"),
        (where.states, "state"),
        (where.outcomes, "outcome"),
        (where.batches, "batch"),
        (where.hashes, "hash"),
    ):
        if values:
            yield one_of(column, values)
    if where.not_batches:
        yield f"NOT ({one_of('batch', where.not_batches)})"
    yield from _ranges(where)
    if where.path:
        yield _holds_path(where.path)
    if where.below:
        yield _below(where.below)
    if where.matches:
        yield f"regexp_like(text, {quoted(where.matches)})"
    if where.contains:
        held = (f"contains({column}, {quoted(where.contains)})" for column in _TEXTS)
        yield f"({' OR '.join(held)})"
    if where.cites:
        yield f"contains(array_to_string(evidence, ' '), {quoted(where.cites)})"


def _ranges(where: Where) -> Iterator[str]:
    if where.since is not None:
        yield f"at >= {_moment(where.since)}"
    if where.until is not None:
        yield f"at < {_moment(where.until)}"
    if where.last is not None:
        yield f"first <= {int(where.last)}"
    if where.first is not None:
        yield f"last >= {int(where.first)}"


def _moment(at: datetime) -> str:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        there = aware.astimezone(UTC)
    except OverflowError:  # the first or the last day that there is, seen from another zone
        there = at.replace(tzinfo=UTC)
    # Not `strftime`: it writes the year 1 with one digit, and the store refuses that.
    return f"timestamp '{there.replace(tzinfo=None).isoformat(sep=' ', timespec='microseconds')}'"


_PATHS = "concat('/', replace(array_to_string(paths, '\n/'), '\\', '/'), '\n')"


def _slashed(path: str) -> str:
    return "/" + path.replace("\\", "/").strip("/")


def _holds_path(path: str) -> str:
    # Whole, or its ending at a folder boundary: `src/a.py` finds `/home/u/repo/src/a.py`.
    return f"contains({_PATHS}, {quoted(_slashed(path) + chr(10))})"


def _below(path: str) -> str:
    # A call's line begins with its tool: `Bash: go test ./packages/crypto/...`.
    named = re.escape(_slashed(path)[1:])
    called = rf"(?m)^[\w.-]{{2,60}}: (?:[^\n]*[^\w.-])?{named}(?:[^\w-]|$)"
    held = f"contains({_PATHS}, {quoted(_slashed(path) + '/')})"
    return f"({_holds_path(path)} OR {held} OR regexp_like(text, {quoted(called)}))"
