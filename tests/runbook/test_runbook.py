"""The runbook says what history bears out, cited and within its budget, and nothing about nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from failing_session import ERROR, gotcha, session
from hypothesis import example, given
from hypothesis import strategies as st
from worked import ident, mend
from worked import session as worked

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain import refs
from mcp_memory.domain.asked import Query, Task
from mcp_memory.domain.hits import Hit, SearchResult
from mcp_memory.domain.models import Runbook, SourceClass
from mcp_memory.rooms import Rooms
from mcp_memory.runbook import asking, assembling, mends
from mcp_memory.runbook.assembling import Line
from mcp_memory.settings import Settings
from mcp_memory.text import tokens

A, B = (refs.trajectory_id("test", name) for name in "ab")


def _step(number: int, session: str = A, score: float = 0.9) -> Hit:
    fixed = {"ref": refs.span(session, number), "kind": "step", "text": "ran", "score": score}
    return Hit.model_validate(fixed | {"source": SourceClass.AGENT})


def _made(lines: dict[str, list[Line]] | None = None, **known: object) -> Runbook:
    return assembling.assemble("mend the cart", lines or {}, **known)  # type: ignore[arg-type]


def _lines(made: Runbook) -> dict[str, tuple[str, ...]]:
    return {section.title: section.lines for section in made.sections}


def test_spans_join_neighbours_and_stay_short_and_few() -> None:
    every = [_step(5), _step(6), _step(40), _step(4), _step(7), _step(5, B)]
    assert assembling.spans(every) == (refs.span(A, 4, 6), refs.span(A, 40), refs.span(A, 7))
    assert assembling.spans([_step(5), _step(40, score=0.2)]) == (refs.span(A, 5),)


@example([15, 17, 16, 17])
@given(st.lists(st.integers(1, 60), max_size=60))
def test_no_step_is_opened_twice_and_never_more_than_twenty(numbers: list[int]) -> None:
    opened = []
    for text in assembling.spans([_step(n) for n in numbers]):
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
    told = {
        title: [(f"{title} {n} " + "word " * 60, f"m:{n}") for n in range(9)]
        for title in ("Procedures", "Gotchas")
    }
    made = _made(told, budget_tokens=budget)
    assert _cost(made) <= budget
    assert _lines(made)["Procedures"][0].startswith("Procedures 0")
    if budget < 500:
        assert made.notes[-1].startswith("Left out for the budget:")
    assert "Gotchas" in _lines(made) or budget == 200


def test_the_same_thing_found_twice_is_one_line() -> None:
    told = {"Facts and preferences": [("The port is 8080.", "m:a")] * 2}
    assert len(_lines(_made(told))["Facts and preferences"]) == 1


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([session(tmp_path, "one", "Make the tests of the cart pass again.")])
        yield bank


@pytest.mark.parametrize(
    "said", ["Thanks, that is all.", "yes, go on", "ok", "谢谢 继续", "Danke!"]
)
async def test_a_task_about_nothing_gets_no_lines(bank: MemoryBank, said: str) -> None:
    assert await bank.runbook(Task(text=said)) == Runbook(
        task=said, sections=(), spans=(), notes=(asking.NOTHING_ASKED,)
    )


async def test_an_error_finds_its_mend_first(bank: MemoryBank) -> None:
    made = await bank.runbook(Task(text="get the shop to start", error=f"Traceback\n{ERROR}"))
    first = made.sections[0]
    assert first.title == "This error before"
    assert first.lines[0].startswith(ERROR)
    assert "ran `pip install flask --token" in first.lines[0]
    assert refs.parse(first.lines[0].rpartition(" ")[2]).first == 2


async def test_a_mend_is_told_once(bank: MemoryBank) -> None:
    task = Task(text=f"mend {ERROR}", error=f"Traceback\n{ERROR}")
    told = [line for section in (await bank.runbook(task)).sections for line in section.lines]
    assert any(line.startswith(ERROR) for line in told)
    assert len(told) == len(set(told))


async def test_every_line_begins_at_a_beginning_and_ends_with_a_ref(bank: MemoryBank) -> None:
    made = await bank.runbook(Task(text="make the cart's tests pass"))
    lines = _lines(made)
    assert lines["Went well"][0].startswith("2026-03-01 Make the tests of the cart pass again.")
    for line in (line for told in lines.values() for line in told):
        assert str(refs.parse(line.rpartition(" ")[2])) == line.rpartition(" ")[2]
        assert "\u2026 " not in line.partition(" t:")[0]


async def test_what_a_user_said_stands_among_the_gotchas(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_bank(settings, cwd=str(tmp_path / "shop")) as bank:
        await bank.index([session(tmp_path, "one")])
        ref = await gotcha(bank)
        made = await bank.runbook(Task(text="change src/db.py to write in batches"))
    (line,) = _lines(made)["Gotchas"]
    assert "When: editing src/db.py. Not when: reading it. (user 1.0, rests on 1 session)" in line
    assert line.endswith(ref)


async def test_history_that_holds_nothing_alike_says_so(bank: MemoryBank) -> None:
    made = await bank.runbook(Task(text="Bake a chocolate cake with cherries."))
    assert (made.sections, made.notes[-1]) == ((), asking.NOTHING_FOUND)


async def test_a_flag_that_is_to_be_added_does_not_hide_what_it_is_added_to(
    bank: MemoryBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asking.search

    async def never_together(rooms: Rooms, query: Query) -> SearchResult:
        told = any("--token" in text for text in query.texts)
        return SearchResult(found=False) if told else await real(rooms, query)

    monkeypatch.setattr(asking, "search", never_together)
    made = await bank.runbook(Task(text="make the cart's tests pass with a --token flag"))
    assert _lines(made)["Went well"][0].startswith("2026-03-01 Make the tests of the cart")
    assert any("together with `--token`" in note for note in made.notes)
    nothing = await bank.runbook(Task(text="rotate the moon's --token certificates"))
    assert asking.NOTHING_FOUND in nothing.notes


def test_an_error_is_met_under_its_kind() -> None:
    unchecked = "\u2026/{}.go:N: Error return value of `{}` is not checked (errcheck)"
    mended = mend(unchecked.format("data", "iter.ForEach"), "edited `data.go`")
    other = mend("\u2026/data.go:N: undefined: cart", "edited `cart.go`")
    known = {ident("a"): worked("a", mends=(mended, other))}
    found = mends.of_error(
        "Error return value of `os.UserHomeDir` is not checked (errcheck)", known
    )
    assert [one.mend for one in found] == [mended]
