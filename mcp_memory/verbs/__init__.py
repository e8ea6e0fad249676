"""The six verbs of the bank, one module each, over the rooms that an open bank holds."""
