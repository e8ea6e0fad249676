"""Checkup: is the bank whole; one file a subject, each looks and, where it can, mends."""
