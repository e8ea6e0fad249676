"""Schemas: a tool's JSON schema as short as it can be; hosts put all of it before the model."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

_PLACE = "#/$defs/"
_SILENT: tuple[object, ...] = ("", None, [], False)
"""Defaults that say no more than that a parameter may be left out."""


def lean(schema: Any) -> Any:
    """The schema without titles, silent defaults, null alternatives and descriptions of types.

    A type that is named once stands where it is named. What is left out is still checked: the SDK
    validates against the function, not against this.
    """
    return _told_once(_lean(schema))


def _lean(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_lean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    short = {k: _lean(value) for k, value in _without_null(schema).items() if _tells(k, value)}
    for name in ("properties", "$defs"):
        if name in schema:
            short[name] = {key: _lean(value) for key, value in schema[name].items()}
    for kind in short.get("$defs", {}).values():
        kind.pop("description", None)
    return short


def _told_once(schema: Any) -> Any:
    """The schema with each type that only one place names put there."""
    kinds = dict(schema.get("$defs", {}))
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    counts = Counter(_named([rest, kinds]))
    once = {name: kind for name, kind in kinds.items() if counts[_PLACE + name] == 1}
    kept = {name: _put(kind, once) for name, kind in kinds.items() if name not in once}
    return _put(rest, once) | ({"$defs": kept} if kept else {})


def _named(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _named(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        yield from _named(list(schema.values()))


def _put(schema: Any, kinds: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_put(each, kinds) for each in schema]
    if not isinstance(schema, dict):
        return schema
    place = schema.get("$ref")
    name = place.removeprefix(_PLACE) if isinstance(place, str) else ""
    if name in kinds:
        schema = kinds[name] | {key: value for key, value in schema.items() if key != "$ref"}
    return {key: _put(value, kinds) for key, value in schema.items()}


def _tells(key: str, value: Any) -> bool:
    if key in {"title", "additionalProperties"}:
        return False
    return key != "default" or value not in _SILENT


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """`X or null` as X: a parameter with a default may be left out anyway."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1 or len(kinds) == len(schema.get("anyOf", ())):
        return schema
    return {**kinds[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
