"""Labels: tab-separated labels, a mapping a line."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

csv.field_size_limit(10_000_000)


def rows(path: Path) -> Iterator[Mapping[str, str]]:
    """The lines of a file by its header; none where there is no such file."""
    if path.exists():
        with path.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
