"""The gate lets in what its evidence bears out."""

import pytest

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Draft,
    Evidence,
    MemoryKind,
    Outcome,
    Resemblance,
    SourceClass,
    Standing,
)
from mcp_memory.memories.bearing import claims
from mcp_memory.memories.gate import Admit, Cited, Neighbour, Refuse, judge

A, B = (refs.trajectory_id("test", name) for name in "ab")
SAID = "ran `make check` in src/cart.py: port 8080 failed with E0308, retried in 30s"


def _cited(session: str, text: str = SAID, **known: object) -> Cited:
    return Cited.model_validate(
        {"ref": refs.span(session, 1, 3), "session": session, "live": True, "text": text} | known
    )


def _draft(text: str = "The server listens on port 8080.", **known: object) -> Draft:
    evidence = (Evidence(ref=refs.span(A, 1, 3)), Evidence(ref=refs.span(B, 1, 3)))
    return Draft.model_validate({"text": text, "evidence": evidence} | known)


TWO = (_cited(A), _cited(B))


def test_what_two_sessions_bear_out_is_established() -> None:
    assert judge(_draft(), TWO, strict=True) == Admit(standing=Standing.ESTABLISHED)


def test_one_session_is_a_candidate_when_kept_and_refused_when_consolidated() -> None:
    draft = _draft(evidence=(Evidence(ref=refs.span(A, 1, 3)),))
    kept = judge(draft, TWO[:1], strict=False)
    assert isinstance(kept, Admit)
    assert kept.standing is Standing.CANDIDATE
    assert "1 live session;" in kept.notes[0]
    assert isinstance(judge(draft, TWO[:1], strict=True), Refuse)


def test_no_evidence_is_a_candidate() -> None:
    kept = judge(Draft(text="Ports are odd."), (), strict=False)
    assert isinstance(kept, Admit)
    assert kept.standing is Standing.CANDIDATE


def test_the_users_own_step_is_enough() -> None:
    users = _cited(A, "please use port 8080", source=SourceClass.USER, users_word=True)
    draft = _draft(kind=MemoryKind.PREFERENCE, evidence=(Evidence(ref=users.ref),))
    assert judge(draft, (users,), strict=True) == Admit(standing=Standing.ESTABLISHED)


@pytest.mark.parametrize("strict", [True, False])
def test_evidence_that_is_gone_and_false_quotes_refuse_always(*, strict: bool) -> None:
    gone = (_cited(A), _cited(B, live=False))
    assert isinstance(judge(_draft(), gone, strict=strict), Refuse)
    quote = (Evidence(ref=TWO[0].ref, quote="never said"), Evidence(ref=TWO[1].ref))
    refused = judge(_draft(evidence=quote), TWO, strict=strict)
    assert isinstance(refused, Refuse)
    assert "never said" in refused.reasons[0]


def test_a_quote_may_differ_in_white_space_only() -> None:
    quote = (Evidence(ref=TWO[0].ref, quote="port\n  8080 failed"), Evidence(ref=TWO[1].ref))
    assert isinstance(judge(_draft(evidence=quote), TWO, strict=True), Admit)


@pytest.mark.parametrize(
    "part", ["9090", "src/basket.py", "E0309", "808", "`make all`", "cart_sum"]
)
def test_a_part_that_occurs_nowhere_in_the_evidence_is_named(part: str) -> None:
    refused = judge(_draft(f"The port needs {part}, retried."), TWO, strict=True)
    assert isinstance(refused, Refuse)
    assert len(refused.reasons) == 1
    assert part.strip("`") in refused.reasons[0]


def test_a_number_may_carry_a_unit_in_the_evidence() -> None:
    assert isinstance(
        judge(_draft("The port is retried after 30 seconds."), TWO, strict=True), Admit
    )


def test_a_procedure_and_a_gotcha_need_when_to_use() -> None:
    for kind in (MemoryKind.PROCEDURE, MemoryKind.GOTCHA):
        assert isinstance(judge(_draft(kind=kind), TWO, strict=True), Refuse)
        assert isinstance(judge(_draft(kind=kind, when_to_use="at start"), TWO, strict=True), Admit)


def test_a_duplicate_of_the_same_kind_is_refused_by_name_unless_it_supersedes() -> None:
    near = Neighbour(ref="m:abc", similarity=0.97, title="t", kind=MemoryKind.FACT)
    refused = judge(_draft(), TWO, [near], strict=True)
    assert isinstance(refused, Refuse)
    assert "m:abc" in refused.reasons[0]
    assert isinstance(judge(_draft(supersedes="m:abc"), TWO, [near], strict=True), Admit)
    other = near.model_copy(update={"kind": MemoryKind.GOTCHA})
    assert isinstance(judge(_draft(), TWO, [other], strict=True), Admit)


def test_a_resembling_memory_is_noted() -> None:
    near = Resemblance(ref="m:abc", similarity=0.9, title="t")
    admitted = judge(_draft(), TWO, [near], strict=True)
    assert admitted == Admit(standing=Standing.ESTABLISHED, notes=("It resembles m:abc (0.90).",))


def test_a_procedure_that_never_went_well_says_so() -> None:
    failed = tuple(_cited(s, outcome=Outcome.FAILURE) for s in (A, B))
    draft = _draft(kind=MemoryKind.PROCEDURE, when_to_use="at start")
    admitted = judge(draft, failed, strict=True)
    assert isinstance(admitted, Admit)
    assert admitted.notes == ("None of its evidence went well.",)


def test_claims_are_the_checkable_parts() -> None:
    text = '1. Run "make all" in src/a.py with --fast, 3 times, expect E0308 and 1,000 rows.'
    assert claims(text) == ("make all", "src/a.py", "--fast", "E0308", "3", "1,000")
