"""A secret planted in a transcript of any format is nowhere: store, archive, spool or logs."""

import gzip
import logging
import re
import sqlite3
import zlib
from pathlib import Path

import lancedb
import pytest
import zstandard
from transcripts import TRANSCRIPTS, name_of, reader_of

from mcp_memory.bank import open_bank
from mcp_memory.hooks import spool
from mcp_memory.settings import Settings
from mcp_memory.text import redaction
from mcp_memory.text.redaction import Redacted

SECRET = "ghp_" + "Zq8Xw2Lm5Np7Rt4Vb9Kc1Jd6Hf3Gs0Ya2We5Q"[:36]
ORDINARY = [path for path in TRANSCRIPTS if path.stem == "ordinary"]
_WORDS = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){1,6}")


def planted(sample: Path, folder: Path) -> Path:
    """The sample with a secret after the first words that a person said in it."""
    said = (s.text for t in reader_of(sample).read(sample) for s in t.steps if s.kind == "user")
    words = next(found[0] for text in said if (found := _WORDS.search(text)))
    copy = folder / sample.name
    copy.write_bytes(sample.read_bytes())
    if sample.read_bytes().startswith(b"SQLite format 3"):
        with sqlite3.connect(copy) as database:
            database.create_function("planted", 1, lambda value: put(value, words))
            named = "select name from sqlite_master where type='table'"
            for (table,) in database.execute(named).fetchall():
                for _, column, *_ in database.execute(f"pragma table_info({table})").fetchall():
                    database.execute(f"update {table} set {column} = planted({column})")
        database.close()
    else:
        raw = sample.read_bytes()
        assert words.encode() in raw
        copy.write_bytes(raw.replace(words.encode(), f"{words} {SECRET}".encode()))
    return copy


def put(value: object, words: str) -> object:
    """A value of a database with the secret behind the words, packed where it was packed."""
    if isinstance(value, bytes) and value.startswith(b"\x28\xb5\x2f\xfd"):
        told = zstandard.ZstdDecompressor().decompressobj().decompress(value)
        made = told.replace(words.encode(), f"{words} {SECRET}".encode())
        return zstandard.ZstdCompressor().compress(made)
    return value.replace(words, f"{words} {SECRET}") if isinstance(value, str) else value


def where(secret: str, home: Path) -> set[str]:
    """Top folders of a home that hold a secret, as bytes, inside compression, or in a table's cells."""
    found = set()
    for path in home.rglob("*"):
        if path.is_file() and any(secret.encode() in raw for raw in decoded(path.read_bytes())):
            found.add(path.relative_to(home).parts[0])
    store = lancedb.connect(home / "store")
    for name in store.list_tables().tables:
        if secret in str(store.open_table(name).to_arrow().to_pylist()):
            found.add("store")
    return found


def decoded(raw: bytes) -> list[bytes]:
    made = [raw]
    if raw[:2] == b"\x1f\x8b":
        made.append(gzip.decompress(raw))
    for at in [match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", raw)][:200]:
        try:
            made.append(zlib.decompressobj().decompress(raw[at:], 1 << 20))
        except zlib.error:
            continue
    return made


async def indexed(sample: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    path = planted(sample, tmp_path)
    spool.leave(home / "spool", str(path))
    async with open_bank(Settings(home=home, embedding_model="hash")) as bank:
        (report,) = await bank.index([path])
        assert report.status == "indexed", report
        assert SECRET not in report.model_dump_json()
    return home


@pytest.mark.parametrize("sample", ORDINARY, ids=name_of)
async def test_a_planted_secret_is_nowhere(
    sample: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        home = await indexed(sample, tmp_path)
    assert where(SECRET, home) == set()
    assert SECRET not in caplog.text
    assert where("[masked:github]", home) >= {"store", "archive"}


@pytest.mark.parametrize("sample", ORDINARY, ids=name_of)
async def test_the_detector_finds_the_plant_when_masking_is_off(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "redact", lambda text: Redacted(text, {}))
    monkeypatch.setattr(redaction, "redact_value", lambda value: (value, {}))
    assert where(SECRET, await indexed(sample, tmp_path)) >= {"store", "archive"}
