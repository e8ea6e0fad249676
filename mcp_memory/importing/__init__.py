"""Importing: memories and sessions of other banks and tools, judged anew: nothing stands by its own word."""
