"""Schemas: a tool's JSON schema as short as it can be; hosts put all of it before the model."""

from typing import Any

_SILENT: tuple[object, ...] = ("", None, [])
"""Defaults that say no more than that a parameter may be left out."""


def lean(schema: Any) -> Any:
    """The schema without titles, silent defaults, null alternatives and descriptions of types.

    What is left out is still checked: the SDK validates against the function, not against this.
    """
    if isinstance(schema, list):
        return [lean(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    short = {key: lean(value) for key, value in _without_null(schema).items() if _tells(key, value)}
    for name in ("properties", "$defs"):
        if name in schema:
            short[name] = {key: lean(value) for key, value in schema[name].items()}
    for kind in short.get("$defs", {}).values():
        kind.pop("description", None)
    return short


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
