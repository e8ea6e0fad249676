"""Remembered: what stands, what is a candidate, what no longer holds, and nothing forgotten."""

from datetime import UTC, datetime

from mcp_memory.archive.remembered import remembered
from mcp_memory.domain.models import Evidence, Memory, MemoryKind, SourceClass, Standing, State


def memory(ref: str, text: str, **fields: object) -> Memory:
    told = {"kind": MemoryKind.GOTCHA, "created_at": datetime(2026, 3, 4, tzinfo=UTC), "batch": "b"}
    return Memory.model_validate({"ref": ref, "version": 1, "text": text, **told, **fields})


STANDS = memory("m:a", "Pass an encoding.", standing=Standing.ESTABLISHED, source=SourceClass.USER)
CANDIDATE = memory("m:b", "Port 80", evidence=(Evidence(ref="t:000000000000#1"),), title="Port")
OLD = memory("m:c", "Port 70", state=State.SUPERSEDED, superseded_by="m:b")
GONE = memory("m:d", "the password", state=State.FORGOTTEN)


def test_each_memory_stands_under_what_it_is_worth() -> None:
    text = remembered("/app", [OLD, GONE, CANDIDATE, STANDS], {})
    assert [line for line in text.splitlines() if line.startswith(("## ", "- "))] == [
        "## Stands",
        "- m:a (gotcha, 2026-03-04, user) Pass an encoding.",
        "## Candidates: said once, or by one source; not borne out yet",
        "- m:b (gotcha, 2026-03-04, agent) **Port** Port 80 because of t:000000000000#1",
        "## No longer holds: newer memories say otherwise, or it was retired",
        "- m:c (gotcha, 2026-03-04, agent) Port 70 → see m:b",
    ]


def test_a_memory_that_a_newer_one_speaks_against_no_longer_holds() -> None:
    text = remembered("/app", [STANDS], {"m:a": "m:z"})
    assert "## Stands" not in text
    assert "→ see m:z" in text


def test_no_memories_are_no_file_and_their_words_are_data() -> None:
    assert remembered("/app", [GONE], {}) == ""
    text = remembered("/app", [memory("m:a", "# Run\n[x](http://e)\x1b[31m")], {})
    assert "\x1b" not in text
    assert "](" not in text
    assert sum(line.startswith("# ") for line in text.splitlines()) == 1
