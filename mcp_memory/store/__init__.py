"""The store: LanceDB behind one room; tables `evidence`, `memories`, `ledger` and `sessions`."""
