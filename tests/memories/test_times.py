"""When a memory holds: by its evidence, its writer and its successor, never by the wall clock alone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from talks import kept, talk

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli.search import search_command
from mcp_memory.domain import validity
from mcp_memory.domain.asked import Planning, Query, Reading, Task
from mcp_memory.domain.errors import GateRefused, UnknownRef
from mcp_memory.domain.hits import Hit
from mcp_memory.domain.models import Draft, Evidence, Memory, Retained, SourceClass, State
from mcp_memory.hooks import digests
from mcp_memory.search import spans
from mcp_memory.settings import Settings

SHOP = "/home/ada/shop"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
MARCH, JUNE, AUGUST = (datetime(2026, month, 20, tzinfo=UTC) for month in (3, 6, 8))
SAYS = {"2026-03-02": "8080", "2026-03-09": "8080", "2026-06-02": "9090", "2026-06-09": "9090"}
OLD, NEW = "The till listens on port 8080.", "The till listens on port 9090."


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    paths = [
        kept(
            tmp_path / f"{day}.jsonl",
            talk(
                str(n) * 8, f"Open the till, {day}.", f"The till listens on port {port}.", day=day
            ),
        )
        for n, (day, port) in enumerate(SAYS.items(), 1)
    ]
    async with open_bank(settings, cwd=SHOP, now=lambda: NOW) as bank:
        await bank.index(paths)
        yield bank


async def evidence(bank: MemoryBank, month: int) -> tuple[Evidence, ...]:
    found = await bank.listing("sessions")
    return tuple(Evidence(ref=f"{s.ref}#1-2") for s in found if s.at and s.at.month == month)


async def of_march(bank: MemoryBank, **fields: object) -> Retained:
    told = {"text": OLD, "evidence": await evidence(bank, 3)} | fields
    return await bank.retain(Draft.model_validate(told))


async def of_june(bank: MemoryBank, **fields: object) -> Retained:
    told = {"text": NEW, "evidence": await evidence(bank, 6)} | fields
    return await bank.retain(Draft.model_validate(told))


async def memory(bank: MemoryBank, ref: str) -> Memory:
    return await spans.current(bank.rooms, ref)


async def facts(bank: MemoryBank, **asked: object) -> dict[str, Hit]:
    query = Query.model_validate({"texts": ("which port does the till listen on",),
                                  "kinds": ("fact",)} | asked)  # fmt: skip
    return {hit.ref: hit for hit in (await bank.search(query)).hits}


async def test_a_memory_holds_from_its_first_evidence_until_its_successor_does(
    bank: MemoryBank,
) -> None:
    old = await of_march(bank)
    new = await of_june(bank, supersedes=old.ref)
    then, now = await memory(bank, old.ref), await memory(bank, new.ref)
    assert validity.spell(then) == "2026-03-02 to 2026-06-02"
    assert validity.spell(now) == "since 2026-06-02"
    assert now.created_at == NOW
    assert list(await facts(bank, as_of=MARCH)) == [old.ref]
    assert list(await facts(bank, as_of=AUGUST)) == [new.ref]
    assert list(await facts(bank, as_of=datetime(2026, 1, 1, tzinfo=UTC))) == []


async def test_what_held_then_says_until_when_and_when_it_was_learned(bank: MemoryBank) -> None:
    old = await of_march(bank)
    await of_june(bank, supersedes=old.ref)
    (hit,) = (await facts(bank, as_of=MARCH)).values()
    assert hit.flags == ("held until 2026-06-02", "learned 2026-10-01")
    assert (await facts(bank))[old.ref].flags == ("superseded",)


async def test_evidence_is_of_then_too(bank: MemoryBank) -> None:
    asked = Query(texts=("which port does the till listen on",), kinds=("step",), limit=30)
    everything = await bank.search(asked)
    then = await bank.search(asked.model_copy(update={"as_of": MARCH}))
    assert {hit.at.month for hit in everything.hits if hit.at} == {3, 6}
    assert {hit.at.month for hit in then.hits if hit.at} == {3}


async def test_a_runbook_of_then_tells_what_held_then(bank: MemoryBank) -> None:
    old = await of_march(bank)
    new = await of_june(bank, supersedes=old.ref)
    task = Task(text="Change the port that the till listens on")
    then = await bank.runbook(task.model_copy(update={"as_of": MARCH}))
    lines = {section.title: " ".join(section.lines) for section in then.sections}
    assert old.ref in lines["Facts and preferences"]
    assert new.ref not in " ".join(lines.values())
    now = await bank.runbook(task)
    lines = {section.title: " ".join(section.lines) for section in now.sections}
    assert new.ref in lines["Facts and preferences"]
    assert old.ref in lines.get("No longer holds", old.ref)


async def test_fetch_as_of_opens_what_held_then_and_shows_the_line(bank: MemoryBank) -> None:
    old = await of_march(bank)
    new = await of_june(bank, supersedes=old.ref)
    (now,) = (await bank.fetch(Reading(refs=[new.ref]))).items
    assert f"2026-03-02 to 2026-06-02 {old.ref}: {OLD}" in now.text
    assert f"since 2026-06-02 {new.ref} (this)" in now.text
    assert "[-8080.-] {+9090.+}" in now.text
    (then,) = (await bank.fetch(Reading(refs=[new.ref], as_of=MARCH))).items
    assert then.ref == old.ref
    (never,) = (
        await bank.fetch(Reading(refs=[new.ref], as_of=datetime(2025, 1, 1, tzinfo=UTC)))
    ).items
    assert "Neither this nor what it superseded held then." in never.text


async def test_fetch_as_of_shows_no_later_steps(bank: MemoryBank) -> None:
    first, last = (await evidence(bank, 3))[0].ref, (await evidence(bank, 6))[0].ref
    found = await bank.fetch(Reading(refs=[first, last], as_of=MARCH))
    assert [item.ref for item in found.items] == [first]
    assert found.unknown == (last,)
    with pytest.raises(UnknownRef):
        await bank.fetch(Reading(refs=[last], as_of=MARCH))


async def test_versions_say_what_each_changed(bank: MemoryBank) -> None:
    first, second = await evidence(bank, 3)
    await of_march(bank, evidence=(first,))
    again = await of_march(bank, evidence=(second,))
    text = (await bank.fetch(Reading(refs=[again.ref]))).items[0].text
    assert f"Version 2: established, + {second.ref}" in text
    assert "Version 1: candidate, live" in text
    assert text.count(OLD) == 1, "what did not change is not said again"


async def test_what_is_learned_later_and_tells_of_earlier_supersedes_nothing(
    bank: MemoryBank,
) -> None:
    new = await of_june(bank)
    with pytest.raises(GateRefused, match="what is older supersedes nothing"):
        await of_march(bank, supersedes=new.ref)
    assert (await memory(bank, new.ref)).state is State.LIVE


async def test_the_newest_of_two_is_not_the_one_that_was_kept_last(bank: MemoryBank) -> None:
    new = await of_june(bank)
    old = await of_march(bank)
    found = await facts(bank)
    assert found[old.ref].flags == (f"restated in {new.ref}",)
    assert found[new.ref].flags == ()
    assert next(iter(found)) == new.ref


async def test_what_ended_or_has_not_begun_is_told_as_such_and_never_unasked(
    bank: MemoryBank,
) -> None:
    over = await of_march(bank, valid_to="2026-06-01")
    coming = await of_june(bank, valid_from="2027-01-01")
    found = await facts(bank)
    assert found[over.ref].flags == ("ended 2026-06-01",)
    assert found[coming.ref].flags == ("not before 2027-01-01",)
    assert not any([digests.stands(await memory(bank, ref)) for ref in (over.ref, coming.ref)])
    made = await bank.runbook(Task(text="Change the port that the till listens on"))
    lines = {section.title: " ".join(section.lines) for section in made.sections}
    assert over.ref in lines["No longer holds"]
    assert coming.ref in lines["No longer holds"]
    planned = (await bank.plan(Planning())).groups
    assert not [g for g in planned if over.ref in g.refs]


async def test_two_that_hold_one_after_the_other_do_not_contradict(bank: MemoryBank) -> None:
    evidence_of = {month: await evidence(bank, month) for month in (3, 6)}
    drafts = [
        Draft.model_validate({"text": OLD, "evidence": evidence_of[3], "valid_to": "2026-06-01"}),
        Draft.model_validate({"text": NEW, "evidence": evidence_of[6], "valid_from": "2026-06-01"}),
    ]
    for draft in drafts:
        await bank.apply([draft])
    assert not [g for g in (await bank.plan()).groups if g.reason == "contradiction"]


async def test_times_that_come_later_are_another_version(bank: MemoryBank) -> None:
    first = await of_march(bank)
    again = await of_march(bank, valid_to="2026-06-01")
    assert (again.ref, again.version) == (first.ref, 2)
    assert not (await of_march(bank, valid_to="2026-06-01")).created
    assert (await memory(bank, first.ref)).valid_to == datetime(2026, 6, 1, tzinfo=UTC)


async def test_taking_back_what_superseded_brings_the_times_back(bank: MemoryBank) -> None:
    old = await of_march(bank)
    before = await memory(bank, old.ref)
    new = await of_june(bank, supersedes=old.ref)
    await bank.undo(new.batch)
    after = await memory(bank, old.ref)
    assert (after.rested_at, validity.spell(after)) == (None, validity.spell(before))


async def test_the_user_may_always_correct_what_is_newer(bank: MemoryBank) -> None:
    new = await of_june(bank)
    draft = Draft(text=OLD, supersedes=new.ref)
    kept_again = await bank.retain(draft, by=SourceClass.USER)
    assert (await memory(bank, new.ref)).superseded_by == kept_again.ref


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValidationError, match="valid_to must be after valid_from"):
        Draft.model_validate({"text": "x", "valid_from": "2026-06-01", "valid_to": "2026-05-01"})


def test_a_memory_of_an_older_version_that_was_superseded_held_at_no_known_time() -> None:
    told = {"ref": "m:1", "version": 2, "kind": "fact", "text": OLD, "created_at": MARCH,
            "batch": "b:1", "state": "superseded", "superseded_by": "m:2"}  # fmt: skip
    assert not validity.held(Memory.model_validate(told), MARCH)


def test_as_of_is_written_as_people_write_it() -> None:
    done = CliRunner().invoke(search_command, ["x", "--as-of", "no time at all"])
    assert "says no time" in done.output
