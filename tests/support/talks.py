"""Talks in Claude Code's form, record by record: to be copied, forked, cut and continued."""

from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

Record = dict[str, Any]


def talk(
    session: str, *said: str, first: int = 1, cwd: str = "/home/ada/shop", day: str = "2026-08-01"
) -> list[Record]:
    """A session in which a person and an agent speak by turns, a second and a fraction apart."""
    return [_record(session, first + place, text, cwd, day) for place, text in enumerate(said)]


def copied(records: list[Record], session: str) -> list[Record]:
    """The same records under another session's id, as a host copies them into a new file."""
    return [{**record, "sessionId": session} for record in records]


def kept(path: Path, records: list[Record]) -> Path:
    """A transcript of these records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return path


def _record(session: str, number: int, text: str, cwd: str, day: str) -> Record:
    person = number % 2 == 1
    message: Record = {"role": "user" if person else "assistant", "content": text}
    if not person:
        message |= {
            "id": f"msg_{number}_{_word(text)}",
            "content": [{"type": "text", "text": text}],
        }
    return {
        "parentUuid": None if number == 1 else _uuid(number - 1),
        "isSidechain": False,
        "cwd": cwd,
        "sessionId": session,
        "type": "user" if person else "assistant",
        "uuid": _uuid(number, text),
        "timestamp": f"{day}T10:00:{number:02}.{len(text) % 900 + 100}Z",
        "message": message,
    }


def _uuid(number: int, text: str = "") -> str:
    return f"{number:08x}-0000-4000-8000-{crc32(text.encode()):012x}"


def _word(text: str) -> str:
    return text.split(maxsplit=1)[0].lower()
