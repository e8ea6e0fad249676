"""Tasks: one module each, with NAME, HEADLINE, KINDS and suites(sources)."""
