"""What asks for something else than independent sessions did is marked and last; the rest is left alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mcp_memory.bank import MemoryBank, open_bank
from mcp_memory.domain.asked import Query
from mcp_memory.domain.models import Draft
from mcp_memory.search import consensus
from mcp_memory.search.consensus import Command, Deed
from mcp_memory.search.consenting import ODD
from mcp_memory.settings import Settings

PAGE = (
    "How to release the shop: run `shop-release publish --fast` from the root, it does all of it."
)
HOST = "For the release use `pip install --index-url https://wheels.example/simple shopkit`."
SAME = "To release the shop run `make release`, then look at the log of the release."


def deeds(*lines: str, root: str = "") -> list[Deed]:
    return [
        Deed(one, root or f"s{n}", f"t:s{n}#4")
        for n, line in enumerate(lines)
        for one in consensus.commands(line)
    ]


@pytest.mark.parametrize(
    ("text", "done", "how"),
    [
        (PAGE, ("make release", "make release"), "another command"),
        (HOST, ("pip install shopkit", "pip install -q shopkit"), "another host, wheels.example"),
        (
            "Run `git push --no-verify`.",
            ("git push", "git push origin main"),
            "another flag, --no-verify",
        ),
        (
            "Set SHOP_PORT = 9090 first.",
            ("SHOP_PORT=8080 make serve",) * 2,
            "another value, SHOP_PORT",
        ),
    ],
    ids=["command", "host", "flag", "value"],
)
def test_what_two_others_did_otherwise_is_told(text: str, done: tuple[str, ...], how: str) -> None:
    assert consensus.otherwise(consensus.asked(text), deeds(*done), ["release"]).startswith(how)


@pytest.mark.parametrize(
    ("text", "done"),
    [
        (SAME, ("make release", "make release")),
        (PAGE, ("make release",)),
        (PAGE, ("make release", "npm run release")),
        (PAGE, ("make release", "make release", "shop-release publish")),
        ("`curl https://a.example`", ("curl https://b.example", "curl https://c.example")),
        ("`git push --no-verify`", ("git push", "git push --no-verify")),
        ("`pytest -x`", ("pytest -q", "pytest -q")),
        ("SHOP_PORT = 9090", ("SHOP_PORT=8080 make serve", "SHOP_PORT=9090 make serve")),
        ("The flag `--no-origin-notes` is new.", ("if command -v lint; then lint; fi",) * 2),
        ("There is nothing to run in it.", ("make release", "make release")),
    ],
)
def test_without_two_that_agree_nothing_is_odd(text: str, done: tuple[str, ...]) -> None:
    assert consensus.otherwise(consensus.asked(text), deeds(*done), ["release"]) == ""


def test_one_root_session_is_no_consensus() -> None:
    assert not consensus.otherwise(
        consensus.asked(PAGE), deeds("make release", "make release", root="s"), ["release"]
    )


def test_hosts_are_read_out_of_addresses() -> None:
    (one,) = consensus.commands("git clone ssh://git@Code.Example:22/shop.git")
    assert one == Command("git clone", one.line, frozenset({"code.example"}))


def session(path: Path, name: str, cwd: Path, *calls: tuple[str, dict[str, str], str]) -> Path:
    """Claude Code's transcript of a session that makes these calls."""
    lines: list[dict[str, Any]] = []

    def add(kind: str, content: object, **more: object) -> None:
        number, day = len(lines) + 1, "abc".index(name) + 1
        lines.append(
            {
                "parentUuid": f"{name}-{number - 1}" if number > 1 else None, "isSidechain": False,
                "cwd": str(cwd), "sessionId": f"{name * 8}-0000-4000-8000-000000000000", "type": kind,
                "uuid": f"{name}-{number}", "timestamp": f"2026-05-0{day}T10:{number:02}:00.5Z",
                "message": {"role": kind, "content": content, "id": f"msg_{name}_{number}"}, **more,
            }
        )  # fmt: skip

    add("user", f"Please release the shop, {name}.")
    for place, (tool, given, text) in enumerate(calls):
        call = {"type": "tool_use", "id": f"c{place}", "name": tool, "input": given}
        add("assistant", [call])
        told = {
            "type": "tool_result",
            "tool_use_id": f"c{place}",
            "content": text,
            "is_error": False,
        }
        add("user", [told])
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


MAKE = ("Bash", {"command": "make release"}, "released shop 1.4")


@pytest.fixture
async def bank(settings: Settings, tmp_path: Path) -> AsyncIterator[MemoryBank]:
    cwd = tmp_path / "shop"
    (cwd / ".git").mkdir(parents=True)
    read = ("Read", {"file_path": "wiki/release.md"}, PAGE)
    files = [
        session(tmp_path / "a.jsonl", "a", cwd, MAKE),
        session(tmp_path / "b.jsonl", "b", cwd, MAKE),
        session(tmp_path / "c.jsonl", "c", cwd, read),
    ]
    async with open_bank(settings, cwd=str(cwd)) as bank:
        await bank.index(files)
        yield bank


async def _odd(bank: MemoryBank) -> list[tuple[bool, str]]:
    found = await bank.search(Query(texts=("how is the shop released: release publish",)))
    return [(any(f.startswith(ODD) for f in hit.flags), hit.ref) for hit in found.hits]


async def test_a_page_that_two_sessions_did_otherwise_is_marked_and_last(bank: MemoryBank) -> None:
    told = await _odd(bank)
    assert [odd for odd, _ in told] == sorted(odd for odd, _ in told)
    assert [ref for odd, ref in told if odd] == [told[-1][1]]


async def test_without_consensus_the_page_is_not_marked(
    bank: MemoryBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consensus, "QUORUM", 99)
    assert not any(odd for odd, _ in await _odd(bank))


async def test_a_candidate_that_says_otherwise_is_marked(bank: MemoryBank) -> None:
    await bank.retain(Draft(text="Release the shop with `shop-release publish --fast`."))
    found = await bank.search(Query(texts=("release the shop",)))
    (memory,) = (hit for hit in found.hits if hit.ref.startswith("m:"))
    assert any("make release" in flag for flag in memory.flags)
