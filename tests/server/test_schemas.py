"""Schemas as hosts show them: short, and saying the same."""

from mcp_memory.server.schemas import lean

KIND = {"enum": ["a", "b"], "type": "string", "title": "Kind", "description": "A docstring."}


def test_a_type_that_is_named_once_stands_where_it_is_named() -> None:
    told = {"$ref": "#/$defs/Kind", "description": "which"}
    schema = {"type": "object", "$defs": {"Kind": KIND}, "properties": {"kind": told}}
    assert lean(schema) == {
        "type": "object",
        "properties": {"kind": {"enum": ["a", "b"], "type": "string", "description": "which"}},
    }


def test_a_type_that_is_named_twice_stands_apart() -> None:
    named = {"$ref": "#/$defs/Kind"}
    schema = {"type": "object", "$defs": {"Kind": KIND}, "properties": {"a": named, "b": named}}
    assert lean(schema) == {
        "type": "object",
        "properties": {"a": named, "b": named},
        "$defs": {"Kind": {"enum": ["a", "b"], "type": "string"}},
    }


def test_types_within_types_are_put_in_place_too() -> None:
    outer = {"type": "object", "properties": {"kind": {"$ref": "#/$defs/Kind"}}}
    schema = {
        "type": "object",
        "$defs": {"Kind": KIND, "Outer": outer},
        "properties": {"each": {"type": "array", "items": {"$ref": "#/$defs/Outer"}}},
    }
    (each,) = lean(schema)["properties"].values()
    assert each["items"]["properties"]["kind"] == {"enum": ["a", "b"], "type": "string"}
