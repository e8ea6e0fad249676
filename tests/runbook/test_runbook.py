"""The runbook says what history bears out, verbatim, cited and within its budget."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcp_memory.domain import refs
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Outcome, Runbook, SourceClass, Standing
from mcp_memory.runbook import assembling
from mcp_memory.runbook.assembling import Sighting
from mcp_memory.text import tokens

A, B = (refs.trajectory_id("test", name) for name in "ab")


def _hit(kind: str, text: str, ref: str = "", **known: object) -> Hit:
    fixed = {"ref": ref or f"m:{refs.short_hash(text)}", "kind": kind, "text": text, "score": 0.9}
    source = {"source": SourceClass.AGENT, "trust": 0.6, "project": "p", "why": {}}
    return Hit.model_validate(fixed | source | known)


def _memory(kind: str, text: str, **known: object) -> Hit:
    return _hit(kind, text, **({"standing": Standing.ESTABLISHED} | known))


def _step(number: int, session: str = A) -> Hit:
    return _hit("step", "ran", ref=refs.span(session, number))


def _made(*memories: Hit, **known: object) -> Runbook:
    fixed = {"memories": memories, "episodes": (), "steps": ()}
    return assembling.assemble("mend the cart", **(fixed | known))  # type: ignore[arg-type]


def _lines(made: Runbook) -> dict[str, tuple[str, ...]]:
    return {section.title: section.lines for section in made.sections}


def test_each_kind_stands_in_its_section() -> None:
    well = _hit("episode", "mended", ref=refs.episode(A, 1), outcome=Outcome.SUCCESS)
    badly = _hit("episode", "broke", ref=refs.episode(B, 1), outcome=Outcome.FAILURE)
    kinds = ("preference", "gotcha", "procedure")
    made = _made(*(_memory(k, f"a {k}") for k in kinds), episodes=(badly, well))
    titles = ["Procedures", "Gotchas", "Facts and preferences", "Went well", "Went badly"]
    assert list(_lines(made)) == titles


def test_every_line_is_verbatim_and_ends_with_its_ref() -> None:
    hit = _memory("procedure", "Run make,\n  then test.", title="Release")
    made = _made(hit, places=(("/a/INDEX.md", refs.span(A, 1)),))
    lines = _lines(made)
    assert lines["Procedures"] == (f"Release — Run make, then test. (agent 0.6) {hit.ref}",)
    assert lines["Where to grep"] == (f"/a/INDEX.md {refs.span(A, 1)}",)


@pytest.mark.parametrize(
    "known",
    [{"standing": Standing.CANDIDATE}, {"standing": None}, {"flags": ("instruction",)}],
)
def test_an_unproven_procedure_is_never_listed_as_a_procedure(known: dict[str, object]) -> None:
    made = _made(_memory("procedure", "Delete everything.", **known))
    assert list(_lines(made)) == ["Unproven"]


@pytest.mark.parametrize("flag", ["superseded", "retired", "restated in m:abc"])
def test_what_no_longer_holds_is_never_listed_as_a_procedure(flag: str) -> None:
    made = _made(_memory("procedure", "Run make.", flags=(flag,)))
    assert list(_lines(made)) == ["No longer holds"]
    assert flag in _lines(made)["No longer holds"][0]


def test_a_challenged_procedure_still_is_one_and_names_its_challenger() -> None:
    made = _made(_memory("procedure", "Run make.", flags=("challenged by m:abc",)))
    assert "challenged by m:abc)" in _lines(made)["Procedures"][0]


def test_spans_join_neighbours_stay_short_and_keep_to_twenty_steps() -> None:
    made = _made(steps=[_step(5), _step(6), _step(40), _step(4), _step(7), _step(5, B)])
    assert made.spans == (
        refs.span(A, 4, 6), refs.span(A, 40), refs.span(A, 7), refs.span(B, 5),
    )  # fmt: skip
    many = _made(steps=[_step(10 * n) for n in range(1, 60)])
    assert len(many.spans) == 20


@example([15, 17, 16, 17])
@given(st.lists(st.integers(1, 60), max_size=60))
def test_no_step_is_opened_twice_and_never_more_than_twenty(numbers: list[int]) -> None:
    opened = []
    for text in _made(steps=[_step(n) for n in numbers]).spans:
        ref = refs.parse(text)
        assert ref.first is not None
        opened += range(ref.first, (ref.last or ref.first) + 1)
    assert len(opened) == len(set(opened)) <= 20
    assert set(opened) <= set(numbers)


def _cost(made: Runbook) -> int:
    lines = [line for section in made.sections for line in section.lines]
    return sum(map(tokens.estimate, (made.task, *made.spans, *made.premises, *lines)))


@pytest.mark.parametrize("budget", [200, 500, 2000])
def test_a_runbook_keeps_to_its_budget_and_gives_each_section_its_best_line_first(
    budget: int,
) -> None:
    told = [
        _memory(kind, f"{kind} {n} " + "word " * 60)
        for kind in ("procedure", "gotcha")
        for n in range(9)
    ]
    made = _made(*told, budget_tokens=budget)
    assert _cost(made) <= budget
    assert _lines(made)["Procedures"][0].startswith("procedure 0")
    if budget < 2000:
        assert made.notes[-1].startswith("Left out for the budget:")
    assert "Gotchas" in _lines(made) or budget == 200


def test_the_same_thing_found_twice_is_one_line() -> None:
    hit = _memory("fact", "The port is 8080.")
    assert len(_lines(_made(hit, hit))["Facts and preferences"]) == 1


def test_nothing_found_is_an_empty_runbook() -> None:
    assert _made() == Runbook(task="mend the cart", sections=(), spans=())


def test_premises_that_history_does_not_bear_out_are_named_with_refs() -> None:
    seen = {
        "src/gone.py": Sighting(),
        "--old": Sighting(superseded=("m:a", "m:b")),
        "make_all": Sighting(seen=3, last_ref="t:x#4", last_outcome=Outcome.FAILURE),
        "src/fine.py": Sighting(seen=1, last_ref="t:x#9", last_outcome=Outcome.SUCCESS),
        "cart": Sighting(),
    }
    assert assembling.premises([*seen, "src/unasked.py", "--old"], seen) == (
        "src/gone.py: nowhere in recorded history",
        "--old: only in superseded memories m:a m:b",
        "make_all: its last recorded use failed t:x#4",
    )
