"""The same transcripts give the same bytes, whatever the time zone, locale, hash seed or processes."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from exports import records

SAMPLES = Path(__file__).parent.parent / "samples"
PROGRAM = """
import sys
from pathlib import Path
import anyio
from mcp_memory.history import exchange, indexer
from mcp_memory.bank import open_bank
from mcp_memory.settings import Settings

async def main():
    home, samples, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    async with open_bank(Settings(home=home / "bank", embedding_model="hash")) as bank:
        await bank.index(list(indexer.transcripts([samples])), processes=processes)
        await exchange.export(bank.rooms, home / "export.jsonl")

if __name__ == "__main__":
    anyio.run(main)
"""
PLACES = (
    ("0", {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1", "LANG": ""}),
    ("2", {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"}),
)


def made(folder: Path) -> dict[str, bytes]:
    archive = folder / "bank" / "archive"
    files = {p.relative_to(archive).as_posix(): p for p in archive.rglob("*") if p.is_file()}
    return {"export": orjson.dumps(records(folder / "export.jsonl"))} | {
        name: path.read_bytes() for name, path in files.items()
    }


@pytest.mark.timeout(120)
def test_two_machines_make_the_same_archive_and_export(tmp_path: Path) -> None:
    results = []
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    for number, (processes, told) in enumerate(PLACES):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(
            [sys.executable, str(program), str(folder), str(SAMPLES), processes],
            check=True, timeout=110, env={**os.environ, **told},
        )  # fmt: skip
        results.append(made(folder))
    assert results[0].keys() == results[1].keys()
    assert [name for name, raw in results[0].items() if raw != results[1][name]] == []
    assert len(results[0]) > 10
