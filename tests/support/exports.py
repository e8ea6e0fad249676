"""Exports of two homes compared: their records, without the seals, which are of one home each."""

import json
from pathlib import Path
from typing import Any


def records(file: Path) -> list[dict[str, Any]]:
    """The head and every record of an export, in order."""
    told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in line.items() if name != "seal"} for line in told]
