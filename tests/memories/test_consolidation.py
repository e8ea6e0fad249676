"""The gate lets in what its evidence bears out; the plan offers what deserves a second look."""

from datetime import UTC, datetime

import pytest

from mcp_memory.domain import refs
from mcp_memory.domain.models import (
    Draft,
    Evidence,
    Group,
    MemoryKind,
    Outcome,
    Resemblance,
    SourceClass,
    Standing,
)
from mcp_memory.memories.bearing import claims
from mcp_memory.memories.gate import Admit, Cited, Neighbour, Refuse, judge
from mcp_memory.memories.planning import EpisodeView, MemoryView, plan, signature

A, B, C = (refs.trajectory_id("test", name) for name in "abc")
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
    assert "1 live sessions" in kept.notes[0]
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
    "part", ["9090", "src/basket.py", "E0309", "808", "`make all`", "cart_sum", "--fast"]
)
def test_a_part_that_occurs_nowhere_in_the_evidence_is_named(part: str) -> None:
    refused = judge(_draft(f"The server needs {part} to start."), TWO, strict=True)
    assert isinstance(refused, Refuse)
    assert len(refused.reasons) == 1
    assert part.strip("`") in refused.reasons[0]


def test_a_number_may_carry_a_unit_in_the_evidence() -> None:
    assert isinstance(judge(_draft("It retries after 30 seconds."), TWO, strict=True), Admit)


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


def test_error_signatures_ignore_numbers_ids_and_folders() -> None:
    left = signature("/home/a/x.py:12: KeyError at 0x7f01")
    assert left == signature("/srv/b/x.py:99:  KeyError at 0x8a22")
    assert left != signature("/srv/b/x.py:99: ValueError at 0x8a22")


def _episode(session: str, number: int = 1, **known: object) -> EpisodeView:
    fixed = {"ref": refs.episode(session, number), "first": 1, "last": 9, "goal": "mend the cart"}
    return EpisodeView.model_validate({"outcome": Outcome.UNKNOWN} | fixed | known)


def _memory(name: str, text: str, **known: object) -> MemoryView:
    return MemoryView.model_validate({"ref": f"m:{name}", "kind": "fact", "text": text} | known)


def _reasons(groups: tuple[Group, ...]) -> list[str]:
    return [group.reason for group in groups]


def test_one_error_in_two_sessions_is_offered() -> None:
    met = [_episode(s, errors=(f"KeyError: line {i}",)) for i, s in enumerate((A, B))]
    (group,) = plan(met, [])
    assert group.reason == "recurring"
    assert set(group.refs) == {met[0].ref, met[1].ref}
    assert group.shared[0].startswith("KeyError: line ")


def test_one_error_twice_in_one_session_is_not_offered() -> None:
    assert plan([_episode(A, n, errors=("KeyError",)) for n in (1, 2)], []) == ()


def test_a_command_that_failed_and_later_went_well_is_offered() -> None:
    day = [datetime(2026, 1, n, tzinfo=UTC) for n in (1, 2)]
    bad = _episode(A, outcome=Outcome.FAILURE, commands=("npm test --all",), at=day[0])
    good = _episode(B, outcome=Outcome.SUCCESS, commands=("npm test",), at=day[1])
    assert plan([bad, good], [])[0].shared == ("npm test",)
    swapped = [bad.model_copy(update={"at": day[1]}), good.model_copy(update={"at": day[0]})]
    assert plan(swapped, []) == ()


def test_the_same_file_towards_similar_goals_is_offered() -> None:
    met = [_episode(s, files=("cart.py",), goal=f"mend rounding totals {s}") for s in (A, B)]
    assert plan(met, [])[0].shared == ("cart.py",)
    other = [met[0], _episode(B, files=("cart.py",), goal="translate greeting page")]
    assert plan(other, []) == ()


@pytest.mark.parametrize("cite", ["episode", "span", "session"])
def test_episodes_that_a_memory_cites_are_left_out(cite: str) -> None:
    met = [_episode(s, errors=("KeyError",)) for s in (A, B)]
    named = {"episode": refs.episode(A, 1), "span": refs.span(A, 9, 12), "session": f"t:{A}"}
    assert plan(met, [_memory("x", "known", evidence=(named[cite],))]) == ()


def test_near_memories_are_offered_as_duplicates_nearest_first() -> None:
    held = [_memory(n, f"text {n}") for n in "abc"]
    groups = plan(
        [], held, similar=[("m:a", "m:b", 0.9), ("m:b", "m:c", 0.99), ("m:a", "m:c", 0.5)]
    )
    assert [group.refs for group in groups] == [("m:b", "m:c"), ("m:a", "m:b")]


def test_another_value_for_the_same_name_is_offered_as_a_contradiction() -> None:
    held = [
        _memory("a", "api_server listens on port 8080."),
        _memory("b", "The port of api_server is 9090."),
    ]
    (group,) = plan([], held)
    assert group.reason == "contradiction"
    assert group.refs == ("m:a", "m:b")
    assert group.shared == ("api_server", "8080", "9090")


@pytest.mark.parametrize(
    "other",
    [
        "api_server listens on port 8080 only.",
        "web_server listens on port 9090.",
        "api_server has 3 owners.",
    ],
)
def test_the_same_value_another_name_or_another_matter_is_no_contradiction(other: str) -> None:
    assert plan([], [_memory("a", "api_server listens on port 8080."), _memory("b", other)]) == ()


def test_a_memory_that_its_use_speaks_against_is_offered() -> None:
    held = [
        _memory("a", "x", used=5, succeeded=2),
        _memory("b", "y", used=4),
        _memory("c", "z", used=6, succeeded=3),
    ]
    (group,) = plan([], held)
    assert (group.reason, group.refs) == ("unhelpful", ("m:a",))


def test_a_plan_is_bounded_fair_and_the_same_in_any_order() -> None:
    met = [_episode(s, n, errors=(f"Oops{'x' * n}",)) for n in range(1, 9) for s in (A, B)]
    met.append(_episode(C, 1, errors=("Oopsx",)))
    held = [_memory("a", "x", used=9)]
    groups = plan(met, held, limit=4)
    assert _reasons(groups) == ["recurring", "unhelpful", "recurring", "recurring"]
    assert len(groups[0].refs) == 3
    assert plan(met[::-1], held, limit=4) == groups
