"""mcp_memory: long-term memory for coding agents; the public face, loaded when it is touched."""

import importlib

VERSION = "0.2.0"
"""The same as in pyproject.toml; a test compares them."""

_WHERE = {
    "MemoryBank": "bank",
    "open_bank": "bank",
    "Settings": "settings",
    "MemoryBankError": "domain.errors",
    "Draft": "domain.models",
    "Evidence": "domain.models",
    "Query": "domain.asked",
    "Reading": "domain.asked",
    "Task": "domain.asked",
}
__all__ = sorted(_WHERE)  # noqa: PLE0605 the names are those of the table above


def __getattr__(name: str) -> object:
    """Import a public name at first use: a hook must start without pydantic."""
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"mcp_memory.{_WHERE[name]}"), name)
