"""Exchange: the bank as JSON lines, and JSON lines into a bank; what comes in passes admission."""
