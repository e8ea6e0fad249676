"""Push and pull over a real server on loopback: what leaves, what arrives, who may, and what comes back."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from mcp import Client
from serving import bearer, connected, http, listening, made, started
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tour_sessions import SECRET, archived, written

from mcp_memory.archive.files import PROJECTS, SESSION_FILES
from mcp_memory.cli import cli
from mcp_memory.domain.errors import CannotReach, InvalidInput, NotAllowed
from mcp_memory.history import wire
from mcp_memory.remote import background, pulling, pushing, reaching
from mcp_memory.remote.memo import Memo
from mcp_memory.remote.outgoing import Names, Terms, outgoing
from mcp_memory.remote.pulling import pull
from mcp_memory.remote.pushing import push
from mcp_memory.remote.reports import Pulled, Pushed
from mcp_memory.server.app import build_server
from mcp_memory.settings import Settings

LEARNED = "UnicodeEncodeError charmap shop/export.py"


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """A machine with two sessions of one project."""
    folder = tmp_path / "laptop"
    folder.mkdir()
    written(folder, plant=f"export GITHUB_TOKEN={SECRET}")
    return folder


@asynccontextmanager
async def reached(url: str, token: str = "") -> AsyncIterator[reaching.Remote]:
    async with reaching.open_remote(reaching.address_of(url), token) as remote:
        yield remote


async def pushed(
    url: str, token: str, folder: Path, terms: Terms | None = None, **options: Any
) -> Pushed:
    terms = terms or Terms()
    memo = Memo(folder / "pushed", url, terms)
    async with reached(url, token) as remote:
        return await push(remote, sorted(folder.glob("*.jsonl")), terms, memo, **options)


async def pulled(url: str, token: str, to: Path, project: str | None = "shop") -> Pulled:
    async with reached(url, token) as remote:
        return await pull(remote, project, to)


def files_in(folder: Path) -> dict[str, bytes]:
    """All files but two: what was pulled, and the list of projects, which names those of others."""
    own = {pulling.PULLED, PROJECTS}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in own
    }


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that this process sends by HTTP."""
    sent: list[bytes] = []
    handle = httpx2.AsyncHTTPTransport.handle_async_request

    async def noted(self: Any, request: httpx2.Request) -> httpx2.Response:
        sent.append(await request.aread())
        return await handle(self, request)

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", noted)
    return sent


async def test_a_pushed_session_is_found_and_lies_in_the_remote_archive(
    settings: Settings, laptop: Path
) -> None:
    token = made(settings)
    async with listening(settings) as listener:
        report = await pushed(listener.url, token, laptop)
        assert (report.sent, report.refused) == (2, [])
        async with connected(listener.url, token) as client:
            found = await client.call_tool("search", {"query": LEARNED, "project": "shop"})
            assert found.structured_content["found"]
            ref = found.structured_content["hits"][0]["ref"]
            fetched = await client.call_tool("fetch", {"refs": [ref]})
            assert not fetched.is_error
    there = archived(settings)
    assert len([name for name in there if name.endswith("steps.jsonl")]) == 2
    assert any(name.endswith("by-error.md") and b"UnicodeEncode" in b for name, b in there.items())


async def test_a_second_push_sends_nothing_and_opens_no_transcript(
    settings: Settings, laptop: Path, monkeypatch: pytest.MonkeyPatch, requests: list[bytes]
) -> None:
    token = made(settings)
    async with listening(settings) as listener:
        await pushed(listener.url, token, laptop)
        before = archived(settings)
        monkeypatch.setattr(pushing, "outgoing", pytest.fail)
        requests.clear()
        again = await pushed(listener.url, token, laptop)
        assert (again.sent, again.unchanged, again.held, again.requests) == (0, 2, 2, 0)
        assert len(requests) == 1
        assert sum(map(len, requests)) < 200
        assert archived(settings) == before


async def test_without_what_was_remembered_a_push_still_sends_no_steps(
    settings: Settings, laptop: Path
) -> None:
    token = made(settings)
    async with listening(settings) as listener:
        await pushed(listener.url, token, laptop)
        for file in (laptop / "pushed").iterdir():
            file.unlink()
        again = await pushed(listener.url, token, laptop)
        assert (again.sent, again.held, again.steps, again.bytes) == (0, 2, 0, 0)


async def test_a_bank_that_lost_its_sessions_gets_them_again(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    other = settings.model_copy(update={"home": tmp_path / "other"})
    async with listening(settings) as listener:
        await pushed(listener.url, "", laptop)
        port = int(listener.url.rpartition(":")[2])
    async with listening(other, listen_port=port) as listener:
        assert (await pushed(listener.url, "", laptop)).sent == 2


async def test_no_secret_leaves_this_machine(
    settings: Settings, laptop: Path, requests: list[bytes]
) -> None:
    assert any(SECRET in path.read_text(encoding="utf-8") for path in laptop.glob("*.jsonl"))
    async with listening(settings) as listener:
        report = await pushed(listener.url, made(settings), laptop)
    assert report.masked > 0
    assert report.masked_there == 0
    assert sum(map(len, requests)) > 3_000
    assert not any(SECRET.encode() in body for body in requests)
    assert not any(SECRET.encode() in file for file in files_in(settings.home).values())


async def test_what_a_careless_sender_did_not_mask_is_masked_before_it_is_written(
    settings: Settings, laptop: Path
) -> None:
    token = made(settings)
    (part,) = parts_of(laptop / "orders.jsonl")
    body = json.dumps({"parts": [part.model_dump(mode="json")]}).replace("wrote 214 rows", SECRET)
    body = body.replace('"cwd": "', f'"git_branch": "{SECRET}", "cwd": "')
    assert body.count(SECRET) > 1
    async with listening(settings) as listener, http(listener.url, bearer(token)) as client:
        answer = await client.post(wire.TRAJECTORIES, content=body)
        assert answer.json()["taken"][0]["masked"] > 0
    home = files_in(settings.home)
    assert any(name.endswith("steps.jsonl") for name in home)
    assert not any(SECRET.encode() in file for file in home.values())


def parts_of(path: Path, *, most: int = 10**6, project: str = "shop") -> list[wire.Part]:
    (one,) = outgoing(path, Terms(name=project), Names(project, {})).sessions
    return one.missing(None, most=most)


async def test_a_grown_session_sends_only_what_is_new_and_ends_as_if_sent_once(
    settings: Settings, laptop: Path, tmp_path: Path, requests: list[bytes]
) -> None:
    growing = laptop / "invoices.jsonl"
    whole = growing.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    growing.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    async with listening(settings) as listener:
        first = await pushed(listener.url, "", laptop)
        growing.write_text(whole, encoding="utf-8")
        requests.clear()
        second = await pushed(listener.url, "", laptop)
    assert (second.sent, second.grown, second.unchanged) == (1, 1, 1)
    (delivery,) = [json.loads(body) for body in requests if b'"parts"' in body]
    assert delivery["parts"][0]["first"] > 1
    once = settings.model_copy(update={"home": tmp_path / "once"})
    async with listening(once) as listener:
        all_at_once = await pushed(listener.url, "", laptop, Terms(include=()), again=True)
    assert first.steps + second.steps >= all_at_once.steps
    assert archived(settings) == archived(once)


async def test_a_session_larger_than_a_request_comes_in_pieces_and_ends_the_same(
    settings: Settings, laptop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = settings.model_copy(update={"home": tmp_path / "once"})
    async with listening(once) as listener:
        whole = await pushed(listener.url, "", laptop)
    for file in (laptop / "pushed").iterdir():
        file.unlink()
    async with listening(settings, request_bytes=5_000) as listener:
        report = await pushed(listener.url, "", laptop)
    assert report.refused == []
    assert report.requests > whole.requests
    assert (report.sent, report.steps) == (whole.sent, whole.steps)
    assert archived(settings) == archived(once)


async def test_a_push_that_is_cut_off_goes_on_where_it_was(
    settings: Settings, laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver, left = reaching.Remote.deliver, [2]

    async def cut_off(self: reaching.Remote, parts: list[wire.Part]) -> wire.Receipt:
        if left[0] == 0:
            raise CannotReach("it went away.", next_step="Try again.")
        left[0] -= 1
        return await deliver(self, parts)

    async with listening(settings, request_bytes=5_000) as listener:
        monkeypatch.setattr(reaching.Remote, "deliver", cut_off)
        with pytest.raises(CannotReach):
            await pushed(listener.url, "", laptop)
        monkeypatch.undo()
        rest = await pushed(listener.url, "", laptop)
        assert rest.sent >= 1
        once = await pushed(listener.url, "", laptop)
        assert (once.sent, once.refused) == (0, [])
        total = sum(len(part.steps) for p in laptop.glob("*.jsonl") for part in parts_of(p))
        assert rest.steps < total


async def test_a_step_that_no_request_can_hold_is_refused_by_name_and_the_rest_goes(
    settings: Settings, laptop: Path
) -> None:
    path = laptop / "orders.jsonl"
    text = path.read_text(encoding="utf-8").replace("wrote 214 rows", "wrote 214 rows " * 2_000)
    path.write_text(text, encoding="utf-8")
    async with listening(settings, request_bytes=20_000) as listener:
        report = await pushed(listener.url, "", laptop)
    assert report.sent == 1
    ((ref, reason),) = report.refused
    assert ref.startswith("t:")
    assert "REQUEST_BYTES" in reason


async def test_a_token_that_only_reads_pushes_nothing(settings: Settings, laptop: Path) -> None:
    token = made(settings, scope="read")
    async with listening(settings) as listener:
        with pytest.raises(NotAllowed, match="needs `write`"):
            await pushed(listener.url, token, laptop)
        (part,) = parts_of(laptop / "orders.jsonl")
        async with http(listener.url, bearer(token)) as client:
            body = {"parts": [part.model_dump(mode="json")]}
            assert (await client.post(wire.TRAJECTORIES, json=body)).status_code == 403
    assert archived(settings) == {}


@pytest.mark.parametrize("token", ["", "mcpm_wrong"])
async def test_nobody_pushes_or_pulls_without_a_live_token(
    settings: Settings, laptop: Path, tmp_path: Path, token: str
) -> None:
    made(settings)
    async with listening(settings) as listener:
        with pytest.raises(NotAllowed, match="does not know the token"):
            await pushed(listener.url, token, laptop)
        with pytest.raises(NotAllowed, match="does not know the token"):
            await pulled(listener.url, token, tmp_path / "here")
        async with http(listener.url, bearer(token) if token else {}) as client:
            for method, path in (("POST", wire.TRAJECTORIES), ("GET", wire.FILE)):
                assert (await client.request(method, path)).status_code == 401
    assert archived(settings) == {}


async def test_a_token_of_one_project_takes_that_project_only(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    bound = made(settings, "bound", projects=("shop",))
    async with listening(settings) as listener:
        elsewhere = await pushed(listener.url, bound, laptop, Terms(name="bank"))
        assert elsewhere.sent == 0
        assert all("does not reach that project" in reason for _, reason in elsewhere.refused)
        assert len(elsewhere.refused) == 2
        assert (await pushed(listener.url, bound, laptop)).sent == 2
        with pytest.raises(NotAllowed, match="does not reach that project"):
            await pulled(listener.url, bound, tmp_path / "here", "bank")


async def test_another_projects_session_is_neither_told_of_nor_replaced_nor_pulled(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    whole = made(settings)
    bound = made(settings, "bound", projects=("shop",))
    async with listening(settings) as listener:
        await pushed(listener.url, whole, laptop, Terms(name="bank"))
        before = archived(settings)
        path = laptop / "orders.jsonl"
        path.write_text(path.read_text(encoding="utf-8").replace("214", "999"), encoding="utf-8")
        (part,) = parts_of(path)
        async with reached(listener.url, bound) as remote:
            assert (await remote.holdings((str(part.head["id"]),))).held == {}
            receipt = await remote.deliver([part])
        assert "another project" in receipt.refused[0].reason
        assert archived(settings) == before
        folder = next(name for name in before if name.endswith("steps.jsonl"))
        async with http(listener.url, bearer(bound)) as client:
            for asked in ({"path": folder}, {"path": folder, "project": "shop"}):
                answer = await client.get(wire.FILE, params=asked)
                assert answer.status_code in {400, 404}
                assert "error" in answer.json()


async def test_another_sender_may_add_to_a_session_and_change_nothing_of_it(
    settings: Settings, laptop: Path
) -> None:
    first, second = made(settings, "first"), made(settings, "second")
    growing = laptop / "orders.jsonl"
    whole = growing.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    growing.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    async with listening(settings) as listener:
        await pushed(listener.url, first, laptop)
        growing.write_text(whole, encoding="utf-8")
        grown = await pushed(listener.url, second, laptop)
        assert (grown.sent, grown.grown) == (1, 1)
        before = archived(settings)
        growing.write_text(whole.replace("export", "import"), encoding="utf-8")
        changed = await pushed(listener.url, second, laptop)
        assert "another sender" in changed.refused[0][1]
        assert archived(settings) == before
        mended = await pushed(listener.url, first, laptop, again=True)
        assert (mended.sent, mended.refused) == (1, [])
        assert archived(settings) != before


async def test_what_a_bank_read_itself_no_push_replaces(settings: Settings, laptop: Path) -> None:
    from mcp_memory.bank import open_bank

    async with open_bank(settings) as bank:
        await bank.index(sorted(laptop.glob("*.jsonl")))
    before = archived(settings)
    (part,) = parts_of(laptop / "orders.jsonl")
    async with listening(settings) as listener:
        report = await pushed(listener.url, "", laptop)
        assert (report.sent, report.held) == (0, 2)
        async with reached(listener.url) as remote:
            receipt = await remote.deliver([part])
        assert "a file of its own" in receipt.refused[0].reason
    assert archived(settings) == before


async def test_what_was_purged_does_not_come_back(settings: Settings, laptop: Path) -> None:
    from mcp_memory.bank import open_bank

    async with listening(settings) as listener:
        await pushed(listener.url, "", laptop)
    async with open_bank(settings) as bank:
        refs = [each.ref for each in await bank.listing("sessions")]
        preview = await bank.delete(refs)
        gone = await bank.delete(refs, mode="purge", confirm=preview.confirm or "")
        assert any("local" in copy for copy in gone.beyond_reach)
    async with listening(settings) as listener:
        again = await pushed(listener.url, "", laptop)
        assert again.sent == 0
        assert all("purged" in reason for _, reason in again.refused)
    assert not [name for name in archived(settings) if name.endswith("steps.jsonl")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"head": {"id": "0" * 12}}, "not that of its format"),
        ({"head": {"format": "../x"}}, "not a plain name"),
        ({"head": {"steps": [{"number": 1, "kind": "user"}]}}, "steps stand in its head"),
        ({"head": {"parent": "../../etc"}}, "its parent"),
        ({"head": {"surprise": 1}}, "surprise"),
        ({"first": 5}, "do not follow"),
        ({"after": "ab"}, "do not follow"),
        ({"project": "user"}, "not a name"),
        ({"project": "shop\n# x"}, "not a name"),
        ({"steps": [{"number": 10**9, "kind": "user"}]}, "do not follow"),
        ({"steps": [{"number": 1, "kind": "king"}]}, "kind"),
    ],
)
async def test_a_part_that_is_none_is_refused_by_name_and_the_others_are_taken(
    settings: Settings, laptop: Path, change: dict[str, Any], reason: str
) -> None:
    (bad,), (good,) = (parts_of(path) for path in sorted(laptop.glob("*.jsonl")))
    told = bad.model_dump(mode="json")
    told = {**told, **change, "head": {**told["head"], **change.get("head", {})}}
    async with listening(settings) as listener, http(listener.url) as client:
        body = {"parts": [told, good.model_dump(mode="json"), {"head": 5}]}
        answer = (await client.post(wire.TRAJECTORIES, json=body)).json()
    assert [each["id"] for each in answer["taken"]] == [good.head["id"]]
    assert len(answer["refused"]) == 2
    assert any(reason in each["reason"] for each in answer["refused"])
    assert len([name for name in archived(settings) if name.endswith("SUMMARY.md")]) == 1


async def test_a_sender_cannot_claim_more_than_a_kind_of_step_can_say(
    settings: Settings, laptop: Path
) -> None:
    (part,) = parts_of(laptop / "orders.jsonl")
    steps = [{**step, "source": "user"} for step in part.steps]
    read = wire.read_part(part.model_copy(update={"steps": tuple(steps)}))
    assert {step.source.value for step in read.steps if step.kind == "agent"} == {"agent"}
    assert {step.source.value for step in read.steps if step.kind == "user"} == {"user"}


async def test_deep_and_broken_bodies_are_answers_not_failures(settings: Settings) -> None:
    deep = b'{"parts":[{"project":"shop","first":1,"head":{"a":' + b"[" * 900 + b"]" * 900 + b"}}]}"
    async with listening(settings) as listener, http(listener.url) as client:
        for body in (b"", b"{", b"[]", b'{"parts":5}', b'{"parts":[5]}', deep):
            for path in (wire.HOLDINGS, wire.TRAJECTORIES):
                answer = await client.post(path, content=body)
                assert answer.status_code in {200, 400}
                assert answer.json()
        many = {"parts": [{}] * (wire.MOST_PARTS + 1)}
        assert (await client.post(wire.TRAJECTORIES, json=many)).status_code == 400


async def test_two_projects_of_one_name_are_not_mixed(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    for number in (1, 2):
        written(tmp_path / str(number))
        (folder / "x").mkdir(parents=True, exist_ok=True)
        name = ("orders", "invoices")[number - 1]
        (tmp_path / str(number) / f"{name}.jsonl").rename(folder / f"{name}.jsonl")
    async with listening(settings) as listener:
        report = await pushed(listener.url, "", folder)
        assert report.sent == 1
        assert "would both be called 'shop'" in report.refused[0][1]
        alone = Terms(only=(str(tmp_path / "1" / "shop"),), name="other")
        assert (await pushed(listener.url, "", folder, alone)).sent == 1


async def test_a_second_push_under_one_name_mixes_no_more_than_the_first(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "both"
    for number, name in enumerate(("orders", "invoices"), 1):
        written(tmp_path / str(number))
        (folder / "x").mkdir(parents=True, exist_ok=True)
        (tmp_path / str(number) / f"{name}.jsonl").rename(folder / f"{name}.jsonl")
    async with listening(settings) as listener:
        for sent in (1, 0):
            report = await pushed(listener.url, "", folder, Terms(name="both"))
            assert (report.sent, len(report.refused)) == (sent, 1)
        joined = Terms(only=(str(tmp_path / "1" / "shop"),), name="both")
        assert (await pushed(listener.url, "", folder, joined)).sent == 1


async def test_what_is_excluded_is_not_sent(
    settings: Settings, laptop: Path, requests: list[bytes]
) -> None:
    async with listening(settings) as listener:
        for terms in (Terms(exclude=(str(laptop / "shop"),)), Terms(only=("bank",))):
            report = await pushed(listener.url, "", laptop, terms)
            assert (report.sent, report.excluded) == (0, 2)
    assert not [body for body in requests if b'"parts"' in body]


async def test_a_pull_gives_the_same_bytes_and_fetches_only_what_changed(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    token = made(settings)
    here = tmp_path / "here"
    async with listening(settings) as listener:
        await pushed(listener.url, token, laptop)
        first = await pulled(listener.url, token, here)
        assert (first.project, first.refused) == ("shop", [])
        assert files_in(here) == files_in(settings.archive_dir)
        again = await pulled(listener.url, token, here)
        assert (again.written, again.removed) == (0, 0)
        assert again.unchanged == first.written
        summary = next(here.rglob("SUMMARY.md"))
        summary.write_text("changed", encoding="utf-8")
        (here / "mine.txt").write_text("mine", encoding="utf-8")
        mended = await pulled(listener.url, token, here)
        assert (mended.written, mended.refused) == (1, [])
        assert (here / "mine.txt").read_text(encoding="utf-8") == "mine"


async def test_what_is_gone_there_goes_here_and_nothing_else(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    token = made(settings, scope="admin")
    here = tmp_path / "here"
    async with listening(settings) as listener:
        await pushed(listener.url, token, laptop)
        await pulled(listener.url, token, here)
        steps = sorted(here.rglob("steps.jsonl"))
        (steps[0].parent / "notes.txt").write_text("mine", encoding="utf-8")
        async with connected(listener.url, token) as client:
            ref = f"t:{steps[0].parent.name[-12:]}"
            await client.call_tool("delete", {"refs": [ref], "mode": "forget"})
        report = await pulled(listener.url, token, here)
        assert report.removed == len(SESSION_FILES)
        assert not steps[0].exists()
        assert (steps[0].parent / "notes.txt").exists()
        assert steps[1].exists()


async def test_files_of_the_user_are_never_overwritten(
    settings: Settings, laptop: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "README.md").write_text("my own", encoding="utf-8")
    async with listening(settings) as listener:
        await pushed(listener.url, "", laptop)
        report = await pulled(listener.url, "", here)
    assert [name for name, _ in report.refused] == ["README.md"]
    assert (here / "README.md").read_text(encoding="utf-8") == "my own"
    assert report.written == len(files_in(settings.archive_dir)) - 1


async def test_a_pull_names_one_project(settings: Settings, laptop: Path, tmp_path: Path) -> None:
    token = made(settings)
    async with listening(settings) as listener:
        await pushed(listener.url, token, laptop)
        for project in (None, "*", "nowhere"):
            with pytest.raises(InvalidInput):
                await pulled(listener.url, token, tmp_path / "here", project)
        bound = made(settings, "bound", scope="read", projects=("shop",))
        assert (await pulled(listener.url, bound, tmp_path / "here", None)).written


HOSTILE = (
    "../outside.md",
    "/etc/outside.md",
    "a/../../outside.md",
    "a/b/c/d.md",
    "..\\outside.md",
    "C:\\outside.md",
    "a//b.md",
    "a/.",
    "",
    "nul.md",
    ".git/hooks",
    ".mcp-memory-pulled.json",
    "a/\x00.md",
    "link/outside.md",
)


async def test_hostile_names_stay_inside(tmp_path: Path) -> None:
    import hashlib

    from serving import served

    content = b"hostile"
    digest = hashlib.sha256(content).hexdigest()
    listed = [
        {"path": path, "size": len(content), "sha256": digest}
        for path in (*HOSTILE, "good/a.md", "GOOD/a.md", "good/short.md")
    ]
    listed[-1]["size"] = 3
    listed.append({"path": "good/wrong.md", "size": len(content), "sha256": "0" * 64})
    listed.append({"path": "good/huge.md", "size": wire.LARGEST_FILE + 1, "sha256": digest})

    async def files(_: Request) -> Response:
        return JSONResponse({"project": "shop", "files": listed})

    async def file(request: Request) -> Response:
        return Response(content)

    outside, here = tmp_path / "outside", tmp_path / "here"
    outside.mkdir()
    here.mkdir()
    (here / "link").symlink_to(outside, target_is_directory=True)
    listed = [each for each in listed if each["path"] != "good/short.md"]
    app = Starlette(routes=[Route(wire.FILES, files), Route(wire.FILE, file)])
    async with served(app) as url:
        report = await pulled(url, "", here)
        assert report.written == 1
        assert set(files_in(here)) == {"good/a.md"}
        assert not list(outside.iterdir())
        assert not (tmp_path / "outside.md").exists()
        assert {name for name, _ in report.refused} >= {*HOSTILE, "GOOD/a.md", "good/wrong.md"}
        listed.append({"path": "good/short.md", "size": 3, "sha256": digest})
        with pytest.raises(CannotReach, match="more than it had said"):
            await pulled(url, "", here)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"held": 5}', b'{"project": "x"}'])
async def test_what_is_no_bank_is_an_error_that_says_so(
    laptop: Path, tmp_path: Path, answer: bytes
) -> None:
    from serving import served

    async def anything(_: Request) -> Response:
        return Response(answer)

    paths = (wire.HOLDINGS, wire.TRAJECTORIES, wire.FILES)
    app = Starlette(routes=[Route(path, anything, methods=["GET", "POST"]) for path in paths])
    async with served(app) as url:
        with pytest.raises(CannotReach, match="no bank that this version understands"):
            await pushed(url, "", laptop)
        with pytest.raises(CannotReach, match="no bank that this version understands"):
            await pulled(url, "", tmp_path / "here")


async def test_a_busy_bank_is_asked_again_and_a_silent_one_given_up(
    laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving import served

    answers = iter([Response(status_code=503, headers={"retry-after": "0"}), Response("{}", 429)])
    told = JSONResponse({"held": {}, "request_bytes": 4_000_000})
    asked = 0

    async def busy(_: Request) -> Response:
        nonlocal asked
        asked += 1
        answer = next(answers, told)
        answer.headers["retry-after"] = "0"
        return answer

    app = Starlette(routes=[Route(wire.HOLDINGS, busy, methods=["POST"])])
    async with served(app) as url:
        async with reached(url) as remote:
            assert (await remote.holdings(())).held == {}
        assert asked == 3
    monkeypatch.setattr(reaching, "TRIES", 2)
    monkeypatch.setattr(reaching, "LONGEST_PAUSE", 0.0)
    async with reached(url) as remote:
        with pytest.raises(CannotReach, match="connection failed"):
            await remote.holdings(())


async def test_a_redirect_does_not_carry_the_token_away(laptop: Path) -> None:
    from serving import served

    heard: list[str] = []

    async def elsewhere(request: Request) -> Response:
        heard.append(request.headers.get("authorization", ""))
        return Response()

    async with served(Starlette(routes=[Route("/{x:path}", elsewhere, methods=["POST"])])) as far:

        async def away(_: Request) -> Response:
            return Response(status_code=307, headers={"location": f"{far}/x"})

        app = Starlette(routes=[Route(wire.HOLDINGS, away, methods=["POST"])])
        async with served(app) as url:
            with pytest.raises(CannotReach, match="307"):
                await pushed(url, "mcpm_secret", laptop)
    assert heard == []


@pytest.mark.parametrize(
    "url",
    [
        "http://memory.example.org",
        "ftp://x",
        "memory.example.org",
        "https://me:pw@x.org",
        "https://x?t=1",
        "",
    ],
)
def test_an_address_that_is_none_or_unencrypted_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reaching.address_of(url)
    assert "pw" not in str(refused.value)


def test_an_address_is_known_by_its_endpoint_too() -> None:
    assert reaching.address_of("https://x.org/team/mcp/").base == "https://x.org/team"
    assert reaching.address_of("http://127.0.0.1:8765/sse").base == "http://127.0.0.1:8765"
    assert reaching.address_of("http://x.org", insecure=True).mcp == "http://x.org/mcp"


def test_a_token_comes_from_a_file_or_the_environment_and_is_never_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    file.write_text("mcpm_from_file\n", encoding="utf-8")
    file.chmod(0o644)
    monkeypatch.setenv(reaching.TOKEN_VARIABLE, "mcpm_from_env")
    assert reaching.token_of(file) == "mcpm_from_file"
    assert "chmod 600" in caplog.text
    assert "mcpm_from" not in caplog.text
    assert reaching.token_of(None) == "mcpm_from_env"
    file.write_text("two words", encoding="utf-8")
    for bad in (file, tmp_path / "none"):
        with pytest.raises(InvalidInput) as refused:
            reaching.token_of(bad)
        assert "two words" not in str(refused.value)


async def test_the_log_names_the_routes_and_nothing_that_was_sent(
    settings: Settings, laptop: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = made(settings)
    with caplog.at_level("INFO", logger="mcp_memory"):
        async with listening(settings) as listener:
            await pushed(listener.url, token, laptop)
            await pulled(listener.url, token, tmp_path / "here")
    for path in (wire.HOLDINGS, wire.TRAJECTORIES, wire.FILES, wire.FILE):
        assert f" {path} 200" in caplog.text
    for told in (token, "orders", "steps.jsonl", "214"):
        assert told not in caplog.text


async def test_a_tenants_push_lands_in_its_own_bank(settings: Settings, laptop: Path) -> None:
    token = made(settings, tenant="mine")
    async with listening(settings) as listener:
        assert (await pushed(listener.url, token, laptop)).sent == 2
    assert archived(settings) == {}
    assert list((settings.home / "tenants" / "mine" / "archive").rglob("steps.jsonl"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose host keeps two sessions of one project and one of another."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    for name, made_by in (("shop", written(tmp_path)), ("bank", written(tmp_path / "other"))):
        project = made_by[0].parent / "shop"
        slug = "".join(c if c.isalnum() else "-" for c in str(project))
        folder = tmp_path / "claude" / "projects" / slug
        folder.mkdir(parents=True)
        for path in made_by if name == "shop" else made_by[:1]:
            text = path.read_text(encoding="utf-8")
            if name == "bank":  # a session of its own
                text = re.sub(r'"sessionId": ?"[^"]*"', '"sessionId": "other"', text)
            (folder / path.name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "shop"


async def test_a_local_server_pushes_its_own_project_in_the_background(
    settings: Settings, machine: Path, tmp_path: Path
) -> None:
    import anyio

    token = made(settings)
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    file.chmod(0o600)
    async with listening(settings) as listener:
        local = Settings(
            home=tmp_path / "local",
            embedding_model="hash",
            index_auto=False,
            push_url=listener.url,
            push_seconds=0.05,
            remote_token_file=file,
        )
        held = build_server(local, cwd=machine)
        async with Client(held) as client:
            await client.list_tools()
            with anyio.fail_after(30):
                while len([n for n in archived(settings) if n.endswith("steps.jsonl")]) < 2:
                    await anyio.sleep(0.05)
    there = archived(settings)
    assert len([name for name in there if name.endswith("steps.jsonl")]) == 2
    assert archived(local) == {}


async def test_nothing_is_pushed_unless_a_remote_bank_is_set(
    settings: Settings, machine: Path, requests: list[bytes]
) -> None:
    async with Client(build_server(settings, cwd=machine)) as client:
        await client.list_tools()
        await client.call_tool("search", {"query": "heron"})
    assert requests == []
    assert settings.of_tenant("other").push_url == ""


async def test_the_background_push_says_what_stands_in_its_way(
    settings: Settings, machine: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import anyio

    beyond = settings.model_copy(update={"push_url": "http://memory.example.org"})
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(background.keep_pushed, beyond, str(machine))
            while "Use https" not in caplog.text:
                await anyio.sleep(0.02)
            tasks.cancel_scope.cancel()


def test_the_commands_push_and_pull(
    home: Path, machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = made(Settings(home=home))
    monkeypatch.chdir(machine)
    monkeypatch.setenv("MCP_MEMORY_HOME", str(tmp_path / "local"))
    monkeypatch.setenv(reaching.TOKEN_VARIABLE, token)
    run = CliRunner()
    with started(home) as (_, url):
        done = run.invoke(cli, ["push", url])
        assert done.exit_code == 0, done.output
        assert f"Of {machine} alone" in done.output
        assert "2 sessions sent (0 grown), 0 there already" in done.output
        again = run.invoke(cli, ["push", f"{url}/mcp", "--project", "."])
        assert "0 sessions sent (0 grown), 2 there already" in again.output
        here = str(tmp_path / "here")
        done = run.invoke(cli, ["pull", url, "--project", "shop", "--to", here])
        assert done.exit_code == 0, done.output
        assert "shop: " in done.output
        assert files_in(tmp_path / "here") == files_in(home / "archive")
        monkeypatch.setenv(reaching.TOKEN_VARIABLE, "mcpm_wrong")
        refused = run.invoke(cli, ["pull", url, "--project", "shop", "--to", here])
        assert refused.exit_code == 2
        assert "does not know the token" in refused.output
        assert "mcpm_wrong" not in refused.output
