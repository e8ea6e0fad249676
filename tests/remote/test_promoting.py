"""A personal memory promoted by review: proposed with its evidence, approved by another, undone, audited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import orjson
import pytest
from click.testing import CliRunner
from serving import connected, listening, made
from tour_sessions import SECRET, written

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.cli import cli
from mcp_memory.domain import teams
from mcp_memory.domain.access import SCOPES
from mcp_memory.domain.asked import Query, Reading
from mcp_memory.domain.errors import InvalidInput, NotAllowed, UnknownRef
from mcp_memory.domain.models import Draft, Evidence, Standing, State
from mcp_memory.memories import auditing
from mcp_memory.remote import promoting, reaching
from mcp_memory.remote.overlay import open_overlaid
from mcp_memory.remote.reaching import Remote
from mcp_memory.settings import Settings

LEARNED = (
    "shop/export.py fails with UnicodeEncodeError: 'charmap' codec can't encode character "
    "on Windows; pass encoding='utf-8' to open()."
)


HERON = "The heron build needs LIBHERON_HOME set to the vendored folder."


@dataclass(slots=True)
class Team:
    """A team's server, whose people are reached by name."""

    url: str
    settings: Settings

    def token(self, name: str, scope: str = "write", **more: object) -> str:
        return made(self.settings, name, scope=scope, **more)

    @asynccontextmanager
    async def reached(self, token: str) -> AsyncIterator[Remote]:
        async with reaching.open_remote(reaching.address_of(self.url), token) as remote:
            yield remote


@asynccontextmanager
async def teamed(folder: Path, **changes: object) -> AsyncIterator[Team]:
    home = folder / "team"
    settings = Settings(home=home, embedding_model="hash", index_auto=False, **changes)
    made(settings, "root", scope="admin")
    async with listening(settings) as listener:
        yield Team(listener.url, settings)


@asynccontextmanager
async def own(folder: Path) -> AsyncIterator[tuple[MemoryBank, str]]:
    """Ana's bank, with a memory of hers that two steps show."""
    laptop = folder / "ana"
    laptop.mkdir()
    paths = written(laptop, plant=f"export GITHUB_TOKEN={SECRET}")
    settings = Settings(
        home=folder / "ana-home",
        embedding_model="hash",
        index_auto=False,
        project=str(laptop / "shop"),
    )
    async with open_bank(settings) as bank:
        await bank.index(paths)
        asked = Query(texts=("UnicodeEncodeError charmap export.py",), kinds=("step",))
        step = (await bank.search(asked)).hits[0].ref
        draft = Draft(text=LEARNED, evidence=(Evidence(ref=step),), files=(f"{laptop}/shop/x.py",))
        kept = await bank.retain(draft)
        yield bank, kept.ref


async def promoted(team: Team, token: str, bank: MemoryBank, ref: str) -> promoting.Sent:
    async with team.reached(token) as remote:
        return await promoting.promote(bank.rooms, remote, ref, to=team.url)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    bodies: list[bytes] = []
    handle = httpx2.AsyncHTTPTransport.handle_async_request

    async def noted(self: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> httpx2.Response:
        bodies.append(await request.aread())
        return await handle(self, request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", noted)
    return bodies


async def test_a_memory_is_proposed_with_its_steps_and_stands_once_another_approves_it(
    tmp_path: Path, sent: list[bytes]
) -> None:
    async with teamed(tmp_path) as team, own(tmp_path) as (bank, ref):
        ana, bo = team.token("ana"), team.token("bo", "approve")
        told = await promoted(team, ana, bank, ref)
        assert told.there.created
        assert told.there.standing is Standing.CANDIDATE
        assert 0 < told.steps < 5
        whole = b"".join(sent)
        assert SECRET.encode() not in whole
        assert b'"files":["x.py"]' in whole
        assert whole.count(b'"first":1') == 1
        async with team.reached(bo) as remote:
            (waiting,) = (await remote.proposals("shop")).waiting
            assert (waiting.ref, waiting.proposed_by) == (told.there.ref, "ana")
            assert waiting.evidence
            async with connected(team.url, bo) as client:
                shown = await client.call_tool("fetch", {"refs": [waiting.evidence[0].ref]})
                assert "UnicodeEncodeError" in shown.content[0].text
            decided = await remote.decide(teams.Decision(ref=waiting.ref, approve=True))
            assert decided.standing is Standing.ESTABLISHED
            assert (await remote.proposals(None)).waiting == ()
            with pytest.raises(InvalidInput, match="approved by bo"):
                await remote.decide(teams.Decision(ref=waiting.ref, approve=False))
        again = await promoted(team, ana, bank, ref)
        assert (again.there.created, again.there.standing) == (False, Standing.ESTABLISHED)


async def test_proposal_and_approval_are_batches_with_their_actors_and_taken_back_one_by_one(
    tmp_path: Path,
) -> None:
    async with teamed(tmp_path) as team:
        ana, bo = team.token("ana"), team.token("bo", "approve")
        async with team.reached(ana) as remote:
            told = await remote.propose(Draft(text=HERON, project="shop"))
        async with team.reached(bo) as remote:
            decided = await remote.decide(teams.Decision(ref=told.ref, approve=True))
    async with open_bank(team.settings) as there:
        page = (await there.fetch(Reading(refs=[told.ref]))).items[0].text
        assert "Proposed by ana, approved by bo" in page
        actors = {one.marks[0]: one.marks[-1] for one in await there.listing("changes")}
        assert actors == {
            "approve": f"token:{bo.split('_')[1]}",
            "propose": f"token:{ana.split('_')[1]}",
        }
        await there.undo(decided.batch)
        assert await standing(there, told.ref) == (Standing.CANDIDATE, State.LIVE)
        await there.undo(told.batch)
        assert await standing(there, told.ref) == (Standing.CANDIDATE, State.FORGOTTEN)


async def standing(bank: MemoryBank, ref: str) -> tuple[Standing, State]:
    from mcp_memory.search import spans

    memory = await spans.current(bank.rooms, ref)
    return memory.standing, memory.state


async def test_what_one_proposed_is_told_once_as_ones_own(tmp_path: Path) -> None:
    async with teamed(tmp_path) as team, own(tmp_path) as (bank, ref):
        token = tmp_path / "token"
        token.write_text(team.token("ana"), encoding="utf-8")
        token.chmod(0o600)
        await promoted(team, token.read_text(encoding="utf-8"), bank, ref)
        there = bank.rooms.settings.model_copy(
            update={"team_url": team.url, "team_token_file": token, "team_seconds": 30}
        )
        async with open_overlaid(there) as both:
            found = await both.search(Query(texts=("UnicodeEncodeError charmap export.py",)))
            assert found.found
            assert {hit.origin for hit in found.hits} == {""}
            assert ref in {hit.ref for hit in found.hits}


async def test_nobody_decides_their_own_and_what_is_declined_rests_with_its_reason(
    tmp_path: Path,
) -> None:
    async with teamed(tmp_path) as team, own(tmp_path) as (bank, ref):
        ana, second = team.token("ana", "admin"), team.token("Ana", "approve")
        told = await promoted(team, ana, bank, ref)
        for token in (ana, second):
            async with team.reached(token) as remote:
                for approve in (True, False):
                    with pytest.raises(NotAllowed, match="your own"):
                        await remote.decide(teams.Decision(ref=told.there.ref, approve=approve))
        async with team.reached(team.token("bo", "approve")) as remote:
            why = teams.Decision(
                ref=told.there.ref, approve=False, reason=f"wrong, see {SECRET}\nand more"
            )
            declined = await remote.decide(why)
            assert "declined by bo" in declined.notes[0]
            assert SECRET not in declined.notes[0]
            assert (await remote.proposals(None)).waiting == ()
            with pytest.raises(UnknownRef, match="m:zzzzzzzzzzzz"):
                await remote.decide(teams.Decision(ref="m:zzzzzzzzzzzz", approve=True))
        # Proposed once more, it waits once more.
        again = await promoted(team, ana, bank, ref)
        assert (again.there.ref, again.there.created) == (told.there.ref, True)
        async with team.reached(second) as remote:
            assert len((await remote.proposals(None)).waiting) == 1


async def test_a_proposal_stays_a_candidate_however_much_bears_it_out(tmp_path: Path) -> None:
    async with teamed(tmp_path) as team:
        token = team.token("ana")
        async with team.reached(token) as remote:
            told = await remote.propose(Draft(text=HERON, project="shop"))
        async with connected(team.url, team.token("carl")) as client:
            kept = await client.call_tool(
                "retain", {"text": HERON, "project": "shop", "tags": ["build"]}
            )
            assert kept.structured_content["ref"] == told.ref
        async with team.reached(team.token("bo", "approve")) as remote:
            (waiting,) = (await remote.proposals(None)).waiting
            assert waiting.proposed_by == "ana"
            await remote.decide(teams.Decision(ref=told.ref, approve=True))
        # And an approved one stands, though a later word for it has no evidence.
        async with connected(team.url, token) as client:
            await client.call_tool("retain", {"text": HERON, "project": "shop", "tags": ["more"]})
    async with open_bank(team.settings) as there:
        assert await standing(there, told.ref) == (Standing.ESTABLISHED, State.LIVE)


async def test_where_all_is_reviewed_what_a_writer_retains_is_a_proposal(tmp_path: Path) -> None:
    async with teamed(tmp_path, review=True) as team:
        async with connected(team.url, team.token("ana")) as client:
            kept = await client.call_tool("retain", {"text": HERON, "project": "shop"})
            drafts = [{"text": HERON, "project": "shop"}]
            applied = await client.call_tool("consolidate", {"action": "apply", "memories": drafts})
            assert "needs `approve`" in applied.content[0].text
        async with team.reached(team.token("bo", "approve")) as remote:
            (waiting,) = (await remote.proposals(None)).waiting
            assert waiting.ref == kept.structured_content["ref"]
            decided = await remote.decide(teams.Decision(ref=waiting.ref, approve=True))
            assert decided.standing is Standing.ESTABLISHED


async def test_each_scope_may_what_the_table_says(tmp_path: Path) -> None:
    """The table of docs/remote.md, cell by cell."""
    page = (Path(__file__).parents[2] / "docs" / "remote.md").read_text(encoding="utf-8")
    part = page[page.index("## Rights") :]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
    table = {row[0].strip("`"): [cell.strip() == "yes" for cell in row[1:5]] for row in rows}
    async with teamed(tmp_path) as team:
        tokens = {scope: team.token(scope, scope) for scope in SCOPES}
        allowed: dict[str, list[bool]] = {}
        for scope, token in tokens.items():
            for verb, may in (await _tried(team, token, scope)).items():
                allowed.setdefault(verb, []).append(may)
    assert allowed == table


async def _tried(team: Team, token: str, scope: str) -> dict[str, bool]:
    """What a token is let do, by what the server says to it."""
    text = f"The heron build of {scope} needs LIBHERON_HOME."
    async with team.reached(team.token(f"author of {scope}")) as author:
        waits = (await author.propose(Draft(text=text, project="shop"))).ref
    may: dict[str, bool] = {}
    async with team.reached(token) as remote:

        async def told(verb: str, made: object) -> None:
            try:
                await made  # type: ignore[misc]
            except NotAllowed:
                may[verb] = False
            else:
                may[verb] = True

        question = teams.Question(read="search", asked=Query(texts=("heron",)))
        from mcp_memory.domain.hits import SearchResult

        await told("ask", remote.answer(question, SearchResult))
        await told("proposals", remote.proposals(None))
        await told("push", remote.holdings(()))
        await told("propose", remote.propose(Draft(text=f"{text} Too.", project="shop")))
        await told("decide", remote.decide(teams.Decision(ref=waits, approve=True)))
        await told("audit --at", remote.audit(None))
    async with connected(team.url, token) as client:
        for verb, tool, asked in (
            ("retain", "retain", {"text": f"{text} Kept.", "project": "shop"}),
            ("undo", "consolidate", {"action": "undo", "batch": "b:zzzzzzzzzzzz"}),
            ("delete, purge", "delete", {"refs": [waits]}),
        ):
            result = await client.call_tool(tool, asked)
            may[verb] = "Not allowed" not in result.content[0].text
    return may


async def test_the_commands_propose_list_approve_and_decline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with teamed(tmp_path) as team, own(tmp_path) as (bank, ref):
        for name, value in {
            "MCP_MEMORY_HOME": str(bank.rooms.settings.home),
            "MCP_MEMORY_EMBEDDING_MODEL": "hash",
            "MCP_MEMORY_TEAM_URL": team.url,
        }.items():
            monkeypatch.setenv(name, value)

        async def run(token: str, *args: str) -> str:
            monkeypatch.setenv(reaching.TOKEN_VARIABLE, token)
            done = await anyio.to_thread.run_sync(CliRunner().invoke, cli, list(args))
            assert done.exception is None or isinstance(done.exception, SystemExit), done.output
            return done.output

        ana, bo = team.token("ana"), team.token("bo", "approve")
        assert "Proposed: m:" in await run(ana, "propose", ref)
        listed = await run(bo, "proposals")
        assert "proposed by ana" in listed
        assert LEARNED in listed.replace("\n", " ")
        there = listed.split(" ")[0]
        assert "needs `approve`" in await run(ana, "approve", there)
        assert "established" in await run(bo, "approve", there)
        assert "does not wait" in await run(bo, "decline", there, "--reason", "late")
        assert "Nothing waits" in await run(bo, "proposals")
    # On the server's own machine, without a token.
    monkeypatch.delenv("MCP_MEMORY_TEAM_URL")
    monkeypatch.setenv("MCP_MEMORY_HOME", str(team.settings.home))
    async with open_bank(team.settings) as there_bank:
        from mcp_memory.domain.access import Person
        from mcp_memory.memories import promotion

        kept = await promotion.propose(
            there_bank.rooms,
            Draft(text="Heron reads LIBHERON_HOME first.", project="shop"),
            by=Person(id="token:x", name="carl"),
        )
    assert kept.ref in await run("", "proposals")
    assert "declined by owner: no" in await run("", "decline", kept.ref, "--reason", "no")
    assert "Nothing waits" in await run("", "proposals")


@asynccontextmanager
async def left_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[dict[str, str], dict[str, str]]]:
    """A team's bank with a memory of Ana's that Bo approved, and one of Bo's that waits."""
    async with teamed(folder) as team, own(folder) as (bank, ref):
        tokens = {"ana": team.token("ana"), "bo": team.token("bo", "approve")}
        told = await promoted(team, tokens["ana"], bank, ref)
        async with team.reached(tokens["bo"]) as remote:
            await remote.decide(teams.Decision(ref=told.there.ref, approve=True))
            waits = await remote.propose(Draft(text="Heron is slow.", project="shop"))
        preview = await bank.delete([ref])
        purged = await bank.delete([ref], mode="purge", confirm=preview.confirm or "")
        assert any(told.there.ref in one for one in purged.beyond_reach)
    monkeypatch.setenv("MCP_MEMORY_HOME", str(team.settings.home))
    monkeypatch.setenv("MCP_MEMORY_EMBEDDING_MODEL", "hash")
    ids = {name: token.split("_")[1] for name, token in tokens.items()}
    yield ids, {"ana": told.there.ref, "bo": waits.ref}


async def ran(*args: str) -> str:
    done = await anyio.to_thread.run_sync(CliRunner().invoke, cli, list(args))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.output


async def test_what_a_leaver_brought_is_told_and_kept_weakened_or_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with left_behind(tmp_path, monkeypatch) as (_, refs):
        left = await ran("token", "revoke", "ana")
        assert "1 session, 1 memory (1 established, 0 waiting), 0 decided" in left
        assert "distrust --from 'ana'" in left
        left = await ran("token", "revoke", "bo")
        assert "0 sessions, 1 memory (0 established, 1 waiting), 1 decided" in left
        assert refs["ana"] in await ran("distrust", "--from", "ana")
        hidden = await ran("search", "UnicodeEncodeError charmap export.py", "--project", "*")
        assert LEARNED not in hidden.replace("\n", " ")
        forgotten = await ran("delete", "--from", "bo", "--mode", "forget")
        assert refs["bo"] in forgotten
        assert refs["ana"] not in forgotten
        assert "holds nothing of bo" in await ran("delete", "--from", "bo")
        assert "never was a token" in await ran("distrust", "--from", "nobody")


async def test_an_administrator_takes_the_audit_of_a_teams_bank_and_nobody_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "MOST_TOLD", 2)
    async with teamed(tmp_path) as team, own(tmp_path) as (bank, ref):
        ana, bo, boss = team.token("ana"), team.token("bo", "approve"), team.token("boss", "admin")
        theirs = team.token("tess", "admin", tenant="other")
        told = await promoted(team, ana, bank, ref)
        async with team.reached(bo) as remote:
            await remote.decide(teams.Decision(ref=told.there.ref, approve=True))
        async with team.reached(boss) as remote:
            entries = await remote.audit(None)
            assert await remote.audit(datetime(2099, 1, 1, tzinfo=UTC)) == []
        did = [(one.name, one.did) for one in entries]
        assert [each for each in did if each[1] in ("propose", "approve")] == [
            ("ana", "propose"),
            ("bo", "approve"),
        ]
        assert len(set(entries)) == len(entries) > 6
        assert LEARNED not in "".join(map(str, entries))
        # The command takes the same, in the same words as on the server's own machine.
        file = tmp_path / "boss"
        file.write_text(boss, encoding="utf-8")
        file.chmod(0o600)
        lines = await ran("audit", "--at", team.url, "--token-file", str(file))
        assert lines.splitlines() == [auditing.line(one) for one in entries]
        for token in (ana, bo, team.token("shops", "admin", projects=("shop",))):
            async with team.reached(token) as remote:
                with pytest.raises(NotAllowed):
                    await remote.audit(None)
        # A tenant's administrator takes the tenant's, with no name of anybody else.
        async with team.reached(theirs) as remote:
            apart = await remote.audit(None)
        assert [(one.did, "tess" in one.token) for one in apart] == [("token made", True)]


async def test_an_audit_says_who_did_what_to_which_refs_and_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with left_behind(tmp_path, monkeypatch) as (ids, refs):
        await ran("token", "revoke", "ana")
        await ran("distrust", "export.py")
        lines = await ran("audit")
        order = (
            f"owner · token made · token:{ids['ana']} ana: write",
            f"ana (token:{ids['ana']}) · push",
            f"ana (token:{ids['ana']}) · propose",
            f"bo (token:{ids['bo']}) · approve",
            f"owner · token revoked · token:{ids['ana']}",
            "cli · distrust",
        )
        places = [lines.index(each) for each in order]
        assert places == sorted(places)
        assert "and 1 by name" in lines
        for text in ("charmap", "heron", "shop", "slow", "export"):
            assert text not in lines.casefold()
        entries = orjson.loads(await ran("audit", "--since", "today", "--json"))
        assert len(entries) == len(lines.splitlines())
        (approved,) = [one for one in entries if one["did"] == "approve"]
        assert (approved["name"], approved["refs"]) == ("bo", [refs["ana"]])
        assert orjson.loads(await ran("audit", "--since", "2099-01-01", "--json")) == []
