"""The bank's answers over real sessions, in a folder and in a bucket: one bank, which no test changes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from tour_sessions import evidence, sessions, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query, Reading, Task
from mcp_memory.domain.errors import GateRefused, UnknownRef
from mcp_memory.domain.models import Draft, Evidence
from mcp_memory.settings import Settings
from mcp_memory.store.rows import Where
from mcp_memory.trajectories import marks

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLANTED = "the heron sleeps under violet bridges"
LEARNED = 'open() without encoding raises UnicodeEncodeError; pass encoding="utf-8"'


def ask(*texts: str, **fields: object) -> Query:
    return Query.model_validate({"texts": texts, **fields})


@pytest.fixture(scope="module", params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A bank keeps one contract wherever it lies."""
    bucket = request.getfixturevalue("objects") if request.param == "s3" else ""
    return Settings(
        home=tmp_path_factory.mktemp("bank") / "home",
        embedding_model="hash",
        index_auto=False,
        address=f"{bucket}/{uuid4().hex[:8]}" if bucket else "",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(settings: Settings) -> AsyncIterator[MemoryBank]:
    folder = settings.home.parent
    paths = written(folder, plant=PLANTED)
    async with open_bank(settings, cwd=str(folder / "shop")) as bank:
        await bank.index(paths)
        yield bank


async def test_a_hit_cites_a_line_that_opens_at_the_right_step(
    bank: MemoryBank, settings: Settings
) -> None:
    found = await bank.search(ask("heron sleeps violet bridges", kinds=["step"]))
    assert found.found
    if settings.address:
        assert found.folder is None, "no program of this machine can open what lies there"
        return
    file, _, line = f"{found.folder}/{found.hits[0].path}".rpartition(":")
    opened = json.loads(Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1])
    assert opened["ref"] == found.hits[0].ref
    assert PLANTED in json.dumps(opened)


async def test_nothing_found_is_an_answer_with_the_nearest_named_so(bank: MemoryBank) -> None:
    found = await bank.search(ask("Kubernetes ingress certificate rotation"))
    assert not found.found
    assert not found.hits
    assert found.nearest


async def test_an_unknown_project_is_said(bank: MemoryBank) -> None:
    found = await bank.search(ask("UnicodeEncodeError", project="/nowhere"))
    assert not found.found
    assert "No history of /nowhere; known: shop." in found.notes[0]


async def test_a_question_may_have_five_other_wordings(bank: MemoryBank) -> None:
    words = ("UnicodeEncodeError", *(f"encoding of the export {n}" for n in range(5)))
    found = await bank.search(Query(texts=words, project="*", reworded=True))
    assert found.found


async def test_several_questions_share_the_answer(bank: MemoryBank) -> None:
    found = await bank.search(ask("shop/export.py", "shop/invoice.py", kinds=["episode"], limit=2))
    assert len({hit.ref.split(".")[0] for hit in found.hits}) == 2


async def test_fetch_lists_unknown_refs_beside_the_others(bank: MemoryBank) -> None:
    ref = (await sessions(bank))[0]
    fetched = await bank.fetch(Reading(refs=[f"{ref}#2", "t:000000000000#1", "nonsense"]))
    assert [item.ref for item in fetched.items] == [f"{ref}#2"]
    assert fetched.unknown == ("t:000000000000#1", "nonsense")
    with pytest.raises(UnknownRef, match="search"):
        await bank.fetch(Reading(refs=["m:000000000000"]))


async def test_fetch_stays_within_its_budget_and_says_where_to_go_on(bank: MemoryBank) -> None:
    ref = (await sessions(bank))[0]
    item = (await bank.fetch(Reading(refs=[ref], budget_tokens=100))).items[0]
    assert item.next_ref
    assert len(item.text) <= 400


async def test_evidence_that_does_not_exist_is_refused(bank: MemoryBank) -> None:
    with pytest.raises(GateRefused):
        await bank.retain(
            Draft(text=LEARNED, evidence=(Evidence(ref="t:000000000000#1", quote=""),))
        )
    assert await bank.listing("memories") == []


async def test_the_gate_refuses_what_the_evidence_does_not_say(bank: MemoryBank) -> None:
    wrong = Draft(text='pass "surrogatepass" in shop/export.py', evidence=await evidence(bank))
    with pytest.raises(GateRefused, match="surrogatepass"):
        await bank.apply([wrong])
    with pytest.raises(GateRefused, match="memory 1"):
        await bank.apply([Draft(text=LEARNED)])
    assert await bank.listing("memories") == []


async def test_the_plan_names_an_error_met_in_two_sessions(bank: MemoryBank) -> None:
    groups = (await bank.plan()).groups
    assert any(g.reason == "error" and "UnicodeEncodeError" in g.about for g in groups)


async def test_a_file_leads_to_the_sessions_that_changed_it(bank: MemoryBank) -> None:
    hits = (await bank.search(ask("shop/export.py", explain=True))).hits
    assert "links" in hits[0].why
    changed = await bank.rooms.store.by_words(
        "evidence", *marks.asked("export.py"), column="identifiers", where=Where(), limit=9
    )
    assert {hit.ref for hit in hits if "links" in hit.why} <= {row.key for row in changed}


async def test_an_error_leads_to_the_step_that_met_it(bank: MemoryBank) -> None:
    met = "UnicodeEncodeError: 'charmap' codec can't encode character '\\u20ac' in position 99"
    asked = ask(f"{met}: character maps to <undefined>", kinds=["step"], explain=True)
    hits = (await bank.search(asked)).hits
    assert "links" in hits[0].why
    assert "charmap" in hits[0].text


async def test_a_runbook_names_a_premise_that_history_does_not_know(bank: MemoryBank) -> None:
    made = await bank.runbook(
        Task(text="write customers with shop/customers.py", error="UnicodeEncodeError")
    )
    assert any("shop/customers.py" in premise for premise in made.premises)
    assert made.spans
