"""The page over HTTP: who is let in, what each address shows, and what a form changes."""

import re
from pathlib import Path

import httpx2
import pytest
from looking import HOSTILE, WORD, claude_session, filled, proof, viewing, visitor
from serving import listening, made

from mcp_memory.bank import open_bank
from mcp_memory.domain.access import Person
from mcp_memory.domain.asked import Reading
from mcp_memory.domain.models import Draft
from mcp_memory.memories import promotion
from mcp_memory.settings import Settings
from mcp_memory.viewer.guarding import POLICY

PAGES = ("/", "/timeline", "/search?q=orders+export", "/memories", "/review", "/map", "/graph",
         "/delete", "/proposals", "/admin", "/metrics")  # fmt: skip
LARGEST = 500_000


async def test_every_page_answers_small_and_sealed(settings: Settings, tmp_path: Path) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        for path in PAGES:
            answer = await client.get(base + path)
            assert answer.status_code == 200, path
            assert len(answer.content) < LARGEST, path
            assert answer.headers["content-security-policy"] == POLICY
            assert answer.headers["cache-control"] == "no-store"


async def test_an_empty_bank_has_pages_that_name_the_next_step(settings: Settings) -> None:
    async with viewing(settings) as (base, link), visitor(link) as client:
        for path in PAGES:
            assert (await client.get(base + path)).status_code == 200, path
        assert "mcp-memory index" in (await client.get(f"{base}/timeline")).text


async def test_a_link_lets_one_browser_in_once(settings: Settings) -> None:
    async with viewing(settings) as (base, link):
        async with visitor(link):
            pass
        async with httpx2.AsyncClient() as late:
            assert (await late.get(link)).status_code == 403
            for path in PAGES:
                answer = await late.get(base + path)
                assert answer.status_code == 303
                assert answer.headers["location"].endswith("/enter")


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    settings: Settings,
) -> None:
    async with viewing(settings) as (_, link), httpx2.AsyncClient() as client:
        cookie = (await client.get(link)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/view" in cookie


async def test_a_form_without_the_visits_proof_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    ref = await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        for csrf in ("", "wrong"):
            answer = await client.post(f"{base}/memory/{ref}", data={"csrf": csrf, "do": "retire"})
            assert answer.status_code == 403
        csrf = proof((await client.get(f"{base}/memory/{ref}")).text)
        answer = await client.post(
            f"{base}/memory/{ref}",
            data={"csrf": csrf, "do": "retire"},
            headers={"sec-fetch-site": "cross-site"},
        )
        assert answer.status_code == 403
        assert "retire" in (await client.get(f"{base}/memory/{ref}")).text.lower()


async def test_another_name_of_this_machine_is_refused(settings: Settings) -> None:
    async with viewing(settings) as (base, _), httpx2.AsyncClient() as client:
        answer = await client.get(f"{base}/", headers={"host": "evil.example"})
        assert answer.status_code == 421


async def test_what_a_person_writes_stands_and_can_be_edited_retired_and_undone(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        csrf = proof((await client.get(f"{base}/memories")).text)
        told = {"csrf": csrf, "text": "Tabs, not spaces.", "kind": "preference", "project": "user"}
        kept = await client.post(f"{base}/memories", data=told)
        assert "established" in kept.text
        old = kept.url
        edited = await client.post(
            str(old), data={"csrf": csrf, "do": "edit", "text": "Spaces, not tabs."}
        )
        assert edited.url != old
        assert "superseded" in (await client.get(str(old))).text
        retired = await client.post(str(edited.url), data={"csrf": csrf, "do": "retire"})
        assert retired.status_code == 200, retired.text
        gone = (await client.get(str(edited.url))).text
        assert "forgotten" in gone
        batch = re.search(r"/undo/(b:[0-9a-z]+)", gone)
        assert batch is not None
        undone = await client.post(f"{base}/undo/{batch[1]}", data={"csrf": csrf})
        assert undone.status_code == 200, undone.text
        assert "Put it right" in (await client.get(str(edited.url))).text


async def test_a_candidate_that_a_person_confirms_stands(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        page = (await client.get(f"{base}/review")).text
        ref = re.search(r"/memory/(m:[0-9a-z]+)\?to=/review", page)
        assert ref is not None
        told = {"csrf": proof(page), "do": "confirm"}
        shown = await client.post(f"{base}/memory/{ref[1]}", data=told)
        assert "established" in shown.text


async def test_deleting_shows_its_reach_first_and_a_purge_wants_the_word(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        session = re.search(r"/session/([0-9a-z]+)", (await client.get(f"{base}/timeline")).text)
        assert session is not None
        ref = f"t:{session[1]}"
        page = (await client.get(f"{base}/delete", params={"refs": ref})).text
        assert "It would reach 1 session" in page
        confirm = re.search(r'name="confirm" value="([^"]+)"', page)
        assert confirm is not None
        told = {"csrf": proof(page), "refs": ref, "confirm": confirm[1], "mode": "purge"}
        assert (await client.post(f"{base}/delete", data=told)).status_code == 422
        assert (await client.get(f"{base}/session/{session[1]}")).status_code == 200
        done = await client.post(f"{base}/delete", data={**told, "sure": "purge"})
        assert "The receipt" in done.text
        assert (await client.get(f"{base}/session/{session[1]}")).status_code == 404


async def test_what_words_reach_is_told_by_session_and_memory_before_it_is_carried_out(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        page = (await client.get(f"{base}/delete", params={"contains": "shop"})).text
        assert re.search(r"It would reach \d+ steps of \d sessions? and \d memor", page)
        assert WORD in page
        assert page.index("Forget (can be restored)") < page.index('class="reached"')


async def test_a_session_is_found_by_its_ref_too_and_what_is_not_there_is_said_without_marks(
    settings: Settings, tmp_path: Path
) -> None:
    await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        session = re.search(r"/session/([0-9a-z]+)", (await client.get(f"{base}/timeline")).text)
        assert session is not None
        assert (await client.get(f"{base}/session/t:{session[1]}")).status_code == 200
        told = await client.get(f"{base}/session/t:zzzzzzzzzzzz")
        assert told.status_code == 404
        assert "<code>search</code>" in told.text


async def test_a_page_that_only_shows_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    ref = await filled(settings, tmp_path)
    async with viewing(settings, read_only=True) as (base, link), visitor(link) as client:
        page = (await client.get(f"{base}/memory/{ref}")).text
        assert "Put it right" not in page
        csrf = proof((await client.get(f"{base}/")).text)
        for path, told in (
            (f"/memory/{ref}", {"do": "retire"}),
            ("/memories", {"text": "x", "kind": "fact"}),
            ("/undo/b:0", {}),
            ("/delete", {"refs": ref, "mode": "forget"}),
        ):
            answer = await client.post(base + path, data={"csrf": csrf, **told})
            assert answer.status_code == 403, path


async def test_hostile_titles_outputs_and_memories_stay_text(
    settings: Settings, tmp_path: Path
) -> None:
    bad = claude_session(
        tmp_path, "bad", [f"{HOSTILE} deploy"], cwd=f"/work/{HOSTILE[:30]}", output=HOSTILE
    )
    await filled(settings, tmp_path, bad)
    async with viewing(settings) as (base, link), visitor(link) as client:
        csrf = proof((await client.get(f"{base}/memories")).text)
        await client.post(
            f"{base}/memories",
            data={"csrf": csrf, "text": HOSTILE, "kind": "fact", "project": "user"},
        )
        seen = [
            "/timeline", "/memories", "/map", "/", "/search?q=deploy+script",
            *re.findall(r"/session/[0-9a-z]+", (await client.get(f"{base}/timeline")).text),
        ]  # fmt: skip
        for path in seen:
            text = (await client.get(base + path)).text
            assert "<script>window" not in text, path
            assert "<img src=x" not in text, path


async def test_terminal_escapes_and_hidden_letters_are_not_handed_to_the_browser(
    settings: Settings, tmp_path: Path
) -> None:
    odd = claude_session(
        tmp_path,
        "odd",
        ["plain words"],
        cwd="/work/odd",
        output="\x1b[1mbold\x1b[0m and \u202eback",
    )
    await filled(settings, tmp_path, odd)
    async with viewing(settings) as (base, link), visitor(link) as client:
        page = (await client.get(f"{base}/timeline", params={"words": "plain words"})).text
        session = re.search(r"/session/([0-9a-z]+)", page)
        assert session is not None
        text = (await client.get(f"{base}/session/{session[1]}")).text
        assert "bold and" in text
        assert "\x1b" not in text
        assert "\u202e" not in text


async def test_a_session_of_thousands_of_steps_comes_in_pages(
    settings: Settings, tmp_path: Path
) -> None:
    long = claude_session(
        tmp_path, "long", [f"step {n} please" for n in range(2_500)], cwd="/work/long",
        output="x" * 3_000,
    )  # fmt: skip
    await filled(settings, tmp_path, long)
    async with viewing(settings) as (base, link), visitor(link) as client:
        page = (await client.get(f"{base}/timeline", params={"words": "step 0 please"})).text
        session = re.search(r"/session/([0-9a-z]+)", page)
        assert session is not None
        for first in ("1", "2501", "999999", "x"):
            answer = await client.get(f"{base}/session/{session[1]}", params={"from": first})
            assert answer.status_code == 200
            assert len(answer.content) < LARGEST


async def test_search_draws_the_floor_and_says_why_something_is_not_there(
    settings: Settings, tmp_path: Path
) -> None:
    ref = await filled(settings, tmp_path)
    async with viewing(settings) as (base, link), visitor(link) as client:
        asked = {"q": "deploy the shop on a Friday"}
        found = (await client.get(f"{base}/search", params=asked)).text
        assert ref in found
        assert "why it is here" in found
        there = await client.get(f"{base}/search", params={**asked, "expected": ref})
        assert "It is there: hit 1" in there.text
        nowhere = await client.get(f"{base}/search", params={**asked, "expected": "m:0000000000"})
        assert "m:0000000000" in nowhere.text
        off = {**asked, "off": ["words", "context", "identifiers", "vectors", "links"]}
        assert "Nothing found" in (await client.get(f"{base}/search", params=off)).text


async def test_over_a_server_a_token_opens_the_page_as_far_as_it_reaches(
    settings: Settings, tmp_path: Path
) -> None:
    other = claude_session(tmp_path, "other", ["plant the heron tree"], cwd="/work/heron")
    ref = await filled(settings, tmp_path, other)
    token = made(settings, scope="read", projects=("/work/heron",))
    async with listening(settings) as server, httpx2.AsyncClient(follow_redirects=True) as client:
        base = f"{server.url}/view"
        assert server.view == ""
        assert "Access token" in (await client.get(f"{base}/")).text
        assert (await client.post(f"{base}/enter", data={"token": "mcpm_x"})).status_code == 403
        page = (await client.post(f"{base}/enter", data={"token": token})).text
        assert "Today" in page
        timeline = (await client.get(f"{base}/timeline")).text
        assert "heron" in timeline
        assert "invoices" not in timeline
        nodes = (await client.get(f"{base}/graph")).json()["nodes"]
        assert [node["label"] for node in nodes if node["kind"] == "project"] == ["heron"]
        csrf = proof(page)
        for path, told in ((f"/memory/{ref}", {"do": "retire"}), ("/delete", {"refs": ref})):
            answer = await client.post(base + path, data={"csrf": csrf, **told})
            assert answer.status_code == 403
        assert (await client.get(f"{base}/admin")).status_code == 403


async def test_a_token_that_is_revoked_closes_the_page(settings: Settings, tmp_path: Path) -> None:
    await filled(settings, tmp_path)
    token = made(settings, scope="admin", name="boss")
    async with listening(settings) as server, httpx2.AsyncClient(follow_redirects=True) as client:
        base = f"{server.url}/view"
        page = (await client.post(f"{base}/enter", data={"token": token})).text
        made_one = await client.post(
            f"{base}/admin", data={"csrf": proof(page), "name": "guest", "scope": "read"}
        )
        assert re.search(r"mcpm_[0-9a-f]{12}_", made_one.text)
        figures = (await client.get(f"{base}/metrics")).text
        assert re.search(r'mcp_memory_requests_total\{path="view",status="200"\} \d+', figures)
        ident = token.split("_")[1]
        await client.post(f"{base}/admin", data={"csrf": proof(page), "revoke": ident})
        assert "Access token" in (await client.get(f"{base}/")).text


async def test_words_kept_over_a_server_are_a_candidate(settings: Settings, tmp_path: Path) -> None:
    await filled(settings, tmp_path)
    token = made(settings, scope="write")
    async with listening(settings) as server, httpx2.AsyncClient(follow_redirects=True) as client:
        base = f"{server.url}/view"
        page = (await client.post(f"{base}/enter", data={"token": token})).text
        told = {"csrf": proof(page), "text": "All may push.", "kind": "fact", "project": "user"}
        kept = await client.post(f"{base}/memories", data=told)
        assert "candidate" in kept.text or kept.status_code == 422


async def test_a_proposal_is_decided_on_the_page_by_who_may_and_not_by_its_proposer(
    settings: Settings,
) -> None:
    text = "The heron build needs LIBHERON_HOME set to the vendored folder."
    async with open_bank(settings) as bank:
        by = Person(id="token:x", name="ana")
        kept = await promotion.propose(bank.rooms, Draft(text=text, project="shop"), by=by)
    people = (("carl", "write", False), ("ana", "approve", False), ("bo", "approve", True))
    tokens = {name: made(settings, scope=scope, name=name) for name, scope, _ in people}
    async with listening(settings) as server:
        base = f"{server.url}/view"
        for name, _, decides in people:
            async with httpx2.AsyncClient(follow_redirects=True) as client:
                await client.post(f"{base}/enter", data={"token": tokens[name]})
                review = (await client.get(f"{base}/review")).text
                assert "Proposed by ana" in review
                told = {"csrf": proof(review), "do": "confirm"}
                answer = await client.post(f"{base}/memory/{kept.ref}", data=told)
                assert (answer.status_code == 200) == decides, name
    async with open_bank(settings) as bank:
        page = (await bank.fetch(Reading(refs=[kept.ref]))).items[0].text
        assert "approved by bo" in page


@pytest.mark.parametrize("path", ["/session/nope", "/memory/m:0000000000", "/steps?ref=x", "/no"])
async def test_what_is_not_there_is_said_plainly(settings: Settings, path: str) -> None:
    async with viewing(settings) as (base, link), visitor(link) as client:
        answer = await client.get(base + path)
        assert answer.status_code in (404, 422)
        assert "Today" in answer.text
