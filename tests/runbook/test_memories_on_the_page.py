"""A memory in a runbook says what to do, when, and what it rests on; its title once."""

from datetime import UTC, datetime

import pytest

from mcp_memory.domain import refs
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Evidence, Memory, MemoryKind, SourceClass, Standing
from mcp_memory.runbook import remembered

REF = f"m:{refs.short_hash('one')}"


def _memory(text: str, **known: object) -> Memory:
    fixed = {"ref": REF, "version": 1, "kind": MemoryKind.PROCEDURE, "text": text, "batch": "b"}
    at = {"created_at": datetime(2026, 3, 1, tzinfo=UTC), "standing": Standing.ESTABLISHED}
    return Memory.model_validate(fixed | at | known)


def _hit(**known: object) -> Hit:
    fixed = {"ref": REF, "kind": "procedure", "text": "", "score": 0.9}
    source = {"source": SourceClass.AGENT, "standing": Standing.ESTABLISHED}
    return Hit.model_validate(fixed | source | known)


def test_a_memory_says_when_it_is_for_and_what_it_rests_on() -> None:
    seen = tuple(Evidence(ref=refs.span(refs.trajectory_id("t", name), 1)) for name in "ab")
    told = _memory(
        "Run make,\n  then test.", title="Release", when_to_use="releasing", evidence=seen
    )
    assert remembered.told(_hit(), told) == (
        "Release \u2014 Run make, then test. When: releasing. (agent 0.6, rests on 2 sessions)"
    )


def test_a_title_is_told_once() -> None:
    told = remembered.told(_hit(), _memory("Run make. Then test.", title="Run make."))
    assert told == "Run make. Then test. (agent 0.6)"


def test_a_long_memory_ends_with_a_sentence_and_says_how_much_is_left() -> None:
    told = remembered.told(_hit(), _memory("This sentence says a thing. " * 40))
    assert ". (agent 0.6, 644 more characters)" in told or "more characters)" in told
    assert told.partition(" (agent")[0].endswith("a thing.")


@pytest.mark.parametrize(
    "known", [{"standing": Standing.CANDIDATE}, {"standing": None}, {"flags": ("instruction",)}]
)
def test_an_unproven_procedure_is_never_listed_as_a_procedure(known: dict[str, object]) -> None:
    assert remembered.section(_hit(**known)) == "Unproven"


@pytest.mark.parametrize("flag", ["superseded", "retired", "restated in m:abc"])
def test_what_no_longer_holds_is_never_listed_as_a_procedure(flag: str) -> None:
    assert remembered.section(_hit(flags=(flag,))) == "No longer holds"
    assert flag in remembered.told(_hit(flags=(flag,)), _memory("Run make."))


def test_a_challenged_procedure_still_is_one_and_names_its_challenger() -> None:
    hit = _hit(flags=("challenged by m:abc",))
    assert remembered.section(hit) == "Procedures"
    assert "challenged by m:abc)" in remembered.told(hit, _memory("Run make."))


def test_each_kind_stands_in_its_section() -> None:
    kinds = ("procedure", "gotcha", "preference", "fact")
    assert [remembered.section(_hit(kind=kind)) for kind in kinds] == [
        "Procedures", "Gotchas", "Facts and preferences", "Facts and preferences",
    ]  # fmt: skip
