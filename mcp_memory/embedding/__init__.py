"""Vectors of texts, and reading hits again; the only rooms that know fastembed."""
