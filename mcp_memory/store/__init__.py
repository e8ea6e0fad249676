"""The store: LanceDB behind one room; tables `evidence`, `memories`, `ledger` and `sessions`."""

from mcp_memory.store.opening import open_store
from mcp_memory.store.store import Store

__all__ = ["Store", "open_store"]
